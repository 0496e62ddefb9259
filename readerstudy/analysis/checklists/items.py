"""One item of a reporting checklist, and how far the record of a study answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.facts import Facts


class Answered(StrEnum):
    """How far the record answers an item."""

    IN_FULL = "in full"
    IN_PART = "in part"
    NOT = "not"
    EXCUSED = "does not apply"


@dataclass(frozen=True)
class Answer:
    """What is recorded about an item, what the authors stated in the plan, and how far that answers it.

    `rest` is what the authors add.
    """

    state: Answered
    recorded: str = ""
    stated: tuple[str, ...] = ()
    rest: str = ""


@dataclass(frozen=True)
class ChecklistItem:
    """`requirement` is what to report, in our words; `fill` returns the recorded facts, or "" if there are none.

    `rest` is the part of the item that the record does not answer, "" if there is none; the `entries` of the plan’s
    reporting part answer it, all together. `excused` returns why the item does not apply to a study, "" if it does.
    """

    number: str
    section: str
    requirement: str
    fill: Callable[[Facts], str]
    rest: str | Callable[[Facts], str] = ""
    entries: tuple[str, ...] = ()
    excused: Callable[[Facts], str] | None = None

    @property
    def is_for_authors(self) -> bool:
        """Whether neither the record nor the plan of a study could say anything about it."""
        return self.fill is Facts.blank and not self.entries and self.excused is None

    def answer(self, facts: Facts) -> Answer:
        """Return what the record and the plan of a study say about this item."""
        if self.excused and (reason := self.excused(facts)):
            return Answer(Answered.EXCUSED, reason)
        recorded, stated = self.fill(facts), facts.stated(self.entries)
        if not (recorded or stated):
            return Answer(Answered.NOT)
        rest = self._rest(facts, recorded, is_stated=len(stated) == len(self.entries) > 0)
        return Answer(Answered.IN_PART if rest else Answered.IN_FULL, recorded, stated, rest)

    def _rest(self, facts: Facts, recorded: str, *, is_stated: bool) -> str:
        if not recorded and self.fill is not Facts.blank:
            return _("what the record of this study lacks")
        if is_stated:
            return ""
        return self.rest if isinstance(self.rest, str) else self.rest(facts)
