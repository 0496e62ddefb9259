"""Figure "accuracy": correct verdicts over the sessions, for real and adversarial images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure

from readerstudy.analysis.figures.reader_style import (
    INK,
    MOST_INDIVIDUAL,
    Floats,
    Styles,
    add_legend,
    crowd_sentence,
    draw_crowd,
    format_number,
    reader_mean,
    reader_styles,
    spread_offset,
    spread_text,
    style_axis,
)
from readerstudy.analysis.record.codes import Subset, reader_sort_key
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.numbers import localise
from readerstudy.layout.picture import Picture, drawing, picture
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.unsure import Unsure

_PANELS = (Subset.REAL, Subset.ADVERSARIAL)


@dataclass(frozen=True)
class AccuracyLine:
    """The shares of one reader in one panel, with the sessions in which the subset was read."""

    reader: str
    sessions: tuple[int, ...]
    shares: tuple[Proportion, ...]


Panels = dict[Subset, list[AccuracyLine]]


def accuracy_figure(record: StudyRecord, rule: Unsure) -> Picture | None:
    """Return the shares correct over the sessions with Wilson's intervals; None without verdicts.

    More than MOST_INDIVIDUAL readers are thin lines or bands, with their mean.
    """
    panels = {subset: _lines(record, subset, rule) for subset in _PANELS}
    if not any(panels.values()):
        return None
    with drawing():
        return picture(
            _draw_panels(panels, reader_styles(record)),
            key="accuracy",
            title=_("Correct verdicts over the sessions of study %(code)s") % {"code": record.code},
            description=" ".join(_description(subset, panels[subset]) for subset in _PANELS if panels[subset]),
            caption=_caption(len(_readers(panels))),
        )


def _caption(readers: int) -> str:
    if readers > MOST_INDIVIDUAL:
        return " ".join([crowd_sentence(readers), _("Table 3 has the numbers of each reader, with intervals.")])
    return _(
        # xgettext: no-python-format
        "Each point is one reader in one session, with Wilson’s 95 % interval. Lines only connect the sessions of one "
        "reader. The numbers are those of Table 3."
    )


def _lines(record: StudyRecord, subset: Subset, rule: Unsure) -> list[AccuracyLine]:
    readings = record.readings
    lines = []
    for reader in readings.readers:
        shares = {
            session: readings.share_correct(reader, session, subset, rule)
            for session in readings.sessions_judged_by(reader)
        }
        shares = {session: share for session, share in shares.items() if share.trials}
        if shares:
            lines.append(AccuracyLine(reader, tuple(shares), tuple(shares.values())))
    return lines


def _readers(panels: Panels) -> list[str]:
    return sorted({line.reader for lines in panels.values() for line in lines}, key=reader_sort_key)


def _draw_panels(panels: Panels, styles: Styles) -> Figure:
    readers = _readers(panels)
    sessions = sorted({session for lines in panels.values() for line in lines for session in line.sessions})
    figure = Figure(figsize=(8.4, 3.9), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    titles = (_("Real images called real"), _("Adversarial images called not real"))
    is_crowd = len(readers) > MOST_INDIVIDUAL
    handles: dict[str, Any] = {}
    for axis, subset, title in zip(axes, _PANELS, titles, strict=True):
        if is_crowd:
            handles |= _draw_crowd(axis, panels[subset], sessions)
        else:
            handles |= {line.reader: _draw_line(axis, line, sessions, readers, styles) for line in panels[subset]}
        _draw_frame(axis, title, sessions)
    share = _("Share correct")
    # xgettext: no-python-format
    with_interval = _("Share correct, with 95 % interval")
    axes[0].set_ylabel(share if is_crowd else with_interval)
    ordered = dict(sorted(handles.items(), key=lambda item: reader_sort_key(item[0])))
    add_legend(figure, ordered, "" if is_crowd else _("Reader"))
    return figure


def _draw_frame(axis: Any, title: str, sessions: Sequence[int]) -> None:
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_xticks(range(len(sessions)), [str(session) for session in sessions])
    axis.set_xlim(-0.5, len(sessions) - 0.5)
    axis.set_xlabel(_("Session"))
    # Slightly more than 0 to 1, so that marks at the limits are not cut.
    axis.set_ylim(-0.03, 1.03)
    style_axis(axis)


def _draw_line(axis: Any, line: AccuracyLine, sessions: Sequence[int], readers: Sequence[str], styles: Styles) -> Any:
    index = readers.index(line.reader)
    offset = spread_offset(index, len(readers))
    values = [share.share or 0.0 for share in line.shares]
    return axis.errorbar(
        [sessions.index(session) + offset for session in line.sessions],
        values,
        yerr=(
            [value - (share.low or 0.0) for value, share in zip(values, line.shares, strict=True)],
            [(share.high or 0.0) - value for value, share in zip(values, line.shares, strict=True)],
        ),
        **styles[line.reader],
        markersize=4.5,
        linewidth=1.3,
        elinewidth=0.9,
        capsize=2,
    )


def _draw_crowd(axis: Any, lines: Sequence[AccuracyLine], sessions: Sequence[int]) -> dict[str, Any]:
    if not lines:
        return {}
    shares = _share_table(lines, sessions)
    draw_crowd(axis, range(len(sessions)), shares)
    (mean,) = axis.plot(range(len(sessions)), reader_mean(shares), color=INK, marker="o", linewidth=2, markersize=5)
    return {_("mean"): mean}


def _share_table(lines: Sequence[AccuracyLine], sessions: Sequence[int]) -> Floats:
    """Return the shares (readers, sessions), NaN if a reader read no such image."""
    table = np.full((len(lines), len(sessions)), np.nan)
    for row, line in zip(table, lines, strict=True):
        row[[sessions.index(session) for session in line.sessions]] = [share.share or 0.0 for share in line.shares]
    return table


def _description(subset: Subset, lines: Sequence[AccuracyLine]) -> str:
    if len(lines) > MOST_INDIVIDUAL:
        return _crowd_description(subset, lines)
    head = {
        Subset.REAL: _("Share of real images called real, by reader and session:"),
        Subset.ADVERSARIAL: _("Share of adversarial images called not real, by reader and session:"),
    }[subset]
    return f"{head} {'; '.join(map(_line_description, lines))}."


def _line_description(line: AccuracyLine) -> str:
    words = _("%(share)s (session %(session)s)")
    points = (
        words % {"share": localise(f"{share.share:.2f}"), "session": session}
        for session, share in zip(line.sessions, line.shares, strict=True)
    )
    return f"{line.reader} {', '.join(points)}"


def _crowd_description(subset: Subset, lines: Sequence[AccuracyLine]) -> str:
    head = {
        Subset.REAL: _("Share of real images called real, over %(count)s readers:"),
        Subset.ADVERSARIAL: _("Share of adversarial images called not real, over %(count)s readers:"),
    }[subset] % {"count": len(lines)}
    sessions = sorted({session for line in lines for session in line.sessions})
    words = _("session %(session)s: mean %(mean)s, %(spread)s")
    parts = [
        words % {"session": session, "mean": format_number(np.nanmean(shares)), "spread": spread_text(shares)}
        for session, shares in zip(sessions, _share_table(lines, sessions).T, strict=True)
    ]
    return f"{head} {'; '.join(parts)}."
