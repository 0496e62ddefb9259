"""What a cohort lacks for a protocol, from counts alone. Pure.

The draw finds the same shortages image by image. Here nothing is drawn, so a page can show them while a protocol is
edited; the counts and sentences name no image.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from readerstudy.studies.protocol import SessionTemplate
from readerstudy.truth.draw import Shortage, Stratum, strata

Pool = tuple[str, int]  # split, and label: 1 positive, 0 other


@dataclass(frozen=True)
class Supply:
    """The images of one pool.

    `images` are real; `with_adversarial` counts those of them that have an adversarial version by the attacks of each
    session. `synthetic` counts synthetic images by attack.
    """

    images: int
    with_adversarial: Mapping[int, int]
    synthetic: Mapping[str, int] = field(default_factory=dict)


def shortages(
    sessions: Sequence[SessionTemplate],
    supply: Mapping[Pool, Supply],
    *,
    attacks: Mapping[int, Collection[str]] | None = None,
) -> tuple[Shortage, ...]:
    """Return what is missing, in the order of the sessions, if each session takes what those before it leave.

    `attacks` are those that each session draws synthetic images from. Images without an adversarial version are taken
    first if none is needed, synthetic images first if no real one is. The draw takes them at random, so it can
    lack images with an adversarial version where these counts suffice barely.
    """
    stock = {
        pool: _Stock(each.images, dict(each.with_adversarial), dict(each.synthetic)) for pool, each in supply.items()
    }
    found = []
    for stratum in strata(sessions, share_of=lambda splits: _positive_share(supply, splits)):
        missing = stratum.count
        for split in stratum.splits:
            if (split, stratum.label) in stock:
                own = stock[split, stratum.label]
                if not stratum.needs_real:
                    missing -= own.take_synthetic((attacks or {}).get(stratum.session, ()), at_most=missing)
                missing -= own.take(stratum, at_most=missing)
        if missing:
            found.append(stratum.shortage(found=stratum.count - missing))
    return tuple(found)


def _positive_share(supply: Mapping[Pool, Supply], splits: tuple[str, ...]) -> float:
    own = [[supply[split, label] for split in splits if (split, label) in supply] for label in (0, 1)]
    other, positive = (sum(each.images for each in of_label) for of_label in own)
    if not other + positive:
        other, positive = (sum(sum(each.synthetic.values()) for each in of_label) for of_label in own)
    return positive / (other + positive) if other + positive else 0.5


@dataclass
class _Stock:
    """What is left of a pool while sessions take from it."""

    images: int
    attacked: dict[int, int]
    synthetic: dict[str, int]

    def take_synthetic(self, attacks: Collection[str], *, at_most: int) -> int:
        """Take synthetic images of these attacks; return how many there were."""
        taken = 0
        for attack in attacks:
            number = min(at_most - taken, self.synthetic.get(attack, 0))
            self.synthetic[attack] = self.synthetic.get(attack, 0) - number
            taken += number
        return taken

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
