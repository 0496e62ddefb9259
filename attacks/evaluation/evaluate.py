"""Evaluations from scores: each classifier on each attack, and all of them against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attacks.evaluation.measure import AttackImages, AttackScores, ClassifierScores
from models_ml.evaluation.attack_table import REPLICATES, attack_table, compare_areas, decide
from models_ml.evaluation.calibration import Recalibration, calibration, recalibrate
from models_ml.evaluation.predictions import Floats, sensitivity_threshold, youden_threshold
from models_ml.evaluation.subgroup_table import subgroups
from readerstudy.results.evaluation import (
    FORMAT,
    AttackEvaluation,
    AttackTable,
    EvaluationResult,
    Recalibrated,
    ReferenceComparison,
    Similarity,
    ThresholdRule,
    Transfer,
    Variant,
)
from readerstudy.statistics.roc import roc_curve

BOOTSTRAP_SEED = 20210007
LEAST_SENSITIVITY = 0.9


@dataclass(frozen=True)
class Settings:
    """Settings of an evaluation; the recalibration is fitted on the tuning split and moves the thresholds too."""

    recalibration: Recalibrated = Recalibrated.NONE
    replicates: int = REPLICATES


def evaluate(
    resolution: str, scores: Sequence[ClassifierScores], attacks: Sequence[AttackImages], settings: Settings
) -> list[EvaluationResult]:
    """Return the evaluation of each classifier; the first is the reference that the others are compared with.

    Raises LabError if the tuning split lacks a class.
    """
    reference, transfers = scores[0], tuple(_transfers(scores, attacks))
    return [_evaluate(resolution, own, reference, attacks, transfers, settings) for own in scores]


def _evaluate(
    resolution: str,
    raw: ClassifierScores,
    reference: ClassifierScores,
    attacks: Sequence[AttackImages],
    transfers: tuple[Transfer, ...],
    settings: Settings,
) -> EvaluationResult:
    recalibration = recalibrate(raw.tuning_scores, raw.tuning_labels, settings.recalibration)
    scores = _recalibrated(raw, recalibration)
    # Chosen on raw scores and then recalibrated: the middle of two scores would not stay the middle.
    thresholds = {rule: float(recalibration(np.array([cut]))[0]) for rule, cut in _thresholds(raw).items()}
    return EvaluationResult(
        format=FORMAT,
        resolution=resolution,
        classifier=raw.classifier,
        reference=reference.classifier,
        recalibration=settings.recalibration,
        thresholds=thresholds,
        attacks=tuple(_attack(scores, attack, thresholds, settings) for attack in attacks),
        calibration=tuple(
            calibration(raw.test_scores, raw.labels, recalibrate(raw.tuning_scores, raw.tuning_labels, method))
            for method in Recalibrated
        ),
        roc=roc_curve(scores.test_scores, scores.labels),
        compared=None if raw is reference else _compared(raw, reference, attacks),
        transfers=transfers,
    )


def _thresholds(scores: ClassifierScores) -> dict[ThresholdRule, float]:
    """Return the thresholds that are chosen on the tuning split."""
    score, labels = scores.tuning_scores, scores.tuning_labels
    return {
        ThresholdRule.YOUDEN: youden_threshold(score, labels),
        ThresholdRule.SENSITIVITY: sensitivity_threshold(score, labels, least=LEAST_SENSITIVITY),
    }


def _recalibrated(scores: ClassifierScores, recalibration: Recalibration) -> ClassifierScores:
    attacks = {
        name: replace(
            own,
            adversarial=recalibration(own.adversarial),
            identity=recalibration(own.identity),
            sham=recalibration(own.sham),
        )
        for name, own in scores.attacks.items()
    }
    return replace(
        scores,
        tuning_scores=recalibration(scores.tuning_scores),
        test_scores=recalibration(scores.test_scores),
        attacks=attacks,
    )


def _attack(
    scores: ClassifierScores, attack: AttackImages, thresholds: Mapping[ThresholdRule, float], settings: Settings
) -> AttackEvaluation:
    own = scores.attacks[attack.name]
    attacked = own.attacked
    labels = scores.labels[attacked]
    aligned: dict[str, Any] = {
        "labels": labels,
        "patients": scores.patients[attacked],
        "score_real": scores.test_scores[attacked],
        "replicates": settings.replicates,
    }

    def table(variant: Variant) -> AttackTable:
        return attack_table(
            score_adversarial=own.of(variant)[attacked],
            thresholds=thresholds,
            with_area_comparison=True,
            # The same patients are resampled for each table, so that the intervals of two tables can be compared.
            rng=np.random.default_rng(BOOTSTRAP_SEED),
            changed=own.changed[variant],
            **aligned,
        )

    return AttackEvaluation(
        name=attack.name,
        runs=attack.runs,
        against=attack.against,
        table=table(Variant.ADVERSARIAL),
        identity=table(Variant.IDENTITY) if attack.identity else None,
        sham=table(Variant.SHAM) if attack.sham else None,
        similarity=_similarity(own),
        untouched=int((~attacked).sum()),
        subgroups=subgroups(
            _columns(scores, attacked),
            score_adversarial=own.adversarial[attacked],
            threshold=thresholds[ThresholdRule.YOUDEN],
            seed=BOOTSTRAP_SEED,
            **aligned,
        ),
        roc=roc_curve(own.adversarial[attacked], 1 - labels),
    )


def _similarity(scores: AttackScores) -> Similarity | None:
    if not scores.attacked.any():
        return None
    return Similarity(float(np.nanmedian(scores.psnr)), float(np.nanmedian(scores.ssim)))


def _columns(scores: ClassifierScores, attacked: Any) -> dict[str, Any]:
    """Return the subgroup of each attacked image (N,) by column."""
    names = dict.fromkeys(name for image in scores.test for name in image.groups)
    return {name: np.array([image.groups.get(name, "") for image in scores.test])[attacked] for name in names}


def _compared(
    own: ClassifierScores, reference: ClassifierScores, attacks: Sequence[AttackImages]
) -> ReferenceComparison:
    real = compare_areas(own.labels, own.test_scores, reference.test_scores, own.patients)
    by_attack = {}
    for attack in attacks:
        attacked = own.attacks[attack.name].attacked
        a, b = (1 - scores.attacks[attack.name].adversarial[attacked] for scores in (own, reference))
        by_attack[attack.name] = compare_areas(own.labels[attacked], a, b, own.patients[attacked])
    return ReferenceComparison(real, by_attack)


def _transfers(scores: Sequence[ClassifierScores], attacks: Sequence[AttackImages]) -> list[Transfer]:
    """Return each attack and each of its baselines on each classifier."""
    return [
        _transfer(own, attack, variant, values)
        for attack in attacks
        for variant in Variant
        for own in scores
        if not np.isnan(values := own.attacks[attack.name].of(variant)).all()
    ]


def _transfer(scores: ClassifierScores, attack: AttackImages, variant: Variant, values: Floats) -> Transfer:
    scored = ~np.isnan(values)
    threshold = youden_threshold(scores.tuning_scores, scores.tuning_labels)
    decisions = decide(
        scores.test_scores[scored],
        values[scored],
        scores.labels[scored],
        rule=ThresholdRule.YOUDEN,
        threshold=threshold,
    )
    return Transfer(
        attack=attack.name,
        variant=variant,
        classifier=scores.classifier,
        own=variant is Variant.ADVERSARIAL and attack.against == scores.classifier,
        fooled=decisions.fooled,
        fooled_by_removal=decisions.fooled_by_removal,
        fooled_by_insertion=decisions.fooled_by_insertion,
        is_applicable=scores.attacks[attack.name].changed[variant] != 0,
    )
