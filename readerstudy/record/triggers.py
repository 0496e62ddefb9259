"""Triggers that write every change of an evidence table to the log, and that keep such tables.

A model lists `*logged(...)` among its triggers; nothing else has to be called. The functions that the triggers call
are in the migration `record.0002_functions`. Decision 42 has the reasons.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pgtrigger
from django.db import models

# The code of the study to which the row `me` belongs, from one of its columns.
STUDY: Final = "(SELECT study.code FROM studies_study study WHERE study.id = {})"
ENROLLED: Final = (
    "(SELECT study.code FROM studies_enrollment reader JOIN studies_study study ON study.id = reader.study_id "
    "WHERE reader.id = {})"
)
LISTED: Final = (
    "(SELECT study.code FROM studies_readinglist list JOIN studies_enrollment reader ON reader.id = list.enrollment_id "
    "JOIN studies_study study ON study.id = reader.study_id WHERE list.id = {})"
)
PRESENTED: Final = (
    "(SELECT study.code FROM studies_presentation shown "
    "JOIN studies_readinglist list ON list.id = shown.reading_list_id "
    "JOIN studies_enrollment reader ON reader.id = list.enrollment_id "
    "JOIN studies_study study ON study.id = reader.study_id WHERE shown.id = {})"
)
OPENED: Final = (
    "(SELECT study.code FROM reading_readingsession opened JOIN studies_readinglist list "
    "ON list.id = opened.reading_list_id JOIN studies_enrollment reader ON reader.id = list.enrollment_id "
    "JOIN studies_study study ON study.id = reader.study_id WHERE opened.id = {})"
)
_EVERY_CHANGE: Final = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete


class Logged(pgtrigger.Trigger):
    """Appends each inserted, changed or deleted row to the log of its study, when the transaction commits.

    `study` is an SQL expression over the row `me` for the study's code. The columns `sealed` enter as a blinded hash;
    `derived` columns are left out, because they follow from other rows: expressions by name. `erasable` are those of
    the sealed columns that can be emptied later, together with the sealed part of the entry (`record.redactions`).
    """

    when = pgtrigger.After
    timing = pgtrigger.Deferred
    operation = _EVERY_CHANGE

    def __init__(
        self,
        *,
        study: str,
        sealed: Sequence[str] = (),
        derived: Mapping[str, str] | None = None,
        erasable: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self.study, self.sealed, self.derived = study, tuple(sealed), dict(derived or {})
        self.erasable = tuple(erasable)
        super().__init__(**{"name": "logged", **options})

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        return [("me", f'"{model._meta.db_table}"%ROWTYPE')]

    def get_func(self, model: Any) -> str:
        content, hidden = self.expressions()
        silent = _array([*self.derived, *self.erasable])
        return f"""
        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - {silent} = to_jsonb(NEW) - {silent} THEN
            RETURN NULL;
        END IF;
        me := COALESCE(NEW, OLD);
        PERFORM record_note(
            '{self.relation(model)}', me.{key_of(model)}::text, TG_OP, {self.study}, {content}, {hidden}
        );
        RETURN NULL;
        """

    def relation(self, model: type[models.Model]) -> str:
        """Return the table that the entries are about."""
        return str(model._meta.db_table)

    def expressions(self) -> tuple[str, str]:
        """Return SQL for the open and the sealed part of an entry about the row `me`."""
        row = "record_canonical(me)"
        hidden = f"record_columns({row}, {_array(self.sealed)})" if self.sealed else "NULL"
        return f"{row} - {_array([*self.sealed, *self.derived])}", hidden


class LoggedList(Logged):
    """Appends all rows that belong to an inserted row as one sealed entry; a deleted row as one without content.

    Such rows are inserted with their owner, and never change. `items` is a table, `owner` its column that names the
    row `me`.
    """

    operation = pgtrigger.Insert | pgtrigger.Delete

    def __init__(self, *, study: str, items: str, owner: str, order: str, **options: Any) -> None:
        self.items, self.owner, self.order = items, owner, order
        super().__init__(study=study, **{"name": "list_logged", **options})

    def relation(self, model: type[models.Model]) -> str:
        return self.items

    def expressions(self) -> tuple[str, str]:
        rows = f"FROM {self.items} item WHERE item.{self.owner} = me.id"
        listed = f"SELECT COALESCE(jsonb_agg(record_canonical(item) ORDER BY {self.order}), '[]') {rows}"
        return f"jsonb_build_object('count', (SELECT count(*) {rows}))", f"({listed})"


def logged(
    *,
    study: str,
    sealed: Sequence[str] = (),
    derived: Mapping[str, str] | None = None,
    erasable: Sequence[str] = (),
) -> list[pgtrigger.Trigger]:
    """Return triggers for an evidence table: each change is logged, and the table cannot be emptied at once."""
    return [Logged(study=study, sealed=sealed, derived=derived, erasable=erasable), not_truncated()]


def not_truncated() -> pgtrigger.Trigger:
    """Return a trigger that refuses TRUNCATE."""
    return pgtrigger.Trigger(
        name="not_truncated",
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;",
    )


def kept() -> list[pgtrigger.Trigger]:
    """Return triggers of a table whose rows are inserted once and never changed or deleted."""
    return [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete), not_truncated()]


def key_of(model: type[models.Model]) -> str:
    """Return the column of the primary key."""
    return str(model._meta.pk.column)


def _array(names: Sequence[str] | Mapping[str, str]) -> str:
    return "ARRAY[" + ", ".join(f"'{name}'" for name in names) + "]::text[]"
