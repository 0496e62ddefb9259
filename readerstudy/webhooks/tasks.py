"""Celery tasks that deliver messages. They get ids of rows, never an address or a secret."""

from celery import shared_task
from django.utils.timezone import now

from readerstudy.webhooks.models import Delivery
from readerstudy.webhooks.sending import SEND_DELIVERY, SEND_WAITING, send, send_waiting


@shared_task(name=SEND_DELIVERY)
def send_delivery_task(delivery_id: str) -> None:
    """Deliver one message. An extra message to the worker, or one whose study was deleted, has no effect."""
    delivery = Delivery.objects.select_related("webhook").filter(pk=delivery_id).first()
    if delivery is not None:
        send(delivery, at=now())


@shared_task(name=SEND_WAITING)
def send_waiting_webhooks_task() -> None:
    """Deliver what is due."""
    send_waiting(clock=now)
