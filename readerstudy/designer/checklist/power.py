"""The power of the planned comparison with the readers who are enrolled.

Variances follow from assumed shares of verdicts: of a share by the binomial distribution, of the AUC and the balanced
accuracy by Bamber (1975). The test is that of Obuchowski and Rockette with Hillis' degrees of freedom; its power is
that of Hillis, Obuchowski and Berbaum (2011, Acad. Radiol. 18:129).
"""

from dataclasses import replace
from typing import Final

from django.utils.translation import gettext as _

from readerstudy.layout.numbers import localise
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.statistics.mrmc import ExpectedRatings, VarianceComponents, binary_components, power

# The example of docs/explanation/statistics.md.
DIFFERENCE: Final = 0.10
RATE: Final = 0.60
UNSURE: Final = 0.10  # of the verdicts; the others are wrong
SD_READERS: Final = 0.05
CORRELATION: Final = 0.15
FEWEST_CASES: Final = 2


def power_sentence(protocol: Protocol, *, readers: int) -> str:
    """Return the power of the primary comparison, and what was assumed for it; empty if a session lacks images."""
    analysis = protocol.analysis
    sessions = [protocol.source(number) for number in (analysis.before, analysis.after)]
    are_same = protocol.show_same_images(analysis.before, analysis.after)
    if any(min(_counts(analysis.primary, session)) < FEWEST_CASES for session in sessions):
        return ""
    # The variance of the difference has the mean of both sessions' variances.
    before, after = (_components(analysis.primary, session, are_same=are_same) for session in sessions)
    mean = replace(after, var=(before.var + after.var) / 2, cov2=(before.cov2 + after.cov2) / 2)
    result = power(mean, readers=readers, cases=mean.cases, difference=DIFFERENCE, alpha=analysis.alpha)
    values = {
        "power": localise(f"{result.power:.2f}"),
        "readers": readers,
        "figure": _FIGURES[analysis.primary](),
        "images": _images(analysis.primary, sessions),
        "difference": localise(f"{DIFFERENCE:.2f}"),
        "alpha": localise(f"{analysis.alpha:g}"),
        "verdicts": _verdicts(analysis.primary),
        "correlation": localise(f"{CORRELATION:.2f}"),
        "pairs": _pairs(are_same=are_same),
        "sd": localise(f"{SD_READERS:.2f}"),
    }
    text = _(
        "With %(readers)s readers and %(images)s, a true change of %(difference)s in the %(figure)s is found with a "
        "power of %(power)s (two-sided, significance level %(alpha)s). Assumed: %(verdicts)s; a correlation of "
        "%(correlation)s between %(pairs)s; a spread of %(sd)s of readers from session to session. Method: Obuchowski "
        "and Rockette’s test (Hillis et al., 2011)."
    )
    return text % values


_FIGURES: Final = {
    "auc": lambda: _("area under the ROC curve"),
    "balanced_accuracy": lambda: _("balanced accuracy"),
    "sensitivity": lambda: _("sensitivity"),
    "specificity": lambda: _("specificity"),
}


def _pairs(*, are_same: bool) -> str:
    if are_same:
        return _("any two readings of the same images")
    return _("two readers on the same images, which differ from session to session")


def _counts(primary: str, session: ProtocolSession) -> tuple[int, ...]:
    """Return the numbers of images that the figure is computed from: real and adversarial ones, or those of a kind."""
    match primary:
        case "sensitivity":
            return (session.adversarial,)
        case "specificity":
            return (session.real,)
        case _:
            return (session.real, session.adversarial)


def _components(primary: str, session: ProtocolSession, *, are_same: bool) -> VarianceComponents:
    """Return the components of a session. `are_same`: the sessions show the same images, so their figures correlate."""
    counts, shared = _counts(primary, session), CORRELATION if are_same else 0.0
    assumed = {"r1": shared, "r2": CORRELATION, "r3": shared, "sd_tr": SD_READERS}
    if len(counts) == 1:
        return binary_components(RATE, counts[0], **assumed)
    negatives, positives = counts
    return expected_verdicts(primary).components(negatives=negatives, positives=positives, **assumed)


def expected_verdicts(primary: str) -> ExpectedRatings:
    """Return the assumed shares of "real", "unsure" and "not real" on real and on adversarial images.

    For the balanced accuracy a verdict is right or not.
    """
    wrong_first = (1 - RATE - UNSURE, UNSURE, RATE) if primary == "auc" else (1 - RATE, RATE)
    return ExpectedRatings(wrong_first[::-1], wrong_first)


def _images(primary: str, sessions: list[ProtocolSession]) -> str:
    """Return the numbers of images of both sessions in words."""
    totals = list(dict.fromkeys(sum(_counts(primary, session)) for session in sessions))
    if len(totals) == 1:
        return _("%(images)s images in each session") % {"images": totals[0]}
    return _("%(before)s and %(after)s images") % {"before": totals[0], "after": totals[1]}


def _verdicts(primary: str) -> str:
    """Return the assumed verdicts in words."""
    if primary != "auc":
        return _("a rate of %(rate)s") % {"rate": localise(f"{RATE:.2f}")}
    values = {
        "right": f"{100 * RATE:g}",
        "unsure": f"{100 * UNSURE:g}",
        "auc": localise(f"{expected_verdicts(primary).auc:.2f}"),
    }
    return _("%(right)s %% right and %(unsure)s %% unsure verdicts, which is an area of %(auc)s") % values
