"""Table "learning": changes of correct verdicts from the first to the last image of a session, and over sessions."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import (
    VERDICT_NOT_REAL,
    VERDICT_REAL,
    VERDICT_SEEN,
    VERDICT_UNSURE,
    subset_kinds,
)
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.speed_accuracy import MOST_READINGS, SUBSETS, ratio_cell, timed_readings
from readerstudy.analysis.wording import subset_name, unsure_sentence
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.unsure import Unsure
from readerstudy.statistics.within_reader import WithinSlope, within_slope

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _SessionCounts:
    """Verdicts of one kind, one element per reader, session and credit: index of reader and session, credit, number."""

    reader: NDArray[np.int64]
    session: NDArray[np.int64]
    credits: Floats
    number: Floats


def learning_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """Return the odds ratios over readers within sessions and over sessions; None for fewer than two readers."""
    if len(record.readings.readers_with_verdicts()) < 2:
        return None
    rows = [row for subset in SUBSETS for row in (*_within(record, plan, subset), *_between(record, plan, subset))]
    return Table(
        key="learning",
        title=_("Learning and fatigue, over readers"),
        caption=_(
            # xgettext: no-python-format
            "Exploratory. Odds ratios of a correct verdict, each reader compared with their own readings, with "
            "robust 95 % intervals, the readers as clusters and Student’s t, for similar readers. Within a session: "
            "the last image against the first. Over sessions: one session against the session before it, among those "
            "that ask for a verdict on images of this kind. Above 1, readers get better. Real and adversarial images "
            "are separate: if one ratio is above 1 and the other below, the tendency to call images real has changed."
        ),
        columns=(
            Column("images_are", _("Images are")),
            Column("change", pgettext("difference", "Change")),
            Column("readers", _("Readers"), Kind.COUNT),
            Column("readings", _("Readings"), Kind.COUNT),
            Column("ratio", _("Odds ratio"), Kind.ESTIMATE),
            Column("p", "p", Kind.P),
        ),
        rows=tuple(rows),
        notes=(*_notes(record, has_gaps=any(row[-1] is None for row in rows)), unsure_sentence(Unsure(plan.unsure))),
        empty=_("There are no verdicts yet."),
    )


def _within(record: StudyRecord, plan: AnalysisPlan, subset: Subset) -> Iterator[tuple[Cell, ...]]:
    """Yield the row of each compared session: from its first to its last image."""
    timed = timed_readings(record.readings, plan, subset)
    for session in np.unique(timed.session).tolist():
        own = timed.of_session(session)
        slope = _slope(own.credits, own.place, own.reader) if own.credits.size <= MOST_READINGS else None
        words = _("within session %(session)s") % {"session": session}
        yield _row(subset, words, own.reader, own.credits.size, slope)


def _between(record: StudyRecord, plan: AnalysisPlan, subset: Subset) -> Iterator[tuple[Cell, ...]]:
    """Yield the row over all sessions that ask for verdicts on this kind; nothing for fewer than two."""
    counts = _counts(record, Unsure(plan.unsure), subset)
    sessions = np.unique(counts.session)
    if sessions.size < 2:
        return
    step = np.searchsorted(sessions, counts.session).astype(float)
    slope = _slope(counts.credits, step, counts.reader, counts.number)
    names = ", ".join(str(record.readings.sessions[index]) for index in sessions.tolist())
    words = _("over sessions %(sessions)s, from one to the next") % {"sessions": names}
    yield _row(subset, words, counts.reader, int(counts.number.sum()), slope)


def _counts(record: StudyRecord, rule: Unsure, subset: Subset) -> _SessionCounts:
    verdicts = record.readings.verdicts[:, :, list(subset_kinds(subset))].sum(axis=2)  # (readers, sessions, verdicts)
    right, wrong = VERDICT_REAL, VERDICT_NOT_REAL
    if subset is Subset.ADVERSARIAL:
        right, wrong = wrong, right
    credit_of = {right: 1.0, wrong: 0.0}
    if rule is not Unsure.EXCLUDED:
        credit_of[VERDICT_UNSURE] = rule.credit
    columns: list[tuple[int, int, float, float]] = [
        (reader, session, credit, float(verdicts[reader, session, verdict]))
        for reader, session in np.argwhere(verdicts[..., :VERDICT_SEEN].any(axis=2)).tolist()
        for verdict, credit in credit_of.items()
        if verdicts[reader, session, verdict]
    ]
    table = np.array(columns, dtype=float).reshape(-1, 4)
    return _SessionCounts(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3])


def _slope(
    credits: Floats, value: Floats, reader: NDArray[np.integer], weight: Floats | None = None
) -> WithinSlope | None:
    """Return the slope within readers, with readers as clusters; None if there is no finite one."""
    try:
        return within_slope(credits, value, reader, cluster=reader, weight=weight)
    except ValueError:
        return None


def _row(
    subset: Subset, words: str, reader: NDArray[np.integer], readings: int, slope: WithinSlope | None
) -> tuple[Cell, ...]:
    cells = (None, None) if slope is None else (ratio_cell(slope.effect), slope.effect.p)
    return (subset_name(subset), words, int(np.unique(reader).size), int(readings), *cells)


def _notes(record: StudyRecord, *, has_gaps: bool) -> Iterator[str]:
    yield _(
        "No ratio shows that readers learn: sessions differ in their images and tasks, education and pauses lie "
        "between them, and within a session practice and fatigue have opposite effects. The table of each session has "
        "the trend of every reader."
    )
    if record.aided_sessions:
        sentence = _("In session %(sessions)s an aid was shown, so the ratio over sessions contains its effect.")
        yield sentence % {"sessions": ", ".join(map(str, record.aided_sessions))}
    if any(each.images_of for each in record.image_sets):
        yield _("Sessions with the images of another one can be better because readers remember images.")
    if has_gaps:
        yield _(
            "A dash (—) means that fewer than two readers have correct and wrong verdicts, that these are separated, "
            "or that there are too many readings."
        )
