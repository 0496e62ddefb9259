"""One piece of work for many pictures, a few at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 32  # pictures in memory beside the results already handed on


def side_by_side(work: Callable[[S], T], things: Sequence[S]) -> Iterator[T]:
    """Results in order: decoding, the networks and encoding run outside the interpreter's lock."""
    workers = torch.get_num_threads()
    torch.set_num_threads(1)  # one image a thread is faster than one image on all threads
    try:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for start in range(0, len(things), AT_ONCE):
                yield from pool.map(work, things[start : start + AT_ONCE])
    finally:
        torch.set_num_threads(workers)
