"""One item of a reporting checklist."""

from collections.abc import Callable
from dataclasses import dataclass

from readerstudy.analysis.checklists.facts import Facts


@dataclass(frozen=True)
class Item:
    """`asks` says in our words what is to be reported; `fill` gives the record's answer, empty where it has none."""

    number: str
    section: str
    asks: str
    fill: Callable[[Facts], str]
