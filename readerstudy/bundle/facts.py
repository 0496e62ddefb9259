"""What a report needs beyond the rows of a bundle: the material, networks, evaluations and conduct, without names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from readerstudy.analysis.queries.classifier import asks_for_diagnosis
from readerstudy.analysis.record.attack import StudyAttack
from readerstudy.analysis.record.conduct import ReaderSession, StudyConduct, StudyEvent
from readerstudy.analysis.record.reader_characteristics import ReaderCharacteristic
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.analysis.record.withdrawal import WithdrawnReader
from readerstudy.bundle.pseudonyms import WITHHELD, Calendar
from readerstudy.protocol.questions import Question
from readerstudy.studies.models import SessionPlan, Study


@dataclass(frozen=True)
class AskedQuestion:
    """One question of one session, with its texts in the language of the bundle."""

    session: int
    question: Question
    is_closing: bool


@dataclass(frozen=True)
class ScoredBy:
    """The classifier of the report. `tuning_threshold` is by arm, `sizes` are (rows, columns) of scored images."""

    run: str
    tuning_threshold: Mapping[str, float]
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class DetectedBy:
    """A detector of the report, as in `DetectorRecord`."""

    run: str
    threshold: float
    trained_on: tuple[str, ...]
    of_study: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Everything of a `StudyRecord` that is not counted from rows.

    `image_sets` have no counts of drawn images. `repeat_of` is, by session from 1, the session whose images it
    repeats. `diagnosis_sessions` ask for a diagnosis, positive or negative.
    """

    code: str
    title: str
    modality: str
    is_rehearsal: bool
    readers: Mapping[str, str]
    image_sets: tuple[SessionImages, ...]
    attack: StudyAttack | None
    conduct: StudyConduct | None
    classifier: ScoredBy | None
    detectors: tuple[DetectedBy, ...]
    questions: tuple[AskedQuestion, ...]
    repeat_of: tuple[int, ...]
    diagnosis_sessions: tuple[int, ...]
    withdrawn: tuple[WithdrawnReader, ...]
    reader_characteristics: tuple[ReaderCharacteristic, ...]


def facts_of(study: Study, record: StudyRecord, calendar: Calendar) -> Facts:
    """Return the facts of a record without names, reasons and dates."""
    protocol = study.protocol
    plans = SessionPlan.objects.filter(study=study).order_by("number")
    classifier = record.classifier
    return Facts(
        code=record.code,
        title=record.title,
        modality=record.modality.code,
        is_rehearsal=record.is_rehearsal,
        readers=record.readers,
        image_sets=tuple(replace(each, drawn={}) for each in record.image_sets),
        attack=record.attack,
        conduct=None if record.conduct is None else without_names(record.conduct, calendar),
        classifier=ScoredBy(classifier.run, classifier.tuning_threshold, classifier.sizes) if classifier else None,
        detectors=tuple(
            DetectedBy(each.run, each.threshold, each.trained_on, each.of_study) for each in record.detectors
        ),
        questions=tuple(AskedQuestion(each.session, each.question, each.is_closing) for each in record.answers),
        repeat_of=tuple(each.repeat_of or number for number, each in enumerate(protocol.sessions, start=1)),
        diagnosis_sessions=tuple(plan.number for plan in plans if asks_for_diagnosis(plan)),
        withdrawn=tuple(
            replace(each, at=calendar.shifted(each.at), reason=_withheld(each.reason)) for each in record.withdrawn
        ),
        reader_characteristics=record.reader_characteristics,
    )


def without_names(conduct: StudyConduct, calendar: Calendar) -> StudyConduct:
    """Return the conduct of a study with shifted moments, and without names and free texts."""
    return replace(
        conduct,
        cohort=replace(
            conduct.cohort,
            imports=tuple(replace(each, at=calendar.shifted(each.at)) for each in conduct.cohort.imports),
        ),
        reader_sessions=tuple(_shifted(each, calendar) for each in conduct.reader_sessions),
        created=_event(conduct.created, calendar),
        closed=_event(conduct.closed, calendar) if conduct.closed else None,
        unsealed=_event(conduct.unsealed, calendar) if conduct.unsealed else None,
        audits=tuple(replace(each, at=calendar.shifted(each.at)) for each in conduct.audits),
        excluded=tuple(
            replace(each, at=calendar.shifted(each.at), by=_withheld(each.by), reason=_withheld(each.reason))
            for each in conduct.excluded
        ),
        unblindings=tuple(
            replace(
                each,
                happened_at=calendar.shifted(each.happened_at),
                persons=_withheld(each.persons),
                learnt=_withheld(each.learnt),
                how=_withheld(each.how),
                assessment=_withheld(each.assessment),
            )
            for each in conduct.unblindings
        ),
    )


def _shifted(each: ReaderSession, calendar: Calendar) -> ReaderSession:
    moments: dict[str, datetime | None] = {
        name: calendar.shifted_of(each.reader, getattr(each, name)) for name in ("opened_at", "finished_at")
    }
    return replace(each, opened_at=moments["opened_at"], finished_at=moments["finished_at"])


def _event(event: StudyEvent, calendar: Calendar) -> StudyEvent:
    return replace(
        event,
        at=calendar.shifted(event.at),
        by=_withheld(event.by),
        confirmed_by=_withheld(event.confirmed_by),
        reason=_withheld(event.reason),
    )


def _withheld(text: str) -> str:
    """Return the mark of a withheld name or reason; an empty text if there was none."""
    return WITHHELD if text else ""
