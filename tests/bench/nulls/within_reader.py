"""Tests of one reader at a time, on simulated studies without a change."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from scipy import stats

from readerstudy.statistics import delong, exact_tests, multiplicity, order_effects, separability, subgroups
from readerstudy.statistics.equivalence import tost_proportions
from readerstudy.statistics.proportions import wilson
from readerstudy.statistics.signal_detection import SignalDetection, criterion_shift, d_prime_shift, detection
from tests.bench.nulls.truths import READERS, Floats, Session, Study

ALPHA = 0.05
PERMUTATIONS = 199
SUBSETS: dict[str, tuple[int | None, bool | None, tuple[int, int]]] = {
    "real, 3 v 5": (0, None, (3, 5)),
    "real, 2 v 3": (0, None, (2, 3)),
    "adversarial positives, 3 v 5": (1, True, (3, 5)),
}
Outcome = tuple[str, bool | None]  # None if the test is undefined


def sub_groups(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """The article's test in all its forms, and alternatives to it."""
    for subset, (adversarial, positive, (a, b)) in SUBSETS.items():
        held = (2, 3, 5) if adversarial == 0 else (3, 5)
        for reader in range(READERS):
            correct = {n: study.sessions[n].in_order(reader, adversarial=adversarial, positive=positive) for n in held}
            for (groups, error, distribution), result in subgroups.every_form(correct, a, b).items():
                name = f"sub-group {error} {distribution}, g {groups}, {subset}"
                rejected = None if result.p is None else result.p <= ALPHA
                upwards = result.difference is not None and result.difference > 0
                yield f"{name}, direction fixed", None if rejected is None else rejected and upwards
                yield f"{name}, direction chosen after looking", rejected
            batch = subgroups.batch_means_test(correct, a, b)
            yield f"Welch batch means g 10, {subset}", None if batch.p is None else batch.p <= ALPHA
            yield from _two_by_two(correct[a], correct[b], subset)
    yield from _pooled(study)


def _two_by_two(first: Floats, second: Floats, subset: str) -> Iterator[Outcome]:
    hits = int(first.sum()), int(second.sum())
    yield f"Boschloo two-sided, {subset}", bool(boschloo_table(first.size, second.size)[hits] <= ALPHA)
    z = two_proportion_z(*hits, first.size, second.size)
    yield f"two-proportion z, one reader, two-sided, {subset}", abs(z) > 1.959964
    yield f"two-proportion z, one reader, direction fixed, {subset}", z > 1.644854


def _pooled(study: Study) -> Iterator[Outcome]:
    """All readers' readings as one binomial, which ignores that readers differ."""
    third, fifth = (study.sessions[n].correct[:, study.sessions[n].adversarial == 0] for n in (3, 5))
    z = two_proportion_z(third.sum(), fifth.sum(), third.size, fifth.size)
    yield "two-proportion z, pooled over readers, real, 3 v 5", abs(z) > 1.959964


def two_proportion_z(first: float, second: float, trials_first: int, trials_second: int) -> float:
    """Second less first, with the pooled variance; 0 if nothing varies."""
    share = (first + second) / (trials_first + trials_second)
    variance = share * (1 - share) * (1 / trials_first + 1 / trials_second)
    return float((second / trials_second - first / trials_first) / np.sqrt(variance)) if variance else 0.0


@cache
def boschloo_table(first: int, second: int) -> Floats:
    """Two-sided p of every table of that size, (first + 1, second + 1): scipy takes a quarter of a second for each."""
    hits_first, hits_second = np.arange(first + 1)[:, None], np.arange(second + 1)[None, :]
    total = first + second
    upper = stats.hypergeom.sf(hits_second - 1, total, hits_first + hits_second, second)
    lower = stats.hypergeom.cdf(hits_second, total, hits_first + hits_second, second)
    one_sided = [_unconditional(tail, first, second) for tail in (upper, lower)]
    return np.minimum(1.0, 2 * np.minimum(*one_sided))


def _unconditional(extremeness: Floats, first: int, second: int) -> Floats:
    """The largest chance, over a grid of common shares, of a table at least as extreme."""
    flat = np.round(extremeness, 12).ravel()
    ranked = np.argsort(flat, kind="stable")
    last = np.searchsorted(flat[ranked], flat[ranked], side="right") - 1
    most = np.zeros(flat.size)
    for share in np.linspace(0.0025, 0.9975, 399):
        chances = np.outer(
            stats.binom.pmf(np.arange(first + 1), first, share), stats.binom.pmf(np.arange(second + 1), second, share)
        )
        most = np.maximum(most, chances.ravel()[ranked].cumsum()[last])
    p = np.empty(flat.size)
    p[ranked] = most
    return p.reshape(extremeness.shape)


def boschloo_error(rng: np.random.Generator) -> float:
    """Return the largest difference between the table and the package's p, over 24 tables that a study may give."""
    shares = rng.uniform(0.3, 0.9, 24)
    worst = 0.0
    for share in shares:
        hits = rng.binomial(59, share, 2)
        ours = exact_tests.boschloo(wilson(int(hits[0]), 59), wilson(int(hits[1]), 59))
        assert ours is not None
        worst = max(worst, abs(float(boschloo_table(59, 59)[tuple(hits)]) - ours))
    return worst


def signal_detection(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """Shifts of d′ and criterion, five readers as a family, and the same images read twice."""
    shifts = []
    for reader in range(READERS):
        third, fifth = (_detected(study.sessions[n], reader) for n in (3, 5))
        shift = d_prime_shift(third, fifth)
        shifts.append(shift.p)
        yield "d′ shift z, 3 v 5", shift.p <= ALPHA
        yield "criterion shift z, 3 v 5", criterion_shift(third, fifth).p <= ALPHA
        real = study.sessions[3].adversarial == 0
        once, twice = (session.correct[reader, real] == 1 for session in (study.sessions[3], study.again))
        paired = exact_tests.mcnemar(int((once & ~twice).sum()), int((twice & ~once).sum()))
        yield "McNemar exact, the same real images twice", paired.p <= ALPHA
        yield "McNemar mid-p, the same real images twice", paired.mid_p <= ALPHA
    yield "any of five d′ shifts, uncorrected", min(shifts) <= ALPHA
    yield "any of five d′ shifts, Holm", bool(multiplicity.holm(shifts).min() <= ALPHA)
    yield "any of five d′ shifts, Benjamini–Hochberg", bool(multiplicity.benjamini_hochberg(shifts).min() <= ALPHA)


def _detected(session: Session, reader: int) -> SignalDetection:
    called, adversarial = session.level[reader] == 2, session.adversarial == 1
    hits, false_alarms = int((called & adversarial).sum()), int((called & ~adversarial).sum())
    result = detection(hits, int(adversarial.sum()), false_alarms, int((~adversarial).sum()))
    assert result is not None
    return result


def reading_order(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """Trend, Kendall's τ and lag-one: of session 2, which is all real, and of session 3, which is mixed.

    In a mixed session a bias makes a reader wrong on one kind of image and right on the other.
    """
    for number, kind in ((2, "session 2, real images alone"), (3, "session 3, both kinds")):
        position = np.linspace(-1, 1, study.sessions[number].adversarial.size)
        for reader in range(READERS):
            correct = study.sessions[number].in_order(reader)
            trend = order_effects.trend(correct, position)
            tau = order_effects.kendall(correct, rng=rng, permutations=PERMUTATIONS)
            lag = order_effects.lag_one(correct, rng=rng, permutations=PERMUTATIONS)
            yield f"trend over position (logistic z), {kind}", None if trend is None else trend.p <= ALPHA
            yield f"Kendall τ, permutation, {kind}", None if tau is None else tau.p <= ALPHA
            yield f"lag-one autocorrelation, permutation, {kind}", None if lag is None else lag.p <= ALPHA


def areas_of_patients(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """DeLong on a classifier's scores: 55 patients with 4 images each, 15 of them positive."""
    patient = np.repeat(np.arange(55), 4)
    truth = (patient < 15).astype(int)
    for world, share in (("independent images", 0.0), ("patients with 4 images", 0.5)):
        a, b, c = (_scores(truth, patient, share, rng) for _ in range(3))
        common = _scores(0 * truth, patient, share, rng)
        related = common + a, common + b
        for name, cluster in (("clustered", patient), ("not clustered", None)):
            result = delong.paired(truth, *related, cluster=cluster)
            yield f"DeLong paired, {name}, {world}", None if result.p is None else result.p <= ALPHA
            apart = delong.unpaired(truth, a, truth, c, cluster_a=cluster, cluster_b=cluster)
            yield f"DeLong unpaired, {name}, {world}", None if apart.p is None else apart.p <= ALPHA
            wrong = delong.unpaired(truth, related[0], truth, related[1], cluster_a=cluster, cluster_b=cluster)
            yield f"DeLong unpaired on the same images, {name}, {world}", None if wrong.p is None else wrong.p <= ALPHA
        yield from _flipped(truth, patient, common + a, common + c - 2 * truth + 1, world)
    features, labels = rng.normal(size=(60, 3)), np.repeat([0, 1], 30)
    yield "separability, permutation", separability.separability(features, labels, rng=rng, permutations=99).p <= ALPHA


def _flipped(
    truth: np.ndarray, patient: np.ndarray, real: Floats, adversarial: Floats, world: str
) -> Iterator[Outcome]:
    """Compare the AUC on real images with that on adversarial images made from them, with the other label."""
    paired = delong.paired(truth, real, -adversarial, cluster=patient)
    unpaired = delong.unpaired(truth, real, 1 - truth, adversarial, cluster_a=patient, cluster_b=patient)
    for name, result in (("paired, adversarial scores flipped", paired), ("unpaired", unpaired)):
        yield (
            f"DeLong real v their adversarial images, {name}, clustered, {world}",
            result.p is not None and result.p <= ALPHA,
        )


def _scores(truth: np.ndarray, patient: np.ndarray, share: float, rng: np.random.Generator) -> Floats:
    """Scores of which `share` of the variance is the patient's."""
    own: Floats = truth + np.sqrt(1 - share) * rng.normal(size=truth.size)
    return own + np.sqrt(share) * rng.normal(size=patient.max() + 1)[patient]


def equivalence(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """Shares whose difference is the margin itself: a significant result is an error."""
    for margin, (first, second) in ((0.1, (0.6, 0.7)), (0.1, (0.85, 0.95))):
        for _ in range(READERS):
            hits = int(rng.binomial(218, first)), int(rng.binomial(220, second))
            result = tost_proportions(wilson(hits[0], 218), wilson(hits[1], 220), margin)
            yield f"TOST of shares at its margin {margin}, {first} v {second}", result.p < ALPHA
