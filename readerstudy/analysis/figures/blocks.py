"""Accuracy in reading order: does it rise or fall along a session?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure

from readerstudy.analysis.figures.readers import (
    FEW,
    INK,
    QUIET,
    Floats,
    crowd_sentence,
    draw_crowd,
    legend,
    look,
    mean_of,
    quantiles,
    tidy,
)
from readerstudy.analysis.layout.wording import unsure_sentence
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import CURVE_BLOCKS, SUBSETS, AggregatedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.picture import Picture, drawing, picture
from readerstudy.studies.analysis_plan import AnalysisPlan

_ROWS = (Subset.REAL, Subset.ADVERSARIAL)
_MIDDLES = (np.arange(CURVE_BLOCKS) + 0.5) / CURVE_BLOCKS

Curves = Mapping[tuple[Subset, int], Mapping[str, Floats]]


def blocks_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Shares right in ten equal blocks of each session, one line per reader and their mean, by kind of image.

    None where no reader has ten verdicts about images of one kind in one session.
    """
    curves = _curves(record.readings)
    if not any(curves.values()):
        return None
    title = _("Right verdicts in the order of reading")
    caption = _(
        "Each session’s readings of one kind, cut in reading order into ten equal blocks; what does not fill a block "
        "is left out at the end. A line that falls may be fatigue, one that rises practice; blocks of a few images "
        "jump by chance."
    )
    readers = list(dict.fromkeys(reader for panel in curves.values() for reader in panel))
    few = _("Thin: the readers. Thick: their mean.") if 1 < len(readers) <= FEW else ""
    sentences = (caption, crowd_sentence(len(readers)), few, unsure_sentence(record.readings.rule))
    with drawing():
        return picture(
            _drawn(curves, record.readings.judged_sessions, readers),
            key="blocks-figure",
            title=title,
            description=" ".join(_described(curves)),
            caption=" ".join(sentence for sentence in sentences if sentence),
        )


def _curves(readings: AggregatedReadings) -> Curves:
    """By kind and session, each reader's ten shares; without readers who have too few readings for blocks."""
    blocks = readings.blocks[CURVE_BLOCKS]
    found = {}
    for subset in _ROWS:
        for session in readings.judged_sessions:
            at = (slice(None), readings.sessions.index(session), SUBSETS.index(subset))
            lengths = blocks.readings[at] // CURVE_BLOCKS
            shares = blocks.sums[at] / np.maximum(lengths, 1)[:, None]
            found[subset, session] = {
                reader: own for reader, length, own in zip(readings.readers, lengths, shares, strict=True) if length
            }
    return found


def _drawn(curves: Curves, sessions: Sequence[int], readers: Sequence[str]) -> Figure:
    figure = Figure(figsize=(9.2, 5.2), layout="constrained")
    axes = figure.subplots(len(_ROWS), len(sessions), sharex=True, sharey=True, squeeze=False)
    names = (_("Real called real"), _("Adversarial called not real"))
    handles: dict[str, Any] = {}
    for row, subset, name in zip(axes, _ROWS, names, strict=True):
        for axis, session in zip(row, sessions, strict=True):
            handles |= _draw(axis, curves[subset, session], readers)
            tidy(axis)
        row[0].set_ylabel(name)
        row[0].set_ylim(-0.03, 1.03)
    for top, bottom, session in zip(axes[0], axes[-1], sessions, strict=True):
        top.set_title(_("Session %(session)s") % {"session": session}, fontsize=10, loc="left")
        bottom.set_xticks((0, 0.5, 1), (_("start"), _("half"), _("end")))
        bottom.set_xlim(0, 1)
        # Inwards, or the end of one panel runs into the start of the next.
        for label, side in zip(bottom.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)
    # In the readers' order, the mean last, whichever panel brought them.
    legend(figure, {name: handles[name] for name in (*readers, _mean()) if name in handles})
    return figure


def _draw(axis: Any, own: Mapping[str, Floats], readers: Sequence[str]) -> dict[str, Any]:
    if not own:
        axis.text(0.5, 0.5, _("fewer than ten\nreadings"), color=QUIET, fontsize=8, ha="center", va="center")
        return {}
    table = np.array(list(own.values()))
    handles: dict[str, Any] = {}
    if len(readers) > FEW:
        draw_crowd(axis, _MIDDLES, table)
    else:
        for reader, shares in own.items():
            style = {**look(readers.index(reader)), "marker": None}
            (handles[reader],) = axis.plot(_MIDDLES, shares, **style, linewidth=1.0, alpha=0.65)
    if len(own) > 1:
        (handles[_mean()],) = axis.plot(_MIDDLES, mean_of(table), color=INK, linewidth=2.4, zorder=4)
    return handles


def _mean() -> str:
    return _("mean")


def _described(curves: Curves) -> Sequence[str]:
    heads = {
        Subset.REAL: _("Session %(session)s, real images called real, from the first to the last tenth:"),
        Subset.ADVERSARIAL: _(
            "Session %(session)s, adversarial images called not real, from the first to the last tenth:"
        ),
    }
    parts = []
    for (subset, session), own in curves.items():
        if own:
            table = np.array(list(own.values()))
            lines = {_mean(): mean_of(table)} if len(own) > 1 else {}
            lines |= own if len(own) <= FEW else _quartiles(table)
            numbers = "; ".join(f"{name} {' '.join(f'{share:.2f}' for share in line)}" for name, line in lines.items())
            parts.append(f"{heads[subset] % {'session': session}} {numbers}.")
    return parts


def _quartiles(table: Floats) -> dict[str, Floats]:
    lower, upper = quantiles(table, (0.25, 0.75))
    return {_("lower quartile of the readers"): lower, _("upper quartile of the readers"): upper}
