"""Accuracy over the sessions: one line per reader with intervals, or the readers as a crowd."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure

from readerstudy.analysis.figures.readers import (
    FEW,
    INK,
    Floats,
    crowd_sentence,
    draw_crowd,
    legend,
    look,
    mean_of,
    side_by_side,
    spread_in_words,
    tidy,
)
from readerstudy.analysis.record.codes import Subset, reader_sort_key
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.picture import Picture, drawing, picture
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.unsure import Unsure

_PANELS = (Subset.REAL, Subset.ADVERSARIAL)


@dataclass(frozen=True)
class Line:
    """One reader in one panel: the sessions in which the sub-set was read, and the shares there."""

    reader: str
    sessions: tuple[int, ...]
    shares: tuple[Proportion, ...]


def accuracy_figure(record: StudyRecord, rule: Unsure) -> Picture | None:
    """Right verdicts over the sessions with Wilson's intervals, real and adversarial side by side.

    None where there are no verdicts. More than twelve readers are thin lines or bands, with their mean.
    """
    lines = {subset: _lines(record, subset, rule) for subset in _PANELS}
    if not any(lines.values()):
        return None
    title = _("Right verdicts over the sessions of study %(code)s") % {"code": record.code}
    description = " ".join(_described(subset, lines[subset]) for subset in _PANELS if lines[subset])
    with drawing():
        figure = _drawn(lines)
        return picture(
            figure, key="accuracy", title=title, description=description, caption=_caption(len(_readers(lines)))
        )


def _caption(readers: int) -> str:
    if readers > FEW:
        own = _("Each reader’s own numbers, with intervals, are those of Table 3.")
        return f"{crowd_sentence(readers)} {own}"
    return _(
        # xgettext: no-python-format
        "Each point is one reader in one session, with Wilson’s 95 % interval. The lines only lead the eye from "
        "session to session. The numbers are those of Table 3."
    )


def _lines(record: StudyRecord, subset: Subset, rule: Unsure) -> list[Line]:
    readings = record.readings
    found = []
    for reader in readings.readers:
        shares = {
            session: readings.share_correct(reader, session, subset, rule)
            for session in readings.sessions_judged_by(reader)
        }
        held = {session: share for session, share in shares.items() if share.trials}
        if held:
            found.append(Line(reader, tuple(held), tuple(held.values())))
    return found


def _readers(lines: dict[Subset, list[Line]]) -> list[str]:
    return sorted({line.reader for panel in lines.values() for line in panel}, key=reader_sort_key)


def _drawn(lines: dict[Subset, list[Line]]) -> Figure:
    readers = _readers(lines)
    sessions = sorted({session for panel in lines.values() for line in panel for session in line.sessions})
    figure = Figure(figsize=(8.4, 3.9), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    titles = (_("Real images called real"), _("Adversarial images called not real"))
    handles: dict[str, Any] = {}
    for axis, subset, title in zip(axes, _PANELS, titles, strict=True):
        if len(readers) > FEW:
            handles |= _draw_many(axis, lines[subset], sessions)
        else:
            handles |= {line.reader: _draw_line(axis, line, sessions, readers) for line in lines[subset]}
        _frame(axis, title, sessions)
    share = _("Share right")
    # xgettext: no-python-format
    with_interval = _("Share right, with 95 % interval")
    axes[0].set_ylabel(share if len(readers) > FEW else with_interval)
    ordered = dict(sorted(handles.items(), key=lambda item: reader_sort_key(item[0])))
    legend(figure, ordered, "" if len(readers) > FEW else _("Reader"))
    return figure


def _frame(axis: Any, title: str, sessions: Sequence[int]) -> None:
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_xticks(range(len(sessions)), [str(session) for session in sessions])
    axis.set_xlim(-0.5, len(sessions) - 0.5)
    axis.set_xlabel(_("Session"))
    # A little more than 0 to 1, so that points on the border are whole.
    axis.set_ylim(-0.03, 1.03)
    tidy(axis)


def _draw_line(axis: Any, line: Line, sessions: Sequence[int], readers: Sequence[str]) -> Any:
    place = readers.index(line.reader)
    shift = side_by_side(place, len(readers))
    share = [one.share or 0.0 for one in line.shares]
    return axis.errorbar(
        [sessions.index(session) + shift for session in line.sessions],
        share,
        yerr=(
            [middle - (one.low or 0.0) for middle, one in zip(share, line.shares, strict=True)],
            [(one.high or 0.0) - middle for middle, one in zip(share, line.shares, strict=True)],
        ),
        **look(place),
        markersize=4.5,
        linewidth=1.3,
        elinewidth=0.9,
        capsize=2,
    )


def _draw_many(axis: Any, lines: Sequence[Line], sessions: Sequence[int]) -> dict[str, Any]:
    if not lines:
        return {}
    shares = _table(lines, sessions)
    draw_crowd(axis, range(len(sessions)), shares)
    (mean,) = axis.plot(range(len(sessions)), mean_of(shares), color=INK, marker="o", linewidth=2, markersize=5)
    return {_("mean"): mean}


def _table(lines: Sequence[Line], sessions: Sequence[int]) -> Floats:
    """(readers, sessions), NaN where one read nothing of the kind."""
    table = np.full((len(lines), len(sessions)), np.nan)
    for row, line in zip(table, lines, strict=True):
        row[[sessions.index(session) for session in line.sessions]] = [one.share or 0.0 for one in line.shares]
    return table


def _described(subset: Subset, lines: Sequence[Line]) -> str:
    if len(lines) > FEW:
        return _described_many(subset, lines)
    head = {
        Subset.REAL: _("Share of real images called real, by reader and session:"),
        Subset.ADVERSARIAL: _("Share of adversarial images called not real, by reader and session:"),
    }[subset]
    return f"{head} {'; '.join(_described_line(line) for line in lines)}."


def _described_line(line: Line) -> str:
    pairs = zip(line.sessions, line.shares, strict=True)
    points = ", ".join(
        _("%(share)s (session %(session)s)") % {"share": f"{one.share:.2f}", "session": session}
        for session, one in pairs
    )
    return f"{line.reader} {points}"


def _described_many(subset: Subset, lines: Sequence[Line]) -> str:
    head = {
        Subset.REAL: _("Share of real images called real, over %(count)s readers:"),
        Subset.ADVERSARIAL: _("Share of adversarial images called not real, over %(count)s readers:"),
    }[subset] % {"count": len(lines)}
    sessions = sorted({session for line in lines for session in line.sessions})
    words = _("session %(session)s: mean %(mean)s, %(spread)s")
    parts = [
        words % {"session": session, "mean": f"{np.nanmean(shares):.2f}", "spread": spread_in_words(shares)}
        for session, shares in zip(sessions, _table(lines, sessions).T, strict=True)
    ]
    return f"{head} {'; '.join(parts)}."
