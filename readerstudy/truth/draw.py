"""Pure: a seed and strata give reading lists. Drawn once, stored as rows, never drawn again."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from readerstudy.errors import StudyError
from readerstudy.studies.protocol import SessionTemplate


@dataclass(frozen=True)
class Candidate:
    """An image that may serve in a study: as itself, or as the parent of its adversarial twin."""

    image: int
    label: int  # 1 malignant, 0 not
    split: str
    has_twin: bool


@dataclass(frozen=True)
class Pick:
    """One place of the draw."""

    image: int
    adversarial: bool


@dataclass(frozen=True)
class Stratum:
    """So many images of one kind that one session needs."""

    session: int
    adversarial: bool
    label: int
    count: int
    splits: tuple[str, ...]
    needs_twin: bool


class CohortTooSmall(StudyError):
    """Which session lacks how many of what."""


def draw(candidates: Sequence[Candidate], sessions: Sequence[SessionTemplate], *, seed: int) -> dict[int, list[Pick]]:
    """Fill every session, in its reading order. Each image serves once in the whole study.

    So no image stands in two sessions, and no real image beside (or in another session than) its own twin.
    Raises CohortTooSmall with every shortage, and draws nothing then.
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
    # The drawn images are part of this stream: knowing the seed alone, nobody can tell which place was shuffled
    # where, and so which half of the list (real first, then adversarial) it came from.
    order = Random(f"{seed}:order:{sorted(pick.image for picks in lists.values() for pick in picks)}")
    return {number: order.sample(picks, k=len(picks)) for number, picks in lists.items()}


def _urns(
    candidates: Sequence[Candidate], sessions: Sequence[SessionTemplate], rng: Random
) -> dict[tuple[tuple[str, ...], int], list[Candidate]]:
    """Shuffled images by the splits that sessions draw from, and label; taken from the end."""
    urns: dict[tuple[tuple[str, ...], int], list[Candidate]] = {}
    for splits in dict.fromkeys(session.splits for session in sessions):
        for label in (1, 0):
            urn = [c for c in candidates if c.split in splits and c.label == label]
            urns[splits, label] = rng.sample(sorted(urn, key=lambda c: c.image), k=len(urn))
    return urns


def _strata(candidates: Sequence[Candidate], sessions: Sequence[SessionTemplate]) -> list[Stratum]:
    """How many positives and negatives each half of each session gets: the share of its splits' images.

    Rounding is carried from half to half, so that the sum over the sessions never asks for one image more
    than the share has; both pathologies are in every half all the same.
    """
    strata: list[Stratum] = []
    carried: dict[tuple[str, ...], tuple[int, int]] = {}  # images and positives given out so far
    for session in sessions:
        share = _positive_share(candidates, session.splits)
        for adversarial, count in ((False, session.real), (True, session.adversarial)):
            if not count:
                continue
            images, positives = carried.get(session.splits, (0, 0))
            wanted = min(count - 1, max(1, round(share * (images + count)) - positives))
            carried[session.splits] = (images + count, positives + wanted)
            needs_twin = adversarial or session.beside_twin
            for label, number in ((1, wanted), (0, count - wanted)):
                strata.append(Stratum(session.number, adversarial, label, number, session.splits, needs_twin))
    return strata


def _positive_share(candidates: Sequence[Candidate], splits: tuple[str, ...]) -> float:
    labels = [candidate.label for candidate in candidates if candidate.split in splits]
    return sum(labels) / len(labels) if labels else 0.5


def _take(urn: list[Candidate], stratum: Stratum) -> list[Candidate]:
    """Take what the stratum needs out of the urn; images that do not fit stay in, in their order."""
    chosen: list[Candidate] = []
    left: list[Candidate] = []
    while urn and len(chosen) < stratum.count:
        candidate = urn.pop()
        (chosen if candidate.has_twin or not stratum.needs_twin else left).append(candidate)
    urn.extend(reversed(left))
    return chosen


def _lack(stratum: Stratum, *, found: int) -> str:
    kind = "adversarial" if stratum.adversarial else "real"
    pathology = "malignant" if stratum.label else "non-malignant"
    twin = " with an adversarial twin" if stratum.needs_twin else ""
    return (
        f"session {stratum.session} lacks {stratum.count - found} {kind} {pathology} images "
        f"(needs {stratum.count}{twin} from {' + '.join(stratum.splits)}, {found} left)"
    )
