"""The figures of the last two hours, one sample a minute, in the cache that all web processes share.

A sample is taken when somebody asks `/health/ready`, as containers do, or opens the page. Two processes that do so at
the same moment may lose one.
"""

import logging
import time
from typing import Final

from django.core.cache import cache
from django.utils.timezone import now

from readerstudy.operation.figures import Figures, take_figures

EVERY: Final = 60  # seconds
KEPT: Final = 120  # samples
_KEY: Final = "readerstudy.operation.history"
_NEWEST: Final = "readerstudy.operation.sampled"
Sample = dict[str, float]
log = logging.getLogger(__name__)


def note_sample(figures: Figures | None = None) -> None:
    """Add a sample if the newest one is a minute old. A failure changes no answer."""
    try:
        if not cache.add(_NEWEST, 1, EVERY - 1):
            return
        samples = history()
        samples.append(_sample(figures or take_figures(at=now())))
        cache.set(_KEY, samples[-KEPT:], KEPT * EVERY * 2)
    except Exception as error:  # of the database or the cache; `/health/ready` has its own checks of both
        log.warning("No sample of the figures could be kept: %s", type(error).__name__)


def history() -> list[Sample]:
    """Return the samples, oldest first."""
    return list(cache.get(_KEY) or [])


def _sample(figures: Figures) -> Sample:
    return {
        "at": time.time(),
        "queued": figures.jobs["queued"],
        "running": figures.jobs["running"],
        "messages": figures.messages_waiting or 0,
        "mails": figures.mails["queued"],
        "held": figures.sessions_on_hold,
        "open": figures.sessions_open,
        "disk": figures.disk_free,
        "connections": figures.connections,
    }
