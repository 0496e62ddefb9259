"""Return jobs of lost workers to the queue."""

from typing import Any

from readerstudy.commands import StudyCommand
from readerstudy.jobs.actions import requeue_lost_jobs
from readerstudy.jobs.heartbeat import database_time
from readerstudy.jobs.models import Job, JobStatus


class Command(StudyCommand):
    help = "Return jobs of lost workers to the queue. A running `work` command does this every half minute."

    def handle(self, *args: Any, **options: Any) -> None:
        time = database_time()
        jobs = requeue_lost_jobs(at=time.now, since=time.started)
        text = "\n".join(map(_sentence, jobs)) or "No job is lost."
        self.show([job.pk for job in jobs if job.status == JobStatus.QUEUED], text, as_json=options["json"])


def _sentence(job: Job) -> str:
    name = f"Job {job.pk} ({job.kind})"
    match job.status:
        case JobStatus.QUEUED:
            return f"{name} is queued again."
        case JobStatus.FAILED:
            return f"{name} has failed: {job.note}"
        case _:
            return f"{name} is {job.get_status_display().lower()}."
