"""What the buttons of the form do to raw values: rows are added, copied, moved, removed; counts set. Pure.

The analysis plan and other rules name sessions by their numbers, so they follow a session that moves.
"""

import copy
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from django.utils.translation import gettext as _

from readerstudy.designer.form.raw import Raw, join, raw_protocol
from readerstudy.designer.form.schema import Leaf, Node, Rows, Table, protocol_form
from readerstudy.errors import BadInput
from readerstudy.modalities.words import ReadingWords
from readerstudy.protocol.document import MOST_IMAGES, Protocol, ProtocolSession
from readerstudy.protocol.questions import predefined_questions
from readerstudy.protocol.rules import SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.values import OneOf

TOTAL, SHARE = "total", "share"  # fields beside the counts of a session
_NUMBERS: Final = ("before", "after")  # of the analysis plan and of its further comparisons


def apply_act(raw: Raw, act: str, *, words: ReadingWords, total: str = "", share: str = "") -> str:
    """Change the raw values as a button asks, and return the name of the row that was touched.

    `act` is "add:ROWS", "add:ROWS:QUESTION", or one of copy, up, down, remove and share with a row. Raises BadInput for
    any other, for a row that there is not, and for more rows than the form takes.
    """
    name, _colon, place = act.partition(":")
    if name == "add":
        return _add(raw, place, words)
    rows_place, _dash, number = place.rpartition("-")
    rows, node = _find(raw, rows_place)
    index = int(number) - 1 if number.isdigit() else -1
    if not isinstance(node, Rows) or not 0 <= index < len(rows):
        raise BadInput(f"act: there is no row {place!r}.")
    if name == "share":
        _set_counts(rows[index], total, share)
        return place
    if name not in _MOVES:
        raise BadInput(f"act: there is no act {name!r}.")
    order = _MOVES[name](list(range(len(rows))), index)
    _require_room(node, len(order))
    rows[:] = [copy.deepcopy(rows[old]) for old in order]
    if rows_place == "sessions":
        _renumber(raw, order)
    target = {"up": max(index - 1, 0), "down": min(index + 1, len(rows) - 1), "copy": index + 1}.get(name, index)
    return join(rows_place, min(target, len(rows) - 1) + 1) if rows else rows_place


def _up(order: list[int], index: int) -> list[int]:
    if index > 0:
        order[index - 1], order[index] = order[index], order[index - 1]
    return order


def _down(order: list[int], index: int) -> list[int]:
    return _up(order, index + 1) if index + 1 < len(order) else order


def _copy(order: list[int], index: int) -> list[int]:
    return [*order[: index + 1], index, *order[index + 1 :]]


def _remove(order: list[int], index: int) -> list[int]:
    return order[:index] + order[index + 1 :]


_MOVES: Final[dict[str, Callable[[list[int], int], list[int]]]] = {
    "up": _up,
    "down": _down,
    "copy": _copy,
    "remove": _remove,
}


def _renumber(raw: Raw, order: list[int]) -> None:
    """Let whatever names a session by its number name the same one. The number of a removed one stays."""

    def follow(number: str) -> str:
        is_moved = number.isdigit() and int(number) - 1 in order
        return str(order.index(int(number) - 1) + 1) if is_moved else number

    for compared in (raw["analysis"], *raw["analysis"].get("comparisons", ())):
        for name in _NUMBERS:
            compared[name] = follow(compared[name])
    for session in raw["sessions"]:
        for name in ("repeat_of", "images_of"):
            if name in session:
                session[name] = follow(session[name])
    if "crossover" in raw:
        raw["crossover"] = sorted(map(follow, raw["crossover"]), key=lambda number: number.zfill(4))


def _add(raw: Raw, place: str, words: ReadingWords) -> str:
    place, _colon, question = place.partition(":")
    rows, node = _find(raw, place)
    if not isinstance(node, Rows):
        raise BadInput(f"act: there are no rows {place!r}.")
    _require_room(node, len(rows) + 1)
    known = predefined_questions(words)
    if question:
        if question not in known or not place.endswith("rules-questions"):
            raise BadInput(f"act: there is no question {question!r}.")
        rules = SessionRules(questions=(known[question],))
        asked = raw_protocol(Protocol((ProtocolSession(SessionKind.BLINDED, "–", rules=rules),)))
        rows += asked["sessions"][0]["rules"]["questions"]
    else:
        rows.append(_empty(node.item))
    return join(place, len(rows))


def _require_room(node: Rows, count: int) -> None:
    if count > node.most:
        raise BadInput(f"act: there can be at most {node.most} {node.name}.")


def _empty(table: Table) -> Raw:
    """Return the raw values of a new row: the defaults, and the first choice where there is none."""
    row: Raw = {}
    for field in table.fields:
        match field:
            case Table():
                row[field.name] = _empty(field)
            case Rows():
                row[field.name] = []
            case Leaf(is_many=True):
                row[field.name] = [str(getattr(value, "value", value)) for value in field.default]
            case Leaf(is_own_text=True):
                row[field.name] = {"": field.default or ""}
            case Leaf(limit=None):
                row[field.name] = "on" if field.default else ""
            case Leaf(limit=OneOf(values), default=None, is_optional=False):
                row[field.name] = values[0]
            case Leaf():
                default = field.default
                row[field.name] = "" if default is None else f"{getattr(default, 'value', default)}"
    return row


def _find(raw: Raw, place: str) -> tuple[Any, Node | None]:
    """Return the values at a place and the part of the form that describes them; (None, None) if there are none."""
    values: Any = raw
    node: Node | None = protocol_form()
    for part in place.split("-"):
        if isinstance(node, Rows) and re.fullmatch(r"[0-9]{1,3}", part) and 1 <= int(part) <= len(values):
            values, node = values[int(part) - 1], node.item
        elif isinstance(node, Table) and node.field(part):
            values, node = values[part], node.field(part)
        else:
            return None, None
    return values, node


def _set_counts(session: Raw, total: str, share: str) -> None:
    """Set the counts of a session to a total with this percentage of adversarial images."""
    try:
        images, percent = int(total), Decimal(share.strip().replace(",", "."))
    except (ValueError, InvalidOperation) as error:
        raise BadInput(_("Enter the number of images and the percentage of adversarial ones.")) from error
    if not (0 < images <= MOST_IMAGES and percent.is_finite() and 0 <= percent <= 100):
        raise BadInput(_("Enter 1 to %(most)s images and 0 to 100 percent.") % {"most": MOST_IMAGES})
    adversarial = int((images * percent / 100).to_integral_value(ROUND_HALF_UP))
    session["real"], session["adversarial"] = str(images - adversarial), str(adversarial)
