"""The truth of what a study shows. Every function raises StillSealed while the study is sealed.

`truth_of_stimuli` is the one join of stimuli with their authenticity and pathology.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Stimulus
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Allocation, Enrollment, Presentation, SessionPlan, Study
from readerstudy.truth.models import ImageTruth, Truth, Unsealing
from readerstudy.truth.seal import require_rehearsal, require_unsealed
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Direction, Pathology

# An adversarial image and its source image are two stimuli of one image, so they share the image's pathology.
_TRUTH_OF_STIMULI = f"""
SELECT truth.stimulus_id, truth.id AS case_id, truth.authenticity, pathology.pathology, truth.direction,
       truth.source_image_id AS source_id
FROM {Truth._meta.db_table} truth
JOIN {Stimulus._meta.db_table} stimulus ON stimulus.id = truth.stimulus_id
JOIN {ImageTruth._meta.db_table} pathology ON pathology.image_id = stimulus.image_id
"""

_TRUTH_OF_STUDY = f"""
SELECT * FROM ({_TRUTH_OF_STIMULI}) truth
WHERE truth.stimulus_id IN (
    SELECT allocation.stimulus_id
    FROM {Allocation._meta.db_table} allocation
    JOIN {SessionPlan._meta.db_table} plan ON plan.id = allocation.session_plan_id
    WHERE plan.study_id = %s
)
ORDER BY truth.case_id
"""


@dataclass(frozen=True)
class StimulusTruth:
    """The truth of one stimulus.

    `case` is the key of this truth, by which an analysis identifies images. Keys of stimuli are random, so results
    that depend on the order of cases would differ between two databases that hold the same study.
    """

    case: int
    authenticity: Authenticity
    pathology: Pathology
    direction: Direction | None
    source_id: int | None  # the stimulus that an adversarial image was made from; None: real, or synthetic

    @property
    def is_synthetic(self) -> bool:
        return self.authenticity == Authenticity.ADVERSARIAL and self.source_id is None


def truth_of_stimuli(study: Study) -> str:
    """Return a SELECT of the truth of all stimuli, to be joined with the readings of this study as a subquery.

    Columns: stimulus_id, case_id, authenticity, pathology, direction, source_id. PostgreSQL merges the subquery into
    the query around it, so it costs what its two joins cost.
    """
    require_unsealed(study)
    return f"({_TRUTH_OF_STIMULI})"


@sealed_work()
def truth_of_study(study: Study) -> dict[int, StimulusTruth]:
    """Return the truth of everything that the study drew by stimulus, in the order of cases; one query."""
    require_unsealed(study)
    with connection.cursor() as cursor:
        cursor.execute(_TRUTH_OF_STUDY, [study.pk])
        rows = cursor.fetchall()
    return {
        stimulus: StimulusTruth(
            case=case,
            authenticity=Authenticity(authenticity),
            pathology=Pathology(pathology),
            direction=Direction(direction) if direction else None,
            source_id=source,
        )
        for stimulus, case, authenticity, pathology, direction, source in rows
    }


@dataclass(frozen=True)
class ShownCase:
    """The stored images of one case, with its truth."""

    stimulus: Stimulus
    source: Stimulus | None
    pathology: Pathology
    direction: Direction | None


@sealed_work()
def shown_cases(study: Study, cases: Collection[int]) -> dict[int, ShownCase]:
    """Return the images of these cases by case."""
    truths = {truth.case: (stimulus, truth) for stimulus, truth in truth_of_study(study).items()}
    chosen = {case: truths[case] for case in cases}
    keys = {key for stimulus, truth in chosen.values() for key in (stimulus, truth.source_id) if key is not None}
    stimuli = Stimulus.objects.select_related("image").in_bulk(keys)
    return {
        case: ShownCase(
            stimulus=stimuli[stimulus],
            source=None if truth.source_id is None else stimuli[truth.source_id],
            pathology=truth.pathology,
            direction=truth.direction,
        )
        for case, (stimulus, truth) in chosen.items()
    }


# --- unsealing and rehearsals -------------------------------------------------------------------------------
@dataclass(frozen=True)
class RecordedUnsealing:
    """Who unsealed a study, when and why; nobody for the server's terminal. `confirmed_by`: the second person."""

    by: User | None
    at: datetime
    reason: str
    confirmed_by: User | None = None


def find_unsealing(study: Study) -> RecordedUnsealing | None:
    """Return the recorded unsealing of the study, or None. It reveals no truth."""
    row = Unsealing.objects.filter(study=study).select_related("by", "confirmed_by").first()
    return RecordedUnsealing(row.by, row.at, row.reason, row.confirmed_by) if row else None


@sealed_work()
def adversarial_codes(enrollment: Enrollment) -> set[str]:
    """Return the codes under which this reader sees adversarial images. Raises StudyError unless it is a rehearsal."""
    require_rehearsal(enrollment.study)
    adversarial = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL).values("stimulus_id")
    rows = Presentation.objects.filter(reading_list__enrollment=enrollment, stimulus_id__in=adversarial)
    return set(rows.values_list("code", flat=True))
