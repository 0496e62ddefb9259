"""Table "analysis_plan": the rules of the analysis plan in words."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from readerstudy.layout.table import Cell, Column, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
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
    yield _("Level of significance"), plan.alpha
    yield _("“Unsure” counts as"), unsure_name(plan.unsure)
    yield _("Margin of equivalence"), plan.margin
    yield _("Sub-group test"), subgroup_rule(plan)
    idle = _("at most %(seconds)s s count per image; longer times count as idle")
    yield _("Idle rule"), idle % {"seconds": plan.idle_after_s} if plan.idle_after_s else _("none")
    withdrawn = {"keep": _("kept until the withdrawal"), "leave_out": _("left out")}
    yield _("Readings of withdrawn readers"), withdrawn[plan.withdrawn_readers]
    for family in plan.families:
        yield _("Family of tests: %(name)s") % {"name": family.name}, _family(family)
    yield _("Exploratory p-values"), _correction(plan.exploratory)
    if sizing := sizing_sentences(plan.sizing, alpha=plan.alpha, margin=plan.margin):
        yield _("Size of the study"), " ".join(sizing)
    yield _("Hash"), plan.hash


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
