"""Where a table says that a lesion lies: pixels of the file, x from its left and y from its top.

A row is read before the size of its picture is known; a mark becomes shares of height and width once it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from readerstudy.errors import StudyError

BOX: Final = ("lesion_left", "lesion_top", "lesion_right", "lesion_bottom")
CIRCLE: Final = ("lesion_x", "lesion_y", "lesion_radius")


class WrongMark(ValueError):
    """A lesion that cannot be understood; the message continues "Row 7 (film.png) …"."""


class MarkOutside(StudyError):
    """A lesion lies outside its picture: the table means another file, another origin or another size of it."""


@dataclass(frozen=True)
class LesionMark:
    """A box around a lesion. One made from a circle may reach beyond the picture, if its middle does not."""

    left: float
    top: float
    right: float
    bottom: float
    is_circle: bool = False
    row: int = field(default=0, compare=False)  # of the table that says it

    def lies_in(self, rows: int, columns: int) -> bool:
        """Whether a picture of this size holds the box, to a pixel for those who count from one, or the middle."""
        if self.is_circle:
            return 0 <= (self.left + self.right) / 2 <= columns and 0 <= (self.top + self.bottom) / 2 <= rows
        return min(self.left, self.top) >= -1 and self.right <= columns + 1 and self.bottom <= rows + 1

    def shares(self, rows: int, columns: int) -> dict[str, float]:
        """The box in shares of height and width, cut off where the picture ends."""
        sides = {"top": self.top / rows, "left": self.left / columns}
        sides |= {"bottom": self.bottom / rows, "right": self.right / columns}
        return {side: min(1.0, max(0.0, share)) for side, share in sides.items()}


def shares_of(marks: Sequence[LesionMark], shape: tuple[int, ...], *, name: str) -> tuple[dict[str, float], ...]:
    """All marks in shares of a picture of `shape` (rows, columns). `name` is used in messages. MarkOutside if one
    lies elsewhere."""
    rows, columns = shape
    for mark in marks:
        if not mark.lies_in(rows, columns):
            raise MarkOutside(
                f"Row {mark.row} ({name}) marks a lesion from x {mark.left:g} to {mark.right:g} and y {mark.top:g} to "
                f"{mark.bottom:g}, outside the picture, which is {columns} wide and {rows} high."
            )
    return tuple(mark.shares(rows, columns) for mark in marks)


def says_of_lesion(said: Mapping[str, str]) -> bool:
    """Whether any of a row's cells for a lesion's place is filled."""
    return any(said.get(name) for name in BOX + CIRCLE)


def mark_of(number: int, said: Mapping[str, str]) -> LesionMark | None:
    """The lesion that a row marks, by a box or by a circle; None where its cells are empty. Raises WrongMark."""
    box, circle = (_numbers(said, names) for names in (BOX, CIRCLE))
    if box and circle:
        raise WrongMark("marks a lesion by a box and by a circle; one of them is understood.")
    if box:
        left, top, right, bottom = box
        if left >= right or top >= bottom:
            what = f"x {left:g} to {right:g} and y {top:g} to {bottom:g}"
            raise WrongMark(f"marks a lesion from {what}; left lies before right, and top above bottom.")
        return LesionMark(left, top, right, bottom, row=number)
    if circle:
        x, y, radius = circle
        if radius <= 0:
            raise WrongMark(f"marks a lesion with the radius {radius:g}; a radius is more than 0.")
        return LesionMark(x - radius, y - radius, x + radius, y + radius, is_circle=True, row=number)
    return None


def _numbers(said: Mapping[str, str], names: tuple[str, ...]) -> list[float]:
    """All these numbers, or none where all cells are empty."""
    given = [name for name in names if said.get(name)]
    if given and len(given) < len(names):
        lacking = " and ".join(name for name in names if name not in given)
        raise WrongMark(f"marks a lesion by {' and '.join(given)} without {lacking}.")
    return [_number(name, said[name]) for name in given]


def _number(name: str, text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise WrongMark(f"has the {name} {text!r}; a number of pixels is understood.")
    return value
