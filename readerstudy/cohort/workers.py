"""Work on many images in parallel, without the database."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import current_process, get_context
from typing import Any, Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
ParallelMap = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]

_AHEAD: Final = 4  # results in memory for each process


def usable_processes(processes: int | None) -> int:
    """Return that number of processes; with None one for every core, but one in a worker of the queue.

    Celery's processes are daemons, which may not start others.
    """
    if processes is None and current_process().daemon:
        return 1
    return processes or os.cpu_count() or 1


@contextmanager
def parallel_map(processes: int | None) -> Iterator[ParallelMap]:
    """Yield a function that works as map, in that many processes; on every core with None.

    The function and its items are sent to processes without Django: neither may refer to a model.
    """
    processes = usable_processes(processes)
    if processes == 1:
        yield map
        return
    # Spawned, not forked: a forked child would share this process's database connection.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield partial(_windowed, pool, _AHEAD * processes)


def _windowed(
    pool: ProcessPoolExecutor, size: int, function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[Result]:
    """Yield the results in order, a window at a time: they must not pile up when the caller is slower."""
    for start in range(0, len(items), size):
        yield from pool.map(function, items[start : start + size])
