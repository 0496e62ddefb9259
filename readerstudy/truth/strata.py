"""What the sessions of a protocol need, by kinds of images, and what a cohort has of each kind. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from readerstudy.errors import StudyError
from readerstudy.protocol.sessions import SessionTemplate
from readerstudy.vocabulary import Split

_SPLITS: Final = {
    Split.TRAIN: gettext_lazy("train"),
    Split.TUNING: gettext_lazy("tuning"),
    Split.TEST: gettext_lazy("test"),
}
PRACTICE: Final = (Split.TRAIN.value,)  # the splits of practice images


@dataclass(frozen=True)
class Kind:
    """What the draw knows of an image. `attacked` are the sessions whose attacks made an adversarial image of it."""

    split: str
    label: int  # 1 positive, 0 not
    attacked: frozenset[int] = frozenset()
    is_synthetic: bool = False  # has no real image


@dataclass(frozen=True)
class Stratum:
    """The number of images of one kind that one session needs."""

    session: int
    adversarial: bool
    label: int | None  # None: practice images, which may have either
    count: int
    splits: tuple[str, ...]
    needs_adversarial: bool
    needs_real: bool  # also true of pairs

    def takes(self, kind: Kind) -> bool:
        """Return whether an image of this kind fits."""
        return (
            kind.split in self.splits
            and self.label in (None, kind.label)
            and not (self.needs_real and kind.is_synthetic)
            and not (self.needs_adversarial and self.session not in kind.attacked)
        )

    def shortage(self, *, found: int) -> "Shortage":
        """Return what is missing if only `found` images are left for the stratum."""
        values = {
            "session": self.session,
            "missing": self.count - found,
            "count": self.count,
            "splits": " + ".join(str(_SPLITS[Split(split)]) for split in self.splits),
            "found": found,
        }
        if self.label is None:
            text = ngettext(
                "the plan has %(count)s practice image; %(found)s images of the split %(splits)s are left for it",
                "the plan has %(count)s practice images; %(found)s images of the split %(splits)s are left for them",
                self.count,
            )
            return Shortage(self.session, "rules-practice", self.count - found, text % values)
        if self.needs_adversarial and self.needs_real:
            text = _(
                "session %(session)s lacks %(missing)s %(kind)s images (needs %(count)s with an adversarial version "
                "from %(splits)s, %(found)s left)"
            )
        else:
            text = _(
                "session %(session)s lacks %(missing)s %(kind)s images (needs %(count)s from %(splits)s, "
                "%(found)s left)"
            )
        field = "adversarial" if self.adversarial else "real"
        return Shortage(self.session, field, self.count - found, text % {**values, "kind": self._kind()})

    def _kind(self) -> str:
        if self.adversarial:
            return _("adversarial positive") if self.label else _("adversarial other")
        return _("real positive") if self.label else _("real other")


@dataclass(frozen=True)
class Shortage:
    """Images that one session lacks: where in the protocol, how many, and a sentence without capital and full stop."""

    session: int
    field: str  # "real", "adversarial" or "rules-practice"
    missing: int
    sentence: str


class CohortTooSmall(StudyError):
    """The cohort has too few images; the message lists every shortage."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        self.shortages = tuple(shortages)
        lacks = "; ".join(shortage.sentence for shortage in shortages)
        super().__init__(_("The cohort is too small for this plan: %(lacks)s.") % {"lacks": lacks})


def strata(
    sessions: Sequence[SessionTemplate], *, share_of: Callable[[tuple[str, ...]], float], practice: Sequence[int] = ()
) -> list[Stratum]:
    """Return the numbers of positives and negatives in each half of each session, by their share in its splits.

    Rounding errors are carried from half to half, so that the sum over the sessions does not exceed the share. Every
    half has both labels. The last stratum has an image for each session with `practice`.
    """
    rows: list[Stratum] = []
    carried: dict[tuple[str, ...], tuple[int, int]] = {}  # images and positives assigned so far
    for session in sessions:
        share = share_of(session.splits)
        for adversarial, count in ((False, session.real), (True, session.adversarial)):
            if not count:
                continue
            if session.positive_share is not None:
                wanted = min(count - 1, max(1, round(session.positive_share * count)))
            else:
                images, positives = carried.get(session.splits, (0, 0))
                wanted = min(count - 1, max(1, round(share * (images + count)) - positives))
                carried[session.splits] = (images + count, positives + wanted)
            needs_adversarial = adversarial or session.shows_pairs
            needs_real = not adversarial or session.shows_pairs
            for label, number in ((1, wanted), (0, count - wanted)):
                needs = needs_adversarial, needs_real
                rows.append(Stratum(session.number, adversarial, label, number, session.splits, *needs))
    if practice:
        rows.append(Stratum(practice[0], False, None, len(practice), PRACTICE, False, True))
    return rows
