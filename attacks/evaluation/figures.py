"""ROC curves, reliability and the transfer matrix as figures that carry their numbers in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attacks.evaluation.measure import Scored
from attacks.evaluation.tables import Evaluated, Transfer
from models_ml.evaluation.attack_table import AreaUnderCurve
from models_ml.evaluation.predictions import Floats, Labels
from models_ml.evaluation.svg import svg

# Okabe and Ito (2008), safe for colour-blind readers; dashes carry it in black and white.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
GRID = "#d9d9d9"
DARK = 0.55  # above this a cell is dark and its words are white


@dataclass(frozen=True)
class Drawn:
    """A figure of an evaluation, ready to be written."""

    key: str
    title: str
    description: str
    svg: str


def figures(one: Evaluated, scored: Scored, transfers: Sequence[Transfer]) -> list[Drawn]:
    """The figures of one classifier, and the matrix where there are others beside it."""
    drawn = [roc(one, scored), reliability_curve(one)]
    return [*drawn, matrix(transfers)] if len({each.classifier for each in transfers}) > 1 else drawn


def roc(one: Evaluated, scored: Scored) -> Drawn:
    """Real images, and each attack's twins against the flipped label."""
    curves = [("real", scored.test_scores, scored.labels, _area_of_all(one, scored))]
    for judged in one.attacks:
        there = scored.fakes[judged.name].there
        fake = scored.fakes[judged.name].attack[there]
        curves.append((f"{judged.name}, labels flipped", fake, 1 - scored.labels[there], judged.table.auc_flipped))
    curves = [curve for curve in curves if len(np.unique(curve[2])) == 2]
    figure = Figure(figsize=(5.2, 5.0 + 0.22 * len(curves)), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    for place, (name, score, labels, _of_it) in enumerate(curves):
        x, y = roc_points(score, labels)
        look: dict[str, Any] = {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)]}
        axes.plot(x, y, linewidth=1.6, label=name, **look)
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    _tidy(axes)
    figure.legend(frameon=False, loc="outside lower center", fontsize=9)  # below: a curve may run anywhere inside
    words = "; ".join(f"{name}: area {_area(found)}" for name, _score, _labels, found in curves)
    return _drawn("roc", figure, f"ROC curves of {one.classifier}", words + ".")


def roc_points(score: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """1 − specificity and sensitivity from "none called" to "all called"; equal scores are one step."""
    cuts = np.unique(score)[::-1]
    called = np.concatenate([np.zeros((1, len(score)), bool), score[None] >= cuts[:, None]])
    false, true = called[:, labels == 0].mean(1), called[:, labels == 1].mean(1)
    return false, true


def reliability_curve(one: Evaluated) -> Drawn:
    """Mean probability against the share that is malignant, raw and recalibrated."""
    figure = Figure(figsize=(5.2, 5.0), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    for place, found in enumerate(one.calibration):
        x, y = [part.mean for part in found.bins], [part.share for part in found.bins]
        look: dict[str, Any] = {"color": COLOURS[place], "linestyle": DASHES[place], "marker": "os^"[place]}
        axes.plot(x, y, linewidth=1.4, markersize=5, label=found.method, **look)
    axes.set(xlabel="Mean probability of cancer", ylabel="Share malignant", aspect="equal")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _tidy(axes)
    axes.legend(frameon=False, loc="upper left", title="recalibration", fontsize=9)
    words = "; ".join(
        f"{found.method}: expected calibration error {found.ece:.3f}, Brier score {found.brier:.3f}, bins "
        + ", ".join(f"{part.mean:.2f} to {part.share:.2f} ({part.images})" for part in found.bins)
        for found in one.calibration
    )
    return _drawn("reliability", figure, f"Reliability of {one.classifier} on real test images", words + ".")


def matrix(transfers: Sequence[Transfer]) -> Drawn:
    """Attacks down, classifiers across, each cell the share of right answers turned."""
    attacks = list(dict.fromkeys(one.attack for one in transfers))
    names = list(dict.fromkeys(one.classifier for one in transfers))
    cells = np.full((len(attacks), len(names)), np.nan)
    for one in transfers:
        if one.fooled.share is not None:
            cells[attacks.index(one.attack), names.index(one.classifier)] = one.fooled.share
    figure = Figure(figsize=(2.6 + 1.3 * len(names), 1.4 + 0.5 * len(attacks)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(cells, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    own = {(one.attack, one.classifier) for one in transfers if one.own}
    for row, attack in enumerate(attacks):
        for column, name in enumerate(names):
            words = "–" if np.isnan(cells[row, column]) else f"{cells[row, column]:.0%}"
            mark = " *" if (attack, name) in own else ""
            colour = "white" if cells[row, column] > DARK else "black"
            axes.text(column, row, words + mark, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(attacks)), attacks)
    said = "; ".join(f"{one.attack} on {one.classifier}: {_share(one)}" for one in transfers)
    return _drawn("transfer", figure, "Who fools whom: share of right answers turned", said + ".")


def _area_of_all(one: Evaluated, scored: Scored) -> AreaUnderCurve | None:
    """The area on the real images, from an attack that makes twins of all of them."""
    return next((a.table.auc_real for a in one.attacks if a.table.images == len(scored.test)), None)


def _area(value: AreaUnderCurve | None) -> str:
    return "not estimated" if value is None else f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def _share(one: Transfer) -> str:
    own = ", made for it" if one.own else ""
    return f"{one.fooled.hits} of {one.fooled.trials}{own}"


def _tidy(axes: Any) -> None:
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _drawn(key: str, figure: Figure, title: str, description: str) -> Drawn:
    return Drawn(key, title, description, svg(figure, title=title, description=description))
