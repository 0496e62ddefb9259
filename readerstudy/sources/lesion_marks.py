"""Positions of lesions in a table: pixels of the file, x from its left and y from its top.

The table is read before the size of the image is known. Marks become shares of height and width after loading.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError, joined

BOX: Final = ("lesion_left", "lesion_top", "lesion_right", "lesion_bottom")
CIRCLE: Final = ("lesion_x", "lesion_y", "lesion_radius")


class WrongMark(ValueError):
    """A mark that cannot be understood; the message continues "Row 7 (image.png) …"."""


class MarkOutside(StudyError):
    """A mark is outside its image: the table uses another file, another origin or another size."""


@dataclass(frozen=True)
class LesionMark:
    """A box around a lesion. A box made from a circle can reach beyond the image if its centre is inside."""

    left: float
    top: float
    right: float
    bottom: float
    is_circle: bool = False
    row: int = field(default=0, compare=False)  # of the table

    def lies_in(self, rows: int, columns: int) -> bool:
        """Return whether the box, or the centre of a circle, is inside an image of this size.

        One pixel of tolerance, for tables that count from one.
        """
        if self.is_circle:
            return 0 <= (self.left + self.right) / 2 <= columns and 0 <= (self.top + self.bottom) / 2 <= rows
        return min(self.left, self.top) >= -1 and self.right <= columns + 1 and self.bottom <= rows + 1

    def shares(self, rows: int, columns: int) -> dict[str, float]:
        """Return the box in shares of height and width, cut off at the border of the image."""
        sides = {"top": self.top / rows, "left": self.left / columns}
        sides |= {"bottom": self.bottom / rows, "right": self.right / columns}
        return {side: min(1.0, max(0.0, share)) for side, share in sides.items()}


def shares_of(marks: Sequence[LesionMark], shape: tuple[int, ...], *, name: str) -> tuple[dict[str, float], ...]:
    """Return all marks in shares of an image of `shape` (rows, columns). `name` is used in messages.

    Raises MarkOutside if one is outside the image.
    """
    rows, columns = shape
    for mark in marks:
        if not mark.lies_in(rows, columns):
            raise MarkOutside(
                _(
                    "Row %(row)s (%(name)s) marks a lesion from x %(left)s to %(right)s and y %(top)s to %(bottom)s, "
                    "outside the "
                    "image, which is %(columns)s wide and %(rows)s high.",
                    row=mark.row,
                    name=name,
                    left=format(mark.left, "g"),
                    right=format(mark.right, "g"),
                    top=format(mark.top, "g"),
                    bottom=format(mark.bottom, "g"),
                    columns=columns,
                    rows=rows,
                )
            )
    return tuple(mark.shares(rows, columns) for mark in marks)


def marks_a_lesion(cells: Mapping[str, str]) -> bool:
    """Return whether any cell of a row for the position of a lesion is filled."""
    return any(cells.get(name) for name in BOX + CIRCLE)


def mark_of(number: int, cells: Mapping[str, str]) -> LesionMark | None:
    """Return the lesion that a row marks by a box or a circle; None if its cells are empty. Raises WrongMark."""
    box, circle = (_numbers(cells, names) for names in (BOX, CIRCLE))
    if box and circle:
        raise WrongMark(_("marks a lesion by a box and by a circle; one of them is understood."))
    if box:
        left, top, right, bottom = box
        if left >= right or top >= bottom:
            sides = {"left": left, "right": right, "top": top, "bottom": bottom}
            raise WrongMark(
                _(
                    "marks a lesion from x %(left)s to %(right)s and y %(top)s to %(bottom)s; left lies before right, "
                    "and top above bottom.",
                    **{name: format(value, "g") for name, value in sides.items()},
                )
            )
        return LesionMark(left, top, right, bottom, row=number)
    if circle:
        x, y, radius = circle
        if radius <= 0:
            raise WrongMark(
                _("marks a lesion with the radius %(radius)s; a radius is more than 0.", radius=format(radius, "g"))
            )
        return LesionMark(x - radius, y - radius, x + radius, y + radius, is_circle=True, row=number)
    return None


def _numbers(cells: Mapping[str, str], names: tuple[str, ...]) -> list[float]:
    """Return these numbers, or none if all cells are empty. Raises WrongMark if some are missing."""
    filled = [name for name in names if cells.get(name)]
    if filled and len(filled) < len(names):
        missing = joined([name for name in names if name not in filled])
        raise WrongMark(_("marks a lesion by %(names)s without %(missing)s.", names=joined(filled), missing=missing))
    return [_number(name, cells[name]) for name in filled]


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        # With a comma it could be two numbers.
        raise WrongMark(_("has the %(name)s %(text)s; a number of pixels is understood.", name=name, text=repr(text)))
    return value
