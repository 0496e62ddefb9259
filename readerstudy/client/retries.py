"""When a request is sent again, and how long to wait before."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

# The server did nothing, or does it once for one idempotency key.
TRANSIENT: Final = frozenset({429, 502, 503, 504})
IDEMPOTENCY_KEY: Final = "Idempotency-Key"


@dataclass(frozen=True)
class Retries:
    """How often, and after which pauses in seconds, a request is sent again.

    The pause doubles each time up to `longest`, less up to half of it by chance, so that many programs do not come back
    at once. A server that asks for a longer pause than `longest` is not asked again. Writes carry an idempotency key.
    """

    most: int = 6
    first: float = 0.5
    longest: float = 60.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def pause(self, tries: int, *, asked: float | None = None) -> float | None:
        """Return the pause after this number of tries; None: give up. `asked`: what the server asked for."""
        if tries > self.most or (asked is not None and asked > self.longest):
            return None
        own = min(self.longest, self.first * 2.0 ** (tries - 1)) * (1 - self.chance() / 2)
        return max(own, asked or 0.0)


NEVER: Final = Retries(most=0)


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that the server asks to wait, from a number or a date (RFC 9110); None if it does not say."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def may_send_again(error: httpx.TransportError, *, is_safe: bool) -> bool:
    """Return whether a request may be sent again after this error. `is_safe`: doing it twice is doing it once.

    Any request may be if it never reached the server.
    """
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    broken = isinstance(error, httpx.NetworkError | httpx.TimeoutException | httpx.RemoteProtocolError)
    return never_sent or (is_safe and broken)
