"""Data of the investigators' API: progress as counts, and readings with or without the truth."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum

from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.studies.models import Allocation, Enrollment, ReadingList, SessionPlan, Study
from readerstudy.studies.protocol import SessionKind
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.seal import require_verdicts_visible

# The names of a reading's fields, and the way to each of them.
BLIND = {
    "reader": "presentation__reading_list__enrollment__code",
    "session": "presentation__reading_list__session_plan__number",
    "position": "presentation__position",
    "presentation": "presentation__code",
    "verdict": "verdict",
    "elapsed_ms": "elapsed_ms",
    "shown_at": "shown_at",
    "answered_at": "answered_at",
    "quality": "quality",
    "quality_reasons": "quality_reasons",
    "answers": "answers",
    "receipt": "receipt",
}
_STIMULUS = "presentation__stimulus_id"
_IMAGE = "presentation__stimulus__image_id"
_FINGERPRINT = "presentation__stimulus__image__fingerprint"
_LATERALITY = "presentation__stimulus__image__laterality"
_VIEW = "presentation__stimulus__image__view_position"
_KIND = "presentation__reading_list__session_plan__kind"
SIGHTED = ("authenticity", "pathology", "direction", "image", "laterality", "view_position")
PSEUDONYM_LENGTH = 12
CHUNK = 2000


# --- readings -----------------------------------------------------------------------------------------------
def readings_of(study: Study) -> QuerySet[Reading, dict[str, Any]]:
    """Return the study's readings in the order in which they were given, as values for `lines_of`.

    Raises StudyStillOpen while readers may still read.
    """
    require_verdicts_visible(study)
    paths = ("pk", *BLIND.values(), _STIMULUS, _IMAGE, _FINGERPRINT, _LATERALITY, _VIEW, _KIND)
    rows: QuerySet[Reading, dict[str, Any]] = Reading.objects.filter(
        presentation__reading_list__enrollment__study=study
    ).values(*paths)
    return rows.order_by("pk")


def lines_of(study: Study, readings: Iterable[dict[str, Any]], *, sighted: bool) -> Iterator[dict[str, Any]]:
    """Yield one row for each reading. Without `sighted` nothing in it depends on the image."""
    key = _Key(study) if sighted else None
    for reading in readings:
        line = {name: reading[path] for name, path in BLIND.items()}
        yield {**line, **key.of(reading)} if key else line


class _Key:
    """The truth about everything that the study drew: two queries, however many readings there are."""

    def __init__(self, study: Study) -> None:
        drawn = Allocation.objects.filter(session_plan__study=study)
        truths = Truth.objects.filter(stimulus__in=drawn.values("stimulus"))
        pathologies = ImageTruth.objects.filter(image__in=drawn.values("stimulus__image"))
        self.truths = {row[0]: row[1:] for row in truths.values_list("stimulus_id", "authenticity", "direction")}
        self.pathologies = dict(pathologies.values_list("image_id", "pathology"))

    def of(self, reading: dict[str, Any]) -> dict[str, Any]:
        authenticity, direction = self.truths[reading[_STIMULUS]]
        if reading[_KIND] == SessionKind.EDUCATION:
            authenticity = "pair"
        values = (
            authenticity,
            self.pathologies[reading[_IMAGE]],
            direction,
            # A keyed hash: it joins a picture with its twin, and leads nobody back to the film.
            reading[_FINGERPRINT][:PSEUDONYM_LENGTH],
            reading[_LATERALITY],
            reading[_VIEW],
        )
        return dict(zip(SIGHTED, values, strict=True))


# --- progress: counts and times -----------------------------------------------------------------------------
@dataclass(frozen=True)
class SessionProgress:
    """One reader in one session."""

    reader: str
    number: int
    answered: int
    total: int
    opened_at: datetime | None
    finished_at: datetime | None


def list_session_progress(study: Study) -> list[SessionProgress]:
    """Return the progress of every enrolled reader in every session, in order."""
    rows: Any = (
        ReadingList.objects.filter(enrollment__study=study)
        .order_by("enrollment_id", "session_plan__number")
        .values_list(
            "enrollment__code",
            "session_plan__number",
            "session__answered",
            "session_plan__total",
            "session__opened_at",
            "session__finished_at",
        )
    )
    return [SessionProgress(code, number, answered or 0, *times) for code, number, answered, *times in rows.iterator()]


def study_lines(studies: Sequence[Study]) -> list[dict[str, Any]]:
    """Return one row for each study with the sums over its readers; two queries for all."""
    planned: Any = (
        ReadingList.objects.filter(enrollment__study__in=studies)
        .order_by()
        .values("enrollment__study")
        .annotate(readers=Count("enrollment", distinct=True), total=Sum("session_plan__total"))
    )
    given = (
        ReadingSession.objects.filter(reading_list__enrollment__study__in=studies)
        .order_by()
        .values_list("reading_list__enrollment__study")
        .annotate(Sum("answered"))
    )
    plans: dict[int, dict[str, Any]] = {row["enrollment__study"]: row for row in planned}
    answered = dict(given)
    return [
        {
            **_facts(study),
            "readers": plans.get(study.pk, {}).get("readers", 0),
            "answered": answered.get(study.pk, 0),
            "total": plans.get(study.pk, {}).get("total", 0),
        }
        for study in studies
    ]


def _facts(study: Study) -> dict[str, Any]:
    names = ("code", "title", "template", "status", "is_rehearsal", "created_at", "closed_at", "unsealed_at")
    return {"cohort": study.cohort.name, **{name: getattr(study, name) for name in names}}


def study_page(study: Study) -> dict[str, Any]:
    """Return one study with its plan, sessions and readers."""
    (line,) = study_lines([study])
    return {
        **line,
        "seed": study.revealed_seed,
        "plan": study.plan,
        "sessions": session_pages(study),
        "enrolled": enrolled_readers(study),
    }


def session_pages(study: Study) -> list[dict[str, Any]]:
    """Return the study's sessions, each with its readers."""
    by_number = defaultdict(list)
    for progress in list_session_progress(study):
        by_number[progress.number].append(progress)
    return [
        {
            "number": plan.number,
            "kind": plan.kind,
            "title": plan.title,
            "instructions": plan.instructions,
            "images": plan.total,
            "washout_days": plan.washout_days,
            "answered": sum(progress.answered for progress in by_number[plan.number]),
            "total": plan.total * len(by_number[plan.number]),
            "finished": sum(progress.finished_at is not None for progress in by_number[plan.number]),
            "readers": [asdict(progress) for progress in by_number[plan.number]],
        }
        for plan in SessionPlan.objects.filter(study=study).order_by("number")
    ]


def enrolled_readers(study: Study) -> list[dict[str, Any]]:
    """Return the study's readers, each with their sessions."""
    by_reader = defaultdict(list)
    for progress in list_session_progress(study):
        by_reader[progress.reader].append(progress)
    enrollments = Enrollment.objects.filter(study=study).select_related("reader", "arm").order_by("pk")
    return [
        {
            "code": enrollment.code,
            "user": enrollment.reader.get_username(),
            "arm": enrollment.arm.name,
            "enrolled_at": enrollment.enrolled_at,
            "answered": sum(progress.answered for progress in by_reader[enrollment.code]),
            "total": sum(progress.total for progress in by_reader[enrollment.code]),
            "sessions": [asdict(progress) for progress in by_reader[enrollment.code]],
        }
        for enrollment in enrollments
    ]
