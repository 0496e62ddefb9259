"""The power of the planned comparison in a sentence, and whether a kept sizing is still that of the plan."""

from dataclasses import replace
from typing import Final

from django.utils.translation import gettext as _

from readerstudy.designer.sizing.computed import (
    can_be_sized,
    compared_sessions,
    compute,
    expected_verdicts,
    image_counts,
)
from readerstudy.layout.numbers import localise
from readerstudy.protocol.comparisons import DIFFERENCE
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.sizing import ROUNDING, Sizing


def power_sentence(protocol: Protocol, *, readers: int) -> str:
    """Return the power of the primary comparison, and what was assumed for it; empty if a session lacks images.

    The assumptions are those that the plan keeps, or the usual ones.
    """
    analysis = protocol.analysis
    if not can_be_sized(protocol):
        return ""
    sizing = replace(analysis.sizing, readers=readers)
    outlook = compute(protocol, sizing)
    values = {
        "power": localise(f"{outlook.planned.power:.2f}"),
        "readers": readers,
        "figure": FIGURES[analysis.primary](),
        "images": _images(analysis.primary, compared_sessions(protocol)),
        "difference": localise(f"{sizing.difference:.2f}"),
        "margin": localise(f"{analysis.margin:g}"),
        "alpha": localise(f"{analysis.alpha / 2 if outlook.claim else analysis.alpha:g}"),
        "verdicts": _verdicts(analysis.primary, sizing),
        "correlation": localise(f"{sizing.correlation:.2f}"),
        "pairs": _pairs(are_same=protocol.show_same_images(analysis.before, analysis.after)),
        "sd": localise(f"{sizing.sd_readers:.2f}"),
    }
    text = (
        _(
            "With %(readers)s readers and %(images)s, non-inferiority of the %(figure)s with the margin of %(margin)s "
            "is shown with a power of %(power)s if nothing changes (one-sided, significance level %(alpha)s). Assumed: "
            "%(verdicts)s; a correlation of %(correlation)s between %(pairs)s; a spread of %(sd)s of readers from "
            "session to session. Method: Obuchowski and Rockette’s test (Hillis et al., 2011)."
        )
        if outlook.claim
        else _(
            "With %(readers)s readers and %(images)s, a true change of %(difference)s in the %(figure)s is found with "
            "a power of %(power)s (two-sided, significance level %(alpha)s). Assumed: %(verdicts)s; a correlation of "
            "%(correlation)s between %(pairs)s; a spread of %(sd)s of readers from session to session. Method: "
            "Obuchowski and Rockette’s test (Hillis et al., 2011)."
        )
    )
    return text % values


def outdated_sentence(protocol: Protocol) -> str:
    """Return that the kept sizing was made for other numbers; empty if it agrees with the plan, or if none is kept."""
    kept = protocol.analysis.sizing
    if not kept.is_kept or kept.power is None:
        return ""
    claims = protocol.analysis.claim != DIFFERENCE
    if claims != (kept.claim_power is not None):
        return _(
            "The plan keeps a sizing that was made before the aim of the primary test was changed. Determine the size "
            "again, or say in the report why it changed."
        )
    before = kept.power if kept.claim_power is None else kept.claim_power
    now = compute(protocol, kept).planned.power if can_be_sized(protocol) else None
    if now is not None and abs(now - before) <= ROUNDING:
        return ""
    text = _(
        "The plan keeps a sizing with a power of %(kept)s, made for other numbers of images or other rules; under the "
        "plan as it is now the power is %(now)s. Determine the size again, or say in the report why it changed."
    )
    return text % {"kept": localise(f"{before:.3f}"), "now": "–" if now is None else localise(f"{now:.3f}")}


FIGURES: Final = {
    "auc": lambda: _("area under the ROC curve"),
    "balanced_accuracy": lambda: _("balanced accuracy"),
    "sensitivity": lambda: _("sensitivity"),
    "specificity": lambda: _("specificity"),
}


def _pairs(*, are_same: bool) -> str:
    if are_same:
        return _("any two readings of the same images")
    return _("two readers on the same images, which differ from session to session")


def _images(primary: str, sessions: list[ProtocolSession]) -> str:
    """Return the numbers of images of both sessions in words."""
    totals = list(dict.fromkeys(sum(image_counts(primary, session)) for session in sessions))
    if len(totals) == 1:
        return _("%(images)s images in each session") % {"images": totals[0]}
    return _("%(before)s and %(after)s images") % {"before": totals[0], "after": totals[1]}


def _verdicts(primary: str, sizing: Sizing) -> str:
    """Return the assumed verdicts in words."""
    if primary != "auc":
        return _("a rate of %(rate)s") % {"rate": localise(f"{sizing.right:.2f}")}
    values = {
        "right": localise(f"{100 * sizing.right:g}"),
        "unsure": localise(f"{100 * sizing.unsure:g}"),
        "auc": localise(f"{expected_verdicts(primary, sizing).auc:.2f}"),
    }
    return _("%(right)s %% right and %(unsure)s %% unsure verdicts, which is an area of %(auc)s") % values
