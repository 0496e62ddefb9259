"""Cancel a job."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.jobs.actions import cancel_job
from readerstudy.jobs.models import Job


class Command(StudyCommand):
    help = "Cancel the job ID: a queued job at once, a running one at its next report. Saved work is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=int, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        job = cancel_job(job=Job.numbered(options["job"]), actor=None, at=now())
        text = (
            f"Job {job.pk} is cancelled."
            if job.is_over
            else f"Job {job.pk} stops at its next report. Saved work is kept."
        )
        self.show({"id": job.pk, "status": job.status}, text, as_json=options["json"])
