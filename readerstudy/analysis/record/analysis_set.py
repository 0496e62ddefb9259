"""Who stands in the analysis across readers and who does not, from the tallies: the flow and the exclusions say it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import by_number
from readerstudy.analysis.record.conduct import State
from readerstudy.analysis.record.counts import SAID_SEEN, SAID_UNSURE, Ints
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

FEWEST = 2  # cases of a kind below which a reader's figure has no variance


_REAL, _ADVERSARIAL = [0, 1], [2, 3]  # places in KINDS


@dataclass(frozen=True)
class Analysed:
    """One arm: who is analysed, with how many readings of the two compared sessions; who is not, and why."""

    arm: str
    readers: tuple[str, ...]
    readings: int
    left_out: Mapping[str, str]

    @property
    def is_possible(self) -> bool:
        return len(self.readers) >= FEWEST


def analysed(record: StudyRecord, plan: AnalysisPlan, arm: str) -> Analysed:
    """Two verdicts about images of each kind in each compared session are needed (`across.readings_for`)."""
    readers: list[str] = []
    readings = 0
    left_out: dict[str, str] = {}
    for reader in sorted(record.readers, key=by_number):
        if record.readers[reader] != arm:
            continue
        counts = {session: _verdicts(record, plan, reader, session) for session in (plan.before, plan.after)}
        short = [session for session, (real, adversarial) in counts.items() if min(real, adversarial) < FEWEST]
        if short:
            left_out[reader] = " ".join(_reason(record, reader, session) for session in short)
        else:
            readers.append(reader)
            readings += sum(sum(pair) for pair in counts.values())
    return Analysed(arm, tuple(readers), readings, left_out)


def _verdicts(record: StudyRecord, plan: AnalysisPlan, reader: str, session: int) -> tuple[int, int]:
    """Verdicts about real and about adversarial images that the primary figure takes."""
    given: Ints = record.tallies.of(reader, session)[:, :SAID_SEEN]
    if plan.primary != "auc" and Unsure(plan.unsure) is Unsure.EXCLUDED:
        given = np.delete(given, SAID_UNSURE, axis=1)
    return int(given[_REAL].sum()), int(given[_ADVERSARIAL].sum())


def _reason(record: StudyRecord, reader: str, session: int) -> str:
    where = {"session": session}
    sitting = record.conduct.of(reader, session) if record.conduct else None
    if sitting and sitting.state is not State.FINISHED:
        return _("Session %(session)s: %(state)s.") % {"session": session, "state": state_name(sitting.state)}
    return _("Session %(session)s: fewer than two verdicts about real or about adversarial images.") % where


def state_name(state: State) -> str:
    """How far a reader came, within a sentence."""
    return {
        State.FINISHED: _("finished"),
        State.HELD: _("held, because it rested for longer than the plan allows"),
        State.NOT_FINISHED: _("begun and not finished"),
        State.NOT_BEGUN: _("not begun"),
    }[state]
