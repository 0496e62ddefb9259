"""Return jobs of lost workers to the queue."""

from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.jobs.actions import requeue_lost_jobs


class Command(StudyCommand):
    help = "Return jobs of lost workers to the queue. A running `work` command does this every half minute."

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = requeue_lost_jobs(at=now())
        text = "\n".join(f"Job {job.pk} ({job.kind}) is queued again." for job in jobs) or "No job is lost."
        self.show([job.pk for job in jobs], text, as_json=options["json"])
