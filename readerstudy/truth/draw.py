"""The draw of reading lists from a seed, without the database."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from readerstudy.protocol.repeats import add_repeats, last_first_showing, place_repeats
from readerstudy.protocol.sessions import SessionTemplate
from readerstudy.truth.shortages import Stock, positive_share, shortages
from readerstudy.truth.strata import CohortTooSmall, Kind, Stratum, strata


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


def draw(
    candidates: Sequence[Candidate],
    sessions: Sequence[SessionTemplate],
    *,
    seed: int,
    with_adversarial: Mapping[int, Collection[int]] | None = None,
    practice: Sequence[int] = (),
) -> dict[int, list[Pick]]:
    """Return the picks of every session, by number, in reading order. Each image is drawn at most once per study.

    So no blinded session shows an image whose other version the reader sees, and an image is in two sessions only if
    one of them shows all images of the other, in the same version. Repeats show a pick a second time.
    `with_adversarial` are, by session, the images that have an adversarial version by its attacks; without it they
    are those of the candidates. For each number in `practice` a real image of the training split is left over.
    Raises CohortTooSmall with every shortage.
    """
    if with_adversarial is None:
        attacked = {candidate.image for candidate in candidates if candidate.has_adversarial}
        with_adversarial = {session.number: attacked for session in sessions}
    kinds = _kinds(candidates, sessions, with_adversarial)
    supply = Counter(kinds.values())
    if lacks := shortages(sessions, supply, practice=practice):
        raise CohortTooSmall(lacks)
    rows = strata(sessions, share_of=lambda splits: positive_share(supply, splits), practice=practice)
    lists: dict[int, list[Pick]] = {session.number: [] for session in sessions}
    for row, images in zip(rows, _images(kinds, rows, seed=seed), strict=True):
        if row.label is not None:
            lists[row.session] += [Pick(image, row.adversarial) for image in images]
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


def _kinds(
    candidates: Sequence[Candidate],
    sessions: Sequence[SessionTemplate],
    with_adversarial: Mapping[int, Collection[int]],
) -> dict[int, Kind]:
    """Return the kind of each image, in the order of the images."""
    needing = [session.number for session in sessions if session.adversarial or session.shows_pairs]
    return {
        each.image: Kind(
            each.split,
            each.label,
            frozenset(number for number in needing if each.image in with_adversarial[number]),
            each.is_synthetic,
        )
        for each in sorted(candidates, key=lambda candidate: candidate.image)
    }


def _images(kinds: Mapping[int, Kind], rows: Sequence[Stratum], *, seed: int) -> list[list[int]]:
    """Return images for each stratum, which must suffice.

    Each takes random ones of those that are left. Where a later one lacks some then, images change places.
    """
    urns = _urns(kinds, rows, Random(f"{seed}:images"))
    used: set[int] = set()
    chosen: list[list[int]] = []
    for row in rows:
        # Practice images are chosen from what is left.
        chosen.append([] if row.label is None else _take(urns[row.splits, row.label], row, kinds, used))
        used.update(chosen[-1])
    left = Random(f"{seed}:left").sample(list(kinds), k=len(kinds))
    stock = Stock(rows, kinds, taken=chosen, left=[image for image in left if image not in used])
    for index in range(len(rows)):
        stock.fill(index)
    return [stock.items(index) for index in range(len(rows))]


def _urns(
    kinds: Mapping[int, Kind], rows: Sequence[Stratum], rng: Random
) -> dict[tuple[tuple[str, ...], int], list[int]]:
    """Return shuffled images by the splits that sessions draw from, and label. They are taken from the end."""
    urns: dict[tuple[tuple[str, ...], int], list[int]] = {}
    for splits in dict.fromkeys(row.splits for row in rows if row.label is not None):
        for label in (1, 0):
            urn = [image for image, kind in kinds.items() if kind.split in splits and kind.label == label]
            urns[splits, label] = rng.sample(urn, k=len(urn))
    return urns


def _take(urn: list[int], row: Stratum, kinds: Mapping[int, Kind], used: Collection[int]) -> list[int]:
    """Remove images for the stratum from the urn; those that do not fit stay, in their order.

    Images that another urn gave before are dropped: two sessions may draw from splits that overlap.
    """
    chosen: list[int] = []
    left: list[int] = []
    while urn and len(chosen) < row.count:
        image = urn.pop()
        if image not in used:
            (chosen if row.takes(kinds[image]) else left).append(image)
    urn.extend(reversed(left))
    return chosen
