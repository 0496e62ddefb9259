"""Table 1 and its companions in cells of text, for the terminal and for pages that compute nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from models_ml.evaluation.attack_table import AreaUnderCurve, AttackTable, Compared, Share

NOTHING = "none to count"


@dataclass(frozen=True)
class TextTable:
    """A table ready to show: every row has a cell for each column; `caption` says how to read it."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


def table_1(tables: Sequence[AttackTable], *, title: str = "") -> TextTable:
    """The attacks side by side: one column each, as for an attack and its stage-1 control."""
    rows = [("images (patients)", [f"{t.images} ({t.patients})" for t in tables])]
    rows += [("AUC real", [area(t.auc_real) for t in tables])]
    rows += [("AUC adversarial, labels flipped", [area(t.auc_flipped) for t in tables])]
    if any(table.compared for table in tables):
        rows += [("  less AUC real (DeLong, by patient)", [difference(t.compared) for t in tables])]
    for place in range(min((len(table.decisions) for table in tables), default=0)):
        at = [table.decisions[place] for table in tables]
        rows += [(f"at threshold {at[0].threshold:.3f} ({at[0].name})", ["" for _ in tables])]
        rows += [(f"  {words}", [share(getattr(d, field)) for d in at]) for field, words in _TITLES.items()]
    columns = ("", *(table.name for table in tables))
    return TextTable("table1", title, columns, tuple((words, *cells) for words, cells in rows))


def text_table(tables: Sequence[AttackTable]) -> str:
    """`table_1` as plain text."""
    return as_text(table_1(tables))


def as_text(table: TextTable) -> str:
    """Columns lined up, the first to the left and the others to the right; the title above where there is one."""
    lines = [table.columns, *table.rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.columns))]
    text = [
        f"{line[0]:<{widths[0]}}  " + "  ".join(f"{cell:>{w}}" for cell, w in zip(line[1:], widths[1:], strict=True))
        for line in lines
    ]
    return "\n".join([*([table.title] if table.title else []), *(line.rstrip() for line in text)])


_TITLES = {
    "positives_right": "real positives right",
    "negatives_right": "real negatives right",
    "adversarial_positives_right": "inserted: called positive",
    "adversarial_negatives_right": "removed: called negative",
    "fooled_by_removal": "fooled by removal, of real positives right",
    "fooled_by_insertion": "fooled by insertion, of real negatives right",
    "fooled": "fooled over all",
}


def share(value: Share) -> str:
    """Hits, trials, the share and its interval."""
    if value.share is None or value.low is None or value.high is None:
        return NOTHING
    return f"{value.hits}/{value.trials}  {value.share:6.1%} ({value.low:.1%}–{value.high:.1%})"


def area(value: AreaUnderCurve | None) -> str:
    """An area with its interval."""
    return "one class only" if value is None else f"{value.value:.3f} ({value.low:.3f}–{value.high:.3f})"


def difference(value: Compared | None) -> str:
    """A difference of areas with its interval and p."""
    if value is None:
        return "not estimable"
    interval = "" if value.low is None or value.high is None else f" ({value.low:+.3f} to {value.high:+.3f})"
    return f"{value.difference:+.3f}{interval}" + ("" if value.p is None else f", p {_p(value.p)}")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
