"""One item of a reporting checklist."""

from collections.abc import Callable
from dataclasses import dataclass

from readerstudy.analysis.checklists.facts import Facts


@dataclass(frozen=True)
class ChecklistItem:
    """`requirement` is what to report, in our words; `fill` returns the recorded facts, or "" if there are none."""

    number: str
    section: str
    requirement: str
    fill: Callable[[Facts], str]
