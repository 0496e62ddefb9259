"""The article's Table 1: how often a classifier changes its diagnosis (METHOD §4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from models_ml.errors import LabError
from models_ml.evaluate import Floats, Labels, auc

REPLICATES = 2000
ARTICLE_THRESHOLD = 0.5


@dataclass(frozen=True)
class Share:
    """Hits out of trials with Wilson's 95 % interval (Wilson, 1927); without trials there is no share."""

    hits: int
    trials: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AreaUnderCurve:
    """An AUC with its 95 % percentile interval from resampled patients (Rutter, 2000)."""

    value: float
    low: float
    high: float
    replicates: int


@dataclass(frozen=True)
class Decisions:
    """What the classifier decides at one threshold; an image is called malignant above it.

    "Right" on an adversarial image means the diagnosis of its flipped label. Fooled: of the images whose real
    version was right, those whose fake gets the opposite diagnosis. Removal acts on malignant images,
    insertion on the others.
    """

    name: str
    threshold: float
    positives_right: Share
    negatives_right: Share
    adversarial_positives_right: Share
    adversarial_negatives_right: Share
    fooled: Share
    fooled_by_removal: Share
    fooled_by_insertion: Share


@dataclass(frozen=True)
class AttackTable:
    """Table 1 for one resolution and one pair of generators."""

    name: str
    images: int
    patients: int
    auc_real: AreaUnderCurve
    auc_flipped: AreaUnderCurve
    decisions: tuple[Decisions, ...]


def attack_table(
    *,
    name: str,
    score_real: Floats,
    score_adversarial: Floats,
    labels: Labels,
    patients: NDArray[np.str_],
    tuning_threshold: float,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
) -> AttackTable:
    """Table 1 from aligned arrays (N,): malignant probability of every real test image and of its fake."""
    if not len(score_real) == len(score_adversarial) == len(labels) == len(patients):
        raise LabError("Every image needs a score, an adversarial score, a label and a patient.")
    thresholds = {"0.5": ARTICLE_THRESHOLD, "tuning": tuning_threshold}
    return AttackTable(
        name=name,
        images=len(labels),
        patients=len(np.unique(patients)),
        auc_real=auc_with_interval(score_real, labels, patients, rng, replicates),
        auc_flipped=auc_with_interval(score_adversarial, 1 - labels, patients, rng, replicates),
        decisions=tuple(
            decide(score_real, score_adversarial, labels, name=which, threshold=threshold)
            for which, threshold in thresholds.items()
        ),
    )


def decide(score_real: Floats, score_adversarial: Floats, labels: Labels, *, name: str, threshold: float) -> Decisions:
    """Accuracy by class and fooled shares at one threshold."""
    called, called_fake = score_real > threshold, score_adversarial > threshold
    positive = labels == 1
    right, flipped = called == positive, called_fake != positive
    return Decisions(
        name=name,
        threshold=float(threshold),
        positives_right=share(right[positive]),
        negatives_right=share(right[~positive]),
        # A fake made from a negative is a positive of the adversarial set, and the other way round.
        adversarial_positives_right=share(flipped[~positive]),
        adversarial_negatives_right=share(flipped[positive]),
        fooled=share(flipped[right]),
        fooled_by_removal=share(flipped[right & positive]),
        fooled_by_insertion=share(flipped[right & ~positive]),
    )


def share(hits: NDArray[np.bool_]) -> Share:
    count, trials = int(hits.sum()), len(hits)
    if not trials:
        return Share(0, 0, None, None, None)
    interval = binomtest(count, trials).proportion_ci(method="wilson")
    return Share(count, trials, count / trials, float(interval.low), float(interval.high))


def auc_with_interval(
    score: Floats, labels: Labels, patients: NDArray[np.str_], rng: np.random.Generator, replicates: int
) -> AreaUnderCurve:
    """AUC and its percentile interval over patients drawn with replacement, all images of a patient
    together.
    """
    _, number = np.unique(patients, return_inverse=True)
    count = int(number.max()) + 1
    times = rng.multinomial(count, np.full(count, 1 / count), size=replicates)[:, number]  # (replicates, images)
    positive = labels == 1
    wins = np.sign(score[positive][:, None] - score[~positive][None]) / 2 + 0.5
    won = ((times[:, positive] @ wins) * times[:, ~positive]).sum(1)
    pairs = times[:, positive].sum(1) * times[:, ~positive].sum(1)
    values = won[pairs > 0] / pairs[pairs > 0]
    low, high = np.quantile(values, (0.025, 0.975))
    return AreaUnderCurve(auc(score, labels), float(low), float(high), len(values))


def text_table(tables: Sequence[AttackTable]) -> str:
    """The tables side by side as plain text: one column each, as for the attack and its stage-1 control."""
    rows = [("", [table.name for table in tables])]
    rows += [("images (patients)", [f"{t.images} ({t.patients})" for t in tables])]
    rows += [("AUC real", [_area(t.auc_real) for t in tables])]
    rows += [("AUC adversarial, labels flipped", [_area(t.auc_flipped) for t in tables])]
    for place in range(min((len(table.decisions) for table in tables), default=0)):
        at = [table.decisions[place] for table in tables]
        rows += [(f"at threshold {at[0].threshold:.3f} ({at[0].name})", ["" for _ in tables])]
        rows += [(f"  {title}", [_share(getattr(d, field)) for d in at]) for field, title in _TITLES.items()]
    widths = [max(len(cells[i]) for _, cells in rows) for i in range(len(tables))]
    left = max(len(title) for title, _ in rows)
    lines = (
        f"{title:<{left}}  " + "  ".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
        for title, cells in rows
    )
    return "\n".join(line.rstrip() for line in lines)


_TITLES = {
    "positives_right": "real positives right",
    "negatives_right": "real negatives right",
    "adversarial_positives_right": "inserted: called positive",
    "adversarial_negatives_right": "removed: called negative",
    "fooled_by_removal": "fooled by removal, of real positives right",
    "fooled_by_insertion": "fooled by insertion, of real negatives right",
    "fooled": "fooled over all",
}


def _share(value: Share) -> str:
    if value.share is None or value.low is None or value.high is None:
        return "none to count"
    return f"{value.hits}/{value.trials}  {value.share:6.1%} ({value.low:.1%}–{value.high:.1%})"


def _area(value: AreaUnderCurve) -> str:
    return f"{value.value:.3f} ({value.low:.3f}–{value.high:.3f})"
