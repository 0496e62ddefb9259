"""The primary figure by other methods: what a methodologist would hold against the planned analysis. Exploratory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.layout.wording import p_words
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.mrmc import Chosen, change, figure_name, readings_for
from readerstudy.analysis.tables.mrmc import Comparison as Across
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.bootstrap import REPLICATES, BootstrapEstimate, reader_by_case
from readerstudy.statistics.mrmc import ObuchowskiRockette, obuchowski_rockette, u_statistic
from readerstudy.statistics.mrmc.covariance import Covariance
from readerstudy.statistics.mrmc.readings import FigureOfMerit
from readerstudy.statistics.mrmc.results import Interval, RandomFactors
from readerstudy.statistics.mrmc.u_statistics import UEstimate
from readerstudy.studies.analysis_plan import AnalysisPlan

MOST_RESAMPLED = 200_000  # readings; a bootstrap of more takes longer than all the rest of the report
MOST_ANALYSED = 1_000_000  # readings; each method is then a matter of seconds


@dataclass(frozen=True)
class Alternative:
    """One method's answer; `difference` is the later session less the earlier. `remark` says what is missing."""

    method: str
    before: Estimate | float | None
    after: Estimate | float | None
    difference: Estimate | float | None
    df: float | None
    p: float | None
    remark: str = ""


def primary_by_other_methods(record: StudyRecord, plan: AnalysisPlan, compared: tuple[Across, ...]) -> Table:
    """Table "alternatives": one row per arm and method, the planned analysis (of `compare_across`) first."""
    rows: list[tuple[Cell, ...]] = []
    reasons: dict[str, None] = {}
    sentences: list[str] = []
    for planned in (one for one in compared if one.figure == plan.primary):
        if planned.found is None or planned.found.p is None:
            reasons[planned.reason] = None
            continue
        found = list(_by_every_method(planned.found, record, planned.arm, plan))
        rows += [(planned.arm, *_cells(one)) for one in found]
        sentences.append(_in_words(found, plan, planned.arm if len(record.arms) > 1 else ""))
        reasons |= dict.fromkeys(one.remark for one in found if one.remark)
    return Table(
        key="alternatives",
        title=_("The primary figure by other methods: %(figure)s")
        % {"figure": figure_name(cast(FigureOfMerit, plan.primary))},
        caption=_(
            # xgettext: no-python-format
            "Exploratory. The first line is the planned analysis; the others ask the same of the same verdicts in "
            "other ways. Intervals are of 95 %."
        ),
        columns=_columns(plan),
        rows=tuple(rows),
        notes=(*sentences, *filter(None, reasons), *(_what_they_say() if rows else ())),
        empty=" ".join(filter(None, reasons)) or _("No session has been drawn yet: make the study first."),
    )


def _columns(plan: AnalysisPlan) -> tuple[Column, ...]:
    mean = _("Mean of the readers")
    return (
        Column("arm", _("Arm")),
        Column("method", _("Method")),
        Column("before", _("session %(session)s") % {"session": plan.before}, Kind.ESTIMATE, mean),
        Column("after", _("session %(session)s") % {"session": plan.after}, Kind.ESTIMATE, mean),
        Column("difference", _("Difference"), Kind.ESTIMATE),
        Column("df", "df", Kind.DECIMAL),
        Column("p", "p", Kind.P),
    )


def _cells(one: Alternative) -> tuple[Cell, ...]:
    return one.method, one.before, one.after, one.difference, one.df, one.p


def _by_every_method(
    planned: ObuchowskiRockette, record: StudyRecord, arm: str, plan: AnalysisPlan
) -> Iterator[Alternative]:
    yield _of_anova(_("planned: Obuchowski and Rockette, DeLong covariances"), planned, plan)
    if len(record.tallies.matrix) > MOST_ANALYSED:
        remark = _("With more than %(most)s readings in the two sessions the other methods are not worked out.")
        yield _without(_("all other methods"), remark % {"most": f"{MOST_ANALYSED:,}"})
        return
    chosen = readings_for(record, plan, arm, planned.figure)
    names: dict[Covariance, str] = {"jackknife": _("jackknife covariances"), "unbiased": _("unbiased covariances")}
    for covariance, name in names.items():
        yield _of_anova(name, _anova(planned.figure, chosen, covariance, "both"), plan)
    yield from _of_u_statistics(planned.figure, chosen, plan)
    fixed: dict[RandomFactors, str] = {"cases": _("these readers alone"), "readers": _("these images alone")}
    for random, name in fixed.items():
        yield _of_anova(name, _anova(planned.figure, chosen, "delong", random), plan)
    yield _of_bootstrap(planned.figure, chosen, plan)


def _anova(figure: FigureOfMerit, chosen: Chosen, covariance: Covariance, random: RandomFactors) -> ObuchowskiRockette:
    return obuchowski_rockette(
        *chosen.columns,
        figure=figure,
        threshold=chosen.threshold,
        covariance=covariance,
        design="cases_in_condition",
        random=random,
    )


def _of_anova(name: str, found: ObuchowskiRockette, plan: AnalysisPlan) -> Alternative:
    before, after = (found.intervals[session] for session in (plan.before, plan.after))
    df = found.df2 if found.df2 is not None and np.isfinite(found.df2) else None
    remark = "" if found.p is not None else _("%(method)s: not estimable from these readings.") % {"method": name}
    difference = change(found) if found.differences else found.means[plan.after] - found.means[plan.before]
    return Alternative(name, _bounded(before), _bounded(after), difference, df, found.p, remark)


def _bounded(one: Interval) -> Estimate | float:
    """Without an interval where nothing varies: one of no width would claim certainty."""
    return Estimate(one.estimate, one.low, one.high) if one.se > 0 else one.estimate


def _without(method: str, remark: str) -> Alternative:
    return Alternative(method, None, None, None, None, None, remark)


def _of_u_statistics(figure: FigureOfMerit, chosen: Chosen, plan: AnalysisPlan) -> Iterator[Alternative]:
    """The U-statistic; where its variance came out negative, the V-statistic too."""
    found = u_statistic(*chosen.columns, figure=figure, threshold=chosen.threshold, design="cases_in_condition")
    pair = found.comparisons[0]
    u, v = _("U-statistics (Gallas), BDG df"), _("V-statistics, BDG df")
    remark = ""
    if not pair.u.estimable:
        remark = _(
            "U-statistics: not estimable, for the variance of the difference came out negative. The V-statistic of the "
            "same readings, which is never negative but too large on average, stands below it."
        )
    before, after = (_bdg(found.conditions[session]) for session in (plan.before, plan.after))
    yield Alternative(u, before, after, _turned(pair.u), pair.u.df_bdg, pair.u.p_bdg, remark)
    if not pair.u.estimable:
        before, after = (_bdg(found.v_conditions[session]) for session in (plan.before, plan.after))
        yield Alternative(v, before, after, _turned(pair.v), pair.v.df_bdg, pair.v.p_bdg)


def _bdg(one: UEstimate) -> Estimate | float:
    if one.bdg is None:
        return one.estimate
    return Estimate(one.estimate, max(one.bdg[0], 0.0), min(one.bdg[1], 1.0))


def _turned(one: UEstimate) -> Estimate | float:
    """The later session less the earlier; the statistic has it the other way round."""
    if one.bdg is None:
        return 0.0 - one.estimate
    return Estimate(0.0 - one.estimate, 0.0 - one.bdg[1], 0.0 - one.bdg[0])


def _of_bootstrap(figure: FigureOfMerit, chosen: Chosen, plan: AnalysisPlan) -> Alternative:
    name = _("bootstrap of readers and images, %(count)s replicates") % {"count": f"{REPLICATES:,}"}
    if len(chosen.columns[0]) > MOST_RESAMPLED:
        remark = _("The bootstrap is not made with more than %(most)s readings in the two sessions.")
        return _without(name, remark % {"most": f"{MOST_RESAMPLED:,}"})
    rng = chance_of(plan, "bootstrap")
    try:
        found = reader_by_case(*chosen.columns, figure=figure, threshold=chosen.threshold, rng=rng)
    except ValueError:
        # With two images of a kind hardly any draw holds both kinds for every reader.
        remark = _("The bootstrap cannot be made: too few draws hold both kinds of image for every reader.")
        return _without(name, remark)
    before, after = (_interval(found.means[session]) for session in (plan.before, plan.after))
    moved = found.differences[0]
    return Alternative(name, before, after, Estimate(moved.estimate, moved.low, moved.high), None, moved.p)


def _interval(one: BootstrapEstimate) -> Estimate:
    return Estimate(one.estimate, one.low, one.high)


def chance_of(plan: AnalysisPlan, purpose: str) -> np.random.Generator:
    """Random numbers that follow from the plan, so that a report made twice is the same twice."""
    return np.random.default_rng([int(plan.hash, 16), *purpose.encode()])


def _in_words(found: list[Alternative], plan: AnalysisPlan, arm: str) -> str:
    """Whether the conclusion hangs on the method."""
    tested = [one for one in found if one.p is not None]
    small = [one.method for one in tested if one.p is not None and one.p < plan.alpha]
    words = {"alpha": f"{plan.alpha:g}", "methods": "; ".join(small), "p": p_words(found[0].p or 0.0)}
    if not small:
        sentence = _("By no method is the p of the change below %(alpha)s.")
    elif len(small) == len(tested):
        sentence = _("By every method the p of the change is below %(alpha)s.")
    else:
        sentence = _(
            "The conclusion hangs on the method: p is below %(alpha)s by %(methods)s, and not by the others. What "
            "counts is the planned analysis (p %(p)s)."
        )
    return f"{arm}. {sentence % words}" if arm else sentence % words


def _what_they_say() -> tuple[str, ...]:
    return (
        _(
            "“These readers alone” says nothing of other readers: where readers change in their own ways, it rejects "
            "0.35 to 0.52 of true nulls about readers in general. “These images alone” says nothing of other images: "
            "it rejects 0.09 to 0.12 of true nulls about images in general (simulated, nominal 0.05)."
        ),
        _(
            "With few readers the bootstrap’s interval of one session’s mean is too narrow: with five it held the "
            "truth in 0.86 to 0.87 of simulated studies, not in 0.95."
        ),
    )
