"""Table "classifier": the classifier compared with the readers, on the images that the readers judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.classifier import ClassifierRecord, DiagnosisCounts, Floats
from readerstudy.analysis.record.codes import POSITIVE, reader_sort_key
from readerstudy.analysis.record.counts import KINDS
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.modalities.words import ReportWords
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics import delong
from readerstudy.statistics.proportions import Proportion, wilson, wilson_by_cluster

FIXED_THRESHOLD = 0.5
_FIRST_ADVERSARIAL = 2  # kinds 0 and 1 are real, 2 and 3 adversarial
_SINGLE_KINDS = range(4)  # without pairs
_IS_POSITIVE = np.array([pathology == POSITIVE for _authenticity, pathology in KINDS])
_TUNING = "tuning"


@dataclass(frozen=True)
class ScoredImages:
    """The images with a score that one arm's readers judged in one session, as aligned arrays (n,)."""

    arm: str
    session: int
    case: NDArray[np.int64]
    score: Floats
    source_score: Floats
    kind: NDArray[np.int64]
    patient: NDArray[np.int64]
    is_tuning: NDArray[np.bool_]
    without_score: int

    @property
    def is_adversarial(self) -> NDArray[np.bool_]:
        return self.kind >= _FIRST_ADVERSARIAL

    @property
    def is_positive(self) -> NDArray[np.bool_]:
        """Whether the patient's own pathology is positive."""
        positive: NDArray[np.bool_] = _IS_POSITIVE[self.kind]
        return positive

    def __len__(self) -> int:
        return int(self.score.size)


def classifier_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return per session and arm a row for the classifier at each threshold, and a row for each reader's diagnoses."""
    classifier = record.classifier
    images = tuple(_judged_images(record, classifier)) if classifier else ()
    rows = tuple(_rows(record, classifier, images)) if classifier else ()
    return Table(
        key="classifier",
        title=_("The classifier compared with the readers"),
        caption=_(
            # xgettext: no-python-format
            "The classifier’s results on the images that the readers judged. A diagnosis is correct if it matches the "
            "patient’s own pathology, whatever was done to the image; in Table 1, “right” on adversarial images is "
            "the opposite, the flipped label. The area under the curve (AUC) on adversarial "
            "images is given for the patient’s own pathology and for the flipped label that the attack aims at; one is "
            "1 minus the other. Intervals are 95 %. Those of the classifier treat the images of one patient as "
            "dependent: DeLong’s, clustered, for areas, and Wilson’s with the effective number of images for shares; "
            "those of readers are Wilson’s. Fooled: among adversarial images whose source image is classified "
            "correctly, the share whose adversarial version gets the opposite diagnosis."
        ),
        columns=_columns(),
        rows=rows,
        notes=tuple(_notes(classifier, images, record.modality.words.report)) if classifier and rows else (),
        empty=_empty_message(record),
    )


def _columns() -> tuple[Column, ...]:
    auc, correct = _("AUC"), _("Correct diagnoses")
    return (
        Column("session", _("Session")),
        Column("arm", _("Arm")),
        Column("reader", _("Reader")),
        Column("threshold", _("Threshold"), Kind.SPREAD),
        Column("images", _("Images"), Kind.COUNT),
        Column("auc_real", _("real"), Kind.ESTIMATE, auc),
        Column("auc_adversarial", _("adversarial, own pathology"), Kind.ESTIMATE, auc),
        Column("auc_flipped", _("adversarial, flipped label"), Kind.ESTIMATE, auc),
        Column("real_positive", _("real, of positives"), Kind.SHARE, correct),
        Column("real_negative", _("real, of negatives"), Kind.SHARE, correct),
        Column("adversarial_positive", _("adversarial, of positives"), Kind.SHARE, correct),
        Column("adversarial_negative", _("adversarial, of negatives"), Kind.SHARE, correct),
        Column("fooled", _("Fooled"), Kind.SHARE),
    )


def _judged_images(record: StudyRecord, classifier: ClassifierRecord) -> Iterator[ScoredImages]:
    """Yield each session and arm with an image that a reader judged."""
    cases = record.readings.cases
    judged = set(zip(cases.arm.tolist(), cases.session.tolist(), cases.case.tolist(), strict=True))
    shown = zip(classifier.arm.tolist(), classifier.session.tolist(), classifier.case.tolist(), strict=True)
    was_judged = np.array([image in judged for image in shown], dtype=bool)
    for session in np.unique(classifier.session).tolist():
        for arm in record.arms:
            mask = was_judged & (classifier.session == session) & (classifier.arm == arm)
            if mask.any():
                yield _scored_images(classifier, arm, session, mask)


def _scored_images(classifier: ClassifierRecord, arm: str, session: int, mask: NDArray[np.bool_]) -> ScoredImages:
    scored = mask & ~np.isnan(classifier.score)
    return ScoredImages(
        arm=arm,
        session=session,
        case=classifier.case[scored],
        score=classifier.score[scored],
        source_score=classifier.source_score[scored],
        kind=classifier.kind[scored],
        patient=classifier.patient[scored],
        is_tuning=classifier.split[scored] == _TUNING,
        without_score=int(mask.sum() - scored.sum()),
    )


def _rows(
    record: StudyRecord, classifier: ClassifierRecord, images: Sequence[ScoredImages]
) -> Iterator[tuple[Cell, ...]]:
    scored = {(each.session, each.arm): each for each in images if len(each)}
    diagnoses: dict[tuple[int, str], list[DiagnosisCounts]] = {}
    for counts in classifier.diagnoses:
        if counts.reader in record.readers:
            diagnoses.setdefault((counts.session, record.readers[counts.reader]), []).append(counts)
    for session, arm in sorted({*scored, *diagnoses}):
        if (session, arm) in scored:
            yield from _classifier_rows(scored[session, arm], classifier)
        yield from _reader_rows(session, arm, diagnoses.get((session, arm), []))


def _classifier_rows(images: ScoredImages, classifier: ClassifierRecord) -> Iterator[tuple[Cell, ...]]:
    """Yield rows at 0.5 and at the threshold of the tuning split. Areas do not depend on it and are given once."""
    areas: tuple[Cell, ...] = _areas(images)
    tuning = classifier.tuning_threshold.get(images.arm)
    for threshold in (FIXED_THRESHOLD, *([] if tuning is None else [tuning])):
        correct = (images.score > threshold) == images.is_positive
        shares = (_share(correct, images, images.kind == kind) for kind in _SINGLE_KINDS)
        head = (str(images.session), images.arm, _("classifier"), threshold, len(images))
        yield (*head, *areas, *shares, _fooled(images, threshold))
        areas = (None, None, None)


def _reader_rows(session: int, arm: str, diagnoses: Sequence[DiagnosisCounts]) -> Iterator[tuple[Cell, ...]]:
    by_reader: dict[str, dict[int, DiagnosisCounts]] = {}
    for counts in diagnoses:
        by_reader.setdefault(counts.reader, {})[counts.kind] = counts
    for reader in sorted(by_reader, key=reader_sort_key):
        shares = (_correct_diagnoses(by_reader[reader], kind) for kind in _SINGLE_KINDS)
        images = sum(counts.total for counts in by_reader[reader].values())
        yield (str(session), arm, reader, None, images, None, None, None, *shares, None)


def _correct_diagnoses(counts: Mapping[int, DiagnosisCounts], kind: int) -> Proportion:
    if kind not in counts:
        return wilson(0, 0)
    positive, total = counts[kind].positive, counts[kind].total
    return wilson(positive if _IS_POSITIVE[kind] else total - positive, total)


def _share(hits: NDArray[np.bool_], images: ScoredImages, chosen: NDArray[np.bool_]) -> Proportion:
    return wilson_by_cluster(hits[chosen], images.patient[chosen])


def _areas(images: ScoredImages) -> tuple[Cell, Cell, Cell]:
    real, adversarial = ~images.is_adversarial, images.is_adversarial
    return (
        _area(images, real, images.is_positive[real]),
        _area(images, adversarial, images.is_positive[adversarial]),
        _area(images, adversarial, ~images.is_positive[adversarial]),
    )


def _area(images: ScoredImages, mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Estimate | None:
    """Return the area, or None with fewer than two images, or a single patient, of a class."""
    try:
        area = delong.area(truth.astype(int), images.score[mask], cluster=images.patient[mask])
    except ValueError:
        return None
    return Estimate(area.auc, area.low, area.high)


def _fooled(images: ScoredImages, threshold: float) -> Proportion:
    is_known = images.is_adversarial & ~np.isnan(images.source_score)
    source_correct = is_known & ((images.source_score > threshold) == images.is_positive)
    return _share((images.score > threshold) != images.is_positive, images, source_correct)


def _notes(classifier: ClassifierRecord, images: Sequence[ScoredImages], words: ReportWords) -> Iterator[str]:
    # Images of one arm that two sessions show are counted once.
    scored = len({(each.arm, case) for each in images for case in each.case.tolist()})
    on_tuning = len({(each.arm, case) for each in images for case in each.case[each.is_tuning].tolist()})
    if classifier.run and scored:
        sizes = " / ".join(f"{rows} × {columns}" for rows, columns in classifier.sizes)
        yield _("The run %(run)s evaluated each image at reduced size, %(size)s (rows × columns).") % {
            "run": classifier.run,
            "size": sizes,
        }
    if on_tuning:
        yield _(
            "%(count)s of the %(all)s images are from the tuning split, on which the run and its second threshold were "
            "chosen; results on them are optimistic."
        ) % {"count": on_tuning, "all": scored}
    without_score = ", ".join(
        _("session %(session)s (%(arm)s): %(count)s")
        % {"session": each.session, "arm": each.arm, "count": each.without_score}
        for each in images
        if each.without_score
    )
    if without_score:
        yield _(
            "Images without a score are excluded: %(places)s. The evaluation covers the tuning and test splits; the "
            "classifier was trained on the images of the training split."
        ) % {"places": without_score}
    yield _(
        "The real and adversarial images of a session are different images of overlapping patients, so their areas are "
        "not tested against each other. Table 1 compares every test image with its own adversarial version."
    )
    if not classifier.diagnoses:
        yield str(words.different_questions)


def _empty_message(record: StudyRecord) -> str:
    if not len(record.readings.cases.case):
        return _("There are no verdicts yet.")
    return _(
        "No scores of the classifier are stored for the images of this study. Run the command evaluate_attack (again, "
        "if it was run before scores were stored), then analyse again."
    )
