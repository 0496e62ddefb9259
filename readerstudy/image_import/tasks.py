"""Celery tasks that check and import images. Celery imports this module; all other code refers to the tasks by name."""

from celery import shared_task

from readerstudy.image_import.actions import CHECK, IMPORT
from readerstudy.image_import.work import check, run_import
from readerstudy.jobs.queue import perform


@shared_task(name=CHECK)
def check_images_task(job_id: int) -> None:
    """Read the files of an import and report what would be imported; nothing is stored."""
    perform(job_id, check)


@shared_task(name=IMPORT)
def import_images_task(job_id: int) -> None:
    """Import the files of an import."""
    perform(job_id, run_import)
