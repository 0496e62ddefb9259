"""The words of the report that more than one table needs, and what the sub-group test can and cannot say."""

from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.statistics.multiplicity import Correction
from readerstudy.statistics.subgroups import UndefinedReason
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan


def subset_groups() -> list[tuple[str, Subset, str]]:
    """Heading, sub-set and title within the heading, in the order of the article."""
    real, adversarial = _("Real images called real"), _("Adversarial images called not real")
    every, positives, negatives = _("all"), _("of positives"), _("of negatives")
    return [
        (real, Subset.REAL, every),
        (real, Subset.REAL_POSITIVE, positives),
        (real, Subset.REAL_NEGATIVE, negatives),
        (adversarial, Subset.ADVERSARIAL, every),
        (adversarial, Subset.ADVERSARIAL_POSITIVE, positives),
        (adversarial, Subset.ADVERSARIAL_NEGATIVE, negatives),
    ]


def subset_name(subset: Subset) -> str:
    return {
        Subset.REAL: _("real"),
        Subset.REAL_POSITIVE: _("real, of positives"),
        Subset.REAL_NEGATIVE: _("real, of negatives"),
        Subset.ADVERSARIAL: _("adversarial"),
        Subset.ADVERSARIAL_POSITIVE: _("adversarial, of positives"),
        Subset.ADVERSARIAL_NEGATIVE: _("adversarial, of negatives"),
    }[subset]


def unsure_sentence(rule: Unsure) -> str:
    """What the declared rule did to the verdicts “unsure”."""
    return {
        Unsure.WRONG: _("“Unsure” counts as wrong, as in the article, which divides the right verdicts by all."),
        Unsure.EXCLUDED: _(
            "Readings with the verdict “unsure” are left out, from the readings as well as from the right "
            "ones. The article counts them as wrong."
        ),
        Unsure.HALF: _(
            "“Unsure” counts as half right, so the intervals are approximate. The article counts it as wrong."
        ),
    }[rule]


def undefined_sentence(reason: UndefinedReason) -> str:
    """Why a test has no p-value. The pure statistics say it in English only."""
    return {
        UndefinedReason.TOO_FEW: _(
            "A session has fewer readings than sub-groups, so the test is undefined; use Boschloo's exact test instead."
        ),
        UndefinedReason.NO_SPREAD: _(
            "The sub-groups do not differ at all (σ = 0), so the test is undefined; use Boschloo's exact test instead."
        ),
    }[reason]


def subgroup_sentences() -> tuple[str, ...]:
    """What a reader of the p-values must know; the rates were found by simulation."""
    return (
        _(
            "Each session’s readings are cut, in reading order, into equal sub-groups; σ is the SD of their "
            "accuracies, averaged over the sessions that hold the sub-set. Readings that do not fill a "
            "sub-group stay out of σ, not out of the accuracy. Each p is one-sided, in the "
            "direction that was observed."
        ),
        _(
            "The article states neither the number of sub-groups nor the statistic. “Difference” divides by "
            "the standard error of a difference, σ√(2/g); “single” by that of one mean, σ/√g, which comes "
            "nearest to the printed values. Both are shown, with a normal and with a t distribution, and for "
            "four numbers of sub-groups: a conclusion that changes along the line is none."
        ),
        _(
            "How the test behaves where nothing changed (simulated, nominal 0.05, direction fixed in "
            "advance): “difference” rejects 0.05 (session 3 against 5) to 0.09 (2 against 3) of the time, "
            "“single” 0.11 to 0.16. A direction chosen after looking, as here, doubles both."
        ),
        _(
            "Where neighbouring readings resemble each other (simulated: correlation 0.19 from one reading to the "
            "next), Welch’s t on the means of ten batches rejects 0.06 between sessions 3 and 5, but 0.14 between "
            "sessions 2 and 3, whose batches of ten images are too short to forget one another. Boschloo’s test, which "
            "takes every reading as independent, rejects 0.23 and 0.32. Both are two-sided."
        ),
    )


def correction_name(correction: Correction) -> str:
    """How tests are corrected for each other, within a sentence."""
    return {
        Correction.HOLM: _("Holm"),
        Correction.BENJAMINI_HOCHBERG: _("Benjamini and Hochberg"),
        Correction.NONE: _("not corrected"),
    }[correction]


def sessions_of(plan: AnalysisPlan) -> dict[str, int]:
    """The two sessions that the plan compares, for a sentence."""
    return {"before": plan.before, "after": plan.after}


def session_limit_sentence(plan: AnalysisPlan) -> str:
    """What no figure about the later session against the earlier can say."""
    sentence = _(
        "The change from session %(before)s to session %(after)s mixes four things that this design cannot part: the "
        "education, practice, another set of images, and fatigue."
    )
    return sentence % sessions_of(plan)


def p_words(p: float) -> str:
    """A p-value within a sentence: "= 0.013" or "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def signed(value: float) -> str:
    """A number of either sign within a sentence, with a true minus and no negative nought."""
    return f"{value:+z.2f}".replace("-", "−")


def limit_sentences(plan: AnalysisPlan) -> tuple[str, ...]:
    """What the whole report cannot say."""
    return (
        session_limit_sentence(plan),
        _(
            "Readers are never pooled into one proportion. Readers differ, and a pooled test would take "
            "their differences for evidence: it rejects a true null far too often."
        ),
    )
