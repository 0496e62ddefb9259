"""Evaluations with known figures, as values and as rows."""

from collections.abc import Callable
from dataclasses import replace

from readerstudy.cohort.models import Stimulus
from readerstudy.experiments.models import Checkpoint, CheckpointKind, Evaluation
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.results.evaluation import (
    FORMAT,
    AreaComparison,
    AttackEvaluation,
    AttackTable,
    Calibration,
    CalibrationBin,
    ChangeFigures,
    ControlName,
    Decisions,
    EvaluationResult,
    Recalibrated,
    Similarity,
    Subgroup,
    ThresholdRule,
    Transfer,
    TrivialControl,
    Variant,
)
from readerstudy.serialise import to_dict
from readerstudy.statistics.proportions import Proportion, wilson
from readerstudy.statistics.roc import AreaUnderCurve, RocCurve
from readerstudy.truth.actions import store_scores
from readerstudy.vocabulary import Direction
from tests import make

RUNS = ("gan-insert", "gan-remove")
REAL_AREA = AreaUnderCurve(0.82, 0.7, 0.9, 100)
FLIPPED_AREA = AreaUnderCurve(0.94, 0.8, 0.99, 100)
CURVE = RocCurve(4, 4, ((0, 0), (0, 3), (4, 4)))
CONTROLS = (
    TrivialControl(ControlName.HEADER, AreaUnderCurve(0.8, 0.71, 0.88, 100), 3),
    TrivialControl(ControlName.BRIGHTEST_PIXEL, AreaUnderCurve(0.5, 0.5, 0.5, 100), 1),
    TrivialControl(ControlName.MEAN, AreaUnderCurve(0.61, 0.502, 0.7, 100), 8),
    TrivialControl(ControlName.STANDARD_DEVIATION, AreaUnderCurve(0.44, 0.31, 0.57, 100), 8),
)


def share(hits: int, trials: int) -> Proportion:
    """A proportion with a round interval."""
    return Proportion(hits, trials, hits / trials, 0.1, 0.9) if trials else wilson(0, 0)


def decisions(rule: ThresholdRule, threshold: float, fooled: tuple[int, int]) -> Decisions:
    right = share(3, 4)
    return Decisions(rule, threshold, right, right, right, right, share(*fooled), share(*fooled), share(0, 0))


def attack_table(fooled: tuple[int, int]) -> AttackTable:
    """Table 1 at 0.5 and at 0.37."""
    return AttackTable(
        images=8,
        patients=4,
        auc_real=REAL_AREA,
        auc_flipped=FLIPPED_AREA,
        decisions=(
            decisions(ThresholdRule.ARTICLE, 0.5, fooled),
            decisions(ThresholdRule.YOUDEN, 0.37, fooled),
        ),
        compared=AreaComparison(0.12, -0.01, 0.25, 0.0004),
    )


def attack_evaluation(
    fooled: tuple[int, int] = (251, 363), name: str = "GAN", runs: tuple[str, ...] = RUNS, against: str = "cad-1"
) -> AttackEvaluation:
    """An attack with its baselines."""
    return AttackEvaluation(
        name=name,
        runs=runs,
        against=against,
        table=attack_table(fooled),
        identity=attack_table((3, 363)),
        similarity=Similarity(35.13, 0.9812),
        untouched=2,
        subgroups=(Subgroup("view", "CC", 4, 1, None, FLIPPED_AREA, share(1, 2), share(0, 0), share(1, 2)),),
        roc=CURVE,
        sham=attack_table((1, 363)),
        changes=(ChangeFigures(Direction.REMOVE, 4, 1, 42.5, 0.0125, 0.215, 2, 0.031),),
    )


def without_change(attack: AttackEvaluation) -> AttackEvaluation:
    """The same attack with an identity baseline that changes no image."""
    return replace(attack, identity=replace(attack_table((0, 363)), changed=0))


def evaluation_result(
    *attacks: AttackEvaluation, classifier: str = "cad-1", reference: str = "cad-1", resolution: str = "high"
) -> EvaluationResult:
    """An evaluation of these attacks, or of one named GAN."""
    attacks = attacks or (attack_evaluation(),)
    bins = (CalibrationBin(4, 0.2, 0.25), CalibrationBin(4, 0.7, 0.5))
    return EvaluationResult(
        format=FORMAT,
        resolution=resolution,
        classifier=classifier,
        reference=reference,
        recalibration=Recalibrated.NONE,
        thresholds={ThresholdRule.YOUDEN: 0.37},
        attacks=attacks,
        calibration=tuple(Calibration(method, 1.5, -0.25, 0.125, 0.2, bins) for method in Recalibrated),
        roc=CURVE,
        compared=None,
        transfers=tuple(
            Transfer(
                attack.name, Variant.ADVERSARIAL, name, attack.against == name, share(4, 5), share(4, 5), share(0, 0)
            )
            for attack in attacks
            for name in dict.fromkeys((reference, classifier))
        ),
        controls=CONTROLS,
    )


def store_evaluation(*results: EvaluationResult, cohort: str, status: str = JobStatus.DONE) -> list[Evaluation]:
    """Store the evaluations of one job with the checkpoints of their classifiers."""
    parameters = {"cohort": cohort}
    job = Job.objects.create(
        kind="evaluate",
        parameters=parameters,
        status=status,
        queued_at=make.MONDAY,
        started_at=make.MONDAY,
        ended_at=make.MONDAY,
    )
    rows = [
        Evaluation.objects.create(
            name=f"{job.pk}-{result.resolution}-{result.classifier}",
            cohort=cohort,
            resolution=result.resolution,
            classifier=_classifier(result.classifier, cohort),
            job=job,
            result=to_dict(result),
            made_at=make.MONDAY,
        )
        for result in results
    ]
    job.result = {"format": FORMAT, "cohort": cohort, "evaluations": [row.pk for row in rows]}
    job.save()
    return rows


def score_everything(cohort: str, *, score: Callable[[Stimulus], float], resolution: str = "low") -> None:
    """Store a score of cad-1 for each image, its evaluation, and that the two GANs were made for it."""
    store_evaluation(evaluation_result(resolution=resolution), cohort=cohort)
    classifier = _classifier("cad-1", cohort)
    values = {"cohort": cohort, "preset": "demo", "seed": 1, "split_hash": "s", "code_version": "c"}
    for name in RUNS:
        Checkpoint.objects.get_or_create(
            name=name,
            kind=CheckpointKind.GENERATOR,
            defaults={**values, "folder": name, "made_at": make.MONDAY, "made_from": classifier},
        )
    stimuli = Stimulus.objects.filter(image__exam__patient__cohort__name=cohort, resolution=resolution)
    store_scores({each.pk: score(each) for each in stimuli}, classifier="cad-1", size=(64, 52))


def at_both_resolutions(*attacks: AttackEvaluation) -> tuple[EvaluationResult, EvaluationResult]:
    return tuple(replace(evaluation_result(*attacks), resolution=resolution) for resolution in ("high", "low"))


def _classifier(name: str, cohort: str) -> Checkpoint:
    values = {"cohort": cohort, "preset": "demo", "seed": 1, "split_hash": "s", "code_version": "c", "folder": name}
    checkpoint, _is_new = Checkpoint.objects.get_or_create(
        name=name, kind=CheckpointKind.CLASSIFIER, defaults={**values, "made_at": make.MONDAY}
    )
    return checkpoint
