"""Celery tasks of the schedule that concern studies."""

from celery import shared_task
from django.utils.timezone import now

from readerstudy.studies.actions import end_expired_requests


@shared_task(name="end-expired-requests")
def end_expired_requests_task() -> None:
    """End the requests to unseal a study whose time is over."""
    end_expired_requests(at=now())
