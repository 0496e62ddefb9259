"""A worker for jobs."""

import os
from argparse import ArgumentParser
from typing import Any

from readerstudy.celery import MAIL_QUEUE, app
from readerstudy.commands import StudyCommand
from readerstudy.configuration.start_checks import require_migrated, require_tasks
from readerstudy.jobs.models import Queue
from readerstudy.jobs.sweeper import Sweeper

QUEUES = [*Queue.values, MAIL_QUEUE]


class Command(StudyCommand):
    help = (
        "Work on jobs, one at a time. Ctrl-C stops after the current job. Start one worker for each graphics card: "
        "work --queue gpu --gpu 0, and one worker for mails and the schedule: work --queue mail --beat. The jobs of "
        "lost workers are returned to the queue."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queue", action="append", choices=QUEUES, help="queue to take jobs or mails from (default: all)"
        )
        parser.add_argument(
            "--beat",
            action="store_true",
            help="also keep the schedule: mails that wait and expired requests each minute, reminders at 8",
        )
        parser.add_argument("--gpu", help="number of the graphics card that this worker uses, such as 0")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = options["queue"] or QUEUES
        if options["gpu"] is not None:
            # Torch reads this variable when it is loaded.
            os.environ["CUDA_VISIBLE_DEVICES"] = options["gpu"]
        require_migrated()
        require_tasks()
        Sweeper(queues).start()
        name = "-".join([*queues, *([f"gpu{options['gpu']}"] if options["gpu"] else []), str(os.getpid())])
        app.worker_main(
            [
                "worker",
                "--concurrency=1",
                f"--queues={','.join(queues)}",
                f"--hostname={name}@%h",
                "--loglevel=INFO",
                *(["--beat"] if options["beat"] else []),
            ]
        )
