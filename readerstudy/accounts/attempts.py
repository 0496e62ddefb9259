"""A limit on wrong passwords, for each account and for each address, counted in the cache.

A block ends by itself with its period. It stops passwords only: sign-in links and API tokens still work.
"""

from datetime import datetime
from typing import Final

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record

PERIOD: Final = 15 * 60  # seconds
PER_ACCOUNT: Final = 10
PER_ADDRESS: Final = 30  # a hospital may have one address for everybody


def begin_attempt(*, username: str, address: str | None, at: datetime) -> int:
    """Count an attempt before its password is checked; return the seconds to wait, 0 if it may go on.

    The first attempt over a limit in each period is recorded in the audit trail.
    """
    counts = [(_count(key, at=at), limit) for key, limit in _limits(username, address)]
    if all(count <= limit for count, limit in counts):
        return 0
    if any(count == limit + 1 for count, limit in counts):
        record("sign_in.blocked", actor=None, subject=_account(username) or "", at=at)
    return PERIOD - int(at.timestamp()) % PERIOD


def end_attempt(*, username: str, address: str | None, at: datetime, succeeded: bool) -> None:
    """Record a wrong password, or take the attempt that succeeded from the counts.

    What was typed as the name of an account that does not exist may be a password: it is stored nowhere.
    """
    if succeeded:
        for key, _limit in _limits(username, address):
            if cache.get(_of_period(key, at=at), 0) > 0:
                cache.decr(_of_period(key, at=at))
        return
    account = _account(username)
    if account:
        record("sign_in.failed", actor=None, subject=account, at=at)
    else:
        record("sign_in.unknown", actor=None, subject="", at=at)


def _account(username: str) -> User | None:
    return User.objects.filter(username=username.replace("\0", "")).first()


def _limits(username: str, address: str | None) -> list[tuple[str, int]]:
    return [(f"account {username}", PER_ACCOUNT), (f"address {address}", PER_ADDRESS)]


def _count(key: str, *, at: datetime) -> int:
    key = _of_period(key, at=at)
    cache.add(key, 0, timeout=PERIOD)
    try:
        return cache.incr(key)
    except ValueError:  # it ended between the two statements
        return 1


def _of_period(key: str, *, at: datetime) -> str:
    """Return the key in the cache: keyed hashes, because names of accounts must not lie in it."""
    digest = salted_hmac("readerstudy.accounts.attempts", key, algorithm="sha256").hexdigest()
    return f"attempts-{digest}-{int(at.timestamp()) // PERIOD}"
