"""Write the last calibration as tables into docs/results/statistics-calibration.md, between its two markers."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.bench.output import FOLDER

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "results" / "statistics-calibration.md"
EXAMPLES = DOCUMENT.parents[1] / "explanation" / "statistics.md"
BEGIN, END = (
    "<!-- calibration: written by `python -m tests.bench.parts.calibration --tables` -->",
    "<!-- calibration: end -->",
)
WORLDS = ("independent", "reader-by-session", "serial")
SUBSETS = ("real, 3 v 5", "real, 2 v 3", "adversarial positives, 3 v 5")
FORMS = ("difference normal", "difference t", "single normal", "single t")
GROUPS = (4, 5, 10, 20)
FIGURES = ("auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy")
DESIGNS = ("cases_in_condition", "crossed")
COVARIANCES = ("delong", "jackknife", "unbiased")
Cells = dict[tuple[str, str], str]


def write() -> None:
    """Replace the text between the markers. Raises ValueError if they are missing."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{DOCUMENT.name} lacks the markers of the calibration.")
    DOCUMENT.write_text("\n".join([before + BEGIN, *sections(), END + after]))


def sections() -> Iterator[str]:
    """All tables, from var/bench/calibration.json."""
    rows = json.loads((FOLDER / "calibration.json").read_text())
    cells = {_key(row["name"]): _cell(row) for row in rows}
    values = {_key(row["name"]): row["value"] for row in rows}
    yield from _sub_groups(cells)
    yield from _beside(cells)
    yield from _multi_reader(cells, values)
    yield from _areas(cells)
    yield from _models(cells)
    yield from _coverage(cells)


def _key(name: str) -> tuple[str, str]:
    test, _, world = name.partition(" | ")
    return test, world


def _cell(row: dict[str, object]) -> str:
    """The share with its standard error, as .043 ± .003."""
    error = re.match(r"± ([\d.]+)", str(row["unit"]))
    value = f"{row['value']:.3f}".replace("0.", ".", 1)
    return f"{value} ± {float(error[1]):.3f}".replace("± 0.", "± .") if error else value


def _table(title: str, heads: Iterable[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    heads = list(heads)
    yield from ("", f"**{title}**", "", "| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads))
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _by_world(title: str, cells: Cells, tests: dict[str, str]) -> Iterator[str]:
    """One line per test (name to print: name in the file), one column per truth."""
    rows = ([shown, *(cells.get((test, world), "–") for world in WORLDS)] for shown, test in tests.items())
    yield from _table(title, WORLDS, rows)


def _sub_groups(cells: Cells) -> Iterator[str]:
    rows = (
        [f"{form}, {subset}"]
        + [cells[f"sub-group {form}, g {g}, {subset}, direction fixed", "independent"] for g in GROUPS]
        for subset in SUBSETS
        for form in FORMS
    )
    yield from _table("Sub-group test, independent readings, direction fixed", [f"g {g}" for g in GROUPS], rows)
    columns = [(world, when) for world in ("independent", "serial") for when in ("fixed", "chosen after looking")]
    rows = (
        [f"{form}, {subset}"]
        + [cells[f"sub-group {form}, g 5, {subset}, direction {when}", world] for world, when in columns]
        for subset in SUBSETS
        for form in FORMS
    )
    heads = [f"{world}, direction {when}" for world, when in columns]
    yield from _table("Sub-group test at g 5, direction fixed or chosen after looking", heads, rows)


def _beside(cells: Cells) -> Iterator[str]:
    tests = {
        f"{name}, {subset}": f"{name}, {subset}"
        for subset in SUBSETS
        for name in (
            "Welch batch means g 10",
            "Boschloo two-sided",
            "two-proportion z, one reader, two-sided",
            "two-proportion z, one reader, direction fixed",
        )
    }
    more = (
        "d′ shift z, 3 v 5",
        "criterion shift z, 3 v 5",
        "McNemar exact, the same real images twice",
        "McNemar mid-p, the same real images twice",
        "any of five d′ shifts, uncorrected",
        "any of five d′ shifts, Holm",
        "any of five d′ shifts, Benjamini–Hochberg",
        "TOST of shares at its margin 0.1, 0.6 v 0.7",
        "TOST of shares at its margin 0.1, 0.85 v 0.95",
    )
    yield from _by_world("One reader", cells, {**tests, **{name: name for name in more}})


def _multi_reader(cells: Cells, values: dict[tuple[str, str], float]) -> Iterator[str]:
    tests = {f"{figure}, {design}": f"OR/Hillis delong, {figure}, {design}" for design in DESIGNS for figure in FIGURES}
    yield from _by_world("OR/Hillis, DeLong covariances, readers and cases random", cells, tests)
    apart = max(
        abs(values[f"OR/Hillis {covariance}, {figure}, {design}", world] - values[tests[f"{figure}, {design}"], world])
        for covariance in COVARIANCES
        for figure in FIGURES
        for design in DESIGNS
        for world in WORLDS
    )
    yield from ("", f"With the jackknife's and the unbiased covariances no share differs by more than {apart:.4f}.")
    others = ("OR fixed readers", "OR fixed cases", "U-statistic p_bdg", "U-statistic p_normal", "V-statistic p_bdg")
    tests = {
        f"{name}, {figure}, {design}": f"{name}, {figure}, {design}"
        for name in others
        for design in DESIGNS
        for figure in ("auc", "sensitivity")
    }
    tests |= {
        name: name for name, _ in cells if name.startswith(("bootstrap", "TOST of OR", "two-proportion z, pooled"))
    }
    yield from _by_world("Other ways over readers", cells, tests)


def _areas(cells: Cells) -> Iterator[str]:
    names = [name for name, _ in cells if name.startswith(("DeLong", "separability"))]
    rows = ([name, cells[name, "independent"]] for name in names)
    yield from _table("Areas of a classifier: 55 patients with 4 images each", ["rejects"], rows)


def _models(cells: Cells) -> Iterator[str]:
    starts = ("mixed logistic", "likelihood", "log-time", "log seconds", "trend", "Kendall", "lag-one autocorrelation")
    names = dict.fromkeys(name for name, _ in cells if name.startswith(starts))
    yield from _by_world("Mixed models and reading order", cells, {name: name for name in names})


def _coverage(cells: Cells) -> Iterator[str]:
    names = dict.fromkeys(name for name, _ in cells if name.startswith("coverage: "))
    shown = {name.removeprefix("coverage: "): name for name in names}
    yield from _by_world("Share of 95 % intervals that hold the truth", cells, shown)
