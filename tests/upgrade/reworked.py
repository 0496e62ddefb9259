"""What this release's report says in another form than that of the previous one, on purpose: the rest must be equal.

`in_the_old_form` gives the tables of today's report the columns and rows that the previous release wrote, from the same
figures. What it leaves out has no counterpart there.
"""

from collections.abc import Callable
from typing import Any

from tests.upgrade.previous import differing_rows, same

Row = dict[str, Any]
Tables = dict[str, dict[str, Any]]

NEW_TABLES = {"stard_ai", "reader_study", "table3p", "reader_changes", "learning", "speed"}
# Columns without a counterpart in the other release, by table. Intervals of orders were the chance band, mirrored.
OTHERWISE = {
    "claim": {"record", "answered"},  # an item says now what the authors have to add
    "stard": {"record", "answered"},
    # An interval is that of its test, at the level of the decision; the change itself is the same.
    "planned": {"sessions", "level", "change_low", "change_high"},
    "order": {
        f"{name}_{usual}{end}" for name in ("tau", "lag_one") for usual in ("", "usual_") for end in ("low", "high")
    },
    "pvalues": {"sigma", "left_out", "p_difference_normal", "p_single_normal", "p_whole", "left_out_whole"}
    | {f"left_out_{groups}" for groups in (4, 5, 10, 20)},
}


def assert_says_the_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Compare two results of `stated_results`: that of the previous release, and one of this release."""
    assert len(before["tables"]) > 10
    assert set(before) == set(after)
    assert set(after["tables"]) - set(before["tables"]) == NEW_TABLES
    old, new = (
        {"tables": {name: {"rows": rows} for name, rows in in_the_old_form(each["tables"]).items()}}
        for each in (before, after)
    )
    differing = differing_rows(old, new)
    assert not differing, differing
    for part in ("study", "title", "rehearsal", "language", "plan", "summary", "limits"):
        assert same(before[part], after[part]), part


def in_the_old_form(tables: Tables) -> dict[str, list[Row]]:
    """Return the rows of the tables that both releases have."""
    rows = {
        name: [dict(row) for row in table.get("rows", [])] for name, table in tables.items() if name not in NEW_TABLES
    }
    rows["table2b"] = [{**row, "unsure": row["unsure"] if row["done"] else None} for row in rows["table2b"]]
    if "reader_changes" in tables:
        _mend(rows, tables["reader_changes"]["rows"])
    return {name: [_without(row, OTHERWISE.get(name, set())) for row in found] for name, found in rows.items()}


def _mend(rows: dict[str, list[Row]], changes: list[Row]) -> None:
    rows["subgroups"] = [_without(row, {"sd_of"}) for row in rows["subgroups"] if row["sd_of"] == "subset"]
    rows["pvalues"] = [
        {**row, **{old: change[new] for new, old in _MOVED.items()}}
        for row, change in zip(rows["pvalues"], changes, strict=True)
    ]
    rows["analysis_plan"] = [row for row in rows["analysis_plan"] if row["rule"] != "Interim looks"]
    each: dict[str, Callable[[Row], Row]] = {"analysis_plan": _rule, "time_grades": _grades}
    for name, change in each.items():
        rows[name] = [change(row) for row in rows[name]]


_MOVED = {"first": "share_a", "second": "share_b", "change": "difference", "batches_p": "p_batches"} | {
    name: name for name in ("adjusted", "exact_p", "family")
}


def _rule(row: Row) -> Row:
    value = row["value"] if isinstance(row["value"], str) else f"{row['value']:g}"
    return {**row, "value": value.replace("SD of blocks of the images of one kind; ", "")}


def _grades(row: Row) -> Row:
    shares = {f"a{end}": row[f"a_share{end}"] for end in ("", "_low", "_high", "_hits", "_trials")}
    assert row["a"] == shares["a_hits"]
    return {**_without(row, {f"a_share{end}" for end in ("", "_low", "_high", "_hits", "_trials")}), **shares}


def _without(row: Row, columns: set[str]) -> Row:
    return {name: value for name, value in row.items() if name not in columns}
