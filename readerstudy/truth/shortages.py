"""What a cohort lacks for a protocol, from counts alone. Pure.

The draw finds the same shortages image by image. Here nothing is drawn, so a page can show them while a protocol is
edited; the counts and sentences name no image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readerstudy.studies.protocol import SessionTemplate
from readerstudy.truth.draw import Shortage, Stratum, strata

Pool = tuple[str, int]  # split, and label: 1 positive, 0 other


@dataclass(frozen=True)
class Supply:
    """The images of one pool, and how many of them have an adversarial version by the attacks of each session."""

    images: int
    with_adversarial: Mapping[int, int]


def shortages(sessions: Sequence[SessionTemplate], supply: Mapping[Pool, Supply]) -> tuple[Shortage, ...]:
    """Return what is missing, in the order of the sessions, if each session takes what those before it leave.

    Images without an adversarial version are taken first if none is needed. The draw takes them at random, so it can
    lack images with an adversarial version where these counts suffice barely.
    """
    stock = {pool: _Stock(each.images, dict(each.with_adversarial)) for pool, each in supply.items()}
    found = []
    for stratum in strata(sessions, share_of=lambda splits: _positive_share(supply, splits)):
        missing = stratum.count
        for split in stratum.splits:
            if (split, stratum.label) in stock:
                missing -= stock[split, stratum.label].take(stratum, at_most=missing)
        if missing:
            found.append(stratum.shortage(found=stratum.count - missing))
    return tuple(found)


def _positive_share(supply: Mapping[Pool, Supply], splits: tuple[str, ...]) -> float:
    other, positive = (
        sum(supply[split, label].images for split in splits if (split, label) in supply) for label in (0, 1)
    )
    return positive / (other + positive) if other + positive else 0.5


@dataclass
class _Stock:
    """What is left of a pool while sessions take from it."""

    images: int
    attacked: dict[int, int]

    def take(self, stratum: Stratum, *, at_most: int) -> int:
        """Take images for a stratum; return how many there were."""
        if stratum.needs_adversarial:
            taken = min(at_most, self.attacked.get(stratum.session, 0), self.images)
            self._remove_attacked(taken)
        else:
            taken = min(at_most, self.images)
            plain = self.images - max(self.attacked.values(), default=0)
            self._remove_attacked(max(0, taken - plain))
        self.images -= taken
        return taken

    def _remove_attacked(self, count: int) -> None:
        self.attacked = {session: max(0, left - count) for session, left in self.attacked.items()}
