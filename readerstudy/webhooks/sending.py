"""Delivering messages: by a worker that gets the id of one, signed by the scheme of Standard Webhooks.

At least once: a worker that dies before it recorded the answer leaves a message that is sent again, with the same id.
"""

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import override
from kombu.exceptions import OperationalError

from readerstudy.celery import MAIL_QUEUE, app
from readerstudy.errors import BadInput
from readerstudy.webhooks.addresses import Target, find_target
from readerstudy.webhooks.connection import NOT_DELIVERED, post
from readerstudy.webhooks.models import LEASE, SECRET_PREFIX, Attempt, Delivery, DeliveryState, Webhook

# Names of tasks, see `tasks`.
SEND_DELIVERY: Final = "send-webhook"
SEND_WAITING: Final = "send-waiting-webhooks"

# Before the second attempt, the third, …, 21 hours in all; a message that fails after the last one is given up.
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 10, 20, 40, 80, 160, 320, 640))
TIMEOUT: Final = 10.0  # seconds for the whole attempt
GONE: Final = 410  # the receiver wants nothing more of this
log = logging.getLogger(__name__)


def hand_over(ids: Sequence[UUID]) -> None:
    """Hand messages to a worker. Raises nothing: those that no broker took are found by the clock."""
    try:
        for each in ids:
            app.send_task(SEND_DELIVERY, kwargs={"delivery_id": str(each)}, queue=MAIL_QUEUE)
    except (OperationalError, OSError) as error:
        log.warning("The broker took no message for %d webhooks: %s", len(ids), type(error).__name__)


def send_waiting(*, clock: Callable[[], datetime]) -> list[Delivery]:
    """Try to deliver everything that is due, or whose attempt was interrupted; return what was tried."""
    at = clock()
    due = Q(state=DeliveryState.WAITING, due_at__lte=at) | Q(state=DeliveryState.SENDING, claimed_at__lte=at - LEASE)
    rows = Delivery.objects.filter(due, webhook__in=Webhook.objects.live()).order_by("due_at")
    return [delivery for delivery in rows if send(delivery, at=clock())]


def send(delivery: Delivery, *, at: datetime) -> bool:
    """Make one attempt, unless another process has the message or it is over. Return whether it was made.

    Running it again is harmless: each attempt needs the row, and what happened is recorded there.
    """
    if not Webhook.objects.live().filter(pk=delivery.webhook_id).exists() or not delivery.claim(at=at):
        return False
    started = perf_counter()
    status, error = _attempt(delivery, at=at)
    passed = round((perf_counter() - started) * 1000)
    Attempt.objects.create(delivery=delivery, at=at, status=status, error=error[:200], milliseconds=passed)
    if status is not None and 200 <= status < 300:
        delivery.mark_delivered()
    elif status == GONE or delivery.tries > len(PAUSES):
        delivery.give_up()
    else:
        delivery.put_back(due_at=at + PAUSES[delivery.tries - 1])
    return True


def _attempt(delivery: Delivery, *, at: datetime) -> tuple[int | None, str]:
    """Return the status of the answer, None without one, and a reason. Redirects are not followed."""
    url = delivery.webhook.url
    try:
        with override("en"):
            target = find_target(url)
        return _request(url, target, delivery, at=at), ""
    except BadInput as error:
        return None, str(error)
    except NOT_DELIVERED as error:
        return None, f"{type(error).__name__}: {error}"


def _request(url: str, target: Target, delivery: Delivery, *, at: datetime) -> int:
    body = delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "readerstudy-webhooks",
        **signed(delivery.webhook.secret, delivery.message_id, body, at=at),
    }
    return post(url, target, body, headers, seconds=TIMEOUT)


def signed(secret: str, message_id: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """Return the headers of a message by the scheme of Standard Webhooks: id, time in seconds, and HMAC-SHA256."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    second = str(int(at.timestamp()))
    content = b".".join([message_id.encode(), second.encode(), body])
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": second, "webhook-signature": f"v1,{signature}"}
