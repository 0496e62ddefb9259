"""Figures of an evaluation: ROC curves, reliability and transferability, each with its numbers in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from numpy.typing import NDArray

from readerstudy.experiments.tables.cells import recalibration_label, variant_label
from readerstudy.layout.numbers import localise
from readerstudy.layout.picture import COLOURS, DASHES, GRID, Picture, drawing, picture
from readerstudy.modalities.words import LabWords
from readerstudy.results.evaluation import Calibration, EvaluationResult, Transfer
from readerstudy.statistics.roc import AreaUnderCurve, RocCurve

BLACK: Final = "#000000"
CURVE_COLOURS: Final = (BLACK, *(colour for colour in COLOURS if colour != BLACK))  # real images in black
MARKERS: Final = ("o", "s", "^")
DARK: Final = 0.55  # cells above this share have white text


@dataclass(frozen=True)
class EvaluationFigure:
    """A figure that `picture` draws; `description` contains its numbers."""

    key: str
    title: str
    description: str
    draw: Callable[[], Figure]

    def picture(self) -> Picture:
        """Return the figure as SVG."""
        with drawing():
            return picture(self.draw(), key=self.key, title=self.title, description=self.description)


def evaluation_figures(result: EvaluationResult, words: LabWords) -> list[EvaluationFigure]:
    """Return the figures of one classifier, with the transferability matrix if there are several classifiers.

    `words` are those of the cohort's modality.
    """
    figures = [_roc_figure(result), _reliability_figure(result, words)]
    if len({transfer.classifier for transfer in result.transfers}) > 1:
        figures.append(_transfer_figure(result.transfers))
    return figures


@dataclass(frozen=True)
class _Curve:
    """A ROC curve with its name and area."""

    name: str
    roc: RocCurve
    area: AreaUnderCurve | None


def _roc_figure(result: EvaluationResult) -> EvaluationFigure:
    curves = list(_curves(result))
    areas = (_("%(name)s: area %(area)s") % {"name": curve.name, "area": _area(curve.area)} for curve in curves)
    return EvaluationFigure(
        key="roc",
        title=_("ROC curves of %(classifier)s") % {"classifier": result.classifier},
        description="; ".join(areas) + ".",
        draw=lambda: _draw_roc(curves),
    )


def _curves(result: EvaluationResult) -> list[_Curve]:
    """Return the curve on real images, and that of each attack's images against the flipped label."""
    curves = []
    if result.roc:
        images = result.roc.positives + result.roc.negatives
        # The area on all real images is in the table of an attack on all of them.
        tables = (attack.table for attack in result.attacks)
        area = next((table.auc_real for table in tables if table.images == images), None)
        curves.append(_Curve(_("real"), result.roc, area))
    flipped = _("%(attack)s, labels flipped")
    curves += [
        _Curve(flipped % {"attack": attack.name}, attack.roc, attack.table.auc_flipped)
        for attack in result.attacks
        if attack.roc
    ]
    return curves


def _draw_roc(curves: Sequence[_Curve]) -> Figure:
    figure = Figure(figsize=(5.2, 5.0 + 0.22 * len(curves)), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    for index, curve in enumerate(curves):
        false, true = np.array(curve.roc.points, dtype=float).T
        x, y = false / curve.roc.negatives, true / curve.roc.positives
        axes.plot(x, y, linewidth=1.6, label=curve.name, **_line_style(index))
    axes.set(xlabel=_("1 − specificity"), ylabel=_("Sensitivity"), aspect="equal")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    _tidy(axes)
    figure.legend(frameon=False, loc="outside lower center", fontsize=9)  # below: a curve may run anywhere inside
    return figure


def _reliability_figure(result: EvaluationResult, words: LabWords) -> EvaluationFigure:
    return EvaluationFigure(
        key="reliability",
        title=_("Reliability of %(classifier)s on real test images") % {"classifier": result.classifier},
        description="; ".join(_reliability_text(curve) for curve in result.calibration) + ".",
        draw=lambda: _draw_reliability(result.calibration, words),
    )


def _reliability_text(curve: Calibration) -> str:
    bins = ", ".join(
        _("%(mean)s to %(share)s (%(images)s)")
        % {"mean": localise(f"{part.mean:.2f}"), "share": localise(f"{part.share:.2f}"), "images": part.images}
        for part in curve.bins
    )
    return _("%(method)s: expected calibration error %(error)s, Brier score %(brier)s, bins %(bins)s") % {
        "method": recalibration_label(curve.method),
        "error": localise(f"{curve.ece:.3f}"),
        "brier": localise(f"{curve.brier:.3f}"),
        "bins": bins,
    }


def _draw_reliability(curves: Sequence[Calibration], words: LabWords) -> Figure:
    figure = Figure(figsize=(5.2, 5.0), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    for index, curve in enumerate(curves):
        x, y = [part.mean for part in curve.bins], [part.share for part in curve.bins]
        style = {**_line_style(index), "marker": MARKERS[index], "label": recalibration_label(curve.method)}
        axes.plot(x, y, linewidth=1.4, markersize=5, **style)
    axes.set(xlabel=str(words.mean_probability), ylabel=str(words.share_positive), aspect="equal")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _tidy(axes)
    axes.legend(frameon=False, loc="upper left", title=_("Recalibration"), fontsize=9)
    return figure


def _transfer_figure(transfers: Sequence[Transfer]) -> EvaluationFigure:
    return EvaluationFigure(
        key="transfer",
        title=_("Transferability: share of right diagnoses changed"),
        description="; ".join(_transfer_text(transfer) for transfer in transfers) + ".",
        draw=lambda: _draw_transfers(transfers),
    )


def _transfer_text(transfer: Transfer) -> str:
    attack = variant_label(transfer.attack, transfer.variant)
    if not transfer.is_applicable:
        names = {"attack": attack, "classifier": transfer.classifier}
        return _("%(attack)s on %(classifier)s: not applicable") % names
    sentence = (
        _("%(attack)s on %(classifier)s: %(hits)s of %(trials)s, made for it")
        if transfer.is_target
        else _("%(attack)s on %(classifier)s: %(hits)s of %(trials)s")
    )
    return sentence % {
        "attack": attack,
        "classifier": transfer.classifier,
        "hits": transfer.fooled.hits,
        "trials": transfer.fooled.trials,
    }


def _draw_transfers(transfers: Sequence[Transfer]) -> Figure:
    """Draw attacks down, classifiers across; an asterisk marks the classifier that an attack was made for."""
    attacks = list(dict.fromkeys(variant_label(transfer.attack, transfer.variant) for transfer in transfers))
    classifiers = list(dict.fromkeys(transfer.classifier for transfer in transfers))
    shares: NDArray[np.float64] = np.full((len(attacks), len(classifiers)), np.nan)
    is_target = np.zeros(shares.shape, dtype=bool)
    for transfer in transfers:
        cell = (
            attacks.index(variant_label(transfer.attack, transfer.variant)),
            classifiers.index(transfer.classifier),
        )
        is_target[cell] = transfer.is_target
        if transfer.is_applicable and transfer.fooled.share is not None:
            shares[cell] = transfer.fooled.share
    figure = Figure(figsize=(2.6 + 1.3 * len(classifiers), 1.4 + 0.5 * len(attacks)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        text = "–" if np.isnan(share) else f"{share:.0%}"
        mark = " *" if is_target[row, column] else ""
        colour = "white" if share > DARK else "black"
        axes.text(column, row, text + mark, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(classifiers)), classifiers, rotation=30, ha="right")
    axes.set_yticks(range(len(attacks)), attacks)
    return figure


def _area(area: AreaUnderCurve | None) -> str:
    if area is None:
        return _("not estimated")
    numbers = {"value": area.value, "low": area.low, "high": area.high}
    return _("%(value)s (%(low)s to %(high)s)") % {name: localise(f"{each:.3f}") for name, each in numbers.items()}


def _line_style(index: int) -> dict[str, Any]:
    return {"color": CURVE_COLOURS[index % len(CURVE_COLOURS)], "linestyle": DASHES[index % len(DASHES)]}


def _tidy(axes: Any) -> None:
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
