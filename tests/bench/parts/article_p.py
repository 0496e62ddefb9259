"""Which form of the sub-group test fits the article's printed p-values? `make bench PART=article_p`.

The article (Zhou et al., 2021) prints accuracies with two decimals and p-values, but not the reading order. Readings
with the printed accuracies (each within its rounding) are put into random order many times, and every form of the test
is computed for each order. Writes var/bench/article_p.json; `--tables` also writes the tables into
docs/results/article-p-values.md. `--orders N` orders for each comparison.

Shares that the article does not print, and that σ of whole sessions needs, are drawn between .4 and .9.

Also: how often each form rejects if nothing changes, with readings of the article's numbers.
"""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from readerstudy.statistics.subgroups import Distribution, ErrorTerm, SpreadOf
from tests.bench.output import write

DOCUMENT: Final = Path(__file__).resolve().parents[3] / "docs" / "results" / "article-p-values.md"
BEGIN: Final = "<!-- article_p: written by `python -m tests.bench.parts.article_p --tables` -->"
END: Final = "<!-- article_p: end -->"

SEED: Final = 20211214
ORDERS: Final = 2000
POSITIVES: Final = (
    51,
    75,
    109,
)  # adversarial images of positives in a session; the article does not print their number
GROUPS: Final = (4, 5, 10, 20)
REAL: Final = {2: 100, 3: 218, 5: 220}
ADVERSARIAL: Final = {2: 0, 3: 218, 5: 220}
Floats = NDArray[np.float64]
Form = tuple[SpreadOf, ErrorTerm, Distribution]
FORMS: Final[tuple[Form, ...]] = tuple(
    (sd_of, error, distribution)
    for distribution in reversed(get_args(Distribution))
    for sd_of in get_args(SpreadOf)
    for error in get_args(ErrorTerm)
)


@dataclass(frozen=True)
class Printed:
    """A comparison of sessions 3 and 5 with its printed p-value; None stands for p < .01.

    `kind`: "real", "adversarial+" (of positives) or "adversarial-". `shares` are the printed accuracies by kind and
    session.
    """

    name: str
    kind: str
    shares: Mapping[str, Mapping[int, float]]
    p: float | None


_R2: Final = {"adversarial+": {3: 0.53, 5: 0.72}, "adversarial-": {3: 0.39, 5: 0.32}}
_R3: Final = {"adversarial+": {3: 0.35, 5: 0.49}, "adversarial-": {3: 0.34, 5: 0.59}}
_R4: Final = {"real": {2: 0.60, 3: 0.94}, "adversarial+": {3: 0.71, 5: 0.67}, "adversarial-": {3: 0.68, 5: 0.84}}
_R5: Final = {"real": {3: 0.61, 5: 0.65}, "adversarial+": {3: 0.43, 5: 0.28}, "adversarial-": {3: 0.50, 5: 0.22}}
PRINTED: Final = (
    Printed("reader 5, real, .61 → .65", "real", _R5, 0.09),
    Printed("reader 4, adversarial of positives, .71 → .67", "adversarial+", _R4, 0.13),
    Printed("reader 2, adversarial of negatives, .39 → .32", "adversarial-", _R2, 0.13),
    Printed("reader 3, adversarial of positives, .35 → .49", "adversarial+", _R3, None),
    Printed("reader 5, adversarial of positives, .43 → .28", "adversarial+", _R5, None),
    Printed("reader 2, adversarial of positives, .53 → .72", "adversarial+", _R2, None),
)


@dataclass(frozen=True)
class Null:
    """Two sessions between which nothing changes."""

    name: str
    kind: str
    a: int
    b: int


NULLS: Final = (
    Null("real, 3 v 5", "real", 3, 5),
    Null("real, 2 v 3", "real", 2, 3),
    Null("75 adversarial of positives, 3 v 5", "adversarial+", 3, 5),
)


def main() -> None:
    options = ArgumentParser(description=__doc__)
    options.add_argument("--orders", type=int, default=ORDERS)
    options.add_argument("--tables", action="store_true")
    chosen = options.parse_args()
    results = {n: every_p(n, chosen.orders) for n in POSITIVES}
    rejected = rejections(chosen.orders)
    write("article_p", rows(results, rejected))
    if chosen.tables:
        before, _, rest = DOCUMENT.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            raise ValueError(f"{DOCUMENT.name} lacks its markers.")
        DOCUMENT.write_text("\n".join([before + BEGIN, *tables(results, rejected), END + after]))


@dataclass(frozen=True)
class Values:
    """The p of one comparison by number of sub-groups and form, (orders,); NaN if the test is undefined."""

    printed: Printed
    p: Mapping[tuple[int, Form], Floats]

    def median(self, groups: int, form: Form) -> float:
        return float(np.nanmedian(self.p[groups, form]))

    def fit(self, groups: int, form: Form) -> float:
        """Return the share of orders with the printed p: to two decimals, or below .01."""
        p = self.p[groups, form]
        if self.printed.p is None:
            return float((p < 0.01).mean())
        return float((np.abs(p - self.printed.p) <= 0.005).mean())


def every_p(positives: int, orders: int, groups: tuple[int, ...] = GROUPS) -> tuple[Values, ...]:
    """Return the p-values of every printed comparison with this number of adversarial images of positives."""
    rng = np.random.default_rng(SEED)
    return tuple(Values(printed, _simulate(printed, positives, orders, groups, rng)) for printed in PRINTED)


def _simulate(
    printed: Printed, positives: int, orders: int, groups: tuple[int, ...], rng: np.random.Generator
) -> dict[tuple[int, Form], Floats]:
    result: dict[tuple[int, Form], list[float]] = {(g, form): [] for g in groups for form in FORMS}
    for _order in range(orders):
        sessions = {number: _session(printed, number, positives, rng) for number in (2, 3, 5)}
        for g in groups:
            for form, p in _forms(sessions, g):
                result[g, form].append(p)
    return {key: np.array(values) for key, values in result.items()}


Session = tuple[Floats, NDArray[np.bool_]]  # credits of all readings, and whether they belong to the compared subset


def _session(printed: Printed, number: int, positives: int, rng: np.random.Generator) -> Session:
    adversarial = {"adversarial+": positives if number > 2 else 0}
    sizes = {"real": REAL[number], **adversarial, "adversarial-": ADVERSARIAL[number] - adversarial["adversarial+"]}
    credits, member = [], []
    for kind, size in sizes.items():
        share = printed.shares.get(kind, {}).get(number)
        accuracy = rng.uniform(0.4, 0.9) if share is None else rng.uniform(share - 0.005, share + 0.005)
        credits.append(np.arange(size) < round(accuracy * size))
        member.append(np.full(size, kind == printed.kind))
    order = rng.permutation(sum(sizes.values()))
    return np.concatenate(credits)[order].astype(float), np.concatenate(member)[order]


def _forms(sessions: Mapping[int, Session], groups: int, a: int = 3, b: int = 5) -> Iterator[tuple[Form, float]]:
    """Yield the p of each form. A literal second program; the tests compare it with `subgroup_test`."""
    first, second = (credits[member].mean() for credits, member in (sessions[a], sessions[b]))
    held = {number: session for number, session in sessions.items() if session[1].any()}
    sigmas = {
        "subset": [_sd(credits[member], np.ones(int(member.sum()), bool), groups) for credits, member in held.values()],
        "session": [_sd(credits, member, groups) for credits, member in held.values()],
        "whole": [_sd(credits, np.ones(credits.size, bool), groups) for credits, _member in sessions.values()],
    }
    for form in FORMS:
        sd_of, error, distribution = form
        sds = sigmas[sd_of]
        scale = float(np.mean(sds)) * np.sqrt((2 if error == "difference" else 1) / groups)
        z = abs(second - first) / scale if scale > 0 else np.nan
        yield form, float(ndtr(-z) if distribution == "normal" else stdtr(len(sds) * (groups - 1), -z))


def _sd(credits: Floats, member: NDArray[np.bool_], groups: int) -> float:
    size = credits.size // groups
    blocks = [slice(start * size, (start + 1) * size) for start in range(groups)]
    counts = [int(member[block].sum()) for block in blocks]
    if not size or 0 in counts:
        return float("nan")
    shares = [credits[block][member[block]].sum() / count for block, count in zip(blocks, counts, strict=True)]
    return float(np.std(shares, ddof=1))


def rejections(studies: int) -> dict[tuple[Null, Form], float]:
    """Return how often each form rejects at .05 if nothing changed, g = 5, with the direction fixed in advance."""
    rng = np.random.default_rng(SEED)
    counts: dict[tuple[Null, Form], int] = dict.fromkeys(product(NULLS, FORMS), 0)
    for null in NULLS:
        for _study in range(studies):
            sessions = {number: _null_session(null.kind, number, rng) for number in (2, 3, 5)}
            first, second = (sessions[n][0][sessions[n][1]].mean() for n in (null.a, null.b))
            for form, p in _forms(sessions, 5, null.a, null.b):
                counts[null, form] += second > first and p <= 0.05
    return {key: count / studies for key, count in counts.items()}


def _null_session(kind: str, number: int, rng: np.random.Generator) -> Session:
    positives = 75 if number > 2 else 0
    sizes = {"real": REAL[number], "adversarial+": positives, "adversarial-": ADVERSARIAL[number] - positives}
    accuracy = np.repeat([0.82, 0.44, 0.44], list(sizes.values()))
    member = np.repeat([each == kind for each in sizes], list(sizes.values()))
    order = rng.permutation(accuracy.size)
    return (rng.random(accuracy.size) < accuracy[order]).astype(float), member[order]


def rows(
    results: Mapping[int, tuple[Values, ...]], rejected: Mapping[tuple[Null, Form], float]
) -> Iterator[tuple[str, float, str]]:
    for (null, form), share in rejected.items():
        yield f"{' '.join(form)}, g 5 | nothing changes, {null.name}", share, "rejected at .05, direction fixed"
    for positives, values in results.items():
        for form in FORMS:
            for g in GROUPS:
                name = f"{' '.join(form)}, g {g}, {positives} positives"
                yield f"{name} | log-likelihood", _log_likelihood(values, g, form), "sum over the six printed p-values"
            for each in values:
                yield f"{' '.join(form)}, g 5, {positives} positives | {each.printed.name}", each.median(5, form), "p"


def _log_likelihood(values: tuple[Values, ...], groups: int, form: Form) -> float:
    # Half an order for a p-value that no order had, so that its logarithm exists.
    orders = values[0].p[groups, form].size
    return float(sum(np.log(max(each.fit(groups, form), 0.5 / orders)) for each in values))


def tables(results: Mapping[int, tuple[Values, ...]], rejected: Mapping[tuple[Null, Form], float]) -> Iterator[str]:
    """Yield the lines of the document's tables."""
    heads = [f"{sd_of}, {error}" for sd_of, error, distribution in FORMS if distribution == "t"]
    for distribution in ("t", "normal"):
        forms = [form for form in FORMS if form[2] == distribution]
        yield from ("", f"**Median p over the orders, 75 adversarial images of positives, g = 5, {distribution}**", "")
        yield f"| comparison | printed | {' | '.join(heads)} |"
        yield f"|---|---|{'---|' * len(forms)}"
        for each in results[75]:
            printed = "< .01" if each.printed.p is None else _number(each.printed.p, 2)
            yield f"| {each.printed.name} | {printed} | {' | '.join(_number(each.median(5, f), 3) for f in forms)} |"
    for distribution in ("t", "normal"):
        forms = [form for form in FORMS if form[2] == distribution]
        yield from ("", f"**Log-likelihood of the six printed p-values, {distribution}**", "")
        yield f"| images of positives | g | {' | '.join(heads)} |"
        yield f"|---|---|{'---|' * len(forms)}"
        for positives, values in results.items():
            for g in GROUPS:
                cells = (f"{_log_likelihood(values, g, form):.1f}".replace("-", "−") for form in forms)
                yield f"| {positives} | {g} | {' | '.join(cells)} |"
    yield from ("", "**Rejected at .05 if nothing changes, direction fixed, g = 5**", "")
    yield f"| compared | distribution | {' | '.join(heads)} |"
    yield f"|---|---|{'---|' * len(heads)}"
    for null in NULLS:
        for distribution in ("t", "normal"):
            shares = (rejected[null, form] for form in FORMS if form[2] == distribution)
            yield f"| {null.name} | {distribution} | {' | '.join(_number(share, 3) for share in shares)} |"
    yield ""


def _number(value: float, digits: int) -> str:
    return "< .001" if value < 0.0005 else f"{value:.{digits}f}".replace("0.", ".", 1)


if __name__ == "__main__":
    main()
