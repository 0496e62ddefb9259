"""The broker of the jobs: whether it answers, and how many messages wait in each queue."""

from typing import Any, Final

from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError

from readerstudy.celery import MAIL_QUEUE
from readerstudy.jobs.models import Queue

QUEUES: Final = (*Queue.values, MAIL_QUEUE)
SECONDS: Final = 2  # to connect, and to answer


def waiting_messages() -> dict[str, int]:
    """Return the number of messages in each queue. Raises OperationalError if the broker does not answer."""
    options: dict[str, Any] = dict(settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    if settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
        options |= {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "retry_on_timeout": False}
    broker = Connection(settings.CELERY_BROKER_URL, connect_timeout=SECONDS, transport_options=options)
    try:
        with broker:
            broker.ensure_connection(max_retries=1, timeout=SECONDS)
            channel = broker.default_channel
            # `_size` is what a declaration of a queue counts; a declaration would make a queue that is not there.
            return {queue: int(channel._size(queue)) for queue in QUEUES}
    except OperationalError:
        raise
    except Exception as error:  # each transport has its own types of errors
        raise OperationalError(type(error).__name__) from error
