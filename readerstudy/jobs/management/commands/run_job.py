"""Run one queued job in this process, without a broker."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from readerstudy.commands import StudyCommand
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here


class Command(StudyCommand):
    help = "Run the job ID in this process and wait until it ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        job = Job.objects.filter(pk=options["id"]).first()
        if job is None:
            raise CommandError(f"There is no job {options['id']}.")
        result = run_here(job)
        self.show(result, f"Job {job.pk} is done.", as_json=options["json"])
