"""One piece of work for many images, a few at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from models_ml.runtime.device import drawn_beside

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 32  # images in memory beside the results already handed on


def side_by_side(work: Callable[[S], T], things: Sequence[S], *, drawn: int = 0) -> Iterator[T]:
    """Yield the results in order. Decoding, the networks and encoding run outside the interpreter's lock.

    `drawn` is the number of pixels that a generator draws in each piece of work: fewer pieces run beside each other
    if the machine's memory has no room for more.
    """
    threads = torch.get_num_threads()
    workers = drawn_beside(threads, drawn) if drawn else threads
    torch.set_num_threads(threads // workers)  # one image a thread is faster than one image on all threads
    try:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for start in range(0, len(things), AT_ONCE):
                yield from pool.map(work, things[start : start + AT_ONCE])
    finally:
        torch.set_num_threads(threads)
