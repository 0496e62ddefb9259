"""Work on the sealed tables: what only `truth` and the analysis of unsealed studies may read.

A process that answers requests connects as a role that cannot read them
(`readerstudy.configuration.database_roles`). Within `sealed_work` every query of the thread goes over a second
connection, whose role can. Decision 49 has the reasons.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections

SEALED: Final = "sealed"  # the connection, in a process whose usual one cannot read the tables
Item = TypeVar("Item")
_DEPTH: ContextVar[int] = ContextVar("sealed_work", default=0)


def is_sealed_work() -> bool:
    """Return whether the thread is in sealed work."""
    return _DEPTH.get() > 0


@contextmanager
def sealed_work(*, reads_committed: bool = False) -> Iterator[None]:
    """Let queries read the sealed tables; also a decorator, `@sealed_work()`.

    Raises RuntimeError within a transaction, whose changes the second connection would not see: begin the work first.
    With `reads_committed` it can begin there, to read rows that were committed before; it may change nothing.
    """
    outer = connections[DEFAULT_DB_ALIAS]
    begins = not is_sealed_work()
    # As for durable transactions, the one that a test runs in does not count.
    is_too_late = begins and not reads_committed and outer.in_atomic_block
    if is_too_late and not getattr(outer.atomic_blocks[-1], "_from_testcase", False):
        raise RuntimeError("Sealed work cannot begin within a transaction.")
    token = _DEPTH.set(_DEPTH.get() + 1)
    if begins and SEALED in connections:
        connections[DEFAULT_DB_ALIAS] = connections[SEALED]
    try:
        yield
    finally:
        _DEPTH.reset(token)
        if begins:
            connections[DEFAULT_DB_ALIAS] = outer


def each_sealed(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, each of them computed in sealed work; what is done with them between is not."""
    iterator = iter(items)
    while True:
        with sealed_work():
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item
