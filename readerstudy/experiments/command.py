"""Base class of the commands that run a job."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.errors import StudyError
from readerstudy.experiments.catalogue import kind_of
from readerstudy.experiments.start import start_job
from readerstudy.jobs.queue import run_here


class JobCommand(StudyCommand):
    """A command whose work is a job: run here with a progress bar, or handed to a worker with --queue."""

    task = ""
    title = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queue", action="store_true", help="hand the job to a worker and return at once")

    def run_job(self, parameters: dict[str, Any], *, queue: bool) -> Any:
        """The job's result, or None when it was queued."""
        kind = kind_of(self.task, parameters)
        if kind is None:
            raise StudyError(f"The catalogue of jobs does not know the task {self.task}.")
        job = start_job(kind=kind.key, parameters=parameters, requested_by=None, at=now(), here=not queue)
        if queue:
            self.stdout.write(f"Job {job.pk} is queued; watch it at /lab/jobs/{job.pk}/ or with the command jobs.")
            return None
        with self.bar(self.title) as advance:
            return run_here(job, watch=lambda done, total, text, values: advance(done, total, text))
