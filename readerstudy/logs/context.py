"""What the work in hand is part of: a request or a job. Log lines name it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Names = dict[str, str | int]
_context: ContextVar[Names | None] = ContextVar("log_context", default=None)


@contextmanager
def logged_as(**names: str | int) -> Iterator[None]:
    """Add these names to the log lines of the block, such as the id of the request or the number of the job."""
    token = _context.set({**current_names(), **names})
    try:
        yield
    finally:
        _context.reset(token)


def current_names() -> Names:
    """Return the names that the log lines of this thread have."""
    return _context.get() or {}
