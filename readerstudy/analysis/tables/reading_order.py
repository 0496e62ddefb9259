"""Table "order": correct verdicts against reading order within a session, for real and adversarial images."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import VERDICT_UNSURE, AggregatedReadings, ComparedReadings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.plan_rng import plan_rng
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.order_effects import LogisticTrend, PermutationTest, kendall, lag_one, trend
from readerstudy.statistics.unsure import Unsure

# (readings in the two sessions, permutations): limits the time to a second or two.
PERMUTATIONS = ((30_000, 999), (150_000, 199))
MINIMUM_READINGS = 3  # for any statement about their order
_SUBSETS = (Subset.REAL, Subset.ADVERSARIAL)


@dataclass(frozen=True)
class _Series:
    """The credits of one reader, session and kind of image in reading order, with their positions, (n,) each."""

    reader: int
    session: int
    subset: Subset
    credits: NDArray[np.float64]
    position: NDArray[np.float64]


@dataclass(frozen=True)
class OrderEffects:
    """One reader, session and kind of image; tests are None if all verdicts have the same credit or for large data."""

    reader: str
    session: int
    subset: Subset
    readings: int
    tau: PermutationTest | None
    lag: PermutationTest | None
    trend: LogisticTrend | None


def reading_order_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return Kendall's τ, lag-one autocorrelation and logistic trend of correctness in the plan's sessions."""
    effects = tuple(order_effects(record.readings, plan))
    readings = len(record.readings.compared)
    permutations = permutations_for(readings)
    return Table(
        key="order",
        title=_("Within a session: fatigue, learning and runs"),
        caption=_(
            # xgettext: no-python-format
            "Exploratory, each reader separately. τ (Kendall): above 0, correct verdicts are more frequent late in the "
            "session; below 0, early. Neighbours: the correlation of consecutive readings of the same kind of image; "
            "above 0, correct and wrong verdicts come in runs. By chance: the middle 95 % of the values in shuffled "
            "orders of the same verdicts; this is no confidence interval. Trend: log odds of a correct verdict from "
            "the middle of the session to its end, with its 95 % interval. Real and adversarial images are separate, "
            "because a varying tendency to call images real has opposite effects on the two."
        ),
        columns=_columns(),
        rows=tuple(_row(effect) for effect in effects),
        notes=(*_sentences(effects, plan, permutations), _permutation_note(permutations, readings)),
        empty=_("No reader has verdicts in the compared sessions yet."),
    )


def permutations_for(readings: int) -> int:
    """Return the number of permutations; 0 if there are too many readings."""
    return next((count for most, count in PERMUTATIONS if readings <= most), 0)


def order_effects(readings: AggregatedReadings, plan: AnalysisPlan) -> Iterator[OrderEffects]:
    """Yield every reader, session and kind of image with a verdict; permutations are seeded by the plan's hash."""
    rng, permutations = plan_rng(plan, "order"), permutations_for(len(readings.compared))
    for series in _series(readings.compared, Unsure(plan.unsure)):
        tau = lag = slope = None
        if series.credits.size >= MINIMUM_READINGS:
            if permutations:
                tau = kendall(series.credits, rng=rng, permutations=permutations)
                lag = lag_one(series.credits, rng=rng, permutations=permutations)
            slope = trend(series.credits, _scale_to_unit(series.position))
        reader = readings.readers[series.reader]
        yield OrderEffects(reader, series.session, series.subset, series.credits.size, tau, lag, slope)


def _series(compared: ComparedReadings, rule: Unsure) -> Iterator[_Series]:
    """Yield the series of every reader, session and kind of image, without readings that the rule excludes."""
    adversarial = compared.is_adversarial
    credits = np.where(compared.verdict == VERDICT_UNSURE, rule.credit, compared.is_correct.astype(float))
    # One combined key sorts ten million readings much faster than four keys.
    sessions = int(compared.session.max(initial=0)) + 1
    cell = (compared.reader.astype(np.int64) * sessions + compared.session) * 2 + adversarial
    order = np.argsort(cell * (int(compared.position.max(initial=0)) + 1) + compared.position)
    order = order[~np.isnan(credits[order])]
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), order.size][: starts.size], strict=True):
        indices = order[start:end]
        first = indices[0]
        yield _Series(
            reader=int(compared.reader[first]),
            session=int(compared.session[first]),
            subset=_SUBSETS[int(adversarial[first])],
            credits=credits[indices],
            position=compared.position[indices].astype(float),
        )


def _scale_to_unit(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions scaled from −1 to 1. Needs at least two different positions."""
    first, last = position[0], position[-1]
    scaled: NDArray[np.float64] = 2 * (position - first) / (last - first) - 1
    return scaled


def _columns() -> tuple[Column, ...]:
    tau, lag, slope = _("Early or late (τ)"), _("Neighbours"), _("Trend to the end")
    return (
        Column("reader", _("Reader")),
        Column("session", _("Session")),
        Column("images_are", _("Images are")),
        Column("readings", _("Readings"), Kind.COUNT),
        Column("tau", "τ", Kind.SIGNED, tau),
        Column("tau_usual_low", _("by chance from"), Kind.SIGNED, tau),
        Column("tau_usual_high", _("by chance up to"), Kind.SIGNED, tau),
        Column("tau_p", "p", Kind.P, tau),
        Column("lag_one", _("correlation"), Kind.SIGNED, lag),
        Column("lag_one_usual_low", _("by chance from"), Kind.SIGNED, lag),
        Column("lag_one_usual_high", _("by chance up to"), Kind.SIGNED, lag),
        Column("lag_one_p", "p", Kind.P, lag),
        Column("trend", _("log odds"), Kind.ESTIMATE, slope),
        Column("trend_p", "p", Kind.P, slope),
    )


def _row(effect: OrderEffects) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for test in (effect.tau, effect.lag):
        cells += [test.value, test.usual_low, test.usual_high, test.p] if test else [None] * 4
    slope = effect.trend
    cells += [Estimate(slope.slope, slope.low, slope.high), slope.p] if slope else [None, None]
    name = _("real") if effect.subset is Subset.REAL else _("adversarial")
    return effect.reader, str(effect.session), name, effect.readings, *cells


def _sentences(effects: tuple[OrderEffects, ...], plan: AnalysisPlan, permutations: int) -> Iterator[str]:
    """Yield how many series have a small p, and how many are expected by chance."""
    p_values = {
        _("Early or late (τ)"): [effect.tau.p for effect in effects if effect.tau],
        _("Neighbours"): [effect.lag.p for effect in effects if effect.lag],
        _("Trend to the end"): [effect.trend.p for effect in effects if effect.trend],
    }
    for name, p in p_values.items():
        if not p:
            continue
        sentence = _("%(what)s: p below %(alpha)s in %(count)s of %(all)s series; about %(usual)s expected by chance.")
        yield sentence % {
            "count": sum(value < plan.alpha for value in p),
            "all": len(p),
            "what": name,
            "alpha": localise(f"{plan.alpha:g}"),
            "usual": localise(f"{plan.alpha * len(p):.1f}"),
        }
    if any(effect.trend is None for effect in effects) or (permutations and any(e.tau is None for e in effects)):
        yield _(
            "A dash (—) means that all verdicts have the same credit, that there are fewer than three, or that all "
            "wrong verdicts come before (or after) all correct ones: then the order carries no information, or the "
            "trend is not finite."
        )


def _permutation_note(permutations: int, readings: int) -> str:
    if not permutations:
        sentence = _(
            "With %(readings)s readings in the two sessions, no permutation tests are made; only the trend is given."
        )
        return sentence % {"readings": f"{readings:,}"}
    sentence = _(
        "τ and neighbours are compared with %(permutations)s permuted orders, so no p is below %(least)s. The seed is "
        "derived from the plan’s hash."
    )
    return sentence % {"permutations": permutations, "least": localise(f"{1 / (1 + permutations):.3f}")}
