"""Power of a planned comparison by simulation: whole studies are drawn under the plan and analysed as it says.

The computed power (`sizing`) takes images as independent and both sessions as equally variable. Here images of one
patient correlate, verdicts are drawn one by one, and every simulated study goes through `obuchowski_rockette`.

The model is a probit: each verdict has a normal score, whose parts belong to the patient, the image, and the single
reading. A reader is right below one threshold and wrong above another one, "unsure" lies between. A patient whose
images look altered makes real images harder and adversarial ones easier.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t

from readerstudy.statistics.equivalence import non_inferiority, tost
from readerstudy.statistics.mrmc.anova import obuchowski_rockette
from readerstudy.statistics.mrmc.readings import FigureOfMerit, Floats
from readerstudy.statistics.mrmc.results import ObuchowskiRockette
from readerstudy.statistics.mrmc.roe_metz import Simulated
from readerstudy.statistics.proportions import Proportion, wilson
from readerstudy.statistics.unsure import Unsure

_SHIFTS: Floats = np.linspace(-6, 6, 2401)  # of the thresholds; figures between them are interpolated


@dataclass(frozen=True)
class SimulatedPlan:
    """Two sessions as planned, and what is assumed of readers and images.

    `sessions`: (real, adversarial) images before and after; `same_images`: the second session shows those of the first.
    `right` and `unsure` are shares of the verdicts in the first session, on real and adversarial images alike. `sd_tr`
    is the SD of reader × session cells of the figure. `correlation` is that of two readers' verdicts (right or not) on
    one image, `patient_correlation` that of verdicts on two images of one patient, who has `images_per_patient` on
    average. Raises ValueError if a value is out of range.
    """

    readers: int
    sessions: tuple[tuple[int, int], tuple[int, int]]
    figure: FigureOfMerit
    unsure_rule: Unsure = Unsure.WRONG
    same_images: bool = False
    right: float = 0.6
    unsure: float = 0.1
    sd_tr: float = 0.05
    correlation: float = 0.15
    patient_correlation: float = 0.0
    images_per_patient: float = 1.0

    def __post_init__(self) -> None:
        if self.readers < 2:
            raise ValueError(f"readers: {self.readers} are not enough for a test.")
        if not (self.right > 0 and self.unsure >= 0 and self.right + self.unsure < 1):
            raise ValueError(f"right and unsure: shares above 0 with a sum below 1, not {self.right}, {self.unsure}.")
        if not 0 <= self.patient_correlation <= self.correlation < 1:
            raise ValueError(
                "patient_correlation must be from 0 to correlation, which must be below 1, not "
                f"{self.patient_correlation} and {self.correlation}."
            )
        if self.sd_tr < 0 or self.images_per_patient < 1:
            raise ValueError("sd_tr must be 0 or more and images_per_patient at least 1.")
        if self.same_images and self.sessions[0] != self.sessions[1]:
            raise ValueError("sessions: with the same images both have the same numbers of them.")
        kinds = {"sensitivity": (1,), "specificity": (0,)}.get(self.figure, (0, 1))
        if any(session[kind] < 2 for session in self.sessions for kind in kinds):
            raise ValueError(f"sessions: {self.figure} needs two images of each kind that it counts in each session.")

    @property
    def baseline(self) -> float:
        """The figure in the first session."""
        return float(self.figures(np.zeros(1))[0])

    def figures(self, shift: Floats) -> Floats:
        """Return the expected figure (n,) of readers whose thresholds are shifted by `shift` (n,)."""
        right = ndtr(ndtri(self.right) + shift)
        wrong = ndtr(-ndtri(self.right + self.unsure) - shift)
        unsure = 1 - right - wrong
        if self.figure == "auc":
            value: Floats = right**2 + 2 * right * unsure + right * wrong + unsure**2 / 2
        else:
            value = right / (right + wrong) if self.unsure_rule is Unsure.EXCLUDED else right
        return value


@dataclass(frozen=True)
class SimulatedPower:
    """Shares of simulated studies, with Wilson's intervals.

    `power`: with the true difference, the two-sided test finds it. Without any difference: `equivalence`, the two
    one-sided tests show that it is within the margin; `not_lower` and `not_higher`, one of them at alpha / 2 shows that
    it is above −margin or below the margin; and `false_positive`, the two-sided test finds one. `undefined` counts
    studies of both kinds whose test was undefined; they count as not found.
    """

    power: Proportion
    equivalence: Proportion
    not_lower: Proportion
    not_higher: Proportion
    false_positive: Proportion
    undefined: int


def simulated_power(
    plan: SimulatedPlan,
    *,
    difference: float,
    margin: float,
    alpha: float,
    runs: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> SimulatedPower:
    """Simulate `runs` studies with the true difference and as many without, and return the shares of each result.

    `progress` is called with the studies done and those in all. Raises ValueError without runs, or if the figure cannot
    change by the difference.
    """
    if runs < 1:
        raise ValueError(f"runs: there must be at least one, not {runs}.")
    if not 0 < plan.baseline + difference < 1:
        raise ValueError(f"difference: the {plan.figure} is {plan.baseline:.3f}; it cannot change by {difference}.")
    found = equivalent = not_lower = not_higher = false = undefined = 0
    for run in range(runs):
        result = analyse(plan, simulate(plan, difference=difference, rng=rng))
        null = analyse(plan, simulate(plan, difference=0.0, rng=rng))
        undefined += (result.p is None) + (null.p is None)
        found += result.p is not None and result.p < alpha
        false += null.p is not None and null.p < alpha
        equivalent += _is_equivalent(null, margin, alpha)
        not_lower += _is_not_lower(null, margin, alpha)
        not_higher += _is_not_lower(null, margin, alpha, sign=-1)
        progress(run + 1, runs)
    return SimulatedPower(
        power=wilson(found, runs),
        equivalence=wilson(equivalent, runs),
        not_lower=wilson(not_lower, runs),
        not_higher=wilson(not_higher, runs),
        false_positive=wilson(false, runs),
        undefined=undefined,
    )


def analyse(plan: SimulatedPlan, study: Simulated) -> ObuchowskiRockette:
    """Return the primary analysis of a simulated study."""
    return obuchowski_rockette(
        study.score,
        study.truth,
        study.reader,
        study.case,
        study.condition,
        figure=plan.figure,
        threshold=None if plan.figure == "auc" else 0.5,
        design="crossed" if plan.same_images else "cases_in_condition",
    )


def _is_equivalent(result: ObuchowskiRockette, margin: float, alpha: float) -> bool:
    if result.p is None or result.df2 is None:
        return False
    difference = result.differences[0]
    df = None if np.isinf(result.df2) else result.df2
    return tost(difference.estimate, difference.se, margin, df=df, alpha=alpha).equivalent


def _is_not_lower(result: ObuchowskiRockette, margin: float, alpha: float, *, sign: int = 1) -> bool:
    """Return whether `sign` times the change is shown to lie above −margin, at the one-sided level alpha / 2."""
    if result.p is None or result.df2 is None:
        return False
    difference = result.differences[0]  # the first session minus the second
    df = None if np.isinf(result.df2) else result.df2
    return non_inferiority(-sign * difference.estimate, difference.se, margin, df=df, alpha=alpha / 2).shown


def simulate(plan: SimulatedPlan, *, difference: float, rng: np.random.Generator) -> Simulated:
    """Draw one study: every reader reads every image of both sessions. The true figure changes by `difference`."""
    truth, session = _images(plan)
    case = _cases(plan)
    shift = _shifts(plan, difference, rng)
    # Which thresholds move: those of the images that the figure is about.
    moves = {"sensitivity": truth, "specificity": 1 - truth}.get(plan.figure, np.ones_like(truth))
    score = _scores(plan, truth, case, rng) - shift[:, session] * moves
    is_right = score < ndtri(plan.right)
    is_wrong = score > ndtri(plan.right + plan.unsure)
    if plan.figure == "auc":
        rating = np.where(is_right, 2, np.where(is_wrong, 0, 1))
        value = np.where(truth == 1, rating, 2 - rating).astype(float)
    else:
        value = np.where(is_right, truth, 1 - truth).astype(float)
    reader, image = np.broadcast_arrays(np.arange(plan.readers)[:, None], np.arange(truth.size))
    kept = np.ones(score.shape, bool)
    if plan.figure != "auc" and plan.unsure_rule is Unsure.EXCLUDED:
        kept = is_right | is_wrong
    chosen = image[kept]
    return Simulated(value[kept], truth[chosen], reader[kept], case[chosen], session[chosen])


def _images(plan: SimulatedPlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return truth and session (images,) of all that a reader reads."""
    truth = np.concatenate([np.repeat([0, 1], counts) for counts in plan.sessions])
    return truth, np.repeat([0, 1], [sum(counts) for counts in plan.sessions])


def _cases(plan: SimulatedPlan) -> NDArray[np.int64]:
    """Return the case (images,) of each image that a reader reads: in both sessions the same, or other ones."""
    first, second = (np.arange(sum(counts)) for counts in plan.sessions)
    return np.concatenate([first, second if plan.same_images else second + first.size])


def _shifts(plan: SimulatedPlan, difference: float, rng: np.random.Generator) -> Floats:
    """Return the shift of the thresholds (readers, 2) that gives each reader × session cell its figure."""
    target = plan.baseline + np.array([0.0, difference]) + plan.sd_tr * rng.normal(size=(plan.readers, 2))
    return np.interp(target, plan.figures(_SHIFTS), _SHIFTS)


def _scores(plan: SimulatedPlan, truth: NDArray[np.int64], case: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return standard normal scores (readers, images); low ones are right verdicts."""
    of_patient = latent_correlation(plan.right, plan.patient_correlation)
    of_image = latent_correlation(plan.right, plan.correlation) - of_patient
    cases = int(case.max()) + 1
    patients = max(1, round(cases / plan.images_per_patient))
    patient = rng.permutation(np.arange(cases) % patients)[case]
    common = np.sqrt(of_image) * rng.normal(size=cases)[case]
    common = common + np.sqrt(of_patient) * np.where(truth == 1, -1, 1) * rng.normal(size=patients)[patient]
    own = np.sqrt(1 - of_image - of_patient) * rng.normal(size=(plan.readers, case.size))
    scores: Floats = common + own
    return scores


def latent_correlation(rate: float, correlation: float) -> float:
    """Return the correlation of two normal scores whose verdicts, right at this rate, correlate by `correlation`."""
    if correlation == 0:
        return 0.0
    height = ndtri(rate)

    def excess(latent: float) -> float:
        both = rate - 2 * owens_t(height, np.sqrt((1 - latent) / (1 + latent)))
        return float((both - rate**2) / (rate * (1 - rate)) - correlation)

    return float(brentq(excess, 0.0, 1.0))
