"""Figure "detection-figure": each reader in ROC space and as d′ and criterion, with the change between the sessions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.special import ndtr

from readerstudy.analysis.figures.reader_style import (
    CROWD,
    INK,
    MOST_INDIVIDUAL,
    MOST_LINES,
    QUIET,
    Floats,
    Styles,
    add_legend,
    draw_thin_lines,
    format_number,
    reader_mean,
    reader_styles,
    spread_text,
    style_axis,
)
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.signal_detection import detections_by_reader
from readerstudy.analysis.wording import compared_sessions
from readerstudy.layout.numbers import localise
from readerstudy.layout.picture import GRID, Picture, drawing, picture
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.signal_detection import SignalDetection

_CURVES = (0.5, 1.0, 2.0)  # values of d′ with a faint line
_LABEL_CRITERION = -0.7  # position of the label on the line
_Point = Callable[[SignalDetection], tuple[float, float]]


@dataclass(frozen=True)
class DetectionMove:
    """One reader in the two sessions; None if a session, or one of its kinds of images, was not read."""

    reader: str
    before: SignalDetection | None
    after: SignalDetection | None


def detection_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Return false alarms and hits, and c and d′, of every reader, with an arrow from the earlier to the later session.

    Returns None if nobody read both kinds of images in one of the two sessions.
    """
    moves = _moves(record, plan)
    if not moves:
        return None
    caption = _(
        "Left: each reader’s real images called not real (false alarms) against adversarial images called not real "
        "(hits), uncorrected. On the dashed diagonal a reader does not discriminate; along a faint line d′ is "
        "constant. Right: the same as d′ against criterion c. An arrow upwards means better discrimination, an arrow "
        "sideways only a different tendency to call images not real. Differences of single readers are not evidence by "
        "themselves: the intervals are in the table of signal detection."
    )
    title = _("Discrimination and criterion: from session %(before)s to session %(after)s")
    with drawing():
        return picture(
            _draw_panels(moves, plan, reader_styles(record)),
            key="detection-figure",
            title=title % compared_sessions(plan),
            description=_description(moves, plan),
            caption=caption,
        )


def _moves(record: StudyRecord, plan: AnalysisPlan) -> list[DetectionMove]:
    detections = detections_by_reader(record, plan)
    moves = [
        DetectionMove(reader, detections.get((reader, plan.before)), detections.get((reader, plan.after)))
        for reader in dict.fromkeys(reader for reader, _session in detections)
    ]
    return [move for move in moves if move.before or move.after]


def _rates(each: SignalDetection) -> tuple[float, float]:
    return each.point.false_alarm.share or 0.0, each.point.hit.share or 0.0


def _criterion_and_d_prime(each: SignalDetection) -> tuple[float, float]:
    return each.criterion, each.d_prime


def _draw_panels(moves: Sequence[DetectionMove], plan: AnalysisPlan, styles: Styles) -> Figure:
    figure = Figure(figsize=(9.2, 4.5), layout="constrained")
    roc, criterion = figure.subplots(1, 2)
    _frame_roc(roc)
    _frame_criterion(criterion)
    handles: dict[str, Any] = {}
    draw = _draw_crowd if len(moves) > MOST_INDIVIDUAL else partial(_draw_individuals, styles=styles)
    for axis, point in ((roc, _rates), (criterion, _criterion_and_d_prime)):
        handles |= draw(axis, moves, point)
    # Matplotlib ignores arrows in its limits, so a margin is set around the points.
    criterion.margins(0.12)
    add_legend(figure, {**_session_marks(plan), **handles})
    return figure


def _frame_roc(axis: Any) -> None:
    axis.set_title(_("Called not real"), fontsize=10, loc="left")
    axis.set_xlabel(_("Real images (false alarms)"))
    axis.set_ylabel(_("Adversarial images (hits)"))
    axis.set_xlim(-0.03, 1.03)
    axis.set_ylim(-0.03, 1.03)
    axis.set_aspect("equal")
    axis.plot((0, 1), (0, 1), color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=0)
    axis.text(
        0.72, 0.68, _("chance"), color=QUIET, fontsize=8, rotation=45, rotation_mode="anchor", ha="center", va="top"
    )
    deviates = np.linspace(-3.5, 3.5, 141)
    for d_prime in _CURVES:
        axis.plot(ndtr(deviates), ndtr(deviates + d_prime), color="#c8c8c8", linewidth=0.8, zorder=0)
        # Labels are where few readers are: readers rarely call images not real so often.
        alarms, hits = ndtr(-_LABEL_CRITERION - d_prime / 2), ndtr(-_LABEL_CRITERION + d_prime / 2)
        label = axis.text(
            alarms, hits, localise(f"d′ {d_prime:g}"), color=QUIET, fontsize=8, ha="center", va="center", zorder=0.5
        )
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    style_axis(axis, "both")
    axis.grid(visible=False)


def _frame_criterion(axis: Any) -> None:
    axis.set_title(_("Discrimination (d′) and criterion (c)"), fontsize=10, loc="left")
    axis.set_xlabel(_("c: “not real” often ← → rarely"))
    axis.set_ylabel(_("d′: discrimination"))
    axis.set_box_aspect(1)
    axis.axhline(0, color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=0)
    axis.axvline(0, color=GRID, linewidth=0.9, zorder=0)
    style_axis(axis, "both")


def _draw_individuals(axis: Any, moves: Sequence[DetectionMove], point: _Point, *, styles: Styles) -> dict[str, Any]:
    handles = {}
    for move in moves:
        style = {key: value for key, value in styles[move.reader].items() if key != "linestyle"}
        _draw_move(axis, move.before and point(move.before), move.after and point(move.after), style)
        handles[move.reader] = Line2D([], [], linestyle="none", **style)
    return handles


def _draw_move(axis: Any, before: Any, after: Any, style: Mapping[str, Any]) -> None:
    """Draw an open mark, a filled mark, and an arrow between them if both exist."""
    if before and after:
        arrow = {"arrowstyle": "-|>", "color": style["color"], "linewidth": 1.3, "shrinkA": 3.5, "shrinkB": 3.5}
        axis.annotate("", xy=after, xytext=before, arrowprops=arrow)
    if before:
        axis.plot(*before, **style, markerfacecolor="white", markersize=6, linestyle="none", zorder=3)
    if after:
        axis.plot(*after, **style, markersize=6, linestyle="none", zorder=4)


def _draw_crowd(axis: Any, moves: Sequence[DetectionMove], point: _Point) -> dict[str, Any]:
    """Draw readers as thin lines between small marks, and the mean of those with both sessions as an arrow."""
    before, after = (_points([getattr(move, name) for move in moves], point) for name in ("before", "after"))
    handles: dict[str, Any] = {}
    # With more readers, lines would hide the marks.
    if len(moves) <= MOST_LINES:
        x, y = (np.column_stack([before[:, axis_index], after[:, axis_index]]) for axis_index in (0, 1))
        draw_thin_lines(axis, x, y)
        handles[_("a reader")] = Line2D([], [], color=CROWD, linewidth=0.8)
    marks = {"marker": "o", "linestyle": "none", "markersize": 3, "markeredgewidth": 0.6, "alpha": 0.6, "zorder": 2}
    axis.plot(before[:, 0], before[:, 1], color="#8a8a8a", markerfacecolor="white", **marks)
    axis.plot(after[:, 0], after[:, 1], color="#8a8a8a", **marks)
    both = ~np.isnan(before[:, 0]) & ~np.isnan(after[:, 0])
    if both.any():
        first, second = (tuple(reader_mean(points[both]).tolist()) for points in (before, after))
        _draw_move(axis, first, second, {"color": INK, "marker": "o"})
        handles[_("mean")] = Line2D([], [], color=INK, linewidth=1.3)
    return handles


def _points(detections: Sequence[SignalDetection | None], point: _Point) -> Floats:
    """Return the points (readers, 2), NaN for readers without one."""
    return np.array([point(each) if each else (np.nan, np.nan) for each in detections])


def _session_marks(plan: AnalysisPlan) -> dict[str, Any]:
    """Return the legend entries of the sessions: open and filled marks."""
    mark: dict[str, Any] = {"color": QUIET, "marker": "o", "linestyle": "none"}
    session = _("session %(session)s")
    return {
        session % {"session": plan.before}: Line2D([], [], **mark, markerfacecolor="white"),
        session % {"session": plan.after}: Line2D([], [], **mark),
    }


def _description(moves: Sequence[DetectionMove], plan: AnalysisPlan) -> str:
    if len(moves) > MOST_INDIVIDUAL:
        return " ".join(_crowd_texts(moves, plan))
    parts = []
    for move in moves:
        sessions = ((plan.before, move.before), (plan.after, move.after))
        parts.append(f"{move.reader} " + "; ".join(_session_text(number, each) for number, each in sessions if each))
    return " ".join(f"{part}." for part in parts)


def _session_text(session: int, each: SignalDetection) -> str:
    words = _("session %(session)s: false alarms %(alarms)s, hits %(hits)s, d′ %(d)s, c %(c)s")
    alarms, hits = _rates(each)
    return words % {
        "session": session,
        "alarms": format_number(alarms),
        "hits": format_number(hits),
        "d": format_number(each.d_prime),
        "c": format_number(each.criterion),
    }


def _crowd_texts(moves: Sequence[DetectionMove], plan: AnalysisPlan) -> Iterator[str]:
    words = _(
        "Session %(session)s, %(count)s readers: false alarms %(alarms)s; hits %(hits)s; d′ %(d)s; c %(c)s. Means: "
        "false alarms %(mean_alarms)s, hits %(mean_hits)s, d′ %(mean_d)s, c %(mean_c)s."
    )
    sessions = ((plan.before, [move.before for move in moves]), (plan.after, [move.after for move in moves]))
    for session, detections in sessions:
        known = [each for each in detections if each]
        if known:
            table = np.array([(*_rates(each), each.d_prime, each.criterion) for each in known]).T
            columns = dict(zip(("alarms", "hits", "d", "c"), table, strict=True))
            spread = {key: spread_text(values) for key, values in columns.items()}
            means = {f"mean_{key}": format_number(float(values.mean())) for key, values in columns.items()}
            yield words % {"session": session, "count": len(known), **spread, **means}
