"""Figure "blocks-figure": accuracy in reading order within each session."""

from collections.abc import Iterator, Mapping, Sequence
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
    reader_quantiles,
    reader_styles,
    style_axis,
)
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import CURVE_BLOCKS, SUBSETS, AggregatedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import unsure_sentence
from readerstudy.layout.picture import Picture, drawing, picture
from readerstudy.protocol.analysis_plan import AnalysisPlan

_ROWS = (Subset.REAL, Subset.ADVERSARIAL)
_MIDDLES = (np.arange(CURVE_BLOCKS) + 0.5) / CURVE_BLOCKS

Curves = Mapping[tuple[Subset, int], Mapping[str, Floats]]  # by subset and session, then by reader


def blocks_figure(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Return the shares correct in ten equal blocks of each session, one line per reader and their mean.

    Returns None if no reader has ten verdicts on images of one kind in one session.
    """
    curves = _curves(record.readings)
    if not any(curves.values()):
        return None
    readers = list(dict.fromkeys(reader for panel in curves.values() for reader in panel))
    caption = _(
        "The readings of each session and kind are divided, in reading order, into ten equal blocks; readings at the "
        "end that do not fill a block are not used. A falling line may be due to fatigue, a rising one to practice; "
        "blocks of few images vary by chance."
    )
    lines = _("Thin: the readers. Thick: their mean.") if 1 < len(readers) <= MOST_INDIVIDUAL else ""
    sentences = (caption, crowd_sentence(len(readers)), lines, unsure_sentence(record.readings.rule))
    with drawing():
        return picture(
            _draw_panels(curves, record.readings.judged_sessions, readers, reader_styles(record)),
            key="blocks-figure",
            title=_("Correct verdicts in reading order"),
            description=" ".join(_descriptions(curves)),
            caption=" ".join(filter(None, sentences)),
        )


def _curves(readings: AggregatedReadings) -> Curves:
    """Return each reader's ten shares, without readers who have too few readings for blocks."""
    blocks = readings.blocks[CURVE_BLOCKS]
    curves = {}
    for subset in _ROWS:
        for session in readings.judged_sessions:
            index = (slice(None), readings.sessions.index(session), SUBSETS.index(subset))
            lengths = blocks.readings[index] // CURVE_BLOCKS
            shares = blocks.sums[index] / np.maximum(lengths, 1)[:, None]
            curves[subset, session] = {
                reader: own for reader, length, own in zip(readings.readers, lengths, shares, strict=True) if length
            }
    return curves


def _draw_panels(curves: Curves, sessions: Sequence[int], readers: Sequence[str], styles: Styles) -> Figure:
    figure = Figure(figsize=(9.2, 5.2), layout="constrained")
    axes = figure.subplots(len(_ROWS), len(sessions), sharex=True, sharey=True, squeeze=False)
    names = (_("Real called real"), _("Adversarial called not real"))
    handles: dict[str, Any] = {}
    for row, subset, name in zip(axes, _ROWS, names, strict=True):
        for axis, session in zip(row, sessions, strict=True):
            handles |= _draw_panel(axis, curves[subset, session], readers, styles)
            style_axis(axis)
        row[0].set_ylabel(name)
        row[0].set_ylim(-0.03, 1.03)
    for top, bottom, session in zip(axes[0], axes[-1], sessions, strict=True):
        top.set_title(_("Session %(session)s") % {"session": session}, fontsize=10, loc="left")
        bottom.set_xticks((0, 0.5, 1), (_("start"), _("half"), _("end")))
        bottom.set_xlim(0, 1)
        # Aligned inwards, so that labels of neighbouring panels do not overlap.
        for label, side in zip(bottom.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)
    # In the order of the readers, the mean last, for any panel that has them.
    add_legend(figure, {name: handles[name] for name in (*readers, _mean()) if name in handles})
    return figure


def _draw_panel(axis: Any, curves: Mapping[str, Floats], readers: Sequence[str], styles: Styles) -> dict[str, Any]:
    if not curves:
        axis.text(0.5, 0.5, _("fewer than ten\nreadings"), color=QUIET, fontsize=8, ha="center", va="center")
        return {}
    table = np.array(list(curves.values()))
    handles: dict[str, Any] = {}
    if len(readers) > MOST_INDIVIDUAL:
        draw_crowd(axis, _MIDDLES, table)
    else:
        for reader, shares in curves.items():
            style = {**styles[reader], "marker": None}
            (handles[reader],) = axis.plot(_MIDDLES, shares, **style, linewidth=1.0, alpha=0.65)
    if len(curves) > 1:
        (handles[_mean()],) = axis.plot(_MIDDLES, reader_mean(table), color=INK, linewidth=2.4, zorder=4)
    return handles


def _mean() -> str:
    return _("mean")


def _descriptions(curves: Curves) -> Iterator[str]:
    heads = {
        Subset.REAL: _("Session %(session)s, real images called real, from the first to the last tenth:"),
        Subset.ADVERSARIAL: _(
            "Session %(session)s, adversarial images called not real, from the first to the last tenth:"
        ),
    }
    for (subset, session), panel in curves.items():
        if panel:
            table = np.array(list(panel.values()))
            lines = {_mean(): reader_mean(table)} if len(panel) > 1 else {}
            lines |= panel if len(panel) <= MOST_INDIVIDUAL else _quartile_lines(table)
            numbers = "; ".join(f"{name} {' '.join(map(format_number, line))}" for name, line in lines.items())
            yield f"{heads[subset] % {'session': session}} {numbers}."


def _quartile_lines(table: Floats) -> dict[str, Floats]:
    lower, upper = reader_quantiles(table, (0.25, 0.75))
    return {_("lower quartile of the readers"): lower, _("upper quartile of the readers"): upper}
