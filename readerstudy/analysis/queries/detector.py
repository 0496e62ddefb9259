"""Detectors of adversarial images and their scores, read from the database.

Only `queries.study` calls this, after it has checked that the study is unsealed.
"""

from collections.abc import Iterator

from readerstudy.analysis.record.detector import DetectorRecord
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.models import Allocation, Study
from readerstudy.truth.queries import scores_by, truth_of_study


def study_detectors(study: Study) -> tuple[DetectorRecord, ...]:
    """Return every detector that scored an image of the study's blinded sessions, the oldest first."""
    allocations = Allocation.objects.filter(
        is_repeat=False, session_plan__study=study, session_plan__kind=SessionKind.BLINDED
    )
    rows = allocations.values_list(
        "stimulus_id", "stimulus__image__exam__patient_id", "stimulus__image__exam__patient__split"
    )
    shown = {stimulus: (patient, split) for stimulus, patient, split in rows}
    cases = {stimulus: truth.case for stimulus, truth in truth_of_study(study).items() if stimulus in shown}
    return tuple(_detectors(study, shown, cases))


def _detectors(study: Study, shown: dict[int, tuple[int, str]], cases: dict[int, int]) -> Iterator[DetectorRecord]:
    runs = Checkpoint.objects.filter(kind=CheckpointKind.DETECTOR, cohort=study.cohort.name)
    for run in runs.order_by("pk"):
        scores = scores_by(run.name, shown)
        if not scores or "threshold" not in run.metrics:
            continue
        attacks = tuple(run.metrics.get("attacks", ()))
        scored = {stimulus: case for stimulus, case in cases.items() if stimulus in scores}
        yield DetectorRecord(
            run=run.name,
            threshold=float(run.metrics["threshold"]),
            trained_on=attacks,
            of_study=tuple(name for name in attacks if name in study.plan.get("generators", [])),
            score={case: scores[stimulus] for stimulus, case in scored.items()},
            patient={case: shown[stimulus][0] for stimulus, case in scored.items()},
            split={case: shown[stimulus][1] for stimulus, case in scored.items()},
        )
