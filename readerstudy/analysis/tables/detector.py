"""Table "detector": detectors of adversarial images compared with the readers, on the images that both judged."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import VERDICTS, Subset
from readerstudy.analysis.record.counts import (
    KINDS,
    VERDICT_NOT_REAL,
    VERDICT_REAL,
    VERDICT_SEEN,
    VERDICT_UNSURE,
    CaseVerdicts,
    Floats,
    Ints,
    count_correct,
    subset_kinds,
)
from readerstudy.analysis.record.detector import DetectorRecord
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics import delong
from readerstudy.statistics.proportions import wilson
from readerstudy.statistics.unsure import Unsure

_TUNING = "tuning"
_ORDINAL = [VERDICT_REAL, VERDICT_UNSURE, VERDICT_NOT_REAL]


@dataclass(frozen=True)
class _ScoredImages:
    """The images of one session and arm that have verdicts and scores of a detector, as aligned arrays (n,)."""

    session: int
    arm: str
    cases: CaseVerdicts
    score: Floats
    patient: Ints

    @property
    def is_adversarial(self) -> NDArray[np.bool_]:
        return np.isin(self.cases.kind, subset_kinds(Subset.ADVERSARIAL))

    def __len__(self) -> int:
        return int(self.score.size)


def detector_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """Return a row for each detector and one for the readers on the same images; None without scores."""
    rows = tuple(row for detector in record.detectors for row in _rows(record, detector, Unsure(plan.unsure)))
    if not rows:
        return None
    return Table(
        key="detector",
        title=_("The detector compared with the readers"),
        caption=_(
            # xgettext: no-python-format
            "A network trained to separate adversarial from real images, on the images that the readers judged; the "
            "row below it has the means over the readers, each reader’s area and shares on the same images counting "
            "once. The detector calls an image adversarial above the threshold chosen on its tuning split. The area "
            "under the curve (AUC) is that of its probability, or of a reader’s ordered verdicts real, unsure, not "
            "real. The 95 % intervals treat the images of one patient as dependent (DeLong, clustered). Means over "
            "readers have no interval here; Table 3 shows each reader. A dash means that verdicts of single readers "
            "on these images are not known, because some images of the session have no score."
        ),
        columns=_columns(),
        rows=rows,
        notes=tuple(_notes(record)),
    )


def _columns() -> tuple[Column, ...]:
    correct = _("Correct")
    return (
        Column("session", _("Session")),
        Column("arm", _("Arm")),
        Column("reader", _("Reader")),
        Column("threshold", _("Threshold"), Kind.SPREAD),
        Column("images", _("Images"), Kind.COUNT),
        Column("auc", _("AUC"), Kind.ESTIMATE),
        Column("real", _("real images"), Kind.SHARE, correct),
        Column("adversarial", _("adversarial images"), Kind.SHARE, correct),
        Column("all", _("all images"), Kind.SHARE, correct),
    )


def _rows(record: StudyRecord, detector: DetectorRecord, rule: Unsure) -> Iterator[tuple[Cell, ...]]:
    for images in _scored_images(record, detector):
        adversarial = images.is_adversarial
        correct = (images.score > detector.threshold) == adversarial
        parts = (correct[~adversarial], correct[adversarial], correct)
        head = (str(images.session), images.arm)
        yield (
            *head,
            detector.run,
            detector.threshold,
            len(images),
            _area(images),
            *(wilson(int(part.sum()), int(part.size)) for part in parts),
        )
        yield (*head, _("mean of readers"), None, len(images), *_mean_cells(_verdicts_by_reader(record, images), rule))


def _scored_images(record: StudyRecord, detector: DetectorRecord) -> Iterator[_ScoredImages]:
    cases = record.readings.cases
    has_score = np.array([case in detector.score for case in cases.case.tolist()], dtype=bool)
    both = cases.select(has_score & (cases.counts[:, :VERDICT_SEEN].sum(axis=1) > 0))
    for session in np.unique(both.session).tolist():
        for arm in record.arms:
            own = both.select((both.session == session) & (both.arm == arm))
            if own.case.size:
                keys = own.case.tolist()
                score = np.array([detector.score[case] for case in keys], dtype=float)
                patient = np.array([detector.patient[case] for case in keys], dtype=np.int64)
                yield _ScoredImages(session, arm, own, score, patient)


def _area(images: _ScoredImages) -> Estimate | None:
    """Return the area, or None with fewer than two images, or a single patient, of a class."""
    try:
        area = delong.area(images.is_adversarial.astype(int), images.score, cluster=images.patient)
    except ValueError:
        return None
    return Estimate(area.auc, area.low, area.high)


def _verdicts_by_reader(record: StudyRecord, images: _ScoredImages) -> tuple[Ints, ...] | None:
    """Return the counts (kinds, verdicts) of each reader on the images.

    Single readings are kept for the two compared sessions only. For another session the counts are those of all its
    images, and None if some of them have no score.
    """
    readings = record.readings
    readers = [index for index, reader in enumerate(readings.readers) if record.readers.get(reader) == images.arm]
    compared = readings.compared
    if (compared.session == images.session).any():
        used = compared.select((compared.session == images.session) & np.isin(compared.case, images.cases.case))
        counts = np.zeros((len(readings.readers), len(KINDS), len(VERDICTS)), dtype=np.int64)
        np.add.at(counts, (used.reader, used.kind, used.verdict), 1)
        by_reader = [counts[index] for index in readers]
    else:
        by_reader = [readings.verdicts_of(readings.readers[index], images.session) for index in readers]
        if sum(int(each[:, :VERDICT_SEEN].sum()) for each in by_reader) != int(images.cases.counts.sum()):
            return None
    return tuple(each for each in by_reader if each[:, :VERDICT_SEEN].any())


def _mean_cells(by_reader: tuple[Ints, ...] | None, rule: Unsure) -> tuple[float | None, ...]:
    """Return the means over readers of the area of the verdicts, and of the shares correct by the plan's rule."""
    cells = [_reader_cells(counts, rule) for counts in by_reader or ()]
    known = ([value for value in column if value is not None] for column in zip(*cells, strict=True))
    return tuple(sum(values) / len(values) if values else None for values in known) if cells else (None,) * 4


def _reader_cells(counts: Ints, rule: Unsure) -> tuple[float | None, ...]:
    """Return the area of one reader's verdicts, and the shares correct; None without such images."""
    real, adversarial = (counts[list(subset_kinds(kind))].sum(axis=0) for kind in (Subset.REAL, Subset.ADVERSARIAL))
    correct = [count_correct(real, Subset.REAL, rule), count_correct(adversarial, Subset.ADVERSARIAL, rule)]
    shares = [each.hits / each.trials if each.trials else None for each in correct]
    trials = sum(each.trials for each in correct)
    return (_verdict_area(real, adversarial), *shares, sum(each.hits for each in correct) / trials if trials else None)


def _verdict_area(real: Ints, adversarial: Ints) -> float | None:
    """Return how often the verdict on an adversarial image ranks above that on a real one; ties count half."""
    below, above = real[_ORDINAL].astype(float), adversarial[_ORDINAL].astype(float)
    pairs = below.sum() * above.sum()
    if not pairs:
        return None
    higher = sum(above[level] * (below[:level].sum() + below[level] / 2) for level in range(len(_ORDINAL)))
    return float(higher / pairs)


def _notes(record: StudyRecord) -> Iterator[str]:
    for detector in record.detectors:
        values = {"run": detector.run, "attacks": ", ".join(detector.trained_on)}
        if detector.of_study:
            yield (
                _(
                    "The detector %(run)s was trained on adversarial images by %(attacks)s, the attack that this study "
                    "shows."
                )
                % values
            )
        else:
            yield (
                _(
                    "The detector %(run)s was trained on adversarial images by %(attacks)s, not by the attack of this "
                    "study."
                )
                % values
            )
        if on_tuning := sum(split == _TUNING for split in detector.split.values()):
            yield _(
                "%(count)s of the images scored by %(run)s are from the tuning split, on which its threshold was "
                "chosen; results on them are optimistic."
            ) % {"count": on_tuning, "run": detector.run}
