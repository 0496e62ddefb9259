"""Figure "confidence-figure": the empirical ROC curve of each reader's confidence ratings, a panel for each session."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure

from readerstudy.analysis.figures.reader_style import (
    INK,
    MOST_INDIVIDUAL,
    QUIET,
    Floats,
    Styles,
    add_legend,
    crowd_sentence,
    draw_crowd,
    format_number,
    reader_mean,
    reader_styles,
    spread_text,
    style_axis,
)
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.confidence import ConfidenceCurve, Curves
from readerstudy.layout.picture import Picture, drawing, picture

_PANELS_IN_A_ROW = 2
_GRID = np.linspace(0, 1, 101)  # shares of false alarms at which curves of many readers are drawn

_Session = Mapping[str, ConfidenceCurve]  # by reader


def confidence_figure(record: StudyRecord, curves: Curves) -> Picture | None:
    """Return the curves of all readers by session; None if no reader has one."""
    sessions: dict[int, dict[str, ConfidenceCurve]] = {}
    for (reader, session), curve in curves.items():
        if curve is not None:
            sessions.setdefault(session, {})[reader] = curve
    if not sessions:
        return None
    ordered = dict(sorted(sessions.items()))
    readers = dict.fromkeys(reader for by_reader in ordered.values() for reader in by_reader)
    sentence = _(
        "From left to right a reader’s threshold falls: at first only images that are surely not real count as called "
        "not real, at last all. False alarms are real images, hits adversarial images called so. A curve along the "
        "dashed diagonal does not discriminate. The areas and their intervals are in the table of confidence."
    )
    with drawing():
        return picture(
            _draw_panels(ordered, reader_styles(record), is_crowd=len(readers) > MOST_INDIVIDUAL),
            key="confidence-figure",
            title=_("ROC curves of the confidence ratings"),
            description=" ".join(_texts(ordered, is_crowd=len(readers) > MOST_INDIVIDUAL)),
            caption=" ".join(filter(None, (sentence, crowd_sentence(len(readers))))),
        )


def _draw_panels(sessions: Mapping[int, _Session], styles: Styles, *, is_crowd: bool) -> Figure:
    columns = min(_PANELS_IN_A_ROW, len(sessions))
    rows = -(-len(sessions) // columns)
    figure = Figure(figsize=(1.2 + 4.0 * columns, 4.3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    handles: dict[str, Any] = {}
    for axis, (session, by_reader) in zip(axes, sessions.items(), strict=False):
        _frame(axis, session)
        handles |= _draw_crowd(axis, by_reader) if is_crowd else _draw_individuals(axis, by_reader, styles)
    for axis in axes[len(sessions) :]:
        axis.set_axis_off()
    add_legend(figure, handles)
    return figure


def _frame(axis: Any, session: int) -> None:
    axis.set_title(_("session %(session)s") % {"session": session}, fontsize=10, loc="left")
    axis.set_xlabel(_("Real images (false alarms)"))
    axis.set_ylabel(_("Adversarial images (hits)"))
    axis.set_xlim(-0.03, 1.03)
    axis.set_ylim(-0.03, 1.03)
    axis.set_aspect("equal")
    axis.plot((0, 1), (0, 1), color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=0)
    style_axis(axis, "both")


def _draw_individuals(axis: Any, by_reader: _Session, styles: Styles) -> dict[str, Any]:
    handles = {}
    for reader, each in by_reader.items():
        false_alarms, hits = _shares(each)
        (handles[reader],) = axis.plot(false_alarms, hits, **styles[reader], markersize=4, linewidth=1.4, zorder=3)
    return handles


def _draw_crowd(axis: Any, by_reader: _Session) -> dict[str, Any]:
    """Draw many readers, and the mean of their hits at each share of false alarms."""
    lines = np.array([np.interp(_GRID, *_shares(each)) for each in by_reader.values()])
    draw_crowd(axis, _GRID, lines)
    (mean,) = axis.plot(_GRID, reader_mean(lines), color=INK, linewidth=2, zorder=4)
    return {_("mean"): mean}


def _shares(each: ConfidenceCurve) -> tuple[Floats, Floats]:
    """Return false alarms and hits at the corners of the curve, (corners,) each."""
    points = np.array(each.curve.points, dtype=float)
    return points[:, 0] / each.curve.negatives, points[:, 1] / each.curve.positives


def _texts(sessions: Mapping[int, _Session], *, is_crowd: bool) -> Iterator[str]:
    head = _("Session %(session)s, area under the curve")
    for session, by_reader in sessions.items():
        areas = {reader: each.area.value for reader, each in by_reader.items()}
        if is_crowd:
            text = spread_text(list(areas.values()))
        else:
            text = "; ".join(f"{reader} {format_number(area)}" for reader, area in areas.items())
        yield f"{head % {'session': session}}: {text}."
