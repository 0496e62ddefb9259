"""Try a job again."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.jobs.actions import retry_job
from readerstudy.jobs.models import Job


class Command(StudyCommand):
    help = "Start the work of the failed or cancelled job ID again, on a worker. It goes on from its last save."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=int, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        job = retry_job(job=Job.numbered(options["job"]), actor=None, at=now())
        text = f"Job {job.pk} is queued; it goes on from what job {options['job']} saved."
        self.show({"id": job.pk, "status": job.status}, text, as_json=options["json"])
