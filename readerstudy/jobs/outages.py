"""Outages of the database: work goes on, and what must be recorded is recorded once the database answers again."""

import logging
from collections.abc import Callable
from time import sleep
from typing import Final, TypeVar

from django.db import Error, InterfaceError, OperationalError, connection

from readerstudy.outage import is_outage

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between two tries
OUTAGES: Final = (OperationalError, InterfaceError)
Value = TypeVar("Value")
logger = logging.getLogger(__name__)


def disconnect() -> None:
    """Forget the connection of this thread, so that the next query makes a new one."""
    try:
        connection.close()
    except Error:  # a broken connection cannot be closed in order
        connection.connection = None


def outlive(act: Callable[[], Value]) -> Value:
    """Return the value of `act`; while the database is away, wait and try again. Other errors are raised.

    `act` may have taken effect although its answer was lost: it must be harmless when it is called again.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return act()
        except OUTAGES as error:
            if not is_outage(error):
                raise
            logger.warning("The database is away (%s); trying again in %.1f s.", str(error).strip(), pause)
            disconnect()
        sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
