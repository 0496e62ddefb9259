"""Put jobs of dead workers back on the queue."""

from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.jobs.actions import requeue_lost_jobs


class Command(StudyCommand):
    help = "Put jobs whose worker was killed back on the queue; `work` does this by itself every half minute."

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = requeue_lost_jobs(at=now())
        text = "\n".join(f"Job {job.pk} ({job.kind}) is queued again." for job in jobs) or "No job is lost."
        self.show([job.pk for job in jobs], text, as_json=options["json"])
