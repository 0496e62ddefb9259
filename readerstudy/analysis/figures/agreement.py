"""Figure "agreement-figure": agreement of readers by session and kind of image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from matplotlib.figure import Figure

from readerstudy.analysis.figures.reader_style import (
    MARKERS,
    QUIET,
    add_legend,
    format_number,
    spread_offset,
    style_axis,
)
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.agreement import COEFFICIENTS, judged_images
from readerstudy.layout.picture import COLOURS, GRID, Picture, drawing, picture
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.agreement import Agreement, Coefficient

_ROW_HEIGHT = 0.7  # inches
_BAND = 0.62  # of the distance between rows, for the coefficients of one row


@dataclass(frozen=True)
class AgreementRow:
    """The agreement on the images of one kind in one session: one row of the figure."""

    name: str
    agreement: Agreement


def agreement_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Return the coefficients with intervals on one scale; None if no image was read by two readers."""
    rows = _rows(record)
    if not rows:
        return None
    caption = _(
        # xgettext: no-python-format
        "With 95 % intervals over the images. 1 is perfect agreement. For κ, α and AC1, 0 is chance; for pairs that "
        "agree, chance is above 0. Undefined coefficients are not shown. The numbers are those of the table of "
        "agreement."
    )
    with drawing():
        return picture(
            _draw_rows(rows),
            key="agreement-figure",
            title=_("Agreement of the readers, by session and kind of image"),
            description=" ".join(f"{row.name}: {'; '.join(_coefficient_texts(row.agreement))}." for row in rows),
            caption=caption,
        )


def _rows(record: StudyRecord) -> list[AgreementRow]:
    several_arms = len(record.arms) > 1
    words = _("Session %(session)s, %(kind)s")
    rows = []
    for images in judged_images(record):
        agreement = images.agreement
        if agreement is not None:
            name = words % {"session": images.session, "kind": images.subset_name}
            rows.append(AgreementRow(f"{name}, {images.arm}" if several_arms else name, agreement))
    return rows


def _coefficient_names() -> dict[str, str]:
    """Return the names of the coefficients, in the order of the legend."""
    names = (_("pairs that agree"), _("Fleiss’ κ"), _("α, nominal"), _("α, ordinal"), _("Gwet’s AC1"))
    return dict(zip(COEFFICIENTS, names, strict=True))


def _draw_rows(rows: Sequence[AgreementRow]) -> Figure:
    figure = Figure(figsize=(8.4, 1.0 + _ROW_HEIGHT * len(rows)), layout="constrained")
    axis: Any = figure.subplots()
    axis.axvline(0, color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=0)
    handles: dict[str, Any] = {}
    for index, row in enumerate(rows):
        handles |= _draw_row(axis, index, row.agreement)
        if index:
            axis.axhline(index - 0.5, color=GRID, linewidth=0.6, zorder=0)
    axis.set_yticks(range(len(rows)), [row.name for row in rows])
    # The first row is on top, as in the table.
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlim(right=1.03)
    axis.set_xlabel(_("Agreement (0: chance, 1: perfect)"))
    style_axis(axis, "x")
    axis.tick_params(axis="y", length=0)
    add_legend(figure, {name: handles[name] for name in _coefficient_names().values() if name in handles})
    return figure


def _draw_row(axis: Any, row: int, agreement: Agreement) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    for index, (key, name) in enumerate(_coefficient_names().items()):
        coefficient: Coefficient = getattr(agreement, key)
        if coefficient.value is None:
            continue
        handles[name] = axis.errorbar(
            [coefficient.value],
            [row + spread_offset(index, len(COEFFICIENTS), _BAND)],
            xerr=_error(coefficient.value, coefficient) if _has_interval(coefficient) else None,
            color=COLOURS[index],
            marker=MARKERS[index],
            linestyle="none",
            markersize=5,
            elinewidth=1.3,
        )
    return handles


def _error(value: float, coefficient: Coefficient) -> tuple[list[float], list[float]]:
    """Return the lengths of the error bars. The interval is clipped at −1, and α of few images can be below it."""
    return [max(value - (coefficient.low or 0.0), 0.0)], [max((coefficient.high or 0.0) - value, 0.0)]


def _has_interval(coefficient: Coefficient) -> bool:
    """Return whether the interval has a width; it has none if nothing varies."""
    return bool(coefficient.se) and coefficient.low is not None and coefficient.high is not None


def _coefficient_texts(agreement: Agreement) -> list[str]:
    words = _("%(name)s %(value)s (%(low)s to %(high)s)")
    texts = []
    for key, name in _coefficient_names().items():
        coefficient: Coefficient = getattr(agreement, key)
        if coefficient.value is None:
            texts.append(_("%(name)s undefined") % {"name": name})
        elif _has_interval(coefficient):
            low, high = format_number(coefficient.low or 0.0), format_number(coefficient.high or 0.0)
            texts.append(words % {"name": name, "value": format_number(coefficient.value), "low": low, "high": high})
        else:
            texts.append(f"{name} {format_number(coefficient.value)}")
    return texts
