"""Configuration of gunicorn: the application's clock differs from the machine's by CLOCK_S seconds."""

import os
from datetime import datetime, timedelta

from django.utils import timezone

_right = timezone.now


def _wrong() -> datetime:
    return _right() + timedelta(seconds=int(os.environ.get("CLOCK_S", "0")))


# Before the application is imported: its modules take this function by its name.
timezone.now = _wrong
