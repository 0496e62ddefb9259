"""A worker for the lab's jobs."""

import os
from argparse import ArgumentParser
from threading import Thread
from time import sleep
from typing import Any

from django.db import connection
from django.utils.timezone import now

from readerstudy.celery import app
from readerstudy.commands import StudyCommand
from readerstudy.jobs.actions import requeue_lost_jobs, resend_forgotten_jobs
from readerstudy.jobs.models import Queue

LOOK_EVERY = 30  # seconds


class Command(StudyCommand):
    help = (
        "Work on jobs, one at a time, until told to stop (Ctrl-C waits for the job under way). Start one for each "
        "graphics card: work --queue gpu --gpu 0. What a killed worker left is put back on the queue."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queue", action="append", choices=Queue.values, help="take from this one (default: all)")
        parser.add_argument("--gpu", help="the number of the graphics card that this worker alone uses, such as 0")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = options["queue"] or list(Queue.values)
        if options["gpu"] is not None:
            # Before anything loads torch, which looks once.
            os.environ["CUDA_VISIBLE_DEVICES"] = options["gpu"]
        put_back(with_forgotten=True)
        Thread(target=_keep_looking, name="lost jobs", daemon=True).start()
        name = "-".join([*queues, *([f"gpu{options['gpu']}"] if options["gpu"] else []), str(os.getpid())])
        app.worker_main(
            ["worker", "--concurrency=1", f"--queues={','.join(queues)}", f"--hostname={name}@%h", "--loglevel=INFO"]
        )


def put_back(*, with_forgotten: bool = False) -> None:
    """Send again what dead workers and brokers have dropped."""
    requeue_lost_jobs(at=now())
    if with_forgotten:
        resend_forgotten_jobs(at=now())


def _keep_looking() -> None:
    while True:
        sleep(LOOK_EVERY)
        try:
            put_back()
        finally:
            connection.close()
