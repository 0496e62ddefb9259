"""Parallel work on many images, a few in memory at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from models_ml.runtime.device import drawn_beside

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 32  # results in memory that were not yet yielded


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], *, pixels_drawn: int = 0
) -> Iterator[Result]:
    """Yield the results in order, computed by threads: decoding, networks and encoding release the interpreter's lock.

    `pixels_drawn` is the number of pixels that a generator draws in one call. Fewer threads run if the machine's
    memory does not hold a drawing for each.
    """
    threads = torch.get_num_threads()
    workers = drawn_beside(threads, pixels_drawn) if pixels_drawn else threads
    torch.set_num_threads(threads // workers)  # one image a thread is faster than one image on all threads
    try:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for start in range(0, len(items), CHUNK):
                yield from pool.map(function, items[start : start + CHUNK])
    finally:
        torch.set_num_threads(threads)
