"""The power of the planned comparison under assumptions, by formula, and the plan as the simulation takes it.

Variances follow from assumed shares of verdicts: of a share by the binomial distribution, of the AUC and the balanced
accuracy by Bamber (1975). The test is that of Obuchowski and Rockette with Hillis' degrees of freedom; its power is
that of Hillis, Obuchowski and Berbaum (2011, Acad. Radiol. 18:129).
"""

from dataclasses import dataclass, replace
from typing import Final, TypedDict, cast

from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import DIFFERENCE
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.sizing import Sizing
from readerstudy.statistics.mrmc import (
    ExpectedRatings,
    Power,
    VarianceComponents,
    binary_components,
    equivalence_power,
    non_inferiority_power,
    power,
)
from readerstudy.statistics.mrmc.readings import FigureOfMerit
from readerstudy.statistics.mrmc.simulated_plan import SimulatedPlan
from readerstudy.statistics.unsure import Unsure

FEWEST_CASES: Final = 2


@dataclass(frozen=True)
class Powers:
    """The computed powers of a comparison: to find the assumed change, and to show equivalence if there is none.

    `claim`: to show the plan's claim of non-inferiority if nothing changes; None if the plan looks for a difference.
    """

    found: Power
    equivalence: Power
    claim: Power | None

    @property
    def planned(self) -> Power:
        """The power of the primary test."""
        return self.claim or self.found


@dataclass(frozen=True)
class Outlook(Powers):
    """The powers, and the components of a study as planned, for other numbers of readers and images."""

    components: VarianceComponents


class _Size(TypedDict):
    readers: int
    cases: int


def compared_sessions(protocol: Protocol) -> list[ProtocolSession]:
    """Return the sessions that draw the images of the comparison, the earlier one first."""
    return [protocol.source(number) for number in (protocol.analysis.before, protocol.analysis.after)]


def can_be_sized(protocol: Protocol) -> bool:
    """Return whether the plan compares two sessions that have the images of the primary figure."""
    if len(protocol.asking) < 2:
        return False
    figure = protocol.analysis.primary
    return all(min(image_counts(figure, each)) >= FEWEST_CASES for each in compared_sessions(protocol))


def image_counts(primary: str, session: ProtocolSession) -> tuple[int, ...]:
    """Return the numbers of images that the figure is computed from: real and adversarial ones, or those of a kind."""
    match primary:
        case "sensitivity":
            return (session.adversarial,)
        case "specificity":
            return (session.real,)
        case _:
            return (session.real, session.adversarial)


def compute(protocol: Protocol, sizing: Sizing) -> Outlook:
    """Return the powers of the planned comparison. Raises ValueError if nothing varies, or for fewer than 2 readers."""
    analysis = protocol.analysis
    before, after = (_components(protocol, session, sizing) for session in compared_sessions(protocol))
    # The variance of the difference has the mean of both sessions' variances.
    mean = replace(
        after,
        var=(before.var + after.var) / 2,
        cov1=(before.cov1 + after.cov1) / 2,
        cov2=(before.cov2 + after.cov2) / 2,
        cov3=(before.cov3 + after.cov3) / 2,
    )
    found = powers(mean, analysis, sizing, readers=sizing.readers, cases=mean.cases)
    return Outlook(found.found, found.equivalence, found.claim, mean)


def powers(
    components: VarianceComponents, analysis: AnalysisPlan, sizing: Sizing, *, readers: int, cases: int
) -> Powers:
    """Return the powers with so many readers and images. The margin is the plan's."""
    size: _Size = {"readers": readers, "cases": cases}
    return Powers(
        power(components, **size, difference=sizing.difference, alpha=analysis.alpha),
        equivalence_power(components, **size, margin=analysis.margin, alpha=analysis.alpha),
        None
        if analysis.claim == DIFFERENCE
        else non_inferiority_power(components, **size, margin=analysis.margin, alpha=analysis.alpha / 2),
    )


def simulated_plan(protocol: Protocol, sizing: Sizing) -> SimulatedPlan:
    """Return the plan as it is simulated. Raises ValueError if the assumptions are impossible."""
    analysis = protocol.analysis
    before, after = ((each.real, each.adversarial) for each in compared_sessions(protocol))
    return SimulatedPlan(
        readers=sizing.readers,
        sessions=(before, after),
        figure=cast(FigureOfMerit, analysis.primary),
        unsure_rule=Unsure(analysis.unsure),
        same_images=protocol.show_same_images(analysis.before, analysis.after),
        right=sizing.right,
        unsure=sizing.unsure,
        sd_tr=sizing.sd_readers,
        correlation=sizing.correlation,
        patient_correlation=sizing.patient_correlation,
        images_per_patient=sizing.images_per_patient,
    )


def expected_verdicts(primary: str, sizing: Sizing) -> ExpectedRatings:
    """Return the assumed shares of "real", "unsure" and "not real" on real and on adversarial images.

    For the balanced accuracy a verdict is right or not.
    """
    right, unsure = sizing.right, sizing.unsure
    wrong_first = (1 - right - unsure, unsure, right) if primary == "auc" else (1 - right, right)
    return ExpectedRatings(wrong_first[::-1], wrong_first)


def _components(protocol: Protocol, session: ProtocolSession, sizing: Sizing) -> VarianceComponents:
    """Return the components of a session. If the sessions show the same images, their figures correlate."""
    analysis = protocol.analysis
    counts = image_counts(analysis.primary, session)
    if analysis.primary != "auc" and Unsure(analysis.unsure) is Unsure.EXCLUDED:
        counts = tuple(max(FEWEST_CASES, round(count * (1 - sizing.unsure))) for count in counts)
        sizing = replace(sizing, right=sizing.right / (1 - sizing.unsure), unsure=0.0)
    shared = sizing.correlation if protocol.show_same_images(analysis.before, analysis.after) else 0.0
    assumed = {"r1": shared, "r2": sizing.correlation, "r3": shared, "sd_tr": sizing.sd_readers}
    if len(counts) == 1:
        return binary_components(sizing.right, counts[0], **assumed)
    negatives, positives = counts
    return expected_verdicts(analysis.primary, sizing).components(negatives=negatives, positives=positives, **assumed)
