"""The analysis plan in words."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from readerstudy.layout.table import Cell, Column, Table
from readerstudy.studies.analysis_plan import AnalysisPlan, Family


def plan_table(plan: AnalysisPlan, declared: bool | None) -> Table:
    """Each rule of the plan in words; `declared` is whether it was locked with the study, None where unknown."""
    return Table(
        key="analysis_plan",
        title=_("The analysis plan"),
        caption=_("What the report tests and by which rules."),
        columns=(Column("rule", _("Rule")), Column("value", _("As planned"))),
        rows=tuple(_rules(plan)),
        notes=(_standing(declared),),
    )


def _standing(declared: bool | None) -> str:
    if declared:
        return _(
            "This plan was locked when the study was made, before anybody read. What is not in it stands under "
            "“Exploratory”."
        )
    if declared is None:
        return _("The record does not say whether this plan was fixed before anybody read: take nothing as confirmed.")
    return _(
        "No analysis plan was locked with this study; these are the rules of a plan that says nothing. So nothing in "
        "this report is confirmatory: every p-value describes."
    )


def _rules(plan: AnalysisPlan) -> Iterator[tuple[Cell, ...]]:
    yield _("Primary figure"), endpoint_in_full(plan.primary)
    yield (
        _("Comparison"),
        _("session %(after)s against session %(before)s") % {"before": plan.before, "after": plan.after},
    )
    yield _("Level of significance"), f"{plan.alpha:g}"
    yield (
        _("“Unsure” counts as"),
        {"wrong": _("wrong"), "excluded": _("left out"), "half": _("half right")}[plan.unsure],
    )
    yield _("Margin within which a change counts as none"), f"{plan.margin:g}"
    statistics = {"difference": _("error of a difference, σ√(2/g)"), "single": _("error of one mean, σ/√g")}
    distributions = {"normal": _("normal distribution"), "t": _("t distribution")}
    yield (
        _("Sub-group test"),
        _("%(groups)s sub-groups; %(statistic)s; %(distribution)s")
        % {
            "groups": plan.groups,
            "statistic": statistics[plan.statistic],
            "distribution": distributions[plan.distribution],
        },
    )
    idle = _("an image on screen for longer than %(seconds)s s counts as left alone after so long")
    yield _("Idle rule"), idle % {"seconds": plan.idle_after_s} if plan.idle_after_s else _("none")
    for family in plan.families:
        yield _("Family of tests: %(name)s") % {"name": family.name}, _family(family)
    yield _("Exploratory p-values"), _correction(plan.exploratory)
    yield _("Hash"), plan.hash


def _family(family: Family) -> str:
    names = ", ".join(endpoint_in_full(endpoint) for endpoint in family.endpoints)
    return f"{names}; {_correction(family.correction)}"


def _correction(correction: str) -> str:
    return {
        "holm": _("corrected for each other by Holm"),
        "benjamini_hochberg": _("corrected for each other by Benjamini and Hochberg"),
        "none": _("not corrected for each other"),
    }[correction]


def endpoint_in_full(endpoint: str) -> str:
    """An endpoint of the plan with what it is a figure of, where a word alone would not do."""
    if endpoint.startswith("subgroup."):
        return _("sub-group test of %(subset)s, per reader") % {"subset": _subset(endpoint.partition(".")[2])}
    return {
        "auc": _("AUC over readers and images (MRMC)"),
        "sensitivity": _("sensitivity over readers and images (MRMC)"),
        "specificity": _("specificity over readers and images (MRMC)"),
        "balanced_accuracy": _("balanced accuracy over readers and images (MRMC)"),
        "d_prime": _("d′, per reader"),
        "criterion": _("criterion, per reader"),
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
