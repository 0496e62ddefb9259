"""Near-copies: `make bench PART=near_copies` prints what finding them costs, ratios first.

A search among stored hashes must grow no faster than their number, and must cost little beside preparing an image for
storage. Times are the shortest of several; compare ratios, because seconds depend on the machine.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from time import perf_counter

import numpy as np

from readerstudy.imaging.hash_index import HashIndex
from readerstudy.imaging.near_copies import HASH_WORDS, sign
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.modalities.mammography.phantom import render, sample_cohort
from tests.bench.output import write

Row = tuple[str, float, str]
COUNTS = (1_000, 10_000, 100_000)


def main() -> None:
    write("near_copies", list(rows()))


def rows() -> Iterator[Row]:
    size = MAMMOGRAPHY.layouts["low"].size
    views = sample_cohort(2, seed=1)
    values = [render(view, size).values for view in views[:2]]
    encoding = spent(lambda: encode_png(values[0]))
    search = {count: spent(partial(filled(count).candidates, query())) for count in COUNTS}
    for fewer, more in pairwise(COUNTS):
        yield f"search, {more} hashes to {fewer}", search[more] / search[fewer], "times as long, for 10 times as many"
    yield "search among 100000 to encoding", search[COUNTS[-1]] / encoding, "of the time that an image takes to encode"
    signing = spent(lambda: sign(values[0]))
    yield "signature to encoding", signing / encoding, "of the time that an image takes to encode"
    one, file = sign(values[0]), encode_png(values[1])
    assert one is not None

    def compare() -> None:
        other = sign(decode_png(file))
        assert other is not None
        one.correlation(other)

    comparing = spent(compare)
    yield "candidate to encoding", comparing / encoding, "of the time that an image takes to encode"
    for count, seconds in search.items():
        yield f"search among {count}", 1000 * seconds, "ms"
    yield "signature", 1000 * signing, "ms"
    yield "candidate decoded and compared", 1000 * comparing, "ms"
    yield "encoding", 1000 * encoding, "ms"
    yield "memory of 10000 hashes", 10_000 * HASH_WORDS * 8 / 1e6, "MB"


def filled(count: int) -> HashIndex:
    index = HashIndex()
    for words in np.random.default_rng(1).integers(0, 2**64, size=(count, HASH_WORDS), dtype=np.uint64):
        index.add(words)
    return index


def query() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 2**64, size=HASH_WORDS, dtype=np.uint64)


def spent(work: Callable[[], object], *, times: int = 9) -> float:
    """Return the seconds of the fastest of several runs."""
    taken = []
    for _ in range(times):
        started = perf_counter()
        work()
        taken.append(perf_counter() - started)
    return min(taken)


if __name__ == "__main__":
    main()
