"""Readers who were withdrawn from a study, and what becomes of their readings."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class WithdrawnReader:
    """A reader who was withdrawn: when, by what cause, and the code of their replacement (empty: none).

    `read` counts their readings in all sessions. `is_left_out`: the analysis plan leaves those out.
    """

    reader: str
    arm: str
    at: datetime
    is_own_decision: bool
    reason: str
    read: int
    is_left_out: bool
    replaced_by: str = ""
