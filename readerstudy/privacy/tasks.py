"""The daily task of retention."""

from celery import shared_task
from django.utils.timezone import now

from readerstudy.privacy.retention import apply_retention


@shared_task(name="apply-retention")
def apply_retention_task() -> None:
    """Erase what is older than its period."""
    apply_retention(at=now())
