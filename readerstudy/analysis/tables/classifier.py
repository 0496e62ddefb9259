"""The classifier as one more reader, on the very images that the readers saw."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.classifier import ClassifierRecord, Floats
from readerstudy.analysis.record.codes import POSITIVE, by_number
from readerstudy.analysis.record.counts import KINDS
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics import delong
from readerstudy.statistics.proportions import Proportion, wilson
from readerstudy.studies.analysis_plan import AnalysisPlan

HALF = 0.5
_FIRST_ADVERSARIAL = 2  # kinds 0 and 1 are real, 2 and 3 adversarial
_ASKED_KINDS = range(4)
_IS_POSITIVE = np.array([pathology == POSITIVE for _authenticity, pathology in KINDS])
_TUNING = "tuning"


@dataclass(frozen=True)
class Seen:
    """The images with a score that one arm's readers judged in one session, as aligned arrays."""

    arm: str
    session: int
    score: Floats
    parent_score: Floats
    is_adversarial: NDArray[np.bool_]
    is_positive: NDArray[np.bool_]
    patient: NDArray[np.int64]
    of_tuning: int
    without_score: int


def classifier_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Per session and arm a row for the classifier at each threshold, and one for each reader who gave diagnoses."""
    found = record.classifier
    seen = tuple(_seen(record, found)) if found else ()
    scored = tuple(one for one in seen if one.score.size)
    rows = tuple(_rows(record, found, scored)) if found else ()
    return Table(
        key="classifier",
        title=_("The classifier as one more reader"),
        caption=_(
            # xgettext: no-python-format
            "What the classifier says of the very pictures that the readers judged. Right means the woman’s own "
            "pathology, whatever was done to the picture: positives called malignant, negatives not. The area under "
            "the curve (AUC) on adversarial images is given against her own pathology and against the flipped label "
            "that the attack aims at; one is 1 less the other. Intervals are 95 %; those of the AUC take the images "
            "of one woman together (DeLong, clustered). Fooled: of the adversarial images whose real version the "
            "classifier gets right, the share whose adversarial version gets the opposite diagnosis."
        ),
        columns=_columns(),
        rows=rows,
        notes=tuple(_notes(record, found, seen)) if found and rows else (),
        empty=_nothing(record),
    )


def _columns() -> tuple[Column, ...]:
    auc, right = _("AUC"), _("Right diagnoses")
    return (
        Column("session", _("Session")),
        Column("arm", _("Arm")),
        Column("reader", _("Reader")),
        Column("threshold", _("Threshold"), Kind.SPREAD),
        Column("images", _("Images"), Kind.COUNT),
        Column("auc_real", _("real"), Kind.ESTIMATE, auc),
        Column("auc_adversarial", _("adversarial, own pathology"), Kind.ESTIMATE, auc),
        Column("auc_flipped", _("adversarial, flipped label"), Kind.ESTIMATE, auc),
        Column("real_positive", _("real, of positives"), Kind.SHARE, right),
        Column("real_negative", _("real, of negatives"), Kind.SHARE, right),
        Column("adversarial_positive", _("adversarial, of positives"), Kind.SHARE, right),
        Column("adversarial_negative", _("adversarial, of negatives"), Kind.SHARE, right),
        Column("fooled", _("Fooled"), Kind.SHARE),
    )


def _seen(record: StudyRecord, found: ClassifierRecord) -> Iterator[Seen]:
    """Each session and arm that somebody has judged."""
    cases = record.tallies.cases
    judged = set(zip(cases.arm.tolist(), cases.session.tolist(), cases.case.tolist(), strict=True))
    places = zip(found.arm.tolist(), found.session.tolist(), found.case.tolist(), strict=True)
    was_judged = np.array([place in judged for place in places], dtype=bool)
    for session in np.unique(found.session).tolist():
        for arm in record.arms:
            own = was_judged & (found.session == session) & (found.arm == arm)
            if own.any():
                yield _chosen(found, arm, session, own)


def _chosen(found: ClassifierRecord, arm: str, session: int, own: NDArray[np.bool_]) -> Seen:
    scored = own & ~np.isnan(found.score)
    kind = found.kind[scored]
    return Seen(
        arm=arm,
        session=session,
        score=found.score[scored],
        parent_score=found.parent_score[scored],
        is_adversarial=kind >= _FIRST_ADVERSARIAL,
        is_positive=_IS_POSITIVE[kind],
        patient=found.patient[scored],
        of_tuning=int((found.split[scored] == _TUNING).sum()),
        without_score=int(own.sum() - scored.sum()),
    )


def _rows(record: StudyRecord, found: ClassifierRecord, scored: Iterable[Seen]) -> Iterator[tuple[Cell, ...]]:
    by_place = {(one.session, one.arm): one for one in scored}
    diagnosed = {(one.session, record.readers[one.reader]) for one in found.diagnosed if one.reader in record.readers}
    for session, arm in sorted({*by_place, *diagnosed}):
        if one := by_place.get((session, arm)):
            yield from _rows_of_classifier(one, found)
        yield from _rows_of_readers(record, found, session, arm)


def _rows_of_classifier(one: Seen, found: ClassifierRecord) -> Iterator[tuple[Cell, ...]]:
    """At 0.5, and at the threshold of the tuning split; areas have no threshold and stand once."""
    areas: tuple[Cell, ...] = _areas(one)
    thresholds = [HALF, *([found.tuning_threshold[one.arm]] if one.arm in found.tuning_threshold else [])]
    for threshold in thresholds:
        right = (one.score > threshold) == one.is_positive
        shares = (_share(right[_is_kind(one, kind)]) for kind in _ASKED_KINDS)
        head = (str(one.session), one.arm, _("classifier"), threshold, int(one.score.size))
        yield (*head, *areas, *shares, _fooled(one, threshold))
        areas = (None, None, None)


def _rows_of_readers(
    record: StudyRecord, found: ClassifierRecord, session: int, arm: str
) -> Iterator[tuple[Cell, ...]]:
    counts: dict[str, dict[int, tuple[int, int]]] = {}
    for one in found.diagnosed:
        if one.session == session and record.readers.get(one.reader) == arm:
            counts.setdefault(one.reader, {})[one.kind] = (one.malignant, one.given)
    for reader in sorted(counts, key=by_number):
        own = counts[reader]
        shares = []
        for kind in _ASKED_KINDS:
            malignant, given = own.get(kind, (0, 0))
            shares.append(wilson(malignant if _IS_POSITIVE[kind] else given - malignant, given))
        images = sum(given for _malignant, given in own.values())
        yield (str(session), arm, reader, None, images, None, None, None, *shares, None)


def _is_kind(one: Seen, kind: int) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = (one.is_adversarial == (kind >= _FIRST_ADVERSARIAL)) & (
        one.is_positive == _IS_POSITIVE[kind]
    )
    return chosen


def _share(hits: NDArray[np.bool_]) -> Proportion:
    return wilson(int(hits.sum()), int(hits.size))


def _areas(one: Seen) -> tuple[Cell, Cell, Cell]:
    real, adversarial = ~one.is_adversarial, one.is_adversarial
    return (
        _area(one, real, one.is_positive[real]),
        _area(one, adversarial, one.is_positive[adversarial]),
        _area(one, adversarial, ~one.is_positive[adversarial]),
    )


def _area(one: Seen, chosen: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Estimate | None:
    """None where there are fewer than two images, or a single woman, of a kind."""
    try:
        found = delong.area(truth.astype(int), one.score[chosen], cluster=one.patient[chosen])
    except ValueError:
        return None
    return Estimate(found.auc, found.low, found.high)


def _fooled(one: Seen, threshold: float) -> Proportion:
    known = one.is_adversarial & ~np.isnan(one.parent_score)
    was_right = known & ((one.parent_score > threshold) == one.is_positive)
    return _share(((one.score > threshold) != one.is_positive)[was_right])


def _notes(record: StudyRecord, found: ClassifierRecord, seen: Iterable[Seen]) -> Iterator[str]:
    given = tuple(seen)
    if found.run and any(one.score.size for one in given):
        sizes = " / ".join(f"{rows} × {columns}" for rows, columns in found.sizes)
        yield _("The run %(run)s judged each picture made smaller, to %(size)s (rows × columns).") % {
            "run": found.run,
            "size": sizes,
        }
    if sum(one.of_tuning for one in given):
        yield _(
            "%(count)s of the %(all)s pictures that it judged are of the tuning split, on which the run and its second "
            "threshold were chosen: there it looks better than it is."
        ) % {"count": sum(one.of_tuning for one in given), "all": sum(int(one.score.size) for one in given)}
    if lacking := [one for one in given if one.without_score]:
        places = ", ".join(
            _("session %(session)s (%(arm)s): %(count)s")
            % {"session": one.session, "arm": one.arm, "count": one.without_score}
            for one in lacking
        )
        yield _(
            "Pictures without a score are left out: %(places)s. The evaluation judges the tuning and test splits; "
            "from pictures of the training split the classifier has learnt."
        ) % {"places": places}
    yield _(
        "Real and adversarial pictures of a session are of overlapping women and of different images: their areas are "
        "not tested against each other. Table 1 has every test image beside its own twin."
    )
    if not found.diagnosed:
        yield _(
            "The readers were not asked for a diagnosis, so none stands beside the classifier here: they said whether "
            "a picture is real, the classifier whether it shows cancer."
        )


def _nothing(record: StudyRecord) -> str:
    if not len(record.tallies.cases.case):
        return _("There are no verdicts yet, so there are no images to set the classifier beside.")
    return _(
        "No score of the classifier is stored for the images of this study: run the command evaluate_attack (again, "
        "where it ran before scores were kept), then analyse again."
    )
