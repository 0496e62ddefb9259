"""One item of a reporting checklist, and how far the record of a study answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from readerstudy.analysis.checklists.facts import Facts


class Answered(StrEnum):
    """How far the record answers an item."""

    IN_FULL = "in full"
    IN_PART = "in part"
    NOT = "not"
    EXCUSED = "does not apply"


@dataclass(frozen=True)
class Answer:
    """What is recorded about an item, and how far that answers it. `rest` is what the authors add."""

    state: Answered
    recorded: str = ""
    rest: str = ""


@dataclass(frozen=True)
class ChecklistItem:
    """`requirement` is what to report, in our words; `fill` returns the recorded facts, or "" if there are none.

    `rest` is the part of the item that the record does not answer, "" if there is none. `excused`
    returns why the item does not apply to a study, "" if it does.
    """

    number: str
    section: str
    requirement: str
    fill: Callable[[Facts], str]
    rest: str | Callable[[Facts], str] = ""
    excused: Callable[[Facts], str] | None = None

    @property
    def is_for_authors(self) -> bool:
        """Whether no record of a study could say anything about it."""
        return self.fill is Facts.blank and self.excused is None

    def answer(self, facts: Facts) -> Answer:
        """Return what the record of a study says about this item."""
        if self.excused and (reason := self.excused(facts)):
            return Answer(Answered.EXCUSED, reason)
        recorded = self.fill(facts)
        if not recorded:
            return Answer(Answered.NOT)
        rest = self.rest if isinstance(self.rest, str) else self.rest(facts)
        return Answer(Answered.IN_PART if rest else Answered.IN_FULL, recorded, rest)
