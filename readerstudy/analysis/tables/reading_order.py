"""Does a reader tire or learn within a session? Right verdicts against reading order, real and adversarial apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import SAID_NOT_REAL, SAID_REAL, SAID_UNSURE, Matrix, Tallies
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.sensitivity_analyses import chance_of
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.order_effects import LogisticTrend, PermutationTest, kendall, lag_one, trend
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

# Up to so many readings in the two sessions, orders are shuffled so often: a second or two in all.
PERMUTATIONS = ((30_000, 999), (150_000, 199))
FEWEST = 3  # readings below which nothing can be said of their order
_KINDS = (Subset.REAL, Subset.ADVERSARIAL)


@dataclass(frozen=True)
class Ordered:
    """One reader, session and kind of image; None where every verdict counts the same, or nothing was shuffled."""

    reader: str
    session: int
    kind: Subset
    readings: int
    tau: PermutationTest | None
    lag: PermutationTest | None
    trend: LogisticTrend | None


def order_of_readings(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Table "order": Kendall's τ, lag-one autocorrelation and logistic trend of being right, in the plan's sessions."""
    found = tuple(ordered(record.tallies, plan))
    permutations = permutations_for(len(record.tallies.matrix))
    return Table(
        key="order",
        title=_("Within a session. Do readers tire, learn, or judge in runs?"),
        caption=_(
            # xgettext: no-python-format
            "Exploratory, each reader alone. τ (Kendall): above 0 the right verdicts come late, below 0 early. "
            "Neighbours: the correlation of one reading with the next about the same kind of image; above 0 right and "
            "wrong come in runs. Trend: log odds of a right verdict from the middle of the session to its end. "
            "Intervals of 95 %. Real and adversarial images stand apart, because an inclination to call images real "
            "that comes and goes helps with the ones as much as it harms with the others."
        ),
        columns=_columns(),
        rows=tuple(_row(one) for one in found),
        notes=(*_sentences(found, plan, permutations), _on_chance(permutations, len(record.tallies.matrix))),
        empty=_("No reader has verdicts in the compared sessions yet, so there is no order to look at."),
    )


def permutations_for(readings: int) -> int:
    """How often orders are shuffled; 0 where there are too many readings for it."""
    return next((count for most, count in PERMUTATIONS if readings <= most), 0)


def ordered(tallies: Tallies, plan: AnalysisPlan) -> Iterator[Ordered]:
    """Every reader, session and kind with a verdict; shuffled orders follow from the plan's hash."""
    rng, permutations = chance_of(plan, "order"), permutations_for(len(tallies.matrix))
    for reader, session, kind, credits, position in _series(tallies.matrix, Unsure(plan.unsure)):
        tau = lag = found = None
        if credits.size >= FEWEST:
            if permutations:
                tau = kendall(credits, rng=rng, permutations=permutations)
                lag = lag_one(credits, rng=rng, permutations=permutations)
            found = trend(credits, _from_minus_one_to_one(position))
        yield Ordered(tallies.readers[reader], session, kind, credits.size, tau, lag, found)


def _series(
    matrix: Matrix, rule: Unsure
) -> Iterator[tuple[int, int, Subset, NDArray[np.float64], NDArray[np.float64]]]:
    """Reader, session, kind, and the credits with their positions in reading order; excluded readings are gone."""
    adversarial = matrix.is_adversarial
    right = matrix.verdict == np.where(adversarial, SAID_NOT_REAL, SAID_REAL)
    credits = np.where(matrix.verdict == SAID_UNSURE, rule.credit, right.astype(float))
    # One number for reader, session, kind and place sorts ten million readings much faster than four numbers do.
    cell = (
        matrix.reader.astype(np.int64) * (int(matrix.session.max(initial=0)) + 1) + matrix.session
    ) * 2 + adversarial
    order = np.argsort(cell * (int(matrix.position.max(initial=0)) + 1) + matrix.position)
    order = order[~np.isnan(credits[order])]
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), order.size][: starts.size], strict=True):
        chosen = order[start:end]
        first = chosen[0]
        head = int(matrix.reader[first]), int(matrix.session[first]), _KINDS[int(adversarial[first])]
        yield *head, credits[chosen], matrix.position[chosen].astype(float)


def _from_minus_one_to_one(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places within the session; of three or more readings the first and the last differ."""
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
        Column("tau", "τ", Kind.ESTIMATE, tau),
        Column("tau_p", "p", Kind.P, tau),
        Column("lag_one", _("correlation"), Kind.ESTIMATE, lag),
        Column("lag_one_p", "p", Kind.P, lag),
        Column("trend", _("log odds"), Kind.ESTIMATE, slope),
        Column("trend_p", "p", Kind.P, slope),
    )


def _row(one: Ordered) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for found in (one.tau, one.lag):
        cells += [_bounded(found), found.p] if found else [None, None]
    cells += [Estimate(one.trend.slope, one.trend.low, one.trend.high), one.trend.p] if one.trend else [None, None]
    return one.reader, str(one.session), _name(one.kind), one.readings, *cells


def _bounded(found: PermutationTest) -> Estimate:
    """The interval is the value less what chance gives; of a few readings it can leave what a correlation can be."""
    return Estimate(found.value, max(found.low, -1.0), min(found.high, 1.0))


def _name(kind: Subset) -> str:
    return _("real") if kind is Subset.REAL else _("adversarial")


def _sentences(found: tuple[Ordered, ...], plan: AnalysisPlan, permutations: int) -> Iterator[str]:
    """How many series stand out, against how many would by chance."""
    series = {
        _("Early or late (τ)"): [one.tau.p for one in found if one.tau],
        _("Neighbours"): [one.lag.p for one in found if one.lag],
        _("Trend to the end"): [one.trend.p for one in found if one.trend],
    }
    for name, p in series.items():
        if not p:
            continue
        sentence = _("%(what)s: p below %(alpha)s in %(count)s of %(all)s series; chance alone brings about %(usual)s.")
        yield sentence % {
            "count": sum(value < plan.alpha for value in p),
            "all": len(p),
            "what": name,
            "alpha": f"{plan.alpha:g}",
            "usual": f"{plan.alpha * len(p):.1f}",
        }
    if any(one.trend is None for one in found) or (permutations and any(one.tau is None for one in found)):
        yield _(
            "A dash stands where every verdict counts the same, where there are fewer than three, or where all the "
            "wrong ones lie on one side: then order says nothing, or the trend has no end."
        )


def _on_chance(permutations: int, readings: int) -> str:
    if not permutations:
        sentence = _(
            "With %(readings)s readings in the two sessions orders are not shuffled, so that only the trend is given."
        )
        return sentence % {"readings": f"{readings:,}"}
    sentence = _(
        "τ and neighbours are held against %(permutations)s shuffled orders, so no p is below %(least)s. The seed "
        "follows from the plan’s hash."
    )
    return sentence % {"permutations": permutations, "least": f"{1 / (1 + permutations):.3f}"}
