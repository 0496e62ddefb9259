"""Table "detector_against_readers": each detector against the mean of the readers, on the images that both judged."""

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.detector import DetectorRecord
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import FIGURES, figure_name, readings_for
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.mrmc import Standalone, algorithm_against_readers
from readerstudy.statistics.mrmc.readings import FigureOfMerit
from readerstudy.statistics.unsure import Unsure

_DETECTOR = -1  # its label among the indices of readers


def detector_against_readers_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """Return each detector against the readers in each compared session and arm; None without a comparison."""
    rows = tuple(
        _row(detector, session, arm, figure, result)
        for detector in record.detectors
        for session in (plan.before, plan.after)
        for arm in record.arms
        for figure in FIGURES
        if (result := compare_detector(record, plan, detector, session=session, arm=arm, figure=figure))
    )
    if not rows:
        return None
    return Table(
        key="detector_against_readers",
        title=_("The detector against the readers"),
        caption=_(
            # xgettext: no-python-format
            "The detector’s figure minus the mean of the readers’, on the images that both judged, with 95 % intervals "
            "that generalise to similar readers and images; the detector is fixed (Obuchowski–Rockette analysis of one "
            "condition, Hillis, 2014). For sensitivity and specificity the detector’s threshold is that of its tuning "
            "split. The p-values are exploratory and not adjusted."
        ),
        columns=_columns(),
        rows=rows,
        notes=(_("Images are taken as independent, also those of one patient."),),
    )


def compare_detector(
    record: StudyRecord,
    plan: AnalysisPlan,
    detector: DetectorRecord,
    *,
    session: int,
    arm: str,
    figure: FigureOfMerit,
) -> Standalone | None:
    """Return the detector against the readers; None with fewer than two readers or images of a kind."""
    if figure != "auc" and Unsure(plan.unsure) is Unsure.HALF:
        return None
    readings = readings_for(record, plan, arm, figure)
    score, truth, reader, case, of_session = readings.columns
    kept = (of_session == session) & np.isin(case, list(detector.score))
    score, truth, reader, case = (column[kept] for column in (score, truth, reader, case))
    cases, first = np.unique(case, return_index=True)
    own = np.array([detector.score[each] for each in cases.tolist()], dtype=float)
    if figure != "auc":
        own = (own > detector.threshold).astype(float)
    try:
        return algorithm_against_readers(
            np.concatenate([score, own]),
            np.concatenate([truth, truth[first]]),
            np.concatenate([reader, np.full(cases.size, _DETECTOR)]),
            np.concatenate([case, cases]),
            algorithm=_DETECTOR,
            figure=figure,
            threshold=readings.threshold,
        )
    except ValueError:  # too few readers, or too few images of a kind
        return None


def _columns() -> tuple[Column, ...]:
    return (
        Column("session", _("Session")),
        Column("arm", _("Arm")),
        Column("detector", _("Detector")),
        Column("figure", _("Figure")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("images", _("Images"), Kind.COUNT),
        Column("of_detector", _("Figure of the detector"), Kind.FRACTION),
        Column("of_readers", _("Mean of the readers"), Kind.FRACTION),
        Column("difference", _("Difference"), Kind.CHANGE),
        Column("p", "p", Kind.P),
    )


def _row(
    detector: DetectorRecord, session: int, arm: str, figure: FigureOfMerit, result: Standalone
) -> tuple[Cell, ...]:
    difference: Estimate | float = result.difference
    if result.low is not None and result.high is not None:
        difference = Estimate(result.difference, result.low, result.high)
    return (
        str(session),
        arm,
        detector.run,
        figure_name(figure),
        len(result.readers),
        result.cases,
        result.algorithm,
        result.mean,
        difference,
        result.p,
    )
