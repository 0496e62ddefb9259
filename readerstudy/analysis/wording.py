"""Sentences of the report that several tables use, and what the sub-group test can and cannot show."""

from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import PAIR, Subset
from readerstudy.analysis.record.conduct import StudyEvent
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.numbers import localise
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.multiplicity import Correction
from readerstudy.statistics.subgroups import UndefinedReason
from readerstudy.statistics.unsure import Unsure


def subset_groups() -> list[tuple[str, Subset, str]]:
    """Return (heading, subset, title below the heading) in the order of the article."""
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
    """Return the name of a subset of images."""
    return {
        Subset.REAL: _("real"),
        Subset.REAL_POSITIVE: _("real, of positives"),
        Subset.REAL_NEGATIVE: _("real, of negatives"),
        Subset.ADVERSARIAL: _("adversarial"),
        Subset.ADVERSARIAL_POSITIVE: _("adversarial, of positives"),
        Subset.ADVERSARIAL_NEGATIVE: _("adversarial, of negatives"),
    }[subset]


def unsure_sentence(rule: Unsure) -> str:
    """Return how this report counts the verdict “unsure”."""
    return {
        Unsure.WRONG: _("“Unsure” counts as wrong in this report. The article does not say how it counted it."),
        Unsure.EXCLUDED: _(
            "Readings with the verdict “unsure” are excluded, both from the readings and from the correct verdicts. "
            "The article does not say how it counted them."
        ),
        Unsure.HALF: _(
            "“Unsure” counts as half correct, so the intervals are approximate. The article does not say how it "
            "counted it."
        ),
    }[rule]


def undefined_sentence(reason: UndefinedReason) -> str:
    """Return why a test has no p-value. The package `statistics` has this text in English only."""
    return {
        UndefinedReason.TOO_FEW: _(
            "A session has fewer readings than sub-groups, so the test is undefined; use Boschloo’s exact test instead."
        ),
        UndefinedReason.EMPTY: _(
            "A sub-group of a session contains no image of this kind, so the test is undefined; use Boschloo’s exact "
            "test instead."
        ),
        UndefinedReason.NO_SPREAD: _(
            "All sub-groups have the same accuracy (σ = 0), so the test is undefined; use Boschloo’s exact test "
            "instead."
        ),
    }[reason]


def subgroup_sentences() -> tuple[str, ...]:
    """Return what a reader of the sub-group tests must know; the rates come from simulations."""
    return (
        _(
            "The readings of each session are divided, in reading order, into equal sub-groups. σ is the SD of the "
            "sub-groups’ accuracies, averaged over sessions. Readings that do not fill a sub-group are excluded from "
            "σ but not from the accuracy; their number is shown. Each p is one-sided, in the observed direction."
        ),
        _(
            "The article states neither the number of sub-groups, nor the statistic, nor of what σ is the SD. "
            "“Difference” divides by the standard error of a difference, σ√(2/g); “single” divides by that of one "
            "mean, σ/√g. σ may be that of blocks of the subset, averaged over the sessions that contain it, or that "
            "of blocks of all images, averaged over all sessions, which is the article’s sentence read literally. No "
            "form reproduces all of the article’s p-values, and none is identified. A result that depends on these "
            "choices is not a conclusion."
        ),
        _(
            "Rejection rates if nothing changed (simulated, nominal 0.05, t distribution, direction fixed in advance, "
            "σ of the subset): “difference” 0.03 (session 3 against 5) to 0.07 (2 against 3), “single” 0.09 to 0.14. "
            "With σ of whole sessions “difference” rejects 0.22 for a subset of 75 images, because blocks of the "
            "session are larger than its own. Choosing the direction after seeing the data, as here, doubles all of "
            "them."
        ),
        _(
            "If consecutive readings are similar (simulated: correlation 0.19 from one reading to the next), Welch’s t "
            "on the means of ten batches rejects 0.06 between sessions 3 and 5, but 0.14 between sessions 2 and 3, "
            "where batches of ten images are too short to be independent. Boschloo’s test, which assumes independent "
            "readings, rejects 0.23 and 0.32. Both tests are two-sided."
        ),
    )


def correction_name(correction: Correction) -> str:
    """Return the name of a correction for multiple tests, for use within a sentence."""
    return {
        Correction.HOLM: _("Holm"),
        Correction.BENJAMINI_HOCHBERG: _("Benjamini and Hochberg"),
        Correction.NONE: _("not corrected"),
    }[correction]


def compared_sessions(plan: AnalysisPlan) -> dict[str, int]:
    """Return the two sessions that the plan compares, as values of a sentence."""
    return {"before": plan.before, "after": plan.after}


def session_limit_sentence(record: StudyRecord, plan: AnalysisPlan) -> str:
    """Return the limit of every comparison of the two sessions."""
    if record.show_same_images(plan.before, plan.after):
        sentence = _(
            "Sessions %(before)s and %(after)s show the same images under two conditions. Readers may remember images, "
            "and they gain practice and get tired. An order of the sessions that is balanced over the readers, and a "
            "washout, reduce these causes of a difference but do not exclude them."
        )
        return sentence % compared_sessions(plan)
    sentence = _(
        "The change from session %(before)s to session %(after)s has four possible causes that this design cannot "
        "separate: the education, practice, the different images, and fatigue."
    )
    return sentence % compared_sessions(plan)


def labelled_pairs_sentence(record: StudyRecord) -> str | None:
    """Return that readers got labelled pairs, from which a program could learn; None without verdicts after them."""
    pairs = sorted({each.number for each in record.image_sets if each.count(PAIR)})
    asked = {each.number for each in record.image_sets if each.asks_for_verdict}
    later = sorted(number for number in asked if pairs and number > pairs[0])
    if not later:
        return None
    sentence = _(
        "Session %(pairs)s sent real and adversarial images to readers as labelled pairs. A reader who stores them can "
        "train a program that recognises the attack in the images of later sessions (%(later)s). Software cannot "
        "prevent that: the results of these sessions assume that readers judged by eye."
    )
    return sentence % {"pairs": ", ".join(map(str, pairs)), "later": ", ".join(map(str, later))}


def paired_sentence(plan: AnalysisPlan) -> str:
    """Return why a test of independent readings is left out: both sessions show the same images."""
    sentence = _(
        "No test of sessions %(before)s and %(after)s here: they show the same images, and the test takes readings as "
        "independent. The table of the same images under two conditions has the paired comparison of each reader."
    )
    return sentence % compared_sessions(plan)


def same_images_sentences(record: StudyRecord) -> tuple[str, ...]:
    """Return which sessions showed the images of another one, and that sums count such images once."""
    sentence = _("Session %(session)s shows the images of session %(source)s; sums over the sessions count them once.")
    pairs = dict.fromkeys((each.number, each.images_of) for each in record.image_sets if each.images_of)
    return tuple(sentence % {"session": number, "source": source} for number, source in sorted(pairs))


def p_text(p: float) -> str:
    """Return a p-value for use within a sentence: "= 0.013" or "< 0.001"."""
    return localise("< 0.001" if p < 0.001 else f"= {p:.3f}")


def signed(value: float, *, decimals: int = 2) -> str:
    """Return a number with its sign, with a true minus and without negative zero."""
    return localise(f"{value:+z.{decimals}f}")


def limit_sentences(record: StudyRecord, plan: AnalysisPlan) -> tuple[str, ...]:
    """Return the limits of the whole report."""
    return (
        session_limit_sentence(record, plan),
        _(
            "Tests never pool readers into one proportion. Readers differ, and a pooled test would count their "
            "differences as evidence: it rejects a true null far too often."
        ),
    )


def verdict_label_sentences(record: StudyRecord) -> tuple[str, ...]:
    """Return what the verdicts were called, for each session that did not use the software's words."""
    sentence = _("In session %(session)s the verdicts were called: %(labels)s.")
    return tuple(
        sentence
        % {
            "session": session.number,
            "labels": "; ".join(f"{verdict} = “{label}”" for verdict, label in session.verdict_labels),
        }
        for session in (record.conduct.sessions if record.conduct else ())
        if session.verdict_labels
    )


def person_of(event: StudyEvent) -> str:
    """Return who did it, for use within a sentence."""
    if event.confirmed_by:
        return _("%(first)s and %(others)s") % {"first": event.by, "others": event.confirmed_by}
    return event.by or _("a person at the server’s terminal")
