"""Moments of the success kernel over pairs of readings, sorted by what the two share (Barrett–Clarkson–Gallas).

The pairs of kernel values (reader, negative, positive) × (reader′, negative′, positive′) fall into eight kinds by
which of the three are the same. Sums over all pairs that share at least something come cheaply; inclusion and
exclusion turns them into sums over pairs that share exactly that. Number k − 1 of moment Mk has bit 4 for a different
reader, 2 for a different positive, 1 for a different negative. With a single sample of cases there are four kinds.

References: Gallas (2006), Acad. Radiol. 13:353; Gallas, Pennello and Myers (2007), JOSA A 24:B70; for designs with
missing readings Gallas and Brown (2008), Neural Netw. 21:387.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from readerstudy.statistics.mrmc.readings import Figure, Floats
from readerstudy.statistics.mrmc.success_kernel import factors, kernel_of, slices

EXACTLY = np.array([[1.0, 0.0], [-1.0, 1.0]])  # sharing nothing: all pairs, less those that share it
HALF_A_PAIR = 0.5  # counts of pairs are whole numbers, give or take rounding

Tables = tuple[Floats, ...]  # per class of truth (readers, cases), NaN where nothing was read


@dataclass(frozen=True)
class Sums:
    """Per kind, Σ of kernel products over pairs that share at least what the kind says.

    The first half of the kinds shares the reader and is kept per reader, (kinds / 2, readers); the second half does
    not care, (kinds / 2,).
    """

    same_reader: Floats
    any_reader: Floats

    @property
    def all(self) -> Floats:
        """The sums over all readers, (kinds,)."""
        return np.concatenate([self.same_reader.sum(axis=1), self.any_reader])


@dataclass(frozen=True)
class Component:
    """A component of variance and its weight in the variance of the mean: 1/n of what the effect is drawn from."""

    value: float
    weight: float


@dataclass(frozen=True)
class Moments:
    """Moments of one condition with itself or with another, and the weight of each in the covariance of means.

    The covariance is Σ weights · moments: with `unbiased` moments the U-statistic, which may come out negative, with
    `biased` ones the V-statistic (MLE), which cannot for a condition with itself. Moments without a pair are 0.
    """

    values: Sums
    pairs: Sums
    totals: tuple[float, float]  # how many kernel values either condition has

    @cached_property
    def weights(self) -> Floats:
        weights = _exactly(self.pairs.all) / self._pairs
        weights[-1] -= 1  # less the product of the means
        return weights

    @cached_property
    def unbiased(self) -> Floats:
        return _ratio(_exactly(self.values.all), _exactly(self.pairs.all))

    @cached_property
    def biased(self) -> Floats:
        return _ratio(self.values.all, self.pairs.all)

    def covariance(self, *, unbiased: bool) -> float:
        return float(self.weights @ (self.unbiased if unbiased else self.biased))

    def mean_square(self, factor: int) -> float:
        """Biased component of one factor (4 reader, 2 positive, 1 negative): proportional to its mean square."""
        last = self.weights.size - 1
        return float(self.biased[last ^ factor] - self.biased[last])

    def share(self, factor: int) -> float:
        """The weight of all pairs that share the factor: 1/n where all n of them have all readings, 0 if unpaired."""
        kinds = np.arange(self.weights.size)
        return float(self.weights[kinds & factor == 0].sum())

    def components(self, *, unbiased: bool) -> dict[str, Component]:
        """The same as components of variance (Barrett, Clarkson & Kupinski, 2006): N, D, ND, R, NR, DR, RND.

        Each effect stands for the cases without the signal (N), with it (D) and the reader (R); its value is the
        moment of pairs that share just these, less all effects within. With one sample of cases there are C, R, CR.
        """
        moments, last = self.unbiased if unbiased else self.biased, self.weights.size - 1
        names = ("N", "D", "ND", "R", "NR", "DR", "RND") if last == 7 else ("C", "R", "CR")
        kinds, found = range(last + 1), {}
        for shared, name in enumerate(names, start=1):
            within = [s for s in kinds if s & shared == s]
            value = sum((-1) ** (shared ^ s).bit_count() * moments[last ^ s] for s in within)
            weight = sum(self.weights[kind] for kind in kinds if not kind & shared)
            found[name] = Component(float(value) if weight > HALF_A_PAIR / self._pairs else 0.0, float(weight))
        return found

    @property
    def _pairs(self) -> float:
        return self.totals[0] * self.totals[1]

    def of_readers(self) -> Floats:
        """Unbiased covariance of each reader's own figures over cases, (readers,); NaN where there is none."""
        half = self.weights.size // 2
        values, pairs = self.values.same_reader, self.pairs.same_reader
        transform = _transform(half)
        exact, number = transform @ values, transform @ pairs
        with np.errstate(invalid="ignore", divide="ignore"):
            weights = number / pairs[-1]
            weights[-1] -= 1
            found: Floats = np.where(pairs[-1] > 0, (weights * _ratio(exact, number)).sum(axis=0), np.nan)
        return found


def weights_when_crossed(readers: int, negatives: int, positives: int) -> Floats:
    """The weights of the eight moments where every reader read every case."""
    apart = [(1.0 / n, 1.0 - 1.0 / n) for n in (readers, positives, negatives)]
    weights = _product([np.array(pair) for pair in apart])
    weights[-1] -= 1
    return weights


def _product(factors: list[Floats]) -> Floats:
    """Kronecker's product of all, the first the slowest to change."""
    product = factors[0]
    for factor in factors[1:]:
        product = np.asarray(np.kron(product, factor), dtype=np.float64)
    return product


def _transform(kinds: int) -> Floats:
    return _product([EXACTLY] * (kinds.bit_length() - 1))


def _exactly(sums: Floats) -> Floats:
    found: Floats = _transform(sums.size) @ sums
    return found


def _ratio(values: Floats, pairs: Floats) -> Floats:
    some = pairs > HALF_A_PAIR
    return np.where(some, values / np.where(some, pairs, 1.0), 0.0)


def all_moments(conditions: list[Tables], figure: Figure) -> dict[tuple[int, int], Moments]:
    """Moments of every condition with itself and with each later one; tables share the axes of readers and cases."""
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
    found = factors((stacked[0], stacked[1]), figure)
    if found is None:
        sums = _by_strips(conditions, pairs)
    else:
        readers = len(conditions[0][0])
        parts = [
            (found[0][start : start + readers], found[1][start : start + readers])
            for start in range(0, len(stacked[0]), readers)
        ]
        sums = {(a, b): _by_factors(parts[a], parts[b]) for a, b in pairs}
    return {(a, b): Moments(sums[a, b], _by_factors(unit[a], unit[b]), (totals[a], totals[b])) for a, b in pairs}


def _one_sample(a: Floats, b: Floats) -> Sums:
    own = np.stack([(a * b).sum(axis=1), a.sum(axis=1) * b.sum(axis=1)])
    return Sums(own, np.array([a.sum(axis=0) @ b.sum(axis=0), a.sum() * b.sum()]))


def _by_factors(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> Sums:
    """From kernels that are sums of products: everything comes from matrices of (readers × terms)²."""
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


def _by_strips(conditions: list[Tables], pairs: list[tuple[int, int]]) -> dict[tuple[int, int], Sums]:
    """From the kernel itself, strip by strip and reader by reader: no n₀ × n₁ table is ever whole."""
    readers, negatives = conditions[0][0].shape
    positives = conditions[0][1].shape[1]
    both = {pair: np.zeros(readers) for pair in pairs}
    shared = dict.fromkeys(pairs, 0.0)
    margins = [(np.zeros((readers, negatives)), np.zeros((readers, positives))) for _ in conditions]
    for strip in slices(negatives, positives):
        over_readers = [np.zeros((negatives, strip.stop - strip.start)) for _ in conditions]
        for reader in range(readers):
            kernels = []
            for place, (x, y) in enumerate(conditions):
                kernel = kernel_of(x[reader], y[reader, strip])
                over_readers[place] += kernel
                margins[place][0][reader] += kernel.sum(axis=1)
                margins[place][1][reader, strip] = kernel.sum(axis=0)
                kernels.append(kernel)
            for a, b in pairs:
                both[a, b][reader] += np.vdot(kernels[a], kernels[b])
        for a, b in pairs:
            shared[a, b] += float(np.vdot(over_readers[a], over_readers[b]))
    return {(a, b): _sums(both[a, b], shared[a, b], margins[a], margins[b]) for a, b in pairs}


def _sums(both: Floats, shared: float, a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> Sums:
    """From Σ over one reader's pairs, over all readers', and the margins per negative and per positive of both."""
    own = np.stack(
        [
            both,
            (a[1] * b[1]).sum(axis=1),
            (a[0] * b[0]).sum(axis=1),
            a[0].sum(axis=1) * b[0].sum(axis=1),
        ]
    )
    anyone = [shared, a[1].sum(axis=0) @ b[1].sum(axis=0), a[0].sum(axis=0) @ b[0].sum(axis=0), a[0].sum() * b[0].sum()]
    return Sums(own, np.array(anyone))
