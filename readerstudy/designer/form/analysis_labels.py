"""Names and explanations of the rules of an analysis plan, of its families of tests and its further comparisons."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.designer.form.row import Row, Text

FIGURE_LABELS: Final[Mapping[str, Text]] = {
    "auc": _("Area under the ROC curve (AUC)"),
    "sensitivity": _("Sensitivity: adversarial images called not real"),
    "specificity": _("Specificity: real images called real"),
    "balanced_accuracy": _("Balanced accuracy: the mean of both"),
}
ENDPOINT_LABELS: Final[Mapping[str, Text]] = {
    **FIGURE_LABELS,
    "subgroup.real": _("Sub-group test, all real images"),
    "subgroup.real_positive": _("Sub-group test, real images with the finding"),
    "subgroup.real_negative": _("Sub-group test, real images without it"),
    "subgroup.adversarial": _("Sub-group test, all adversarial images"),
    "subgroup.adversarial_positive": _("Sub-group test, adversarial images with the finding"),
    "subgroup.adversarial_negative": _("Sub-group test, adversarial images without it"),
    "d_prime": _("d′ of each reader"),
    "criterion": _("Criterion of each reader"),
}
CLAIM_LABELS: Final[Mapping[str, Text]] = {
    "difference": _("A change in either direction"),
    "not_lower": _("The later session is not lower by the margin or more"),
    "not_higher": _("The later session is not higher by the margin or more"),
}
CORRECTION_LABELS: Final[Mapping[str, Text]] = {
    "holm": _("Holm: no false finding in the family"),
    "benjamini_hochberg": _("Benjamini and Hochberg: few false findings among those made"),
    "none": _("None"),
}

ANALYSIS: Final[Mapping[str, Row]] = {
    "primary": Row(
        _("Primary figure"),
        _("The one comparison that decides the study. Its test is not corrected for others."),
        choices=FIGURE_LABELS,
    ),
    "before": Row(_("Session compared with"), _("Its number; usually the reading before the education.")),
    "after": Row(_("Session compared"), _("Its number; usually the reading after the education.")),
    "claim": Row(
        _("The primary test is to show"),
        _("Non-inferiority uses the margin of no change, and needs its reason. Figures are better if higher."),
        choices=CLAIM_LABELS,
    ),
    "alpha": Row(_("Significance level"), _("Of the two-sided tests and the intervals.")),
    "unsure": Row(
        _("A verdict “unsure” counts as"),
        _("Half a verdict is no binary answer: with it, the primary figure must be the AUC."),
        choices={"wrong": _("Wrong"), "excluded": _("No verdict: left out"), "half": _("Half right")},
    ),
    "groups": Row(
        _("Sub-groups"),
        _("Blocks of images in the article’s test of each reader; 4, 5, 10 and 20 are always shown beside it."),
    ),
    "statistic": Row(
        _("Statistic of the sub-group test"),
        choices={
            "difference": _("With √(2/g): the standard error of a difference"),
            "single": _("With 1/√g: the standard error of one mean, which rejects too often"),
        },
    ),
    "distribution": Row(
        _("Distribution of the sub-group test"),
        _("The t distribution is more careful with few groups."),
        choices={"t": _("Student’s t"), "normal": _("Normal: rejects more often")},
    ),
    "sd_of": Row(
        _("SD of the sub-group test"),
        _("The article does not say which sub-groups it took; no form reproduces all of its p-values."),
        choices={
            "subset": _("Of blocks of the images of one kind"),
            "session": _("Of the images of one kind in blocks of the session"),
            "whole": _(
                "Of blocks of the session, all images: the article’s sentence read literally; rejects too often"
            ),
        },
    ),
    "margin": Row(
        _("Margin of no change"),
        _("Equivalence: a change of the primary figure that is shown to be smaller counts as none."),
    ),
    "margin_reason": Row(
        _("Reason of the margin"), _("Why a smaller change does not matter. Non-inferiority needs one."), lines=2
    ),
    "idle_after_s": Row(
        _("Image left alone, in seconds"),
        _("A longer time on one image is marked in the analysis of times; 0: no rule."),
    ),
    "families": Row(
        _("Families of secondary tests"),
        _("The tests of a family are corrected for each other. A test belongs to one family."),
        add=_("Add a family"),
        one=_("Family"),
    ),
    "comparisons": Row(
        _("Further comparisons"),
        _(
            "Of other sessions, or non-inferiority, over readers and images. They are corrected for each other, and "
            "not for the families."
        ),
        add=_("Add a comparison"),
        one=_("Comparison"),
    ),
    "comparisons_correction": Row(_("Correction of further comparisons"), choices=CORRECTION_LABELS),
    "interim_looks": Row(
        _("Interim looks"),
        _("Who looks at results before the study is closed, when, and by which rule. Empty: nobody."),
        lines=2,
    ),
    "exploratory": Row(
        _("Correction of all other tests"),
        _("They are reported as exploratory."),
        choices=CORRECTION_LABELS,
    ),
    "withdrawn_readers": Row(
        _("Readings of withdrawn readers"),
        _("Those that they gave before their withdrawal."),
        choices={"keep": _("Kept"), "leave_out": _("Left out of every table and export")},
    ),
    "sizing": Row(_("Size of the study")),
    "reporting": Row(_("For the reporting checklists")),
}

FAMILY: Final[Mapping[str, Row]] = {
    "name": Row(_("Name")),
    "endpoints": Row(_("Tests"), choices=ENDPOINT_LABELS),
    "correction": Row(_("Correction"), choices=CORRECTION_LABELS),
}


COMPARISON: Final[Mapping[str, Row]] = {
    "before": Row(_("Session compared with"), _("The earlier one.")),
    "after": Row(_("Session compared"), _("The later one.")),
    "figure": Row(
        _("Figure"),
        _("With a session of real images only: specificity; of adversarial images only: sensitivity."),
        choices=FIGURE_LABELS,
    ),
    "claim": Row(_("It is to show"), choices=CLAIM_LABELS),
    "margin": Row(_("Margin"), _("For non-inferiority; 0.05 is five points.")),
    "reason": Row(_("Reason of the margin"), _("For non-inferiority."), lines=2),
}
