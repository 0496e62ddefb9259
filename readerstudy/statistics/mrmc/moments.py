"""Moments of the success kernel over pairs of readings, by what the two share (Barrett, Clarkson and Gallas).

Pairs of kernel values (reader, negative, positive) × (reader′, negative′, positive′) fall into eight kinds by which of
the three are equal. Sums over all pairs that share at least a given set are cheap to compute; inclusion and exclusion
turns them into sums over pairs that share exactly that set. Index k − 1 of moment Mk has bit 4 for a different reader,
2 for a different positive, 1 for a different negative. With a single sample of cases there are four kinds.

References: Gallas (2006), Acad. Radiol. 13:353; Gallas, Pennello and Myers (2007), JOSA A 24:B70; for designs with
missing readings Gallas and Brown (2008), Neural Netw. 21:387.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from readerstudy.statistics.mrmc.readings import FigureOfMerit, Floats
from readerstudy.statistics.mrmc.success_kernel import kernel_factors, strips, success_kernel

INCLUSION_EXCLUSION = np.array([[1.0, 0.0], [-1.0, 1.0]])  # pairs without it are all pairs minus those that share it
HALF_A_PAIR = 0.5  # counts of pairs are integers up to rounding errors

Tables = tuple[Floats, ...]  # per class of truth (readers, cases), NaN if unread


@dataclass(frozen=True)
class PairSums:
    """Sums of kernel products per kind, over pairs that share at least what the kind requires.

    Kinds of the first half share the reader and are kept per reader, (kinds / 2, readers). Kinds of the second half
    allow different readers, (kinds / 2,).
    """

    same_reader: Floats
    any_reader: Floats

    @property
    def all(self) -> Floats:
        """The sums over all readers, (kinds,)."""
        return np.concatenate([self.same_reader.sum(axis=1), self.any_reader])


@dataclass(frozen=True)
class EffectVariance:
    """A component of variance, and its weight in the variance of the mean: 1/n for an effect sampled n times."""

    value: float
    weight: float


@dataclass(frozen=True)
class Moments:
    """Moments of one condition with itself or with another, and their weights in the covariance of means.

    The covariance is Σ weights · moments. `unbiased` moments give the U-statistic, which may be negative. `biased`
    moments give the V-statistic (MLE), which cannot be negative for a condition with itself. Moments without a pair
    are 0.
    """

    values: PairSums
    pairs: PairSums
    totals: tuple[float, float]  # number of kernel values of each condition

    @cached_property
    def weights(self) -> Floats:
        """Weights of the moments in the covariance of the means, (kinds,)."""
        weights = _exactly(self.pairs.all) / self._pairs
        weights[-1] -= 1  # minus the product of the means
        return weights

    @cached_property
    def unbiased(self) -> Floats:
        """Moments over pairs that share exactly what the kind names, (kinds,)."""
        return _ratio(_exactly(self.values.all), _exactly(self.pairs.all))

    @cached_property
    def biased(self) -> Floats:
        """Moments over pairs that share at least what the kind names, (kinds,)."""
        return _ratio(self.values.all, self.pairs.all)

    def covariance(self, *, unbiased: bool) -> float:
        """Return the covariance of the two means, as U-statistic (`unbiased`) or V-statistic."""
        return float(self.weights @ (self.unbiased if unbiased else self.biased))

    def mean_square(self, factor: int) -> float:
        """Return the biased component of a factor (4 reader, 2 positive, 1 negative)."""
        last = self.weights.size - 1
        return float(self.biased[last ^ factor] - self.biased[last])

    def shared_weight(self, factor: int) -> float:
        """Return the weight of all pairs that share the factor: 1/n if its n levels are complete, 0 if unpaired."""
        kinds = np.arange(self.weights.size)
        return float(self.weights[kinds & factor == 0].sum())

    def components(self, *, unbiased: bool) -> dict[str, EffectVariance]:
        """Return the components of variance N, D, ND, R, NR, DR and RND (Barrett, Clarkson & Kupinski, 2006).

        N are cases without the signal, D cases with it, R readers. The value of an effect is the moment of pairs that
        share exactly its factors, minus all effects nested in it. A single sample of cases gives C, R and CR.
        """
        moments, last = self.unbiased if unbiased else self.biased, self.weights.size - 1
        names = ("N", "D", "ND", "R", "NR", "DR", "RND") if last == 7 else ("C", "R", "CR")
        kinds, effects = range(last + 1), {}
        for shared, name in enumerate(names, start=1):
            nested = [s for s in kinds if s & shared == s]
            value = sum((-1) ** (shared ^ s).bit_count() * moments[last ^ s] for s in nested)
            weight = sum(self.weights[kind] for kind in kinds if not kind & shared)
            effects[name] = EffectVariance(float(value) if weight > HALF_A_PAIR / self._pairs else 0.0, float(weight))
        return effects

    @property
    def _pairs(self) -> float:
        return self.totals[0] * self.totals[1]

    def reader_covariances(self) -> Floats:
        """Return the unbiased covariance over cases of each reader's figures, (readers,); NaN without readings."""
        half = self.weights.size // 2
        values, pairs = self.values.same_reader, self.pairs.same_reader
        transform = _transform(half)
        exact, number = transform @ values, transform @ pairs
        with np.errstate(invalid="ignore", divide="ignore"):
            weights = number / pairs[-1]
            weights[-1] -= 1
            covariances: Floats = np.where(pairs[-1] > 0, (weights * _ratio(exact, number)).sum(axis=0), np.nan)
        return covariances


def weights_when_crossed(readers: int, negatives: int, positives: int) -> Floats:
    """Return the weights of the eight moments if every reader read every case."""
    same_or_not = [np.array((1.0 / n, 1.0 - 1.0 / n)) for n in (readers, positives, negatives)]
    weights = _kronecker(same_or_not)
    weights[-1] -= 1
    return weights


def _kronecker(factors: list[Floats]) -> Floats:
    """Return the Kronecker product of all factors; the first index changes slowest."""
    product = factors[0]
    for factor in factors[1:]:
        product = np.asarray(np.kron(product, factor), dtype=np.float64)
    return product


def _transform(kinds: int) -> Floats:
    return _kronecker([INCLUSION_EXCLUSION] * (kinds.bit_length() - 1))


def _exactly(sums: Floats) -> Floats:
    exact: Floats = _transform(sums.size) @ sums
    return exact


def _ratio(values: Floats, pairs: Floats) -> Floats:
    exists = pairs > HALF_A_PAIR
    return np.where(exists, values / np.where(exists, pairs, 1.0), 0.0)


def all_moments(conditions: list[Tables], figure: FigureOfMerit) -> dict[tuple[int, int], Moments]:
    """Return the moments of every condition with itself and with each later one, by their indices.

    All tables share the axes of readers and cases.
    """
    read = [tuple((~np.isnan(table)).astype(float) for table in tables) for tables in conditions]
    pairs = [(a, b) for a in range(len(conditions)) for b in range(a, len(conditions))]
    if len(conditions[0]) == 1:
        hits = [np.nan_to_num(tables[0]) for tables in conditions]
        totals = [float(mask.sum()) for (mask,) in read]
        return {
            (a, b): Moments(_one_sample(hits[a], hits[b]), _one_sample(read[a][0], read[b][0]), (totals[a], totals[b]))
            for a, b in pairs
        }
    unit = [(mask[0][:, None], mask[1][:, None]) for mask in read]
    totals = [float((x.sum(axis=1) * y.sum(axis=1)).sum()) for x, y in read]
    stacked = [np.concatenate([tables[k] for tables in conditions]) for k in (0, 1)]
    terms = kernel_factors((stacked[0], stacked[1]), figure)
    if terms is None:
        sums = _by_strips(conditions, pairs)
    else:
        readers = len(conditions[0][0])
        parts = [
            (terms[0][start : start + readers], terms[1][start : start + readers])
            for start in range(0, len(stacked[0]), readers)
        ]
        sums = {(a, b): _by_factors(parts[a], parts[b]) for a, b in pairs}
    return {(a, b): Moments(sums[a, b], _by_factors(unit[a], unit[b]), (totals[a], totals[b])) for a, b in pairs}


def _one_sample(a: Floats, b: Floats) -> PairSums:
    same_reader = np.stack([(a * b).sum(axis=1), a.sum(axis=1) * b.sum(axis=1)])
    return PairSums(same_reader, np.array([a.sum(axis=0) @ b.sum(axis=0), a.sum() * b.sum()]))


def _by_factors(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> PairSums:
    """Return the sums from factorised kernels, by matrices of shape (readers · terms, readers · terms)."""
    readers, terms = a[0].shape[0], a[0].shape[1]
    grams = [u.reshape(readers * terms, -1) @ v.reshape(readers * terms, -1).T for u, v in zip(a, b, strict=True)]
    products = grams[0] * grams[1]
    both = np.einsum("rkrl->r", products.reshape(readers, terms, readers, terms))
    margins = [
        (
            np.einsum("rkn,rk->rn", u, v.sum(axis=2), optimize=True),
            np.einsum("rkn,rk->rn", v, u.sum(axis=2), optimize=True),
        )
        for u, v in (a, b)
    ]
    return _sums(both, float(products.sum()), margins[0], margins[1])


def _by_strips(conditions: list[Tables], pairs: list[tuple[int, int]]) -> dict[tuple[int, int], PairSums]:
    """Return the sums from the kernel itself, by strips and readers, so that no n₀ × n₁ table is held in memory."""
    readers, negatives = conditions[0][0].shape
    positives = conditions[0][1].shape[1]
    both = {pair: np.zeros(readers) for pair in pairs}
    shared = dict.fromkeys(pairs, 0.0)
    margins = [(np.zeros((readers, negatives)), np.zeros((readers, positives))) for _ in conditions]
    for strip in strips(negatives, positives):
        over_readers = [np.zeros((negatives, strip.stop - strip.start)) for _ in conditions]
        for reader in range(readers):
            kernels = []
            for index, (x, y) in enumerate(conditions):
                kernel = success_kernel(x[reader], y[reader, strip])
                over_readers[index] += kernel
                margins[index][0][reader] += kernel.sum(axis=1)
                margins[index][1][reader, strip] = kernel.sum(axis=0)
                kernels.append(kernel)
            for a, b in pairs:
                both[a, b][reader] += np.vdot(kernels[a], kernels[b])
        for a, b in pairs:
            shared[a, b] += float(np.vdot(over_readers[a], over_readers[b]))
    return {(a, b): _sums(both[a, b], shared[a, b], margins[a], margins[b]) for a, b in pairs}


def _sums(both: Floats, shared: float, a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> PairSums:
    """Return PairSums from sums per reader and over all readers, and the margins per negative and per positive."""
    same_reader = np.stack(
        [
            both,
            (a[1] * b[1]).sum(axis=1),
            (a[0] * b[0]).sum(axis=1),
            a[0].sum(axis=1) * b[0].sum(axis=1),
        ]
    )
    any_reader = [
        shared,
        a[1].sum(axis=0) @ b[1].sum(axis=0),
        a[0].sum(axis=0) @ b[0].sum(axis=0),
        a[0].sum() * b[0].sum(),
    ]
    return PairSums(same_reader, np.array(any_reader))
