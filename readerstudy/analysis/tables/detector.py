"""The detector of adversarial input as one more reader of the readers' own question: is this picture real?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import (
    SAID_NOT_REAL,
    SAID_REAL,
    SAID_SEEN,
    SAID_UNSURE,
    Cases,
    Ints,
    kinds_of,
    right,
)
from readerstudy.analysis.record.detector import DetectorRecord
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics import delong
from readerstudy.statistics.proportions import wilson
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

_TUNING = "tuning"
# Readers answer on three levels; "unsure" lies between (STATISTICS, "unsure").
_LEVELS = (SAID_REAL, SAID_UNSURE, SAID_NOT_REAL)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Place:
    """The pictures of one session and arm that both readers and the detector judged, as aligned arrays."""

    session: int
    arm: str
    cases: Cases
    score: Floats
    patient: Ints

    @property
    def altered(self) -> NDArray[np.bool_]:
        return np.isin(self.cases.kind, kinds_of(Subset.ADVERSARIAL))


def detector_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """A line for each detector and one for the readers on the very same pictures; None where no detector judged any."""
    rows = tuple(row for one in record.detectors for row in _rows(record, one, Unsure(plan.unsure)))
    if not rows:
        return None
    return Table(
        key="detector",
        title=_("The detector as one more reader"),
        caption=_(
            # xgettext: no-python-format
            "A network that was trained to tell adversarial pictures from real ones, on the pictures that the readers "
            "judged; below it what the readers said of the same pictures, added up over all of them. It calls a "
            "picture adversarial above the threshold of its tuning split. The area under the curve (AUC) is that of "
            "its probability, of the readers’ three answers real, unsure, not real; the intervals, 95 %, take the "
            "images of one woman together (DeLong, clustered). The readers’ lines have no interval: readings of one "
            "reader belong together, and Table 3 has each reader."
        ),
        columns=_columns(),
        rows=rows,
        notes=tuple(_notes(record)),
    )


def _columns() -> tuple[Column, ...]:
    right_answers = _("Right answers")
    return (
        Column("session", _("Session")),
        Column("arm", _("Arm")),
        Column("reader", _("Reader")),
        Column("threshold", _("Threshold"), Kind.SPREAD),
        Column("images", _("Images"), Kind.COUNT),
        Column("auc", _("AUC"), Kind.ESTIMATE),
        Column("real", _("real images"), Kind.SHARE, right_answers),
        Column("adversarial", _("adversarial images"), Kind.SHARE, right_answers),
        Column("all", _("all images"), Kind.SHARE, right_answers),
    )


def _rows(record: StudyRecord, one: DetectorRecord, rule: Unsure) -> Iterator[tuple[Cell, ...]]:
    for place in _places(record, one):
        called = place.score > one.threshold
        was_right = called == place.altered
        head = (str(place.session), place.arm)
        shares = (was_right[~place.altered], was_right[place.altered], was_right)
        yield (
            *head,
            one.run,
            one.threshold,
            int(place.score.size),
            _area(place),
            *(wilson(int(share.sum()), int(share.size)) for share in shares),
        )
        yield (*head, _("all readers"), None, int(place.score.size), *_of_readers(place, rule))


def _places(record: StudyRecord, one: DetectorRecord) -> Iterator[_Place]:
    cases = record.tallies.cases
    scored = np.array([case in one.score for case in cases.case.tolist()], dtype=bool)
    asked = cases.counts[:, :SAID_SEEN].sum(axis=1) > 0
    for session in np.unique(cases.session[scored & asked]).tolist():
        for arm in record.arms:
            own = cases.chosen(scored & asked & (cases.session == session) & (cases.arm == arm))
            if own.case.size:
                names = own.case.tolist()
                score = np.array([one.score[name] for name in names], dtype=float)
                patient = np.array([one.patient[name] for name in names], dtype=np.int64)
                yield _Place(session, arm, own, score, patient)


def _area(place: _Place) -> Estimate | None:
    """None where there are fewer than two pictures, or a single woman, of a kind."""
    try:
        found = delong.area(place.altered.astype(int), place.score, cluster=place.patient)
    except ValueError:
        return None
    return Estimate(found.auc, found.low, found.high)


def _of_readers(place: _Place, rule: Unsure) -> tuple[Cell, ...]:
    """The area of the three answers, and the right shares by the plan's rule for unsure."""
    real, altered = place.cases.counts[~place.altered].sum(axis=0), place.cases.counts[place.altered].sum(axis=0)
    of_real, of_altered = right(real, Subset.REAL, rule), right(altered, Subset.ADVERSARIAL, rule)
    both = (of_real[0] + of_altered[0], of_real[1] + of_altered[1])
    shares = (hits / trials if trials else None for hits, trials in (of_real, of_altered, both))
    return (_area_of_answers(real, altered), *shares)


def _area_of_answers(real: Ints, altered: Ints) -> float | None:
    """How often an adversarial picture's answer stands above a real one's, ties half; over all readers' answers."""
    below, above = real[list(_LEVELS)].astype(float), altered[list(_LEVELS)].astype(float)
    pairs = below.sum() * above.sum()
    if not pairs:
        return None
    higher = sum(above[level] * (below[:level].sum() + below[level] / 2) for level in range(len(_LEVELS)))
    return float(higher / pairs)


def _notes(record: StudyRecord) -> Iterator[str]:
    for one in record.detectors:
        learnt = ", ".join(one.learnt_from)
        if one.of_study:
            yield _("The detector %(run)s was trained on twins by %(attacks)s, the attack that this study shows.") % {
                "run": one.run,
                "attacks": learnt,
            }
        else:
            yield _(
                "The detector %(run)s was trained on twins by %(attacks)s; it had never seen the attack of this study."
            ) % {"run": one.run, "attacks": learnt}
        if tuned := sum(split == _TUNING for split in one.split.values()):
            yield _(
                "%(count)s of the pictures that %(run)s judged are of the tuning split, on which its threshold was "
                "chosen: there it looks better than it is."
            ) % {"count": tuned, "run": one.run}
