"""Figure "power": the computed powers against the number of readers and of images, with the plan marked."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from readerstudy.designer.sizing.computed import Outlook, powers
from readerstudy.layout.numbers import localise
from readerstudy.layout.picture import COLOURS, DASHES, GRID, Picture, drawing, picture
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.sizing import Sizing

WANTED: Final = 0.8  # the usual power, as a line
_FACTORS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class Curve:
    """The powers at each size: to find the change, and to show equivalence or the claim of the plan."""

    sizes: tuple[float, ...]
    found: tuple[float, ...]
    shown: tuple[float, ...]


def curve_of_readers(outlook: Outlook, analysis: AnalysisPlan, sizing: Sizing) -> Curve:
    """Return the powers with 2 readers up to twice the planned number, at least 20."""
    sizes = sorted({*np.unique(np.linspace(2, max(20, 2 * sizing.readers), 19).round()).astype(int), sizing.readers})
    return _curve(
        [(float(n), {"readers": int(n), "cases": outlook.components.cases}) for n in sizes], outlook, analysis, sizing
    )


def curve_of_images(outlook: Outlook, analysis: AnalysisPlan, sizing: Sizing) -> Curve:
    """Return the powers with a tenth up to three times the planned images."""
    cases = outlook.components.cases
    return _curve(
        [(each, {"readers": sizing.readers, "cases": max(2, round(each * cases))}) for each in _FACTORS],
        outlook,
        analysis,
        sizing,
    )


def _curve(
    sizes: list[tuple[float, dict[str, int]]], outlook: Outlook, analysis: AnalysisPlan, sizing: Sizing
) -> Curve:
    found = [powers(outlook.components, analysis, sizing, **size) for _x, size in sizes]
    return Curve(
        tuple(x for x, _size in sizes),
        tuple(each.found.power for each in found),
        tuple((each.claim or each.equivalence).power for each in found),
    )


def power_picture(outlook: Outlook, analysis: AnalysisPlan, sizing: Sizing) -> Picture:
    """Return both curves as one figure. Simulated powers of the sizing are points with no line."""
    readers, images = curve_of_readers(outlook, analysis, sizing), curve_of_images(outlook, analysis, sizing)
    caption = _(
        "Computed powers. Left: with the planned images and other numbers of readers. Right: with the planned readers "
        "and other numbers of images, as a multiple of the plan. The vertical line is the plan, the horizontal one a "
        "power of 0.8."
    )
    if sizing.simulated_power is not None:
        caption += " " + _("Open circles: simulated studies of the plan.")
    with drawing():
        figure = Figure(figsize=(8.4, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        handles = _draw(left, readers, outlook, sizing, planned=float(sizing.readers))
        _draw(right, images, outlook, sizing, planned=1.0)
        left.set_xlabel(_("Readers"))
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        right.set_xlabel(_("Images, as a multiple of the plan"))
        left.set_ylabel(_("Power"))
        left.set_ylim(0, 1.02)
        figure.legend(handles, _names(outlook), loc="outside lower center", ncols=2, frameon=False)
        return picture(
            figure,
            key="power",
            title=_("Power by readers and images"),
            description=" ".join(
                _described(curve, unit, outlook)
                for curve, unit in ((readers, _("readers")), (images, _("times the images")))
            ),
            caption=caption,
        )


def _names(outlook: Outlook) -> list[str]:
    if outlook.claim:
        return [_("to find the assumed change"), _("to show non-inferiority, if nothing changes")]
    return [_("to find the assumed change"), _("to show equivalence, if nothing changes")]


def _draw(axis: Any, curve: Curve, outlook: Outlook, sizing: Sizing, *, planned: float) -> list[Any]:
    handles = []
    shown = sizing.simulated_claim if outlook.claim else sizing.simulated_equivalence
    series = ((curve.found, sizing.simulated_power), (curve.shown, shown))
    for index, (values, point) in enumerate(series):
        handles += axis.plot(curve.sizes, values, color=COLOURS[index], linestyle=DASHES[index], linewidth=1.8)
        if point is not None:
            axis.plot([planned], [point], marker="o", fillstyle="none", color=COLOURS[index], markersize=8)
    axis.axhline(WANTED, color=GRID, linewidth=1)
    axis.axvline(planned, color=GRID, linewidth=1)
    axis.grid(axis="y", color=GRID, linewidth=0.4)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    return handles


def _described(curve: Curve, unit: str, outlook: Outlook) -> str:
    """Return three points of a curve in words."""
    picked = dict.fromkeys((0, len(curve.sizes) // 2, len(curve.sizes) - 1))
    parts = [
        _("%(size)s %(unit)s: %(found)s and %(shown)s")
        % {
            "size": localise(f"{curve.sizes[index]:g}"),
            "unit": unit,
            "found": localise(f"{curve.found[index]:.2f}"),
            "shown": localise(f"{curve.shown[index]:.2f}"),
        }
        for index in picked
    ]
    text = (
        _("Power to find the change, and to show non-inferiority: %(parts)s.")
        if outlook.claim
        else _("Power to find the change, and to show equivalence: %(parts)s.")
    )
    return text % {"parts": "; ".join(parts)}
