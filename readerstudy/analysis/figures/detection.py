"""Real against adversarial: where each reader works on the ROC plane and as d′ and criterion, and where they moved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.special import ndtr

from readerstudy.analysis.figures.readers import (
    CROWD,
    FEW,
    INK,
    QUIET,
    THREADS,
    Floats,
    draw_threads,
    legend,
    look,
    mean_of,
    number,
    spread_in_words,
    tidy,
)
from readerstudy.analysis.layout.wording import compared_sessions
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.signal_detection import detections_by_reader
from readerstudy.layout.picture import GRID, Picture, drawing, picture
from readerstudy.statistics.signal_detection import SignalDetection
from readerstudy.studies.analysis_plan import AnalysisPlan

_CURVES = (0.5, 1.0, 2.0)  # values of d′ that get a faint line
_NAMED_AT = -0.7  # criterion at which it is named
_Point = Callable[[SignalDetection], tuple[float, float]]


@dataclass(frozen=True)
class Move:
    """One reader in the two sessions; None where a session, or one of its kinds, was not read."""

    reader: str
    before: SignalDetection | None
    after: SignalDetection | None


def detection_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """False alarms and hits, and c and d′, of every reader, with an arrow from the earlier session to the later.

    None where nobody read both kinds of images in one of the two sessions.
    """
    moves = _moves(record, plan)
    if not moves:
        return None
    title = _("Seeing and calling: from session %(before)s to session %(after)s") % compared_sessions(plan)
    caption = _(
        "Left: each reader’s real images called not real (false alarms) against adversarial images called not real "
        "(hits), as counted. On the dashed diagonal a reader tells nothing apart; along a faint line d′ is the same. "
        "Right: the same as d′ against criterion c. An arrow upwards there is better seeing, an arrow sideways only "
        "another readiness to call an image not real. No picture of one reader is evidence: the intervals are in the "
        "table of signal detection."
    )
    with drawing():
        return picture(
            _drawn(moves, plan),
            key="detection-figure",
            title=title,
            description=_described(moves, plan),
            caption=caption,
        )


def _moves(record: StudyRecord, plan: AnalysisPlan) -> list[Move]:
    found = detections_by_reader(record, plan)
    readers = dict.fromkeys(reader for reader, _session in found)
    moves = [Move(one, found.get((one, plan.before)), found.get((one, plan.after))) for one in readers]
    return [move for move in moves if move.before or move.after]


def _rates(one: SignalDetection) -> tuple[float, float]:
    return one.point.false_alarm.share or 0.0, one.point.hit.share or 0.0


def _seeing(one: SignalDetection) -> tuple[float, float]:
    return one.criterion, one.d_prime


def _drawn(moves: Sequence[Move], plan: AnalysisPlan) -> Figure:
    figure = Figure(figsize=(9.2, 4.5), layout="constrained")
    plane, seeing = figure.subplots(1, 2)
    _frame_plane(plane)
    _frame_seeing(seeing)
    handles: dict[str, Any] = {}
    for axis, point in ((plane, _rates), (seeing, _seeing)):
        handles |= _draw_many(axis, moves, point) if len(moves) > FEW else _draw_few(axis, moves, point)
    # Arrows count for nothing when matplotlib finds the limits, so an even margin is set around the points.
    seeing.margins(0.12)
    legend(figure, {**_marks(plan), **handles})
    return figure


def _frame_plane(axis: Any) -> None:
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
        # Named where few readers are: they seldom call images not real so readily.
        alarms, hits = ndtr(-_NAMED_AT - d_prime / 2), ndtr(-_NAMED_AT + d_prime / 2)
        name = axis.text(alarms, hits, f"d′ {d_prime:g}", color=QUIET, fontsize=8, ha="center", va="center", zorder=0.5)
        name.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    tidy(axis, "both")
    axis.grid(visible=False)


def _frame_seeing(axis: Any) -> None:
    axis.set_title(_("Seeing (d′) and criterion (c)"), fontsize=10, loc="left")
    axis.set_xlabel(_("c: readily “not real” ← → reluctantly"))
    axis.set_ylabel(_("d′: tells them apart"))
    axis.set_box_aspect(1)
    axis.axhline(0, color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=0)
    axis.axvline(0, color=GRID, linewidth=0.9, zorder=0)
    tidy(axis, "both")


def _draw_few(axis: Any, moves: Sequence[Move], point: _Point) -> dict[str, Any]:
    handles = {}
    for place, move in enumerate(moves):
        style = {key: value for key, value in look(place).items() if key != "linestyle"}
        _draw_move(axis, move.before and point(move.before), move.after and point(move.after), style)
        handles[move.reader] = Line2D([], [], linestyle="none", **style)
    return handles


def _draw_move(axis: Any, before: Any, after: Any, style: Mapping[str, Any]) -> None:
    """An open mark, a filled one, and an arrow between them where there are both."""
    if before and after:
        arrow = {"arrowstyle": "-|>", "color": style["color"], "linewidth": 1.3, "shrinkA": 3.5, "shrinkB": 3.5}
        axis.annotate("", xy=after, xytext=before, arrowprops=arrow)
    if before:
        axis.plot(*before, **style, markerfacecolor="white", markersize=6, linestyle="none", zorder=3)
    if after:
        axis.plot(*after, **style, markersize=6, linestyle="none", zorder=4)


def _draw_many(axis: Any, moves: Sequence[Move], point: _Point) -> dict[str, Any]:
    """Every reader as a thin line between small marks, and the mean of those who read both as one arrow."""
    before, after = (_points(moves, name, point) for name in ("before", "after"))
    handles: dict[str, Any] = {}
    # More lines than that only hide the marks.
    if len(moves) <= THREADS:
        draw_threads(axis, np.column_stack([before[:, 0], after[:, 0]]), np.column_stack([before[:, 1], after[:, 1]]))
        handles[_("a reader")] = Line2D([], [], color=CROWD, linewidth=0.8)
    marks = {"marker": "o", "linestyle": "none", "markersize": 3, "markeredgewidth": 0.6, "alpha": 0.6, "zorder": 2}
    axis.plot(before[:, 0], before[:, 1], color="#8a8a8a", markerfacecolor="white", **marks)
    axis.plot(after[:, 0], after[:, 1], color="#8a8a8a", **marks)
    both = ~np.isnan(before[:, 0]) & ~np.isnan(after[:, 0])
    if both.any():
        first, second = (tuple(mean_of(points[both]).tolist()) for points in (before, after))
        _draw_move(axis, first, second, {"color": INK, "marker": "o"})
        handles[_("mean")] = Line2D([], [], color=INK, linewidth=1.3)
    return handles


def _points(moves: Sequence[Move], name: str, point: _Point) -> Floats:
    """(readers, 2), NaN for who has none."""
    found = (getattr(move, name) for move in moves)
    return np.array([point(one) if one else (np.nan, np.nan) for one in found])


def _marks(plan: AnalysisPlan) -> dict[str, Any]:
    """Which session is open and which filled."""
    mark: dict[str, Any] = {"color": QUIET, "marker": "o", "linestyle": "none"}
    session = _("session %(session)s")
    return {
        session % {"session": plan.before}: Line2D([], [], **mark, markerfacecolor="white"),
        session % {"session": plan.after}: Line2D([], [], **mark),
    }


def _described(moves: Sequence[Move], plan: AnalysisPlan) -> str:
    if len(moves) > FEW:
        return _described_many(moves, plan)
    parts = []
    for move in moves:
        pairs = ((plan.before, move.before), (plan.after, move.after))
        parts.append(f"{move.reader} " + "; ".join(_at(session, one) for session, one in pairs if one))
    return " ".join(f"{part}." for part in parts)


def _at(session: int, one: SignalDetection) -> str:
    words = _("session %(session)s: false alarms %(alarms)s, hits %(hits)s, d′ %(d)s, c %(c)s")
    alarms, hits = _rates(one)
    numbers = {"alarms": number(alarms), "hits": number(hits), "d": number(one.d_prime), "c": number(one.criterion)}
    return words % {"session": session, **numbers}


def _described_many(moves: Sequence[Move], plan: AnalysisPlan) -> str:
    words = _(
        "Session %(session)s, %(count)s readers: false alarms %(alarms)s; hits %(hits)s; d′ %(d)s; c %(c)s. Means: "
        "false alarms %(mean_alarms)s, hits %(mean_hits)s, d′ %(mean_d)s, c %(mean_c)s."
    )
    parts = []
    for session, name in ((plan.before, "before"), (plan.after, "after")):
        found = [one for move in moves if (one := getattr(move, name))]
        if found:
            table = np.array([(*_rates(one), one.d_prime, one.criterion) for one in found]).T
            keys = ("alarms", "hits", "d", "c")
            spread = {key: spread_in_words(values) for key, values in zip(keys, table, strict=True)}
            means = {f"mean_{key}": number(float(values.mean())) for key, values in zip(keys, table, strict=True)}
            parts.append(words % {"session": session, "count": len(found), **spread, **means})
    return " ".join(parts)
