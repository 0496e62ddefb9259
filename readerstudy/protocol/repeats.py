"""Where images that are shown twice stand in a list. Pure.

The second showing is like any other presentation: only the stored lists say which one it is.
"""

from collections.abc import Collection, Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


def last_first_showing(images: int, *, distance: int) -> int:
    """Return the last index at which an image can stand that is shown again `distance` positions later."""
    return images - distance


def place_repeats(
    order: Sequence[Item], repeated: Collection[Item], *, distance: int, rng: Random
) -> list[tuple[Item, bool]]:
    """Return the order with each of `repeated` a second time, and whether each showing is the second.

    The second showing is at least `distance` positions after the first. An image that stands too late for that changes
    places with one that is shown once. Raises ValueError if the order is too short.
    """
    rows = list(order)
    last = last_first_showing(len(rows), distance=distance)
    once_early = [index for index in range(last + 1) if rows[index] not in repeated]
    for index in range(max(0, last + 1), len(rows)):
        if rows[index] in repeated:
            if not once_early:
                raise ValueError(f"{len(repeated)} of {len(rows)} images cannot be repeated after {distance} others.")
            other = once_early.pop(rng.randrange(len(once_early)))
            rows[index], rows[other] = rows[other], rows[index]
    placed = [(item, False) for item in rows]
    for item in rng.sample([item for item in rows if item in repeated], k=len(repeated)):
        # Insertions before both showings move both, one between them moves them apart.
        first = placed.index((item, False))
        placed.insert(rng.randint(first + distance, len(placed)), (item, True))
    return placed


def add_repeats(order: Sequence[Item], repeated: Sequence[Item], *, rng: Random) -> list[tuple[Item, bool]]:
    """Return the order with images of an earlier session at random positions, and whether each is one of these."""
    rows = [(item, False) for item in order]
    for item in repeated:
        rows.insert(rng.randint(0, len(rows)), (item, True))
    return rows
