"""Evaluations from scores: each classifier on each attack, and all of them against each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attacks.evaluation.measure import AttackImages, AttackScores, ClassifierScores
from models_ml.evaluation.attack_table import REPLICATES, attack_table, compare_areas, decide
from models_ml.evaluation.calibration import Recalibration, calibration, recalibrate
from models_ml.evaluation.predictions import Floats, sensitivity_threshold, youden_threshold
from models_ml.evaluation.subgroup_table import subgroups
from models_ml.evaluation.trivial_controls import trivial_controls
from readerstudy.imaging.image import WHITE
from readerstudy.results.evaluation import (
    FORMAT,
    AttackEvaluation,
    AttackTable,
    ChangeFigures,
    EvaluationResult,
    Recalibrated,
    ReferenceComparison,
    Similarity,
    ThresholdRule,
    Transfer,
    Variant,
)
from readerstudy.statistics.roc import roc_curve
from readerstudy.vocabulary import Direction, Split

BOOTSTRAP_SEED = 20210007
LEAST_SENSITIVITY = 0.9


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of an evaluation; the recalibration is fitted on the tuning split and moves the thresholds too.

    `of_finding` names the divisions into subgroups that only images with the finding have, such as a kind of lesion.
    """

    recalibration: Recalibrated = Recalibrated.NONE
    replicates: int = REPLICATES
    of_finding: frozenset[str] = frozenset()


def evaluate(
    resolution: str, scores: Sequence[ClassifierScores], attacks: Sequence[AttackImages], settings: EvaluationSettings
) -> list[EvaluationResult]:
    """Return the evaluation of each classifier; the first is the reference that the others are compared with.

    Raises LabError if the tuning split lacks a class.
    """
    reference, transfers = scores[0], tuple(_transfers(scores, attacks))
    controls = trivial_controls(
        reference.control_images[Split.TRAIN],
        reference.control_images[Split.TEST],
        seed=BOOTSTRAP_SEED,
        replicates=settings.replicates,
    )
    return [
        replace(_evaluate(resolution, classifier, reference, attacks, transfers, settings), controls=controls)
        for classifier in scores
    ]


def _evaluate(
    resolution: str,
    raw: ClassifierScores,
    reference: ClassifierScores,
    attacks: Sequence[AttackImages],
    transfers: tuple[Transfer, ...],
    settings: EvaluationSettings,
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
        compared=None if raw is reference else _compare_with_reference(raw, reference, attacks),
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
            attack,
            adversarial=recalibration(attack.adversarial),
            identity=recalibration(attack.identity),
            sham=recalibration(attack.sham),
            unprocessed=recalibration(attack.unprocessed),
        )
        for name, attack in scores.attacks.items()
    }
    return replace(
        scores,
        tuning_scores=recalibration(scores.tuning_scores),
        test_scores=recalibration(scores.test_scores),
        attacks=attacks,
    )


def _attack(
    scores: ClassifierScores,
    attack: AttackImages,
    thresholds: Mapping[ThresholdRule, float],
    settings: EvaluationSettings,
) -> AttackEvaluation:
    attack_scores = scores.attacks[attack.name]
    attacked = attack_scores.attacked
    labels, patients, score_real = scores.labels[attacked], scores.patients[attacked], scores.test_scores[attacked]

    def table(variant: Variant) -> AttackTable:
        return attack_table(
            score_real=score_real,
            score_adversarial=attack_scores.by_variant(variant)[attacked],
            labels=labels,
            patients=patients,
            thresholds=thresholds,
            # The same patients are resampled for each table, so that the intervals of two tables can be compared.
            rng=np.random.default_rng(BOOTSTRAP_SEED),
            replicates=settings.replicates,
            with_area_comparison=True,
            changed=attack_scores.changed[variant],
        )

    return AttackEvaluation(
        name=attack.name,
        runs=attack.runs,
        against=attack.against,
        table=table(Variant.ADVERSARIAL),
        identity=table(Variant.IDENTITY) if attack.identity else None,
        sham=table(Variant.SHAM) if attack.sham else None,
        unprocessed=table(Variant.UNPROCESSED) if attack.unprocessed else None,
        similarity=_similarity(attack_scores),
        changes=tuple(_changes(scores, attack)),
        untouched=int((~attacked).sum()),
        subgroups=subgroups(
            _subgroup_columns(scores, attacked),
            score_real=score_real,
            score_adversarial=attack_scores.adversarial[attacked],
            labels=labels,
            patients=patients,
            threshold=thresholds[ThresholdRule.YOUDEN],
            of_finding=settings.of_finding,
            seed=BOOTSTRAP_SEED,
            replicates=settings.replicates,
        ),
        roc=roc_curve(attack_scores.adversarial[attacked], 1 - labels),
    )


def _similarity(scores: AttackScores) -> Similarity | None:
    if not scores.attacked.any():
        return None
    return Similarity(float(np.nanmedian(scores.psnr)), float(np.nanmedian(scores.ssim)))


def _changes(scores: ClassifierScores, attack: AttackImages) -> Iterator[ChangeFigures]:
    """Yield how much the test images of each direction changed, if the attack changed any."""
    quality, psnr = scores.attacks[attack.name].quality, scores.attacks[attack.name].psnr
    attacked = scores.attacks[attack.name].attacked
    for label, direction in ((1, Direction.REMOVE), (0, Direction.INSERT)):
        chosen = attacked & (scores.labels == label)
        changed = chosen & (quality["linf_levels"] > 0)
        if changed.any():
            medians = {name: float(np.median(values[changed])) for name, values in quality.items()}
            yield ChangeFigures(
                direction=direction,
                images=int(chosen.sum()),
                unchanged=int((chosen & ~changed).sum()),
                psnr_db=float(np.median(psnr[changed])),
                rms=medians["rms_in_region_share"],
                greatest=medians["linf_levels"] / WHITE,
                regions=medians["changed_regions"],
                changed=medians["changed_by_a_hundredth_share"],
            )


def _subgroup_columns(scores: ClassifierScores, attacked: NDArray[np.bool_]) -> dict[str, NDArray[np.str_]]:
    """Return the subgroup of each attacked image (N,) by column; `attacked` is a mask of the test images."""
    names = dict.fromkeys(name for image in scores.test for name in image.groups)
    return {name: np.array([image.groups.get(name, "") for image in scores.test])[attacked] for name in names}


def _compare_with_reference(
    scores: ClassifierScores, reference: ClassifierScores, attacks: Sequence[AttackImages]
) -> ReferenceComparison:
    real = compare_areas(scores.labels, scores.test_scores, reference.test_scores, scores.patients)
    by_attack = {}
    for attack in attacks:
        attacked = scores.attacks[attack.name].attacked
        a, b = (1 - each.attacks[attack.name].adversarial[attacked] for each in (scores, reference))
        by_attack[attack.name] = compare_areas(scores.labels[attacked], a, b, scores.patients[attacked])
    return ReferenceComparison(real, by_attack)


def _transfers(scores: Sequence[ClassifierScores], attacks: Sequence[AttackImages]) -> list[Transfer]:
    """Return each attack, and what is scored beside it, on each classifier."""
    return [
        _transfer(classifier, attack, variant, values)
        for attack in attacks
        for variant in Variant
        for classifier in scores
        if not np.isnan(values := classifier.attacks[attack.name].by_variant(variant)).all()
    ]


def _transfer(scores: ClassifierScores, attack: AttackImages, variant: Variant, values: Floats) -> Transfer:
    scored = ~np.isnan(values)
    threshold = youden_threshold(scores.tuning_scores, scores.tuning_labels)
    decisions = decide(
        scores.test_scores[scored],
        values[scored],
        scores.labels[scored],
        scores.patients[scored],
        rule=ThresholdRule.YOUDEN,
        threshold=threshold,
    )
    return Transfer(
        attack=attack.name,
        variant=variant,
        classifier=scores.classifier,
        is_target=variant is Variant.ADVERSARIAL and attack.against == scores.classifier,
        fooled=decisions.fooled,
        fooled_by_removal=decisions.fooled_by_removal,
        fooled_by_insertion=decisions.fooled_by_insertion,
        is_applicable=scores.attacks[attack.name].changed[variant] != 0,
    )
