"""When a worker of each queue last reported, in the cache that all processes share, by the clock of the database."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.core.cache import cache
from django.db import connection

from readerstudy.jobs.models import Queue

log = logging.getLogger(__name__)
WORKER_GONE: Final = timedelta(seconds=120)  # workers report every 30 seconds
_KEPT: Final = 7 * 24 * 3600  # seconds
_KEY: Final = "readerstudy.worker.{}"


def note_worker(queues: Iterable[str]) -> None:
    """Note that a worker of these queues is there and reaches the database. Work goes on if that fails."""
    try:
        at = _database_time()
        cache.set_many({_KEY.format(queue): at for queue in queues}, _KEPT)
    except Exception as error:  # of the database or the cache, which may be away; the age then tells
        log.warning("The worker could not report: %s", type(error).__name__)


def worker_ages(queues: Iterable[str]) -> dict[str, float]:
    """Return the seconds since a worker of each queue reported; queues that no worker has taken are left out."""
    keys = {_KEY.format(queue): queue for queue in queues}
    seen = cache.get_many(keys)
    at = _database_time()
    return {queue: max(0.0, at - seen[key]) for key, queue in keys.items() if key in seen}


def newest_worker_age() -> float | None:
    """Return the seconds since a worker of any queue of jobs reported; None if none has."""
    return min(worker_ages(Queue.values).values(), default=None)


def _database_time() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])
