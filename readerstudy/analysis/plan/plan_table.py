"""Table "analysis_plan": the rules of the analysis plan in words."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.protocol.comparisons import DIFFERENCE, NOT_HIGHER, NOT_LOWER, Comparison
from readerstudy.protocol.sizing import sizing_sentences


def plan_table(plan: AnalysisPlan, declared: bool | None) -> Table:
    """Return each rule of the plan. `declared` is whether it was locked with the study; None if unknown."""
    return Table(
        key="analysis_plan",
        title=_("Analysis plan"),
        caption=_("The tests of this report and their rules."),
        columns=(Column("rule", _("Rule")), Column("value", _("As planned"))),
        rows=tuple(_rules(plan)),
        notes=(_status(declared),),
    )


def _status(declared: bool | None) -> str:
    if declared:
        return _(
            "This plan was locked when the study was created, before the first reading. Analyses that are not in it "
            "are under “Exploratory”."
        )
    if declared is None:
        return _(
            "It is not recorded whether this plan was fixed before the first reading: treat all results as exploratory."
        )
    return _(
        "No analysis plan was locked with this study; these are the default rules. No result in this report is "
        "therefore confirmatory: every p-value is descriptive."
    )


def _rules(plan: AnalysisPlan) -> Iterator[tuple[Cell, ...]]:
    yield _("Primary figure"), endpoint_in_full(plan.primary)
    comparison = _("session %(after)s against session %(before)s")
    yield _("Comparison"), comparison % {"before": plan.before, "after": plan.after}
    if plan.claim != DIFFERENCE:
        yield _("To be shown"), claim_words(plan.primary_comparison)
    yield _("Level of significance"), plan.alpha
    yield _("“Unsure” counts as"), unsure_name(plan.unsure)
    if plan.claim == DIFFERENCE:
        yield _("Margin of equivalence"), plan.margin
        if plan.margin_reason:
            yield _("Reason of the margin"), plan.margin_reason
    yield _("Sub-group test"), subgroup_rule(plan)
    idle = _("at most %(seconds)s s count per image; longer times count as idle")
    yield _("Idle rule"), idle % {"seconds": plan.idle_after_s} if plan.idle_after_s else _("none")
    withdrawn = {"keep": _("kept until the withdrawal"), "leave_out": _("left out")}
    yield _("Readings of withdrawn readers"), withdrawn[plan.withdrawn_readers]
    for family in plan.families:
        yield _("Family of tests: %(name)s") % {"name": family.name}, _family(family)
    if plan.comparisons:
        yield _("Further comparisons"), "; ".join(map(_further, plan.comparisons))
        yield _("Correction of further comparisons"), _correction(plan.comparisons_correction)
    yield _("Exploratory p-values"), _correction(plan.exploratory)
    yield _("Interim looks"), interim_rule(plan)
    if sizing := sizing_sentences(plan.sizing, alpha=plan.alpha, margin=plan.margin):
        yield _("Size of the study"), " ".join(sizing)
    yield _("Hash"), plan.hash


def _further(comparison: Comparison) -> str:
    pair = _("session %(after)s against session %(before)s") % {"before": comparison.before, "after": comparison.after}
    return f"{pair}: {endpoint_in_full(comparison.figure)}, {claim_words(comparison)}"


def claim_words(comparison: Comparison) -> str:
    """Return what a comparison is to show, with margin and reason, for use within a sentence."""
    if comparison.margin is None:
        return _("a change in either direction")
    words = {
        NOT_LOWER: _("not lower by %(margin)s or more (reason: %(reason)s)"),
        NOT_HIGHER: _("not higher by %(margin)s or more (reason: %(reason)s)"),
    }[comparison.claim]
    reason = (comparison.reason or "–").rstrip(".")
    return words % {"margin": localise(f"{comparison.margin:g}"), "reason": reason}


def interim_rule(plan: AnalysisPlan) -> str:
    """Return the rule of the plan for looks at results before the study is closed."""
    return plan.interim_looks or _(
        "None. Verdicts are not shown before the study is closed, nor the truth before it is unsealed."
    )


def unsure_name(rule: str) -> str:
    """Return how "unsure" counts, for use within a sentence."""
    return {"wrong": _("wrong"), "excluded": _("excluded"), "half": _("half correct")}[rule]


def subgroup_rule(plan: AnalysisPlan) -> str:
    """Return the form of the sub-group test that the plan declares, for use within a sentence."""
    statistics = {"difference": _("error of a difference, σ√(2/g)"), "single": _("error of one mean, σ/√g")}
    distributions = {"normal": _("normal distribution"), "t": _("t distribution")}
    spreads = {
        "subset": _("SD of blocks of the images of one kind"),
        "session": _("SD of the images of one kind in blocks of the session"),
        "whole": _("SD of blocks of the session, all images"),
    }
    return _("%(groups)s sub-groups; %(spread)s; %(statistic)s; %(distribution)s") % {
        "groups": plan.groups,
        "spread": spreads[plan.sd_of],
        "statistic": statistics[plan.statistic],
        "distribution": distributions[plan.distribution],
    }


def _family(family: Family) -> str:
    names = ", ".join(endpoint_in_full(endpoint) for endpoint in family.endpoints)
    return f"{names}; {_correction(family.correction)}"


def _correction(correction: str) -> str:
    return {
        "holm": _("adjusted by Holm"),
        "benjamini_hochberg": _("adjusted by Benjamini and Hochberg"),
        "none": _("not adjusted"),
    }[correction]


def endpoint_in_full(endpoint: str) -> str:
    """Return the description of an endpoint, with the unit of analysis."""
    if endpoint.startswith("subgroup."):
        return _("sub-group test of %(subset)s, by reader") % {"subset": _subset(endpoint.partition(".")[2])}
    return {
        "auc": _("AUC over readers and images (MRMC)"),
        "sensitivity": _("sensitivity over readers and images (MRMC)"),
        "specificity": _("specificity over readers and images (MRMC)"),
        "balanced_accuracy": _("balanced accuracy over readers and images (MRMC)"),
        "d_prime": _("d′, by reader"),
        "criterion": _("criterion, by reader"),
    }[endpoint]


def _subset(subset: str) -> str:
    return {
        "real": _("real images"),
        "real_positive": _("real images of positives"),
        "real_negative": _("real images of negatives"),
        "adversarial": _("adversarial images"),
        "adversarial_positive": _("adversarial images of positives"),
        "adversarial_negative": _("adversarial images of negatives"),
    }[subset]
