"""Comparison of real and adversarial images by facts that have nothing to do with what they show.

A finding is a code with numbers; `truth.tells.sentences` puts it into words when it is shown. Two kinds of rules find
one: differences that each pair has alike, such as the depth of the files, and facts that separate the images of both
kinds as the blinding audit measures it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from readerstudy.cohort.pairs import PairFacts
from readerstudy.statistics.separability import feature_auc, separability

FORMAT: Final = 1
FEWEST: Final = 10  # pairs; with fewer, chance separates them too often
_ALIKE: Final = 0.9  # of the pairs differ in one direction
_MOSTLY_ALIKE: Final = 0.75  # for a fact that is noisy in small images
LEVEL: Final = 0.01  # of the sign test and of the combined test
SEPARATES: Final = 0.15  # distance of an AUC from .5
_SHARPNESS: Final = 1.25  # factor of the Laplacian's variance
_EMPTY: Final = 0.2  # share of empty grey levels beyond that of the real files
_PEAK: Final = 10.0  # of a spectrum over its median, and twice that of the real files
_BLOCKS: Final = 0.04  # of all steps, beyond those of the real files
_BACKGROUND: Final = 0.01  # share of changed pixels
_BORDER: Final = 0.005  # of full scale
_BYTES: Final = 1.25  # factor of the size of a file
# Facts of the files with a rule of their own. Other facts count if they separate.
_OWN_RULE: Final = frozenset(
    {
        "empty levels of the file",
        "distinct levels of the file",
        "sharpness of the file",
        "interpolation in the file",
        "compression blocks in the file",
        "border of the file",
        "background of the file",
    }
)


@dataclass(frozen=True)
class Finding:
    """One trace: a code of `sentences`, and the numbers of its sentence."""

    code: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FactComparison:
    """One fact: AUC (.5: no separation), medians of real and adversarial images, p of the sign test over the pairs."""

    auc: float
    real: float
    adversarial: float
    p: float


@dataclass(frozen=True)
class Tells:
    """Everything that was compared. `combined` is the AUC and p of all facts together, None with few pairs.

    Of synthetic images `pairs` is their number, and `real_images` that of the real images beside them.
    """

    pairs: int
    findings: tuple[Finding, ...]
    facts: Mapping[str, FactComparison]
    combined: Mapping[str, float] | None = None
    real_images: int | None = None  # None: those of the pairs
    format: int = FORMAT


def find_tells(pairs: Sequence[PairFacts], *, rng: np.random.Generator) -> Tells:
    """Compare the real and the adversarial images of at least one pair. `rng` draws folds and permutations."""
    table = _Table(pairs)
    facts = {name: table.compare(name) for name in table.names}
    findings = [finding for rule in _RULES for finding in rule(table, facts)]
    if len(pairs) < FEWEST:
        return Tells(len(pairs), (*findings, Finding("few", {"pairs": len(pairs), "fewest": FEWEST})), facts)
    combined = table.separate(rng)
    if combined["p"] <= LEVEL and combined["auc"] >= 0.5 + SEPARATES:
        findings.append(Finding("combined", combined))
    return Tells(len(pairs), tuple(findings), facts, combined)


class _Table:
    """The facts of all pairs as columns, (pairs,)."""

    def __init__(self, pairs: Sequence[PairFacts]) -> None:
        self.pairs = pairs
        self.names = sorted({name for pair in pairs for name in pair.real})

    def columns(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the values of the real and of the adversarial images."""
        real = np.array([pair.real[name] for pair in self.pairs])
        return real, np.array([pair.adversarial[name] for pair in self.pairs])

    def compare(self, name: str) -> FactComparison:
        real, adversarial = self.columns(name)
        labels = np.repeat([0, 1], len(real))
        more, less = int((adversarial > real).sum()), int((adversarial < real).sum())
        return FactComparison(
            auc=feature_auc(np.concatenate([real, adversarial]), labels),
            real=float(np.median(real)),
            adversarial=float(np.median(adversarial)),
            p=float(binomtest(more, more + less).pvalue) if more + less else 1.0,
        )

    def separate(self, rng: np.random.Generator) -> dict[str, float]:
        """Return AUC and p of all facts of the stored images together, as the blinding audit computes them."""
        stored = [name for name in self.names if name not in _OWN_RULE]
        features = np.stack([np.concatenate(self.columns(name)) for name in stored], axis=1)
        result = separability(features, np.repeat([0, 1], len(self.pairs)), rng=rng)
        return {"auc": result.auc, "p": result.p}

    def alike(self, name: str, *, share: float = _ALIKE) -> bool:
        """Return whether nearly all pairs differ in one direction."""
        real, adversarial = self.columns(name)
        return bool(max((adversarial > real).mean(), (adversarial < real).mean()) >= share)


Rule = Callable[[_Table, Mapping[str, FactComparison]], Iterator[Finding]]


def _bits(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    """Fewer bits show as banding; more bits are rounded to those of the real file."""
    for code, differs in (("bits_fewer", _has_fewer_bits), ("bits_more", _has_more_bits)):
        depths = Counter((pair.real_bits, pair.adversarial_bits) for pair in table.pairs if differs(pair))
        if depths:
            real, adversarial = depths.most_common(1)[0][0]
            numbers = {"real": real, "adversarial": adversarial, "files": depths.total(), "of": len(table.pairs)}
            yield Finding(code, numbers)


def _has_fewer_bits(pair: PairFacts) -> bool:
    return pair.adversarial_bits < pair.real_bits


def _has_more_bits(pair: PairFacts) -> bool:
    return pair.adversarial_bits > pair.real_bits


def _size(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    scaled = [pair for pair in table.pairs if pair.real_size != pair.adversarial_size]
    if scaled:
        (real, adversarial), _count = Counter((pair.real_size, pair.adversarial_size) for pair in scaled).most_common(
            1
        )[0]
        sizes = {"real": f"{real[0]} × {real[1]}", "adversarial": f"{adversarial[0]} × {adversarial[1]}"}
        yield Finding("size", {**sizes, "files": len(scaled), "of": len(table.pairs)})


def _empty_levels(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    name = "empty levels of the file"
    fact = facts[name]
    if fact.adversarial - fact.real >= _EMPTY and table.alike(name):
        distinct = facts["distinct levels of the file"]
        counts = {"real_levels": distinct.real, "adversarial_levels": distinct.adversarial}
        yield Finding("empty_levels", {"real": fact.real, "adversarial": fact.adversarial, **counts})


def _sharpness(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    name = "sharpness of the file"
    real, adversarial = table.columns(name)
    factor = float(10 ** np.median(adversarial - real))
    if not 1 / _SHARPNESS < factor < _SHARPNESS and table.alike(name):
        # The standard deviation of the detail, which is what a viewer sees.
        yield Finding("softer" if factor < 1 else "sharper", {"share": factor**0.5})


def _blocks(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    name = "compression blocks in the file"
    fact = facts[name]
    if fact.adversarial - fact.real >= _BLOCKS and table.alike(name, share=_MOSTLY_ALIKE):
        yield Finding("blocks", {"share": fact.adversarial})
        return
    # Blocks of eight pixels are periodic as well.
    peak = facts["interpolation in the file"]
    if peak.adversarial >= max(_PEAK, 2 * peak.real) and table.alike("interpolation in the file"):
        yield Finding("interpolation", {"real": peak.real, "adversarial": peak.adversarial})


def _background(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    share = float(np.median([pair.changed_background for pair in table.pairs]))
    if share >= _BACKGROUND:
        levels = facts["background of the file"]
        yield Finding("background", {"share": share, "real": levels.real, "adversarial": levels.adversarial})


def _border(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    change = float(np.median([pair.border_change for pair in table.pairs]))
    if change >= _BORDER:
        levels = facts["border of the file"]
        yield Finding("border", {"share": change, "real": levels.real, "adversarial": levels.adversarial})


def _bytes(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    ratios = np.array([pair.bytes_ratio for pair in table.pairs if pair.same_format])
    if ratios.size < len(table.pairs):
        return
    middle = float(np.median(ratios))
    if not 1 / _BYTES < middle < _BYTES and max((ratios > 1).mean(), (ratios < 1).mean()) >= _ALIKE:
        yield Finding("bytes", {"share": middle})


def _facts(table: _Table, facts: Mapping[str, FactComparison]) -> Iterator[Finding]:
    """Facts of the stored images that separate both kinds, the strongest first, as the blinding audit has them."""
    if len(table.pairs) < FEWEST:
        return
    strong = [
        (abs(fact.auc - 0.5), name, fact)
        for name, fact in facts.items()
        if name not in _OWN_RULE and abs(fact.auc - 0.5) >= SEPARATES and fact.p <= LEVEL
    ]
    for _distance, name, fact in sorted(strong, reverse=True, key=lambda item: item[:2]):
        yield Finding("fact", {"name": name, "auc": fact.auc, "real": fact.real, "adversarial": fact.adversarial})


_RULES: Final[tuple[Rule, ...]] = (
    _bits,
    _size,
    _empty_levels,
    _sharpness,
    _blocks,
    _background,
    _border,
    _bytes,
    _facts,
)
