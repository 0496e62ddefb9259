"""An index of perceptual hashes: which stored pictures may be copies of a new one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.near_copies import HASH_WORDS, MIRRORED

# Bits of 256 by which a candidate differs at most. Copies with one change differ by 0 to 64, unrelated pictures by 128.
FARTHEST: Final = 68
# Pictures of one standard view can all lie within this distance; the nearest ones are enough to find a copy.
MOST_CANDIDATES: Final = 12

_FIRST_CAPACITY: Final = 1024


class HashIndex:
    """Hashes in one array of 32 bytes each, compared with a new one all at once.

    At 100,000 hashes a search takes about 1 ms (make bench PART=near_copies), much less than preparing an image, so
    that no tree or table is needed.
    """

    def __init__(self) -> None:
        self._words = np.empty((_FIRST_CAPACITY, HASH_WORDS), dtype=np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, words: NDArray[np.uint64]) -> int:
        """Add a hash; return its number, counted from 0."""
        if self._count == len(self._words):
            self._words = np.concatenate([self._words, np.empty_like(self._words)])
        self._words[self._count] = words
        self._count += 1
        return self._count - 1

    def candidates(self, words: NDArray[np.uint64]) -> list[int]:
        """Return the numbers of the hashes nearest to this one or to its mirror image, nearest first."""
        stored = self._words[: self._count]
        distances = np.minimum(_distances(stored, words), _distances(stored, words ^ MIRRORED))
        near = np.flatnonzero(distances <= FARTHEST)
        return [int(number) for number in near[np.argsort(distances[near], kind="stable")][:MOST_CANDIDATES]]


def _distances(stored: NDArray[np.uint64], words: NDArray[np.uint64]) -> NDArray[np.uint16]:
    # Word by word: a sum over an axis of four is slow.
    total = np.zeros(len(stored), dtype=np.uint16)
    for number in range(HASH_WORDS):
        total += np.bitwise_count(stored[:, number] ^ words[number])
    return total
