"""The draw of reading lists from a seed, without the database."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from django.utils.translation import gettext as _

from readerstudy.errors import StudyError
from readerstudy.studies.protocol import SessionTemplate
from readerstudy.studies.repeats import add_repeats, last_first_showing, place_repeats


@dataclass(frozen=True)
class Candidate:
    """An image that can be drawn: as it is, or as the source image of an adversarial one; a synthetic one as that."""

    image: int
    label: int  # 1 positive, 0 not
    split: str
    has_adversarial: bool
    is_synthetic: bool = False  # has no real image


@dataclass(frozen=True)
class Pick:
    """One position of a list: an image, shown as real or adversarial, for the first or the second time."""

    image: int
    adversarial: bool
    is_repeat: bool = False


@dataclass(frozen=True)
class Stratum:
    """The number of images of one kind that one session needs."""

    session: int
    adversarial: bool
    label: int
    count: int
    splits: tuple[str, ...]
    needs_adversarial: bool
    needs_real: bool  # also true of pairs

    def shortage(self, *, found: int) -> "Shortage":
        """Return what is missing if only `found` images are left for the stratum."""
        values = {
            "session": self.session,
            "missing": self.count - found,
            "kind": self._kind(),
            "count": self.count,
            "splits": " + ".join(self.splits),
            "found": found,
        }
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
        return Shortage(self.session, field, self.count - found, text % values)

    def _kind(self) -> str:
        if self.adversarial:
            return _("adversarial positive") if self.label else _("adversarial other")
        return _("real positive") if self.label else _("real other")


@dataclass(frozen=True)
class Shortage:
    """Images that one session lacks: where in the protocol, how many, and a sentence without capital and full stop."""

    session: int
    field: str  # "real" or "adversarial"
    missing: int
    sentence: str


class CohortTooSmall(StudyError):
    """The cohort has too few images; the message lists every shortage."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        self.shortages = tuple(shortages)
        lacks = "; ".join(shortage.sentence for shortage in shortages)
        super().__init__(f"The cohort is too small for this plan: {lacks}.")


def draw(
    candidates: Sequence[Candidate],
    sessions: Sequence[SessionTemplate],
    *,
    seed: int,
    with_adversarial: Mapping[int, Collection[int]] | None = None,
) -> dict[int, list[Pick]]:
    """Return the picks of every session, by number, in reading order. Each image is drawn at most once per study.

    So no blinded session shows an image whose other version the reader sees, and an image is in two sessions only if
    one of them shows all images of the other, in the same version. Repeats show a pick a second time.
    `with_adversarial` are, by session, the images that have an adversarial version by its attacks; without it they
    are those of the candidates. Raises CohortTooSmall with every shortage.
    """
    if with_adversarial is None:
        attacked = {candidate.image for candidate in candidates if candidate.has_adversarial}
        with_adversarial = {session.number: attacked for session in sessions}
    urns = _urns(candidates, sessions, Random(f"{seed}:images"))
    lists: dict[int, list[Pick]] = {session.number: [] for session in sessions}
    used: set[int] = set()
    lacks: list[Shortage] = []
    for stratum in strata(sessions, share_of=lambda splits: _positive_share(candidates, splits)):
        chosen = _take(urns[stratum.splits, stratum.label], stratum, with_adversarial[stratum.session], used)
        used |= {candidate.image for candidate in chosen}
        if len(chosen) < stratum.count:
            lacks.append(stratum.shortage(found=len(chosen)))
        lists[stratum.session] += [Pick(c.image, stratum.adversarial) for c in chosen]
    if lacks:
        raise CohortTooSmall(lacks)
    # The drawn images are part of the seed of the order. With the study's seed alone, positions cannot be traced back
    # to the unshuffled list, which has real images first.
    order = Random(f"{seed}:order:{sorted(pick.image for picks in lists.values() for pick in picks)}")
    ordered = {number: order.sample(picks, k=len(picks)) for number, picks in lists.items()}
    blocks = {session.number: session.block_size for session in sessions if session.block_size}
    drawn = {**ordered, **{number: _in_blocks(ordered[number], size, order) for number, size in blocks.items()}}
    drawn |= _same_images(drawn, sessions, seed=seed)
    return {**drawn, **_with_repeats(drawn, sessions, seed=seed)}


def _same_images(
    drawn: Mapping[int, list[Pick]], sessions: Sequence[SessionTemplate], *, seed: int
) -> dict[int, list[Pick]]:
    """Return the lists of the sessions that show the images of another one, each in an order of its own.

    A separate random stream: with and without such a session, a seed draws the same images in the same order.
    """
    lists = {}
    for session in sessions:
        if session.images_of:
            source = drawn[session.images_of]
            rng = Random(f"{seed}:same images:{session.number}:{sorted(pick.image for pick in source)}")
            picks = rng.sample(source, k=len(source))
            lists[session.number] = _in_blocks(picks, session.block_size, rng) if session.block_size else picks
    return lists


def _with_repeats(
    drawn: Mapping[int, list[Pick]], sessions: Sequence[SessionTemplate], *, seed: int
) -> dict[int, list[Pick]]:
    """Return the lists of the sessions that show images a second time.

    A separate random stream: with and without repeats, a seed draws the same images in the same order. No image of a
    session is repeated twice.
    """
    lists = {}
    shown_again: dict[int, set[Pick]] = defaultdict(set)
    for session in sessions:
        if not session.repeats:
            continue
        repeated_from = session.repeat_of or session.number
        own, source = drawn[session.number], drawn[repeated_from]
        rng = Random(f"{seed}:repeats:{session.number}:{sorted(pick.image for pick in source)}")
        if session.repeat_of:
            left = [pick for pick in source if pick not in shown_again[repeated_from]]
            repeated = _repeated(source, left, session.repeats, rng)
            rows = add_repeats(own, repeated, rng=rng)
        else:
            early = source[: last_first_showing(len(source), distance=session.repeat_distance) + 1]
            repeated = _repeated(source, early, session.repeats, rng)
            rows = place_repeats(own, repeated, distance=session.repeat_distance, rng=rng)
        shown_again[repeated_from].update(repeated)
        lists[session.number] = [replace(pick, is_repeat=is_repeat) for pick, is_repeat in rows]
    return lists


def _repeated(shown: Sequence[Pick], possible: Sequence[Pick], count: int, rng: Random) -> list[Pick]:
    """Return `count` of the possible picks, in random order, with the share of adversarial images of all shown."""
    kinds = {kind: [pick for pick in possible if pick.adversarial is kind] for kind in (False, True)}
    wanted = round(count * sum(pick.adversarial for pick in shown) / len(shown))
    adversarial = min(max(wanted, count - len(kinds[False])), len(kinds[True]))
    chosen = rng.sample(kinds[True], k=adversarial) + rng.sample(kinds[False], k=count - adversarial)
    return rng.sample(chosen, k=count)


def _in_blocks(picks: list[Pick], size: int, rng: Random) -> list[Pick]:
    """Return the picks in blocks of a size that have the share of adversarial images of all, to the nearest image.

    The order within a block is random.
    """
    kinds = {kind: [pick for pick in picks if pick.adversarial is kind] for kind in (False, True)}
    adversarial, ordered = len(kinds[True]), list[Pick]()
    for start in range(0, len(picks), size):
        end = min(start + size, len(picks))
        # Rounding errors are carried from block to block.
        first, last = (round(adversarial * position / len(picks)) for position in (start, end))
        block = kinds[True][first:last] + kinds[False][start - first : end - last]
        ordered += rng.sample(block, k=len(block))
    return ordered


def _urns(
    candidates: Sequence[Candidate], sessions: Sequence[SessionTemplate], rng: Random
) -> dict[tuple[tuple[str, ...], int], list[Candidate]]:
    """Return shuffled candidates by the splits that sessions draw from, and label. They are taken from the end."""
    urns: dict[tuple[tuple[str, ...], int], list[Candidate]] = {}
    for splits in dict.fromkeys(session.splits for session in sessions if session.total):
        for label in (1, 0):
            urn = [c for c in candidates if c.split in splits and c.label == label]
            urns[splits, label] = rng.sample(sorted(urn, key=lambda c: c.image), k=len(urn))
    return urns


def strata(sessions: Sequence[SessionTemplate], *, share_of: Callable[[tuple[str, ...]], float]) -> list[Stratum]:
    """Return the numbers of positives and negatives in each half of each session, by their share in its splits.

    Rounding errors are carried from half to half, so that the sum over the sessions does not exceed the share. Every
    half has both labels.
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
    return rows


def _positive_share(candidates: Sequence[Candidate], splits: tuple[str, ...]) -> float:
    """Return the share of positive images among the real ones of the splits; of all if there is none."""
    own = [candidate for candidate in candidates if candidate.split in splits]
    labels = [candidate.label for candidate in own if not candidate.is_synthetic] or [each.label for each in own]
    return sum(labels) / len(labels) if labels else 0.5


def _take(
    urn: list[Candidate], stratum: Stratum, with_adversarial: Collection[int], used: Collection[int]
) -> list[Candidate]:
    """Remove the candidates for the stratum from the urn; those that do not fit stay, in their order.

    Candidates that another urn gave before are dropped: two sessions may draw from splits that overlap.
    """
    chosen: list[Candidate] = []
    left: list[Candidate] = []
    while urn and len(chosen) < stratum.count:
        candidate = urn.pop()
        if candidate.image in used:
            continue
        fits = candidate.image in with_adversarial or not stratum.needs_adversarial
        fits = fits and not (stratum.needs_real and candidate.is_synthetic)
        (chosen if fits else left).append(candidate)
    urn.extend(reversed(left))
    return chosen
