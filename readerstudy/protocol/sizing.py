"""How the size of a study was determined: what was assumed, and the power that followed. Part of the analysis plan.

The part [analysis.sizing] of a plan file (TOML); without `readers` the plan keeps no sizing.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Final

from django.utils.translation import gettext as _

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.layout.numbers import localise
from readerstudy.protocol.values import NumberBetween, Share, TextUpTo, WholeNumber

MOST_READERS: Final = 1000
MOST_SIMULATIONS: Final = 10_000
# Two powers that differ by more do not come from the same numbers.
ROUNDING: Final = 0.0005


@dataclass(frozen=True)
class Sizing:
    """Assumptions of a sizing and its results. Shares and correlations are of verdicts, powers are shares of studies.

    `right` and `unsure` are shares of the verdicts in the earlier session. `sd_readers` is the SD of the primary figure
    of reader × session cells. `correlation` is that of two readers on one image, `patient_correlation` that of two
    images of one patient. The powers are those of a change by `difference`, of equivalence within the plan's margin if
    nothing changes, and of a false finding then; those by simulation are None without simulated studies. If the plan
    claims non-inferiority, `claim_power` and `simulated_claim` are those of the claim if nothing changes.
    """

    readers: Annotated[int, WholeNumber(0, MOST_READERS)] = 0
    difference: Annotated[float, NumberBetween(0, 1)] = 0.10
    right: Annotated[float, NumberBetween(0, 1)] = 0.60
    unsure: Annotated[float, Share()] = 0.10
    sd_readers: Annotated[float, Share()] = 0.05
    correlation: Annotated[float, Share()] = 0.15
    patient_correlation: Annotated[float, Share()] = 0.0
    images_per_patient: Annotated[float, NumberBetween(0, 1000)] = 1.0
    # Where the assumptions come from: a pilot, a published study.
    source: Annotated[str | None, TextUpTo(500)] = None
    power: Annotated[float | None, Share()] = None
    equivalence_power: Annotated[float | None, Share()] = None
    simulations: Annotated[int, WholeNumber(0, MOST_SIMULATIONS)] = 0
    simulated_power: Annotated[float | None, Share()] = None
    simulated_equivalence: Annotated[float | None, Share()] = None
    simulated_false_findings: Annotated[float | None, Share()] = None
    claim_power: Annotated[float | None, Share()] = field(default=None, metadata=serialise.ADDED_LATER)
    simulated_claim: Annotated[float | None, Share()] = field(default=None, metadata=serialise.ADDED_LATER)

    @property
    def is_kept(self) -> bool:
        """Whether the plan keeps a sizing."""
        return self.readers > 0

    @property
    def assumptions(self) -> "Sizing":
        """The same sizing without its results."""
        changes: dict[str, Any] = {**dict.fromkeys(RESULTS), "simulations": 0}
        return replace(self, **changes)


RESULTS: Final = (
    "power",
    "equivalence_power",
    "simulated_power",
    "simulated_equivalence",
    "simulated_false_findings",
    "claim_power",
    "simulated_claim",
)
ASSUMPTIONS: Final = tuple(each.name for each in fields(Sizing) if each.name not in (*RESULTS, "simulations", "source"))


def check_sizing(sizing: Sizing, *, location: str) -> None:
    """Raise BadInput, with the location, if assumptions contradict each other."""
    if sizing.readers == 1:
        raise BadInput(f"{location} readers: " + _("a comparison over readers needs at least two."))
    if sizing.right + sizing.unsure >= 1:
        raise BadInput(f"{location} unsure: " + _("with the share of right verdicts it must be below 1."))
    if sizing.patient_correlation > sizing.correlation:
        raise BadInput(
            f"{location} patient_correlation: "
            + _("verdicts on two images of a patient cannot correlate more than two on one image.")
        )
    if sizing.images_per_patient < 1:
        raise BadInput(f"{location} images_per_patient: " + _("must be at least 1."))


def sizing_sentences(sizing: Sizing, *, alpha: float, margin: float) -> tuple[str, ...]:
    """Return a kept sizing in words: assumptions, and powers by formula and by simulation; empty if none is kept."""
    if not sizing.is_kept:
        return ()
    values = {name: _number(getattr(sizing, name)) for name in (*ASSUMPTIONS, *RESULTS)}
    values |= {"alpha": localise(f"{alpha:g}"), "margin": localise(f"{margin:g}"), "readers": str(sizing.readers)}
    values |= {"half": localise(f"{alpha / 2:g}")}
    values |= {"studies": str(sizing.simulations), "source": (sizing.source or "").rstrip(".")}
    sentences = [
        _(
            "The size was determined before the study was locked, for %(readers)s readers and a true change of "
            "%(difference)s in the primary figure. Assumed: shares of %(right)s right and %(unsure)s unsure verdicts "
            "in the earlier session, a spread of %(sd_readers)s of readers from session to session, a correlation of "
            "%(correlation)s between two readers on one image, of %(patient_correlation)s between two images of one "
            "patient, and %(images_per_patient)s images of a patient."
        )
    ]
    if sizing.source:
        sentences.append(_("Source of the assumptions: %(source)s."))
    if sizing.power is not None:
        sentences.append(
            _(
                "Computed power (Hillis et al., 2011): %(power)s at a two-sided level of %(alpha)s; to show a change "
                "smaller than %(margin)s if there is none: %(equivalence_power)s."
            )
        )
    if sizing.claim_power is not None:
        sentences.append(
            _(
                "To show non-inferiority with the margin of %(margin)s if nothing changes, on one side at a level of "
                "%(half)s: computed power %(claim_power)s."
            )
        )
    if sizing.simulations:
        sentences.append(
            _(
                "In %(studies)s simulated studies of this plan the change was found in a share of %(simulated_power)s, "
                "equivalence in %(simulated_equivalence)s; without a change, a false one in "
                "%(simulated_false_findings)s."
            )
        )
    if sizing.simulated_claim is not None:
        sentences.append(_("Without a change, non-inferiority was shown in a share of %(simulated_claim)s of them."))
    return tuple(sentence % values for sentence in sentences)


def _number(value: float | None) -> str:
    return "–" if value is None else localise(f"{value:.3g}")
