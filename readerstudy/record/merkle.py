"""Proofs of a Merkle tree (RFC 6962, section 2.1). Hashes and verification are in `verifier`, which stands alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from readerstudy.record.verifier import EMPTY_ROOT, node_hash


@dataclass
class Tree:
    """A tree over leaf hashes, with the hashes of its perfect subtrees."""

    leaves: Sequence[bytes]
    _levels: list[list[bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self._levels = [list(self.leaves)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append([node_hash(*below[i : i + 2]) for i in range(0, len(below) - 1, 2)])

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves, of all by default."""
        size = len(self.leaves) if size is None else size
        return self._root(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the audit path of a leaf in the tree of the first `size` leaves (2.1.1)."""
        if not 0 <= index < size <= len(self.leaves):
            raise ValueError(f"There is no entry {index} in a tree of {size}.")
        proof, start, end = [], 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._root(middle, end))
                end = middle
            else:
                proof.append(self._root(start, middle))
                start = middle
        return proof[::-1]

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """Return the proof that the tree of `second` leaves begins with that of `first` leaves (2.1.2)."""
        if not 0 <= first <= second <= len(self.leaves):
            raise ValueError(f"There are no trees of {first} and {second}.")
        if first in (0, second):
            return []
        proof, start, end, is_whole = [], 0, second, True
        while first != end:
            middle = start + _split(end - start)
            if first <= middle:
                proof.append(self._root(middle, end))
                end = middle
            else:
                proof.append(self._root(start, middle))
                start, is_whole = middle, False
        if not is_whole:
            proof.append(self._root(start, end))
        return proof[::-1]

    def _root(self, start: int, end: int) -> bytes:
        size = end - start
        if size & (size - 1) == 0:  # a perfect subtree
            level = size.bit_length() - 1
            return self._levels[level][start >> level]
        middle = start + _split(size)
        return node_hash(self._root(start, middle), self._root(middle, end))


def _split(size: int) -> int:
    """Return the largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)
