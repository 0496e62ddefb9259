"""Table "alternatives": the primary figure analysed by other methods. Exploratory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import (
    MrmcComparison,
    MrmcReadings,
    cut_difference,
    figure_name,
    readings_for,
    session_change,
)
from readerstudy.analysis.tables.plan_rng import plan_rng
from readerstudy.analysis.wording import p_text
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.bootstrap import REPLICATES, BootstrapEstimate, reader_by_case
from readerstudy.statistics.mrmc import ObuchowskiRockette, obuchowski_rockette, u_statistic
from readerstudy.statistics.mrmc.covariance import Covariance
from readerstudy.statistics.mrmc.readings import FigureOfMerit
from readerstudy.statistics.mrmc.results import Interval, RandomFactors
from readerstudy.statistics.mrmc.u_statistics import UEstimate

MOST_RESAMPLED = 200_000  # readings; a bootstrap of more takes longer than the rest of the report
MOST_ANALYSED = 1_000_000  # readings; up to here each method takes seconds


@dataclass(frozen=True)
class MethodResult:
    """The result of one method. `difference` is the later session minus the earlier one.

    `remark` explains what is missing or not estimable.
    """

    method: str
    before: Estimate | float | None = None
    after: Estimate | float | None = None
    difference: Estimate | float | None = None
    df: float | None = None
    p: float | None = None
    remark: str = ""


def sensitivity_analyses_table(
    record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...]
) -> Table:
    """Return one row per arm and method, the planned analysis (from `mrmc_comparisons`) first."""
    rows: list[tuple[Cell, ...]] = []
    reasons: dict[str, None] = {}
    sentences: list[str] = []
    for comparison in comparisons:
        if comparison.figure != plan.primary:
            continue
        if comparison.result is None or comparison.p is None:
            reasons[comparison.reason] = None
            continue
        results = list(_all_methods(comparison.result, comparison.figure, record, comparison.arm, plan))
        rows += [(comparison.arm, *_cells(result)) for result in results]
        sentences.append(_agreement_sentence(results, plan, comparison.arm if len(record.arms) > 1 else ""))
        reasons |= dict.fromkeys(result.remark for result in results if result.remark)
    return Table(
        key="alternatives",
        title=_("The primary figure by other methods: %(figure)s")
        % {"figure": figure_name(cast(FigureOfMerit, plan.primary))},
        caption=_(
            # xgettext: no-python-format
            "Exploratory. The first row is the planned analysis. The other rows analyse the same verdicts by other "
            "methods. Intervals are 95 %."
        ),
        columns=_columns(plan),
        rows=tuple(rows),
        notes=(*sentences, *filter(None, reasons), *(_method_notes() if rows else ())),
        empty=" ".join(filter(None, reasons)) or _("No session has been drawn yet. Create the study first."),
    )


def _columns(plan: AnalysisPlan) -> tuple[Column, ...]:
    mean = _("Mean of the readers")
    return (
        Column("arm", _("Arm")),
        Column("method", _("Method")),
        Column("before", _("session %(session)s") % {"session": plan.before}, Kind.ESTIMATE, mean),
        Column("after", _("session %(session)s") % {"session": plan.after}, Kind.ESTIMATE, mean),
        Column("difference", _("Difference"), Kind.CHANGE),
        Column("df", "df", Kind.DECIMAL),
        Column("p", "p", Kind.P),
    )


def _cells(result: MethodResult) -> tuple[Cell, ...]:
    return result.method, result.before, result.after, result.difference, result.df, result.p


def _all_methods(
    planned: ObuchowskiRockette, figure: FigureOfMerit, record: StudyRecord, arm: str, plan: AnalysisPlan
) -> Iterator[MethodResult]:
    yield _anova_result(_("planned: Obuchowski–Rockette, DeLong covariances"), planned, plan)
    if len(record.readings.compared) > MOST_ANALYSED:
        remark = _("The other methods are not computed for more than %(most)s readings in the two sessions.")
        yield MethodResult(_("all other methods"), remark=remark % {"most": f"{MOST_ANALYSED:,}"})
        return
    readings = readings_for(record, plan, arm, figure)
    covariances: dict[Covariance, str] = {
        "jackknife": _("jackknife covariances"),
        "unbiased": _("unbiased covariances"),
    }
    for covariance, name in covariances.items():
        yield _anova_result(name, _anova(figure, readings, covariance, "both"), plan)
    yield from _u_statistic_results(figure, readings, plan)
    fixed: dict[RandomFactors, str] = {"cases": _("these readers only"), "readers": _("these images only")}
    for random, name in fixed.items():
        yield _anova_result(name, _anova(figure, readings, "delong", random), plan)
    yield _bootstrap_result(figure, readings, plan)


def _anova(
    figure: FigureOfMerit, readings: MrmcReadings, covariance: Covariance, random: RandomFactors
) -> ObuchowskiRockette:
    return obuchowski_rockette(
        *readings.columns,
        figure=figure,
        threshold=readings.threshold,
        covariance=covariance,
        design=readings.design,
        random=random,
    )


def _anova_result(name: str, result: ObuchowskiRockette, plan: AnalysisPlan) -> MethodResult:
    before, after = (result.intervals[session] for session in (plan.before, plan.after))
    difference = session_change(result) if result.differences else result.means[plan.after] - result.means[plan.before]
    return MethodResult(
        method=name,
        before=_mean(before),
        after=_mean(after),
        difference=difference,
        df=result.df2 if result.df2 is not None and np.isfinite(result.df2) else None,
        p=result.p,
        remark="" if result.p is not None else _("%(method)s: not estimable from these readings.") % {"method": name},
    )


def _mean(interval: Interval) -> Estimate | float:
    """Return the mean with its interval; without one if nothing varies, because its width would be zero."""
    return Estimate(interval.estimate, interval.low, interval.high) if interval.se > 0 else interval.estimate


def _u_statistic_results(figure: FigureOfMerit, readings: MrmcReadings, plan: AnalysisPlan) -> Iterator[MethodResult]:
    """Yield the U-statistic, and the V-statistic if the variance of the U-statistic is negative."""
    result = u_statistic(*readings.columns, figure=figure, threshold=readings.threshold, design=readings.design)
    comparison = result.comparisons[0]
    remark = ""
    if not comparison.u.estimable:
        remark = _(
            "U-statistics: not estimable, because the estimated variance of the difference is negative. The row below "
            "shows the V-statistic of the same readings, whose variance is never negative but too large on average."
        )
    before, after = (_condition(result.conditions[session]) for session in (plan.before, plan.after))
    name = _("U-statistics (Gallas), BDG df")
    yield MethodResult(name, before, after, _reversed(comparison.u), comparison.u.df_bdg, comparison.u.p_bdg, remark)
    if not comparison.u.estimable:
        before, after = (_condition(result.v_conditions[session]) for session in (plan.before, plan.after))
        name = _("V-statistics, BDG df")
        yield MethodResult(name, before, after, _reversed(comparison.v), comparison.v.df_bdg, comparison.v.p_bdg)


def _condition(estimate: UEstimate) -> Estimate | float:
    if estimate.bdg is None:
        return estimate.estimate
    low, high = estimate.bdg
    return Estimate(estimate.estimate, max(low, 0.0), min(high, 1.0))


def _reversed(estimate: UEstimate) -> Estimate | float:
    """Return the later session minus the earlier one; the statistic has the opposite sign."""
    if estimate.bdg is None:
        return 0.0 - estimate.estimate
    low, high = estimate.bdg
    return cut_difference(0.0 - estimate.estimate, 0.0 - high, 0.0 - low)


def _bootstrap_result(figure: FigureOfMerit, readings: MrmcReadings, plan: AnalysisPlan) -> MethodResult:
    name = _("bootstrap of readers and images, %(count)s replicates") % {"count": f"{REPLICATES:,}"}
    if len(readings.columns[0]) > MOST_RESAMPLED:
        remark = _("The bootstrap is not computed for more than %(most)s readings in the two sessions.")
        return MethodResult(name, remark=remark % {"most": f"{MOST_RESAMPLED:,}"})
    rng = plan_rng(plan, "bootstrap")
    try:
        result = reader_by_case(*readings.columns, figure=figure, threshold=readings.threshold, rng=rng)
    except ValueError:
        # With only two images of a kind, hardly any replicate contains both kinds for every reader.
        remark = _("The bootstrap cannot be computed: too few replicates contain both kinds of image for every reader.")
        return MethodResult(name, remark=remark)
    before, after = (_bootstrap_mean(result.means[session]) for session in (plan.before, plan.after))
    change = result.differences[0]
    return MethodResult(name, before, after, Estimate(change.estimate, change.low, change.high), p=change.p)


def _bootstrap_mean(estimate: BootstrapEstimate) -> Estimate:
    return Estimate(estimate.estimate, estimate.low, estimate.high)


def _agreement_sentence(results: list[MethodResult], plan: AnalysisPlan, arm: str) -> str:
    """Return whether the methods agree."""
    tested = [result for result in results if result.p is not None]
    significant = [result.method for result in tested if result.p is not None and result.p < plan.alpha]
    if not significant:
        sentence = _("No method gives a p of the change below %(alpha)s.")
    elif len(significant) == len(tested):
        sentence = _("Every method gives a p of the change below %(alpha)s.")
    else:
        sentence = _(
            "The conclusion depends on the method: p is below %(alpha)s for %(methods)s, but not for the others. The "
            "planned analysis is decisive (p %(p)s)."
        )
    words = {"alpha": localise(f"{plan.alpha:g}"), "methods": "; ".join(significant), "p": p_text(results[0].p or 0.0)}
    return f"{arm}. {sentence % words}" if arm else sentence % words


def _method_notes() -> tuple[str, ...]:
    return (
        _(
            "“These readers only” does not generalise to other readers: if readers change individually, it rejects "
            "0.35 to 0.52 of true nulls about readers in general. “These images only” does not generalise to other "
            "images: it rejects 0.09 to 0.12 of true nulls about images in general (simulated, nominal 0.05)."
        ),
        _(
            "With few readers, the bootstrap interval of one session’s mean is too narrow: with five readers it "
            "covered the truth in 0.86 to 0.87 of simulated studies instead of 0.95."
        ),
    )
