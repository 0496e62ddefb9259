"""Table 1 and its companions from the scores: every classifier, every attack, and all of them against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attacks.evaluation.measure import Attacked, Fakes, Scored
from models_ml.evaluation.attack_table import (
    REPLICATES,
    AttackTable,
    Compared,
    ComparesAreas,
    Share,
    attack_table,
    compare_areas,
    decide,
)
from models_ml.evaluation.calibration import METHODS, Calibration, Method, Recalibration, calibration, recalibrate
from models_ml.evaluation.predictions import Floats, sensitivity_threshold, youden_threshold
from models_ml.evaluation.subgroup_table import Subgroup, subgroups

BOOTSTRAP_SEED = 20210007
LEAST_SENSITIVITY = 0.9
TUNING, SENSITIVE = "tuning", "sensitivity 0.9 on tuning"


@dataclass(frozen=True)
class AttackJudged:
    """One attack in the eyes of one classifier; `without_twin` counts the test images that it leaves alone."""

    name: str
    runs: tuple[str, ...]
    against: str
    table: AttackTable
    control: AttackTable | None
    quality: dict[str, float]
    without_twin: int
    subgroups: tuple[Subgroup, ...]


@dataclass(frozen=True)
class Evaluated:
    """One classifier at one resolution. `compared` has each area less the first classifier's, by what was judged."""

    classifier: str
    recalibration: Method
    thresholds: dict[str, float]
    attacks: tuple[AttackJudged, ...]
    calibration: tuple[Calibration, ...]
    compared: dict[str, Compared | None]


@dataclass(frozen=True)
class Transfer:
    """What the twins of one attack do to one classifier, at its own threshold; `own` where they were made for it."""

    attack: str
    classifier: str
    own: bool
    fooled: Share
    fooled_by_removal: Share
    fooled_by_insertion: Share


@dataclass(frozen=True)
class Settings:
    """How the tables are made; the recalibration is fitted on the tuning split and moves every threshold with it."""

    compare: ComparesAreas | None = None
    recalibration: Method = "none"
    replicates: int = REPLICATES


def evaluated(scored: Sequence[Scored], attacks: Sequence[Attacked], settings: Settings) -> list[Evaluated]:
    """The tables of every classifier, the first being the one that the others are compared with."""
    moves = [recalibrate(one.tuning_scores, one.tuning_labels, settings.recalibration) for one in scored]
    return [_evaluated(one, how, scored[0], attacks, settings) for one, how in zip(scored, moves, strict=True)]


def transfers(scored: Sequence[Scored], attacks: Sequence[Attacked]) -> list[Transfer]:
    """Every attack against every classifier, and the stage-1 controls, which nothing was learnt for."""
    return [
        _transfer(one, f"{attacked.name}{suffix}", values, own=not suffix and attacked.against == one.judge)
        for attacked in attacks
        for suffix, part in (("", "attack"), (" control", "control"))
        for one in scored
        if not np.isnan(values := getattr(one.fakes[attacked.name], part)).all()
    ]


def thresholds_of(scored: Scored) -> dict[str, float]:
    """Operating points chosen on the tuning split: Youden's, and the one that misses at most one cancer in ten."""
    score, labels = scored.tuning_scores, scored.tuning_labels
    return {
        TUNING: youden_threshold(score, labels),
        SENSITIVE: sensitivity_threshold(score, labels, least=LEAST_SENSITIVITY),
    }


def _evaluated(
    raw: Scored, how: Recalibration, first: Scored, attacks: Sequence[Attacked], settings: Settings
) -> Evaluated:
    one = _moved(raw, how)
    # Chosen before the move and moved with the scores: halfway between two scores would come to lie elsewhere.
    thresholds = {name: float(how(np.array([cut]))[0]) for name, cut in thresholds_of(raw).items()}
    return Evaluated(
        classifier=one.judge,
        recalibration=settings.recalibration,
        thresholds=thresholds,
        attacks=tuple(_attack_judged(one, attacked, thresholds, settings) for attacked in attacks),
        calibration=tuple(
            calibration(raw.test_scores, raw.labels, recalibrate(raw.tuning_scores, raw.tuning_labels, method))
            for method in METHODS
        ),
        compared=_compared(raw, first, attacks, settings.compare),
    )


def _attack_judged(
    one: Scored, attacked: Attacked, thresholds: Mapping[str, float], settings: Settings
) -> AttackJudged:
    fakes = one.fakes[attacked.name]
    there = fakes.there
    common = {
        "labels": one.labels[there],
        "patients": one.patients[there],
        "score_real": one.test_scores[there],
    }
    how: dict[str, Any] = {"replicates": settings.replicates, **common}
    named: dict[str, Any] = {"thresholds": thresholds, "compare": settings.compare, **how}
    return AttackJudged(
        name=attacked.name,
        runs=attacked.runs,
        against=attacked.against,
        table=attack_table(name=attacked.name, score_adversarial=fakes.attack[there], rng=_chance(), **named),
        control=_control(fakes, named) if attacked.controls else None,
        quality=_quality(fakes),
        without_twin=int((~there).sum()),
        subgroups=subgroups(
            _columns(one, there),
            score_adversarial=fakes.attack[there],
            threshold=thresholds[TUNING],
            seed=BOOTSTRAP_SEED,
            **how,
        ),
    )


def _control(fakes: Fakes, named: dict[str, Any]) -> AttackTable:
    return attack_table(name="control (stage 1)", score_adversarial=fakes.control[fakes.there], rng=_chance(), **named)


def _chance() -> np.random.Generator:
    # The same patients are drawn for each table, so that two of them differ by what they show alone.
    return np.random.default_rng(BOOTSTRAP_SEED)


def _quality(fakes: Fakes) -> dict[str, float]:
    if not fakes.there.any():
        return {}
    return {
        "psnr_median_db": float(np.nanmedian(fakes.psnr)),
        "ssim_median": float(np.nanmedian(fakes.ssim)),
    }


def _columns(one: Scored, there: Any) -> dict[str, Any]:
    names = dict.fromkeys(name for picture in one.test for name in picture.groups)
    return {name: np.array([picture.groups.get(name, "") for picture in one.test])[there] for name in names}


def _compared(
    one: Scored, first: Scored, attacks: Sequence[Attacked], compare: ComparesAreas | None
) -> dict[str, Compared | None]:
    """Areas of this classifier less those of the first, on the same images; empty for the first itself."""
    if one is first:
        return {}
    found = {"real": compare_areas(compare, one.labels, one.test_scores, first.test_scores, one.patients)}
    for attacked in attacks:
        there = one.fakes[attacked.name].there
        mine, its = (1 - each.fakes[attacked.name].attack[there] for each in (one, first))
        found[attacked.name] = compare_areas(compare, one.labels[there], mine, its, one.patients[there])
    return found


def _transfer(one: Scored, attack: str, values: Floats, *, own: bool) -> Transfer:
    there = ~np.isnan(values)
    threshold = youden_threshold(one.tuning_scores, one.tuning_labels)
    at = decide(one.test_scores[there], values[there], one.labels[there], name=TUNING, threshold=threshold)
    return Transfer(attack, one.judge, own, at.fooled, at.fooled_by_removal, at.fooled_by_insertion)


def _moved(one: Scored, how: Recalibration) -> Scored:
    fakes = {
        name: replace(fake, attack=how(fake.attack), control=how(fake.control)) for name, fake in one.fakes.items()
    }
    return replace(one, tuning_scores=how(one.tuning_scores), test_scores=how(one.test_scores), fakes=fakes)
