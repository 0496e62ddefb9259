"""The classifier's score of an image against what readers said of the very same image."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from matplotlib.figure import Figure
from numpy.typing import NDArray

from readerstudy.analysis.figures.readers import INK, Floats, legend, tidy
from readerstudy.analysis.record.codes import NEGATIVE, POSITIVE, Subset
from readerstudy.analysis.record.counts import VERDICT_NOT_REAL, VERDICT_SEEN, subset_kinds
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.picture import COLOURS, Picture, drawing, picture
from readerstudy.studies.analysis_plan import AnalysisPlan

_PANELS = (Subset.REAL, Subset.ADVERSARIAL)
_EDGES = np.linspace(0, 1, 6)
_MANY = 2000  # dots above which they are stored as one small bitmap within the SVG
_BITMAP_DPI = 144


@dataclass(frozen=True)
class Dots:
    """One element for each image: the classifier's score, the share of readers, and whether the woman has cancer."""

    score: Floats
    share: Floats
    is_positive: NDArray[np.bool_]


def classifier_figure(record: StudyRecord, plan: AnalysisPlan, scores: Mapping[int, float]) -> Picture | None:
    """One dot per image: probability of malignancy across, share of readers who called it not real up.

    `scores` gives each case (`tallies.cases.case`) the score of the picture that was shown; cases without one are
    left out, and counted. None where no image has both a score and a verdict.
    """
    dots = {subset: _dots(record, subset, scores) for subset in _PANELS}
    shown = sum(one.score.size for one in dots.values())
    if not shown:
        return None
    missing = _images(record) - shown
    with drawing():
        return picture(
            _drawn(dots),
            key="classifier-figure",
            title=_("The classifier’s score and the readers’ verdicts"),
            description=" ".join(_described(dots)),
            caption=_caption(missing),
        )


def _caption(missing: int) -> str:
    words = _(
        "Each dot is one image: the classifier’s probability of cancer for the picture that was shown, and the share "
        "of the readers’ verdicts that called it not real (“unsure” is no such call). Positive and negative go by the "
        "woman’s own pathology. The black line is the mean share in each fifth of the scale."
    )
    left_out = _("%(count)s images without a score are left out.") % {"count": missing}
    return f"{words} {left_out}" if missing else words


def _images(record: StudyRecord) -> int:
    return int(np.unique(record.readings.cases.case).size)


def _dots(record: StudyRecord, subset: Subset, scores: Mapping[int, float]) -> Dots:
    """An image that two sessions or arms showed is one dot, over all its verdicts."""
    cases = record.readings.cases
    scored = np.array([case in scores for case in cases.case.tolist()], dtype=bool)
    own = cases.select(scored & np.isin(cases.kind, subset_kinds(subset)))
    names, first, place = np.unique(own.case, return_index=True, return_inverse=True)
    called = np.bincount(place, own.counts[:, VERDICT_NOT_REAL], names.size)
    given = np.bincount(place, own.counts[:, :VERDICT_SEEN].sum(axis=1), names.size)
    positives = subset_kinds(Subset(f"{subset.value}_{POSITIVE}"))
    score = np.array([scores[name] for name in names.tolist()], dtype=float)
    return Dots(score, called / np.maximum(given, 1), np.isin(own.kind[first], positives))


def _drawn(dots: Mapping[Subset, Dots]) -> Figure:
    figure = Figure(figsize=(9.2, 4.0), layout="constrained", dpi=_BITMAP_DPI)
    axes = figure.subplots(1, 2, sharey=True)
    handles: dict[str, Any] = {}
    for axis, subset, name in zip(axes, _PANELS, (_("Real images"), _("Adversarial images")), strict=True):
        own = dots[subset]
        handles |= _draw(axis, own)
        title = _("%(kind)s (%(count)s)") % {"kind": name, "count": own.score.size}
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_xlabel(_("Classifier’s probability of cancer"))
        axis.set_xlim(-0.03, 1.03)
        axis.set_ylim(-0.04, 1.04)
        tidy(axis, "both")
    axes[0].set_ylabel(_("Share of readers: not real"))
    legend(figure, handles)
    return figure


def _draw(axis: Any, own: Dots) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    marks = ((POSITIVE, _("of positives"), COLOURS[1], "^"), (NEGATIVE, _("of negatives"), COLOURS[0], "o"))
    for pathology, name, colour, marker in marks:
        chosen = own.is_positive == (pathology == POSITIVE)
        style = {"color": colour, "marker": marker, "linestyle": "none", "markersize": 5, "markeredgewidth": 0}
        crowded = own.score.size > _MANY
        if chosen.any():
            axis.plot(own.score[chosen], own.share[chosen], alpha=0.35, rasterized=crowded, zorder=2, **style)
            # The legend's mark is whole: a faint one could not be told apart.
            (handles[name],) = axis.plot([], [], **style)
    fifths = list(_fifths(own))
    if fifths:
        middles, means = [(low + high) / 2 for low, high, *_rest in fifths], [mean for *_rest, mean in fifths]
        (handles[_("mean share")],) = axis.plot(
            middles, means, color=INK, marker="D", markersize=5, linewidth=2, zorder=4
        )
    return handles


def _fifths(own: Dots) -> Iterator[tuple[float, float, int, float]]:
    """Lower and upper end of each fifth of the scale that holds images, how many, and their mean share."""
    place = np.clip(np.digitize(own.score, _EDGES) - 1, 0, len(_EDGES) - 2)
    for fifth in range(len(_EDGES) - 1):
        shares = own.share[place == fifth]
        if shares.size:
            yield float(_EDGES[fifth]), float(_EDGES[fifth + 1]), int(shares.size), float(shares.mean())


def _described(dots: Mapping[Subset, Dots]) -> Iterator[str]:
    heads = {
        Subset.REAL: _("%(count)s real images (%(positive)s of positives, %(negative)s of negatives)"),
        Subset.ADVERSARIAL: _("%(count)s adversarial images (%(positive)s of positives, %(negative)s of negatives)"),
    }
    words = _("score %(low)s to %(high)s: called not real by %(mean)s of the readers (%(count)s images)")
    for subset, own in dots.items():
        if own.score.size:
            positive = int(own.is_positive.sum())
            counts = {"count": own.score.size, "positive": positive, "negative": own.score.size - positive}
            fifths = "; ".join(
                words % {"low": f"{low:.1f}", "high": f"{high:.1f}", "mean": f"{mean:.2f}", "count": count}
                for low, high, count, mean in _fifths(own)
            )
            yield f"{heads[subset] % counts}: {fifths}."
