"""How far readers agree: five coefficients with intervals, by session and kind of image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from matplotlib.figure import Figure

from readerstudy.analysis.figures.readers import MARKERS, QUIET, legend, number, side_by_side, tidy
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.agreement import judged_images
from readerstudy.layout.picture import COLOURS, GRID, Picture, drawing, picture
from readerstudy.statistics.agreement import Agreement, Coefficient
from readerstudy.studies.analysis_plan import AnalysisPlan

_COEFFICIENTS = ("percent", "fleiss_kappa", "krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1")
_ROW = 0.7  # inches of height for each set of images
_BAND = 0.62  # of the way to the next set


@dataclass(frozen=True)
class Judged:
    """The images of one kind in one session, as a line of the picture."""

    name: str
    found: Agreement


def agreement_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Dots and whiskers on one scale from chance to perfect; None where no image was read by two readers."""
    judged = _judged(record)
    if not judged:
        return None
    caption = _(
        # xgettext: no-python-format
        "With intervals of 95 % over the images. 1 is perfect; for κ, α and AC1 0 is what chance brings, for pairs "
        "that agree chance is above 0. A coefficient that is not there is undefined. The numbers are those of the "
        "table of agreement."
    )
    with drawing():
        return picture(
            _drawn(judged),
            key="agreement-figure",
            title=_("Agreement of the readers, by session and kind of image"),
            description=" ".join(_described(judged)),
            caption=caption,
        )


def _judged(record: StudyRecord) -> list[Judged]:
    several = len(record.arms) > 1
    words = _("Session %(session)s, %(kind)s")
    lines = []
    for images in judged_images(record):
        agreement = images.agreement
        if agreement is not None:
            name = words % {"session": images.session, "kind": images.subset_name}
            lines.append(Judged(f"{name}, {images.arm}" if several else name, agreement))
    return lines


def _names() -> dict[str, str]:
    """In the order of the legend and of the lines within a set."""
    return {
        "percent": _("pairs that agree"),
        "fleiss_kappa": _("Fleiss’ κ"),
        "krippendorff_nominal": _("α, nominal"),
        "krippendorff_ordinal": _("α, ordinal"),
        "gwet_ac1": _("Gwet’s AC1"),
    }


def _drawn(judged: Sequence[Judged]) -> Figure:
    figure = Figure(figsize=(8.4, 1.0 + _ROW * len(judged)), layout="constrained")
    axis: Any = figure.subplots()
    axis.axvline(0, color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=0)
    handles: dict[str, Any] = {}
    for row, one in enumerate(judged):
        handles |= _draw_row(axis, row, one.found)
        if row:
            axis.axhline(row - 0.5, color=GRID, linewidth=0.6, zorder=0)
    axis.set_yticks(range(len(judged)), [one.name for one in judged])
    # The first line on top, as in the table.
    axis.set_ylim(len(judged) - 0.5, -0.5)
    axis.set_xlim(right=1.03)
    axis.set_xlabel(_("Agreement (0: chance, 1: perfect)"))
    tidy(axis, "x")
    axis.tick_params(axis="y", length=0)
    legend(figure, {name: handles[name] for name in _names().values() if name in handles})
    return figure


def _draw_row(axis: Any, row: int, found: Agreement) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    for place, (key, name) in enumerate(_names().items()):
        one: Coefficient = getattr(found, key)
        if one.value is None:
            continue
        error = _error(one.value, one) if _has_interval(one) else None
        handles[name] = axis.errorbar(
            [one.value],
            [row + side_by_side(place, len(_COEFFICIENTS), _BAND)],
            xerr=error,
            color=COLOURS[place],
            marker=MARKERS[place],
            linestyle="none",
            markersize=5,
            elinewidth=1.3,
        )
    return handles


def _error(value: float, one: Coefficient) -> tuple[list[float], list[float]]:
    """Lengths of the whiskers. An interval is cut at −1, which α of very few images can fall below."""
    return [max(value - (one.low or 0.0), 0.0)], [max((one.high or 0.0) - value, 0.0)]


def _has_interval(one: Coefficient) -> bool:
    """Not where nothing varies: one of no width would claim certainty."""
    return bool(one.se) and one.low is not None and one.high is not None


def _described(judged: Sequence[Judged]) -> list[str]:
    return [f"{one.name}: {'; '.join(_in_words(one.found))}." for one in judged]


def _in_words(found: Agreement) -> list[str]:
    words = _("%(name)s %(value)s (%(low)s to %(high)s)")
    parts = []
    for key, name in _names().items():
        one: Coefficient = getattr(found, key)
        if one.value is None:
            parts.append(_("%(name)s undefined") % {"name": name})
        elif _has_interval(one):
            low, high = number(one.low or 0.0), number(one.high or 0.0)
            parts.append(words % {"name": name, "value": number(one.value), "low": low, "high": high})
        else:
            parts.append(f"{name} {number(one.value)}")
    return parts
