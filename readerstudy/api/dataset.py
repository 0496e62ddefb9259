"""Data of the investigators' API: progress as counts, and readings with or without the truth."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, QuerySet, Sum

from readerstudy.analysis.queries.attack import study_attack
from readerstudy.bundle.columns import attribute_columns
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import ClosingAnswers, Reading, ReadingSession
from readerstudy.studies.models import (
    AnalysisExclusion,
    DisplayedAid,
    Enrollment,
    Presentation,
    ReadingList,
    SessionPlan,
    Study,
    UnsealingRequest,
)
from readerstudy.truth.queries import StimulusTruth, scores_by, truth_of_study
from readerstudy.truth.seal import require_verdicts_visible, revealed_seed

# The blind columns of a reading, with their paths from `Reading`.
PATHS: Final = {
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
_OF_PRESENTATION: Final = "presentation__"
_STIMULUS: Final = "presentation__stimulus_id"
_FINGERPRINT: Final = "presentation__stimulus__image__fingerprint"
_PATIENT: Final = "presentation__stimulus__image__exam__patient__fingerprint"
_SPLIT: Final = "presentation__stimulus__image__exam__patient__split"
_ATTRIBUTES: Final = "presentation__stimulus__image__attributes"
_KIND: Final = "presentation__reading_list__session_plan__kind"
_PARADATA: Final = "paradata"
_WITHDRAWN: Final = "presentation__reading_list__enrollment__withdrawn_at"
_VALUES: Final = (
    "pk", *PATHS.values(), _STIMULUS, _FINGERPRINT, _PATIENT, _SPLIT, _ATTRIBUTES, _KIND, _PARADATA,
)  # fmt: skip
PSEUDONYM_LENGTH: Final = 12
FACTS: Final = ("code", "title", "template", "status", "is_rehearsal", "created_at")
# None: not yet.
DATES: Final = ("rehearsed_at", "locked_at", "opened_at", "paused_at", "closed_at", "unsealed_at", "archived_at")
CHUNK = 2000


# --- readings -----------------------------------------------------------------------------------------------
def readings_of(study: Study) -> QuerySet[Reading, dict[str, Any]]:
    """Return the study's readings in the order in which they were stored, as values for `lines_of`.

    Those of withdrawn readers are left out if the analysis plan says so. Raises StudyStillOpen while readers may
    still read.
    """
    require_verdicts_visible(study)
    rows: QuerySet[Reading, dict[str, Any]] = Reading.objects.filter(
        presentation__reading_list__enrollment__study=study
    ).values(*_VALUES)
    if _leaves_out_withdrawn(study):
        rows = rows.filter(**{_WITHDRAWN: None})
    return rows.order_by("pk")


def missing_of(study: Study, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the presentations without a reading, by reader, session and position, as values for `lines_of`.

    What a reading would say is None. `wanted` are values of columns that a presentation has. Those of withdrawn readers
    are left out as in `readings_of`. Raises StudyStillOpen.
    """
    require_verdicts_visible(study)
    selected = {_from_presentation(PATHS[name]): value for name, value in wanted.items()}
    rows = Presentation.objects.filter(reading=None, reading_list__enrollment__study=study, **selected)
    if _leaves_out_withdrawn(study):
        rows = rows.filter(**{_from_presentation(_WITHDRAWN): None})
    ordered = rows.order_by("reading_list__enrollment_id", "reading_list__session_plan__number", "position")
    paths = {path: _from_presentation(path) for path in _VALUES if path.startswith(_OF_PRESENTATION)}
    for row in ordered.values(*paths.values()).iterator(chunk_size=CHUNK):
        yield {path: row[paths[path]] if path in paths else None for path in _VALUES}


def _from_presentation(path: str) -> str:
    return path.removeprefix(_OF_PRESENTATION)


def _leaves_out_withdrawn(study: Study) -> bool:
    return study.analysis.withdrawn_readers == "leave_out"


def lines_of(study: Study, readings: Iterable[dict[str, Any]], *, sighted: bool) -> Iterator[dict[str, Any]]:
    """Yield one row of `reading_columns` for each reading. Without `sighted` no value depends on the image."""
    images = _StudyImages(study) if sighted else None
    for reading in readings:
        line = {name: reading[path] for name, path in PATHS.items()}
        yield {**line, **images.columns(reading)} if images else line


class _StudyImages:
    """What is known of the images of an unsealed study; memory depends on their number, not on that of readings."""

    def __init__(self, study: Study) -> None:
        self._truth = truth_of_study(study)
        self._excluded = _excluded(study)
        self._aids = _displayed_aids(study)
        self._scores = _classifier_scores(study, self._truth)
        self._attributes = attribute_columns(study.cohort.modality, prefix="")

    def columns(self, reading: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of a reading that need the truth, in order."""
        stimulus, attributes = reading[_STIMULUS], reading[_ATTRIBUTES]
        truth = self._truth[stimulus]
        score, threshold, is_above = self._aids.get((reading[PATHS["session"]], stimulus), (None, None, None))
        return {
            "authenticity": "pair" if reading[_KIND] == SessionKind.EDUCATION else truth.authenticity.value,
            "pathology": truth.pathology.value,
            "direction": truth.direction.value if truth.direction else "",
            # A keyed hash, the same for an adversarial image and its source image; it does not identify the original
            # file.
            "image": reading[_FINGERPRINT][:PSEUDONYM_LENGTH],
            "patient": reading[_PATIENT][:PSEUDONYM_LENGTH],
            "split": reading[_SPLIT],
            "is_excluded": (reading[PATHS["session"]], reading[PATHS["arm"]], stimulus) in self._excluded,
            "aid_score": score,
            "aid_threshold": threshold,
            "aid_above": is_above,
            "classifier_score": self._scores.get(stimulus),
            "classifier_source_score": None if truth.source_id is None else self._scores.get(truth.source_id),
            "paradata": reading[_PARADATA],
            **{column.name: attributes.get(column.name, "") for column in self._attributes},
        }


def _excluded(study: Study) -> frozenset[tuple[int, str, int]]:
    """Return session, arm and stimulus of the images that the analysis leaves out; one query."""
    rows = AnalysisExclusion.objects.filter(allocation__session_plan__study=study, withdrawn_at=None)
    fields = rows.values_list("allocation__session_plan__number", "allocation__arm__name", "allocation__stimulus")
    return frozenset(fields)


def _displayed_aids(study: Study) -> dict[tuple[int, int], tuple[float, float, bool]]:
    """Return the score, the threshold and the word that the aid displayed, by session and stimulus; one query."""
    rows = DisplayedAid.objects.filter(session_plan__study=study)
    fields = rows.values_list("session_plan__number", "stimulus", "score", "threshold", "is_above")
    return {
        (session, stimulus): (float(score), float(threshold), is_above)
        for session, stimulus, score, threshold, is_above in fields
    }


def _classifier_scores(study: Study, truth: Mapping[int, StimulusTruth]) -> Mapping[int, float]:
    """Return the scores of the images and of their source images, by stimulus, by the classifier of Table 1."""
    attack = study_attack(study)
    sources = {each.source_id for each in truth.values() if each.source_id is not None}
    return scores_by(attack.classifier, {*truth, *sources}) if attack else {}


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
