"""Data of the investigators' API: progress as counts, and readings with or without the truth."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum

from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import ClosingAnswers, Reading, ReadingSession
from readerstudy.studies.models import DisplayedAid, Enrollment, ReadingList, SessionPlan, Study, UnsealingRequest
from readerstudy.truth.queries import StimulusTruth, truth_of_study
from readerstudy.truth.seal import require_verdicts_visible, revealed_seed

# The fields of a reading, with their paths from `Reading`.
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
    "is_repeat": "presentation__is_repeat",
    "arm": "presentation__reading_list__enrollment__arm__name",
}
_STIMULUS = "presentation__stimulus_id"
_FINGERPRINT = "presentation__stimulus__image__fingerprint"
_PATIENT = "presentation__stimulus__image__exam__patient__fingerprint"
_SPLIT = "presentation__stimulus__image__exam__patient__split"
_ATTRIBUTES = "presentation__stimulus__image__attributes"
_KIND = "presentation__reading_list__session_plan__kind"
# Followed by the modality's attributes. What the aid displayed depends on the image, so it is among them.
SIGHTED = (
    "authenticity", "pathology", "direction", "image", "patient", "split", "aid_score", "aid_threshold", "aid_above",
)  # fmt: skip
_NO_AID = (None, None, None)
PSEUDONYM_LENGTH = 12
FACTS = ("code", "title", "template", "status", "is_rehearsal", "created_at")
# None: not yet.
DATES = ("rehearsed_at", "locked_at", "opened_at", "paused_at", "closed_at", "unsealed_at", "archived_at")
CHUNK = 2000


# --- readings -----------------------------------------------------------------------------------------------
def readings_of(study: Study) -> QuerySet[Reading, dict[str, Any]]:
    """Return the study's readings in the order in which they were stored, as values for `lines_of`.

    Those of withdrawn readers are left out if the analysis plan says so. Raises StudyStillOpen while readers may
    still read.
    """
    require_verdicts_visible(study)
    paths = ("pk", *BLIND.values(), _STIMULUS, _FINGERPRINT, _PATIENT, _SPLIT, _ATTRIBUTES, _KIND)
    rows: QuerySet[Reading, dict[str, Any]] = Reading.objects.filter(
        presentation__reading_list__enrollment__study=study
    ).values(*paths)
    if study.analysis.withdrawn_readers == "leave_out":
        rows = rows.filter(presentation__reading_list__enrollment__withdrawn_at=None)
    return rows.order_by("pk")


def exported_attributes(study: Study) -> tuple[str, ...]:
    """Return the names of the attributes that are exported with the readings of an unsealed study."""
    return tuple(attribute.name for attribute in study.cohort.modality.attributes if attribute.is_exported)


def lines_of(study: Study, readings: Iterable[dict[str, Any]], *, sighted: bool) -> Iterator[dict[str, Any]]:
    """Yield one row for each reading. Without `sighted` no value depends on the image."""
    truth = truth_of_study(study) if sighted else None
    aids = _displayed_aids(study) if sighted else {}
    attributes = exported_attributes(study)
    for reading in readings:
        line = {name: reading[path] for name, path in BLIND.items()}
        aid = aids.get((line["session"], reading[_STIMULUS]), _NO_AID)
        yield {**line, **_sighted(reading, truth[reading[_STIMULUS]], aid, attributes)} if truth else line


def _displayed_aids(study: Study) -> dict[tuple[int, int], tuple[Any, ...]]:
    """Return what the aid displayed, as the last fields of `SIGHTED`, by session and stimulus; one query."""
    rows = DisplayedAid.objects.filter(session_plan__study=study)
    fields = rows.values_list("session_plan__number", "stimulus", "score", "threshold", "is_above")
    return {
        (session, stimulus): (float(score), float(threshold), is_above)
        for session, stimulus, score, threshold, is_above in fields
    }


def _sighted(
    reading: dict[str, Any], truth: StimulusTruth, aid: tuple[Any, ...], attributes: Sequence[str]
) -> dict[str, Any]:
    """Return the fields of a reading that need the truth, and the aid that depends on the image."""
    is_pair = reading[_KIND] == SessionKind.EDUCATION
    values = (
        "pair" if is_pair else truth.authenticity.value,
        truth.pathology.value,
        truth.direction.value if truth.direction else "",
        # A keyed hash, the same for an adversarial image and its source image; it does not identify the original file.
        reading[_FINGERPRINT][:PSEUDONYM_LENGTH],
        reading[_PATIENT][:PSEUDONYM_LENGTH],
        reading[_SPLIT],
        *aid,
    )
    known = reading[_ATTRIBUTES]
    return {**dict(zip(SIGHTED, values, strict=True)), **{name: known.get(name, "") for name in attributes}}


def closing_answers_of(study: Study) -> list[dict[str, Any]]:
    """Return the answers to the questions at the end of sessions. Raises StudyStillOpen before the closing."""
    require_verdicts_visible(study)
    rows = (
        ClosingAnswers.objects.filter(session__reading_list__enrollment__study=study)
        .select_related("session__reading_list__enrollment", "session__reading_list__session_plan")
        .order_by("pk")
    )
    return [
        {
            "reader": row.session.reading_list.enrollment.code,
            "session": row.session.reading_list.session_plan.number,
            "answers": row.answers,
            "elapsed_ms": row.elapsed_ms,
            "answered_at": row.answered_at,
            "receipt": row.receipt,
        }
        for row in rows
    ]


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
    takes_part: bool

    @property
    def line(self) -> dict[str, Any]:
        """The progress as the API shows it."""
        values = asdict(self)
        values.pop("takes_part")
        return values


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
            "enrollment__withdrawn_at",
        )
    )
    return [
        SessionProgress(code, number, answered or 0, total, opened, finished, takes_part=withdrawn is None)
        for code, number, answered, total, opened, finished, withdrawn in rows.iterator()
    ]


def study_lines(studies: Sequence[Study]) -> list[dict[str, Any]]:
    """Return one row for each study with the sums over the readers who take part; three queries for all."""
    planned: Any = (
        ReadingList.objects.filter(enrollment__study__in=studies, enrollment__withdrawn_at=None)
        .order_by()
        .values("enrollment__study")
        .annotate(readers=Count("enrollment", distinct=True), total=Sum("session_plan__total"))
    )
    given = (
        ReadingSession.objects.filter(
            reading_list__enrollment__study__in=studies, reading_list__enrollment__withdrawn_at=None
        )
        .order_by()
        .values_list("reading_list__enrollment__study")
        .annotate(Sum("answered"))
    )
    withdrawn = dict(
        Enrollment.objects.filter(study__in=studies, arm__isnull=False, withdrawn_at__isnull=False)
        .order_by()
        .values_list("study")
        .annotate(Count("pk"))
    )
    plans: dict[int, dict[str, Any]] = {row["enrollment__study"]: row for row in planned}
    answered = dict(given)
    return [
        {
            **_facts(study),
            "readers": plans.get(study.pk, {}).get("readers", 0),
            "answered": answered.get(study.pk, 0),
            "total": plans.get(study.pk, {}).get("total", 0),
            "withdrawn": withdrawn.get(study.pk, 0),
        }
        for study in studies
    ]


def _facts(study: Study) -> dict[str, Any]:
    cohort = study.cohort
    return {
        "cohort": cohort.name,
        "modality": cohort.modality_code,
        **{name: getattr(study, name) for name in (*FACTS, *DATES)},
    }


def study_page(study: Study) -> dict[str, Any]:
    """Return one study with its plan, sessions and readers."""
    (line,) = study_lines([study])
    return {
        **line,
        "seed": revealed_seed(study),
        "plan": study.plan or None,
        "plan_sha256": study.plan_sha256,
        "analysis_sha256": study.analysis_sha256,
        "protocol": study.protocol_data,
        "persons_to_unseal": study.persons_to_unseal if study.plan else study.protocol.persons_to_unseal,
        "unsealing_requests": [
            _request_line(each) for each in study.unsealing_requests.select_related("by", "ended_by")
        ],
        "sessions": session_pages(study),
        "enrolled": enrolled_readers(study),
    }


def _request_line(request: UnsealingRequest) -> dict[str, Any]:
    return {
        **{name: getattr(request, name) for name in ("at", "reason", "expires_at", "outcome", "ended_at")},
        "by": request.by.username,
        "ended_by": request.ended_by.username if request.ended_by else None,
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
            "answered": sum(progress.answered for progress in by_number[plan.number] if progress.takes_part),
            "total": plan.total * sum(progress.takes_part for progress in by_number[plan.number]),
            "finished": sum(
                progress.takes_part and progress.finished_at is not None for progress in by_number[plan.number]
            ),
            "readers": [progress.line for progress in by_number[plan.number]],
        }
        for plan in SessionPlan.objects.filter(study=study).order_by("number")
    ]


def enrolled_readers(study: Study) -> list[dict[str, Any]]:
    """Return the study's readers, each with their sessions."""
    by_reader = defaultdict(list)
    for progress in list_session_progress(study):
        by_reader[progress.reader].append(progress)
    enrollments = Enrollment.objects.filter(study=study).select_related("reader", "arm", "replaces").order_by("pk")
    return [
        {
            "code": enrollment.code,
            "user": enrollment.reader.get_username(),
            "arm": enrollment.arm.name if enrollment.arm else None,
            "enrolled_at": enrollment.enrolled_at,
            "paused_at": enrollment.paused_at,
            "withdrawn_at": enrollment.withdrawn_at,
            "replaces": enrollment.replaces.code if enrollment.replaces else None,
            "override_reason": enrollment.override_reason,
            "answered": sum(progress.answered for progress in by_reader[enrollment.code]),
            "total": sum(progress.total for progress in by_reader[enrollment.code]),
            "sessions": [progress.line for progress in by_reader[enrollment.code]],
        }
        for enrollment in enrollments
    ]
