"""Table "confidence": the area under each reader's ROC curve of verdicts with how sure the reader was."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.confidence import RatingCounts
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Column, Estimate, Kind, Table
from readerstudy.statistics import delong
from readerstudy.statistics.roc import RocCurve, roc_curve


@dataclass(frozen=True)
class ConfidenceCurve:
    """One reader in one session: the empirical ROC curve of the ratings and the area under it.

    `of_verdicts` is the area of the same readings if only the verdict is known.
    """

    ratings: RatingCounts
    curve: RocCurve
    area: Estimate
    of_verdicts: Estimate


Curves = Mapping[tuple[str, int], ConfidenceCurve | None]  # by reader and session


def confidence_curves(record: StudyRecord) -> Curves:
    """Return every reader's curve in every session with ratings; None with fewer than two rated images of a kind."""
    if record.confidence is None:
        return {}
    return {cell: _curve(ratings) for cell, ratings in record.confidence.cells.items()}


def _curve(ratings: RatingCounts) -> ConfidenceCurve | None:
    truth, rating = ratings.columns
    curve = roc_curve(rating.astype(float), truth)
    try:
        areas = [delong.area(truth, score) for score in (rating, np.sign(rating))]
    except ValueError:  # fewer than two images of a kind
        return None
    assert curve is not None, "there are images of both kinds"
    area, of_verdicts = (Estimate(each.auc, each.low, each.high) for each in areas)
    return ConfidenceCurve(ratings, curve, area, of_verdicts)


def confidence_table(record: StudyRecord, curves: Curves) -> Table | None:
    """Return the areas of every reader and session; None if no session asks how sure readers are."""
    if record.confidence is None:
        return None
    rated, area = _("Rated images"), _("AUC")
    rows = []
    for (reader, session), curve in curves.items():
        ratings = record.confidence.cells[reader, session]
        areas = (None, None) if curve is None else (curve.of_verdicts, curve.area)
        rows.append((reader, record.readers.get(reader, ""), str(session), *ratings.images, ratings.unrated, *areas))
    return Table(
        key="confidence",
        title=_("Confidence: ROC curve of each reader"),
        caption=_(
            # xgettext: no-python-format
            "A rating joins the verdict and how sure the reader was of it: from surely real over unsure to surely not "
            "real. AUC: how well the ratings separate adversarial from real images; 0.50 is chance. It is the area "
            "under the empirical curve, with a 95 % interval for this reader and similar images (DeLong). Beside it is "
            "the area of the same readings by the verdict alone. Intervals of single readers are not adjusted."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("arm", _("Arm")),
            Column("session", _("Session")),
            Column("real", _("real"), Kind.COUNT, rated),
            Column("adversarial", _("adversarial"), Kind.COUNT, rated),
            Column("unrated", _("Without a rating"), Kind.COUNT),
            Column("auc_verdicts", _("verdicts alone"), Kind.ESTIMATE, area),
            Column("auc", _("with confidence"), Kind.ESTIMATE, area),
        ),
        rows=tuple(rows),
        notes=tuple(_notes(record, curves)),
    )


def _notes(record: StudyRecord, curves: Curves) -> list[str]:
    assert record.confidence is not None
    notes = [
        _("“Unsure” is the middle of the scale under every rule for unsure verdicts."),
        _("Images are taken as independent, also those of one patient."),
    ]
    if None in curves.values():
        notes.append(_("There is no curve (—) with fewer than two rated images of a kind."))
    if any(ratings.unrated for ratings in record.confidence.cells.values()):
        notes.append(_("Verdicts without an answer to how sure the reader was have no rating and are left out here."))
    if len(set(record.confidence.steps.values())) > 1:
        notes.append(_("The sessions offer different numbers of answers, which alone can change an area."))
    return notes
