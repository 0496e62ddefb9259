"""The draw of reading lists from a seed, without Django."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from readerstudy.errors import StudyError
from readerstudy.studies.protocol import SessionTemplate


@dataclass(frozen=True)
class Candidate:
    """An image that can be drawn: as it is, or as the source image of an adversarial one."""

    image: int
    label: int  # 1 positive, 0 not
    split: str
    has_adversarial: bool


@dataclass(frozen=True)
class Pick:
    """One position of a list: an image, shown as real or adversarial."""

    image: int
    adversarial: bool


@dataclass(frozen=True)
class Stratum:
    """The number of images of one kind that one session needs."""

    session: int
    adversarial: bool
    label: int
    count: int
    splits: tuple[str, ...]
    needs_adversarial: bool


class CohortTooSmall(StudyError):
    """The cohort has too few images; the message lists every shortage."""


def draw(candidates: Sequence[Candidate], sessions: Sequence[SessionTemplate], *, seed: int) -> dict[int, list[Pick]]:
    """Return the picks of every session, by number, in reading order. Each image is drawn at most once per study.

    So no image is in two sessions, and no blinded session shows an image whose other version the reader sees.
    Raises CohortTooSmall with every shortage.
    """
    urns = _urns(candidates, sessions, Random(f"{seed}:images"))
    lists: dict[int, list[Pick]] = {session.number: [] for session in sessions}
    lacks: list[str] = []
    for stratum in _strata(candidates, sessions):
        chosen = _take(urns[stratum.splits, stratum.label], stratum)
        if len(chosen) < stratum.count:
            lacks.append(_lack(stratum, found=len(chosen)))
        lists[stratum.session] += [Pick(c.image, stratum.adversarial) for c in chosen]
    if lacks:
        raise CohortTooSmall("The cohort is too small for this plan: " + "; ".join(lacks) + ".")
    # The drawn images are part of the seed of the order. With the study's seed alone, positions cannot be traced back
    # to the unshuffled list, which has real images first.
    order = Random(f"{seed}:order:{sorted(pick.image for picks in lists.values() for pick in picks)}")
    return {number: order.sample(picks, k=len(picks)) for number, picks in lists.items()}


def _urns(
    candidates: Sequence[Candidate], sessions: Sequence[SessionTemplate], rng: Random
) -> dict[tuple[tuple[str, ...], int], list[Candidate]]:
    """Return shuffled candidates by the splits that sessions draw from, and label. They are taken from the end."""
    urns: dict[tuple[tuple[str, ...], int], list[Candidate]] = {}
    for splits in dict.fromkeys(session.splits for session in sessions):
        for label in (1, 0):
            urn = [c for c in candidates if c.split in splits and c.label == label]
            urns[splits, label] = rng.sample(sorted(urn, key=lambda c: c.image), k=len(urn))
    return urns


def _strata(candidates: Sequence[Candidate], sessions: Sequence[SessionTemplate]) -> list[Stratum]:
    """Return the numbers of positives and negatives in each half of each session, by their share in its splits.

    Rounding errors are carried from half to half, so that the sum over the sessions does not exceed the share. Every
    half has both labels.
    """
    strata: list[Stratum] = []
    carried: dict[tuple[str, ...], tuple[int, int]] = {}  # images and positives assigned so far
    for session in sessions:
        share = _positive_share(candidates, session.splits)
        for adversarial, count in ((False, session.real), (True, session.adversarial)):
            if not count:
                continue
            images, positives = carried.get(session.splits, (0, 0))
            wanted = min(count - 1, max(1, round(share * (images + count)) - positives))
            carried[session.splits] = (images + count, positives + wanted)
            needs_adversarial = adversarial or session.shows_pairs
            for label, number in ((1, wanted), (0, count - wanted)):
                strata.append(Stratum(session.number, adversarial, label, number, session.splits, needs_adversarial))
    return strata


def _positive_share(candidates: Sequence[Candidate], splits: tuple[str, ...]) -> float:
    labels = [candidate.label for candidate in candidates if candidate.split in splits]
    return sum(labels) / len(labels) if labels else 0.5


def _take(urn: list[Candidate], stratum: Stratum) -> list[Candidate]:
    """Remove the candidates for the stratum from the urn; those that do not fit stay, in their order."""
    chosen: list[Candidate] = []
    left: list[Candidate] = []
    while urn and len(chosen) < stratum.count:
        candidate = urn.pop()
        (chosen if candidate.has_adversarial or not stratum.needs_adversarial else left).append(candidate)
    urn.extend(reversed(left))
    return chosen


def _lack(stratum: Stratum, *, found: int) -> str:
    kind = "adversarial" if stratum.adversarial else "real"
    pathology = "positive" if stratum.label else "other"
    required = " with an adversarial version" if stratum.needs_adversarial else ""
    return (
        f"session {stratum.session} lacks {stratum.count - found} {kind} {pathology} images "
        f"(needs {stratum.count}{required} from {' + '.join(stratum.splits)}, {found} left)"
    )
