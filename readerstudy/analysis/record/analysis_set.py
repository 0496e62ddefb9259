"""The analysis set: readers included in the MRMC analysis, and readers excluded with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.conduct import SessionState
from readerstudy.analysis.record.counts import VERDICT_SEEN, VERDICT_UNSURE, subset_kinds
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.unsure import Unsure

MINIMUM_CASES = 2  # of each kind: a reader's figure of fewer has no variance
MINIMUM_READERS = 2


@dataclass(frozen=True)
class AnalysisSet:
    """One arm: included readers with their readings of the two compared sessions, and the reasons of exclusions."""

    arm: str
    readers: tuple[str, ...]
    readings: int
    excluded: Mapping[str, str]

    @property
    def is_analysable(self) -> bool:
        return len(self.readers) >= MINIMUM_READERS


def analysis_set(record: StudyRecord, plan: AnalysisPlan, arm: str) -> AnalysisSet:
    """Return the analysis set of one arm.

    A reader is included with at least MINIMUM_CASES verdicts on images of each kind in each compared session, the
    same rule as in `tables.comparison.mrmc.readings_for`.
    """
    readers: list[str] = []
    readings = 0
    excluded: dict[str, str] = {}
    for reader in record.readers_of_arm(arm):
        counts = {session: _verdicts(record, plan, reader, session) for session in (plan.before, plan.after)}
        insufficient = [session for session, by_kind in counts.items() if min(by_kind) < MINIMUM_CASES]
        if insufficient:
            excluded[reader] = " ".join(_reason(record, reader, session) for session in insufficient)
        else:
            readers.append(reader)
            readings += sum(sum(by_kind) for by_kind in counts.values())
    for reader in record.left_out_of_arm(arm):
        excluded[reader] = _("Withdrawn; the analysis plan leaves out their readings.")
    return AnalysisSet(arm, tuple(readers), readings, excluded)


def _verdicts(record: StudyRecord, plan: AnalysisPlan, reader: str, session: int) -> list[int]:
    """Return the numbers of verdicts on real and on adversarial images that the primary figure uses."""
    verdicts = record.readings.verdicts_of(reader, session)[:, :VERDICT_SEEN]
    if plan.primary != "auc" and Unsure(plan.unsure) is Unsure.EXCLUDED:
        verdicts = np.delete(verdicts, VERDICT_UNSURE, axis=1)
    return [int(verdicts[list(subset_kinds(subset))].sum()) for subset in (Subset.REAL, Subset.ADVERSARIAL)]


def _reason(record: StudyRecord, reader: str, session: int) -> str:
    reader_session = record.conduct.reader_session(reader, session) if record.conduct else None
    if reader_session and reader_session.state is not SessionState.FINISHED:
        if record.withdrawal(reader):
            return _("Session %(session)s: not finished before the withdrawal.") % {"session": session}
        return _("Session %(session)s: %(state)s.") % {"session": session, "state": state_name(reader_session.state)}
    return _("Session %(session)s: fewer than two verdicts on real or on adversarial images.") % {"session": session}


def state_name(state: SessionState) -> str:
    """Return the state of a reader's session, for use within a sentence."""
    return {
        SessionState.FINISHED: _("finished"),
        SessionState.HELD: _("on hold, because the reader paused for longer than the plan allows"),
        SessionState.NOT_FINISHED: _("started but not finished"),
        SessionState.NOT_BEGUN: _("not started"),
    }[state]
