"""Retry a job."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.jobs.actions import retry_job
from readerstudy.jobs.models import Job


class Command(StudyCommand):
    help = "Queue the work of the failed or cancelled job ID again. It resumes from its last save."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=int, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        job = retry_job(job=Job.numbered(options["job"]), actor=None, at=now())
        text = f"Job {job.pk} is queued. It resumes from the last save of job {options['job']}."
        self.show({"id": job.pk, "status": job.status}, text, as_json=options["json"])
