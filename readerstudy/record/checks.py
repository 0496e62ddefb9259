"""Verification of a log against the database: entries and tables, both ways, the tree, signed heads and receipts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import connection, models

from readerstudy.record.heads import head_data, is_signed_here, public_key, split_hashes
from readerstudy.record.models import Entry, ErasedPart, Log, TreeHead
from readerstudy.record.redactions import erased_parts, erasure_findings
from readerstudy.record.triggers import Logged, LoggedList, key_of
from readerstudy.record.verifier import (
    add_leaf,
    check_heads,
    check_leaves,
    check_receipt,
    check_receipt_against,
    parsed,
)

Key = tuple[str, str]  # table and primary key of a row


@dataclass(frozen=True)
class Check:
    """One check: how much was compared, and a sentence for each finding."""

    name: str
    compared: int
    findings: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """What the last entry about a row says of it; `content` None: it was deleted; `hidden` {}: nothing was sealed.

    `erased`: what is missing of it.
    """

    index: int
    content: Any
    hidden: Any
    erased: str = ""


@dataclass(frozen=True)
class LoadedLog:
    """The entries of a log in the order of their indices."""

    code: str
    entries: Sequence[Entry]
    erased: Mapping[int, str]  # part by index

    @property
    def hashes(self) -> list[bytes]:
        return [bytes(entry.hash) for entry in self.entries]


def load_log(code: str) -> LoadedLog:
    """Return the log with its entries."""
    return LoadedLog(code, list(Entry.objects.filter(log=code).order_by("index")), erased_parts(code))


def verify_log(
    log: LoadedLog, *, heads: Sequence[dict[str, Any]] = (), receipts: Sequence[dict[str, Any]] = ()
) -> list[Check]:
    """Return every check of the log. `heads` and `receipts` are those that were kept outside the database."""
    hashes = log.hashes
    own = [head_data(head) for head in TreeHead.objects.filter(log=log.code)]
    outside = [head for head in heads if head["log"] == log.code]
    checks = [
        Check("entries", len(log.entries), tuple(_entry_findings(log))),
        Check("erased entries", len(log.erased), tuple(erasure_findings(log.entries, log.erased))),
        Check("tree", len(log.entries), tuple(_tree_findings(log, hashes))),
        *_row_checks(log),
        Check("signed tree heads", len(own), tuple(_head_findings(own, hashes))),
        Check("tree heads outside", len(outside), (*_head_findings(outside, hashes), *_removed(outside, own))),
    ]
    for receipt in receipts:
        found = check_receipt(receipt, public_key(), is_valid=is_signed_here)
        if receipt["head"]["log"] == log.code:
            found += check_receipt_against(receipt, hashes, is_valid=is_signed_here)
        else:
            found.append("the receipt belongs to another study")
        checks.append(Check("receipt", len(receipt["leaves"]), tuple(found)))
    return checks


def logged_tables() -> Iterator[tuple[type[models.Model], Logged]]:
    """Yield every table whose rows are logged, with the trigger that does it."""
    for model in apps.get_models():
        for trigger in getattr(model._meta, "triggers", []):
            if isinstance(trigger, Logged):
                yield model, trigger


def _head_findings(heads: Sequence[dict[str, Any]], hashes: list[bytes]) -> list[str]:
    return check_heads(list(heads), hashes, public_key(), is_valid=is_signed_here)


def _removed(outside: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]]) -> Iterator[str]:
    known = {(head["size"], head["signature"]) for head in own}
    for head in outside:
        if (head["size"], head["signature"]) not in known:
            yield f"tree head of {head['size']} entries, {head['at']}: is not in the database"


def _entry_findings(log: LoadedLog) -> Iterator[str]:
    yield from check_leaves([_leaf(entry) for entry in log.entries])
    append_only = {trigger.relation(model) for model, trigger in logged_tables() if _is_append_only(model, trigger)}
    known = {trigger.relation(model) for model, trigger in logged_tables()}
    rewritten: set[Key] = set()  # rows without the texts that were erased
    for entry in log.entries:
        if entry.relation not in known:
            yield f"entry {entry.index}: {entry.relation} is not a logged table"
        if log.erased.get(entry.index) == ErasedPart.ALL:
            rewritten.add((entry.relation, entry.row))
            continue
        data = parsed(entry.data)
        if (data.get("table"), data.get("row")) != (entry.relation, entry.row):
            yield f"entry {entry.index}: is filed under another row"
        op = data.get("op")
        is_erasure = op == "update" and (entry.relation, entry.row) in rewritten
        if entry.relation in append_only and op != "insert" and not is_erasure:
            yield f"entry {entry.index}: {op} of {entry.relation} row {entry.row}, which is never changed"


def _leaf(entry: Entry) -> dict[str, Any]:
    leaf = {"index": entry.index, "hash": bytes(entry.hash).hex(), "sealed": entry.sealed}
    return {**leaf, "data": entry.data} if entry.data else leaf


def _is_append_only(model: type[models.Model], trigger: Logged) -> bool:
    """Return whether no path of the application changes or deletes rows of the table."""
    if isinstance(trigger, LoggedList):
        return False
    # `triggers` is an option of pgtrigger, which Django's stubs do not know.
    protections = (each for each in model._meta.triggers if isinstance(each, pgtrigger.Protect))  # type: ignore[attr-defined]
    return any(each.condition is None and str(each.operation) == "UPDATE OR DELETE" for each in protections)


def _tree_findings(log: LoadedLog, hashes: list[bytes]) -> Iterator[str]:
    head = Log.objects.filter(code=log.code).first()
    size, stored = (head.size, split_hashes(bytes(head.peaks))) if head else (0, [])
    peaks: list[bytes] = []
    for index, leaf in enumerate(hashes):
        add_leaf(peaks, index, leaf)
    if size != len(hashes):
        yield f"the log states {size} entries and has {len(hashes)}"
    if stored != peaks:
        yield "the tree of the log is not that of its entries"


def _row_checks(log: LoadedLog) -> Iterator[Check]:
    """Yield a check for each table, in both directions."""
    states = _states(log)
    for model, trigger in logged_tables():
        relation = trigger.relation(model)
        of_table = {key: state for (table, key), state in states.items() if table == relation}
        rows = _rows(model, trigger, log.code)
        found = [*_compare(relation, rows, of_table), *_derived_findings(model, trigger, log.code)]
        if rows or of_table:
            yield Check(relation, len(rows), tuple(found))


def _states(log: LoadedLog) -> dict[Key, State]:
    states = {}
    for entry in log.entries:
        data, erased = parsed(entry.data), log.erased.get(entry.index, "")
        hidden = parsed(entry.sealed).get("content") if "sealed" in data else {}
        states[entry.relation, entry.row] = State(entry.index, data.get("content"), hidden, erased)
    return states


def _rows(model: type[models.Model], trigger: Logged, code: str) -> dict[str, tuple[Any, Any]]:
    """Return the open and the sealed part of each row of the study, by primary key.

    The sealed part has the columns that another table took over since, because earlier entries have them.
    """
    content, hidden = trigger.expressions()
    for column, expression in _moved_columns(trigger.relation(model)):
        hidden = f"COALESCE({hidden}, '{{}}'::jsonb) || jsonb_build_object('{column}', {expression})"
    key, table = key_of(model), model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT me.{key}::text, ({content})::text, ({hidden})::text FROM "{table}" me '
            f"WHERE COALESCE({trigger.study}, '') = %s ORDER BY me.{key}",
            [code],
        )
        return {row: (json.loads(text), json.loads(secret or "{}")) for row, text, secret in cursor.fetchall()}


def _moved_columns(relation: str) -> Iterator[tuple[str, str]]:
    """Yield the columns of a table that are in another one since, with an expression over the row `me` for each."""
    for model in apps.get_models():
        yield from getattr(model, "moved_here", {}).get(relation, {}).items()


def _compare(relation: str, rows: dict[str, tuple[Any, Any]], states: dict[str, State]) -> Iterator[str]:
    for row, (content, hidden) in rows.items():
        state = states.get(row)
        if state is None or state.content is None:
            yield f"{relation} row {row}: there is no entry for it"
            continue
        parts = _differences(content, state.content)
        if state.erased == ErasedPart.SEALED:
            parts += [name for name, value in (hidden or {}).items() if value is not None]  # erased with the entry
        else:
            parts += _differences(hidden, state.hidden)
        if parts:
            yield f"{relation} row {row}: {', '.join(parts)} differs from entry {state.index}"
    for row, state in states.items():
        if state.content is not None and row not in rows:
            yield f"{relation} row {row}: is missing, or in another study; entry {state.index} has it"


def _differences(now: Any, then: Any) -> list[str]:
    """Return the columns of an entry that the row does not have, or has otherwise. Columns added since do not count."""
    if not isinstance(then, dict) or not isinstance(now, dict):
        return [] if _text(now) == _text(then) else ["the list" if isinstance(then, list) else "the sealed part"]
    return [name for name in then if name not in now or _text(now[name]) != _text(then[name])]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # tells true from 1, and 1.0 from 1


def _derived_findings(model: type[models.Model], trigger: Logged, code: str) -> Iterator[str]:
    for column, expression in trigger.derived.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT me.{key_of(model)} FROM "{model._meta.db_table}" me '
                f"WHERE COALESCE({trigger.study}, '') = %s AND me.{column} <> {expression}",
                [code],
            )
            for (row,) in cursor.fetchall():
                yield f"{model._meta.db_table} row {row}: {column} does not agree with other rows"
