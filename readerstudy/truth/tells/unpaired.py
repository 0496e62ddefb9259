"""Comparison of synthetic images with real ones by facts that have nothing to do with what they show.

Without pairs the image content does not cancel out: a fact counts if it separates both kinds beyond chance.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from scipy.stats import mannwhitneyu

from readerstudy.cohort.synthetic import ImageFacts
from readerstudy.imaging.image import Size
from readerstudy.statistics.separability import feature_auc, separability
from readerstudy.truth.tells.compare import FEWEST, LEVEL, SEPARATES, FactComparison, Finding, Tells

_ENLARGED: Final = 1.01  # factor from the file to the stored image


def find_unpaired_tells(
    real: Sequence[ImageFacts], synthetic: Sequence[ImageFacts], *, stored: Size, rng: np.random.Generator
) -> Tells:
    """Compare at least one synthetic image with at least one real image, both stored in a frame of `stored`.

    `rng` draws folds and permutations.
    """
    names = sorted(synthetic[0].facts)
    table = np.array([[image.facts[name] for name in names] for image in (*real, *synthetic)])
    labels = np.repeat([0, 1], [len(real), len(synthetic)])
    facts = {name: _compare(table[:, column], labels) for column, name in enumerate(names)}
    findings = [*_bits(real, synthetic), *_enlarged(real, synthetic, stored)]
    fewest = min(len(real), len(synthetic))
    if fewest < FEWEST:
        few = Finding("few_images", {"images": fewest, "fewest": FEWEST})
        return Tells(len(synthetic), (*findings, few), facts, real_images=len(real))
    findings += _separating(facts)
    result = separability(table, labels, rng=rng)
    combined = {"auc": result.auc, "p": result.p}
    if result.p <= LEVEL and result.auc >= 0.5 + SEPARATES:
        findings.append(Finding("combined", combined))
    return Tells(len(synthetic), tuple(findings), facts, combined, real_images=len(real))


def _compare(values: np.ndarray, labels: np.ndarray) -> FactComparison:
    """Return one fact with the p of the rank-sum test (Mann & Whitney, 1947)."""
    real, synthetic = values[labels == 0], values[labels == 1]
    varies = values.min() < values.max()
    return FactComparison(
        auc=feature_auc(values, labels),
        real=float(np.median(real)),
        adversarial=float(np.median(synthetic)),
        p=float(mannwhitneyu(real, synthetic).pvalue) if varies else 1.0,
    )


def _bits(real: Sequence[ImageFacts], synthetic: Sequence[ImageFacts]) -> Iterator[Finding]:
    """Compare the depth of the synthetic files with that of most real ones."""
    usual = Counter(image.bits for image in real).most_common(1)[0][0]
    for code, depths in (
        ("bits_fewer", Counter(image.bits for image in synthetic if image.bits < usual)),
        ("bits_more", Counter(image.bits for image in synthetic if image.bits > usual)),
    ):
        if depths:
            bits = depths.most_common(1)[0][0]
            yield Finding(code, {"real": usual, "adversarial": bits, "files": depths.total(), "of": len(synthetic)})


def _enlarged(real: Sequence[ImageFacts], synthetic: Sequence[ImageFacts], stored: Size) -> Iterator[Finding]:
    """Find files that were enlarged to the stored size, if real ones were not."""
    small = Counter(image.size for image in synthetic if _factor(image.size, stored) >= _ENLARGED)
    usual = Counter(image.size for image in real).most_common(1)[0][0]
    if small and _factor(usual, stored) < _ENLARGED:
        sizes = {"adversarial": small.most_common(1)[0][0], "real": usual, "stored": stored}
        shown = {name: f"{rows} × {columns}" for name, (rows, columns) in sizes.items()}
        yield Finding("enlarged", {**shown, "files": small.total(), "of": len(synthetic)})


def _factor(size: Size, stored: Size) -> float:
    """Return by how much an image of this size is enlarged to fit into the stored frame."""
    return min(stored[0] / size[0], stored[1] / size[1])


def _separating(facts: Mapping[str, FactComparison]) -> list[Finding]:
    """Return the facts that separate both kinds, the strongest first."""
    strong = [
        (abs(fact.auc - 0.5), name, fact)
        for name, fact in facts.items()
        if abs(fact.auc - 0.5) >= SEPARATES and fact.p <= LEVEL
    ]
    return [
        Finding("fact", {"name": name, "auc": fact.auc, "real": fact.real, "adversarial": fact.adversarial})
        for _distance, name, fact in sorted(strong, reverse=True, key=lambda item: item[:2])
    ]
