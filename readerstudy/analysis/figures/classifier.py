"""Figure "classifier-figure": the classifier's score of an image against the readers' verdicts on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from numpy.typing import NDArray

from readerstudy.analysis.figures.reader_style import INK, Floats, add_legend, format_number, style_axis
from readerstudy.analysis.record.codes import NEGATIVE, POSITIVE, Subset
from readerstudy.analysis.record.counts import VERDICT_NOT_REAL, VERDICT_SEEN, CaseVerdicts, subset_kinds
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.picture import COLOURS, Picture, drawing, picture
from readerstudy.modalities.words import ReportWords
from readerstudy.protocol.analysis_plan import AnalysisPlan

_PANELS = (Subset.REAL, Subset.ADVERSARIAL)
_EDGES = np.linspace(0, 1, 6)
_MOST_VECTOR_DOTS = 2000  # more dots are stored as a bitmap within the SVG
_BITMAP_DPI = 144


@dataclass(frozen=True)
class ScoreDots:
    """Score, share of verdicts "not real", and pathology of the patient, one element per image, (n,)."""

    score: Floats
    share: Floats
    is_positive: NDArray[np.bool_]


@dataclass(frozen=True)
class _Fifth:
    """The images in one fifth of the scale of scores."""

    low: float
    high: float
    images: int
    mean_share: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


def classifier_figure(record: StudyRecord, plan: AnalysisPlan, scores: Mapping[int, float]) -> Picture | None:
    """Return one dot per image: probability of the finding, and share of verdicts that called it not real.

    `scores` maps a case (`readings.cases.case`) to the score of the image shown. Cases without a score are excluded
    and counted. Returns None if no image has both a score and a verdict.
    """
    dots = {subset: _dots(record, subset, scores) for subset in _PANELS}
    shown = sum(panel.score.size for panel in dots.values())
    if not shown:
        return None
    with drawing():
        return picture(
            _draw_panels(dots, record.modality.words.report),
            key="classifier-figure",
            title=_("The classifier’s score and the readers’ verdicts"),
            description=" ".join(_descriptions(dots)),
            caption=_caption(record, missing=int(np.unique(_unaided(record).case).size) - shown),
        )


def _caption(record: StudyRecord, *, missing: int) -> str:
    sentence = str(record.modality.words.report.each_dot)
    excluded = _("%(count)s images without a score are excluded.") % {"count": missing}
    aided = _("Sessions in which readers saw the score are left out.") if record.aided_sessions else ""
    return " ".join(filter(None, (sentence, aided, excluded if missing else "")))


def _unaided(record: StudyRecord) -> CaseVerdicts:
    """Return the verdicts of readers who did not see the score."""
    cases = record.readings.cases
    return cases.select(~np.isin(cases.session, record.aided_sessions))


def _dots(record: StudyRecord, subset: Subset, scores: Mapping[int, float]) -> ScoreDots:
    """Return the dots of a subset. An image shown in two sessions or arms is one dot, with all its verdicts."""
    cases = _unaided(record)
    has_score = np.array([case in scores for case in cases.case.tolist()], dtype=bool)
    scored = cases.select(has_score & np.isin(cases.kind, subset_kinds(subset)))
    keys, first, index = np.unique(scored.case, return_index=True, return_inverse=True)
    called = np.bincount(index, scored.counts[:, VERDICT_NOT_REAL], keys.size)
    total = np.bincount(index, scored.counts[:, :VERDICT_SEEN].sum(axis=1), keys.size)
    positive_kinds = subset_kinds(Subset(f"{subset.value}_{POSITIVE}"))
    score = np.array([scores[case] for case in keys.tolist()], dtype=float)
    return ScoreDots(score, called / np.maximum(total, 1), np.isin(scored.kind[first], positive_kinds))


def _draw_panels(dots: Mapping[Subset, ScoreDots], words: ReportWords) -> Figure:
    figure = Figure(figsize=(9.2, 4.0), layout="constrained", dpi=_BITMAP_DPI)
    axes = figure.subplots(1, 2, sharey=True)
    handles: dict[str, Any] = {}
    for axis, subset, name in zip(axes, _PANELS, (_("Real images"), _("Adversarial images")), strict=True):
        panel = dots[subset]
        handles |= _draw_panel(axis, panel)
        title = _("%(kind)s (%(count)s)") % {"kind": name, "count": panel.score.size}
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_xlabel(str(words.probability))
        axis.set_xlim(-0.03, 1.03)
        axis.set_ylim(-0.04, 1.04)
        style_axis(axis, "both")
    axes[0].set_ylabel(_("Share of verdicts: not real"))
    add_legend(figure, handles)
    return figure


def _draw_panel(axis: Any, dots: ScoreDots) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    marks = ((POSITIVE, _("of positives"), COLOURS[1], "^"), (NEGATIVE, _("of negatives"), COLOURS[0], "o"))
    for pathology, name, colour, marker in marks:
        mask = dots.is_positive == (pathology == POSITIVE)
        style = {"color": colour, "marker": marker, "linestyle": "none", "markersize": 5, "markeredgewidth": 0}
        as_bitmap = dots.score.size > _MOST_VECTOR_DOTS
        if mask.any():
            axis.plot(dots.score[mask], dots.share[mask], alpha=0.35, rasterized=as_bitmap, zorder=2, **style)
            # The mark of the legend is opaque; a transparent one would be hard to recognise.
            (handles[name],) = axis.plot([], [], **style)
    fifths = list(_fifths(dots))
    if fifths:
        x, y = [fifth.middle for fifth in fifths], [fifth.mean_share for fifth in fifths]
        (handles[_("mean share")],) = axis.plot(x, y, color=INK, marker="D", markersize=5, linewidth=2, zorder=4)
    return handles


def _fifths(dots: ScoreDots) -> Iterator[_Fifth]:
    """Yield each fifth of the scale that contains images."""
    index = np.clip(np.digitize(dots.score, _EDGES) - 1, 0, len(_EDGES) - 2)
    for fifth in range(len(_EDGES) - 1):
        shares = dots.share[index == fifth]
        if shares.size:
            yield _Fifth(float(_EDGES[fifth]), float(_EDGES[fifth + 1]), int(shares.size), float(shares.mean()))


def _descriptions(dots: Mapping[Subset, ScoreDots]) -> Iterator[str]:
    heads = {
        Subset.REAL: _("%(count)s real images (%(positive)s of positives, %(negative)s of negatives)"),
        Subset.ADVERSARIAL: _("%(count)s adversarial images (%(positive)s of positives, %(negative)s of negatives)"),
    }
    words = _("score %(low)s to %(high)s: mean share called not real %(mean)s (%(count)s images)")
    for subset, panel in dots.items():
        if panel.score.size:
            positive = int(panel.is_positive.sum())
            counts = {"count": panel.score.size, "positive": positive, "negative": panel.score.size - positive}
            fifths = "; ".join(
                words
                % {
                    "low": format_number(fifth.low, 1),
                    "high": format_number(fifth.high, 1),
                    "mean": format_number(fifth.mean_share),
                    "count": fifth.images,
                }
                for fifth in _fifths(panel)
            )
            yield f"{heads[subset] % counts}: {fifths}."
