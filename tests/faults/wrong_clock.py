"""Configuration of gunicorn: the application's clock differs from the machine's by the seconds in CLOCK_FILE.

libfaketime 0.9.10 cannot do this to running threads: it turns the monotonic clock back too, so that waits do not end;
with FAKETIME_DONT_FAKE_MONOTONIC every `time.sleep` of Python 3.11 fails with EINVAL.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

_right = timezone.now
_file = Path(os.environ["CLOCK_FILE"])


def _wrong() -> datetime:
    return _right() + timedelta(seconds=int(_file.read_text()))


# Before the application is imported: its modules take this function by its name.
timezone.now = _wrong
