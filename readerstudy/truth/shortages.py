"""What a cohort lacks for a protocol, from counts alone, and images for every session if it lacks nothing. Pure.

The checklist of a draft and the draw use the same counts, so the lock refuses exactly what the checklist says.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from readerstudy.protocol.sessions import SessionTemplate
from readerstudy.truth.strata import Kind, Shortage, Stratum, strata


def shortages(
    sessions: Sequence[SessionTemplate], supply: Mapping[Kind, int], *, practice: Sequence[int] = ()
) -> tuple[Shortage, ...]:
    """Return what is missing, in the order of the sessions; empty if every image can be found.

    Earlier sessions come first: a session lacks images only if all sessions before it cannot spare any.
    `practice` are the numbers of the sessions with a practice image, which no session shows.
    """
    rows = strata(sessions, share_of=lambda splits: positive_share(supply, splits), practice=practice)
    kinds = dict(enumerate(Counter(supply).elements()))
    stock = Stock(rows, kinds, taken=[[] for _row in rows], left=list(kinds))
    found = [stock.fill(index) for index in range(len(rows))]
    return tuple(row.shortage(found=count) for row, count in zip(rows, found, strict=True) if count < row.count)


def positive_share(supply: Mapping[Kind, int], splits: tuple[str, ...]) -> float:
    """Return the share of positive images among the real ones of the splits; of all if there is none."""
    own = {kind: count for kind, count in supply.items() if kind.split in splits and count}
    own = {kind: count for kind, count in own.items() if not kind.is_synthetic} or own
    total = sum(own.values())
    return sum(count for kind, count in own.items() if kind.label) / total if total else 0.5


class Stock:
    """Which images each stratum has, and which are left. The last ones are taken first."""

    def __init__(
        self, rows: Sequence[Stratum], kinds: Mapping[int, Kind], *, taken: Sequence[list[int]], left: Sequence[int]
    ) -> None:
        self._rows, self._kinds, self._taken = rows, kinds, [list(images) for images in taken]
        self._left: dict[Kind, list[int]] = {kind: [] for kind in kinds.values()}
        for image in left:
            self._left[kinds[image]].append(image)

    def fill(self, index: int) -> int:
        """Take images for a stratum until it is full; return how many it has.

        If none is left, another stratum gives one of its images and takes one that the first cannot use (an augmenting
        path). So a stratum has as many images as possible, and those filled before keep their number.
        """
        while len(self._taken[index]) < self._rows[index].count and self._take(index, {index}):
            pass
        return len(self._taken[index])

    def items(self, index: int) -> list[int]:
        """Return the images of a stratum."""
        return self._taken[index]

    def _take(self, index: int, asked: set[int]) -> bool:
        """Take one image, from another stratum if none is left; `asked` are the strata that were asked before."""
        row = self._rows[index]
        for kind, images in self._left.items():
            if images and row.takes(kind):
                self._taken[index].append(images.pop())
                return True
        for other, own in enumerate(self._taken):
            given = (
                next((image for image in own if row.takes(self._kinds[image])), None) if other not in asked else None
            )
            if given is None:
                continue
            asked.add(other)
            if self._take(other, asked):
                own.remove(given)
                self._taken[index].append(given)
                return True
        return False
