"""Rows and media files that a builder has made once, put back for every later test of the process.

Importing the images of a small study takes a second, of which most of a suite's time once consisted. The first test
that asks has them made by the code itself; later ones get the same rows by COPY, and copies of the files.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, connections, transaction

from readerstudy.audit.models import Event
from readerstudy.cohort import storage
from readerstudy.sealed_work import SEALED
from tests.tamper import without_triggers

Rows = dict[str, list[str]]  # lines as COPY writes them, by table


@dataclass(frozen=True)
class Kept:
    """What one call has made."""

    rows: Rows
    events: list[Event]
    folder: Path
    files: list[Path]  # below the folder, and below the media folder


_KEPT: Final[dict[Hashable, Kept]] = {}


def kept(key: Hashable, build: Callable[[], object]) -> None:
    """Call `build`, or put back what it made when it was called with this key before.

    The key names all that the result depends on. What changes rows that were there is made anew each time, and so is
    everything in a process whose own role may not write past triggers.
    """
    if SEALED in connections:
        build()
    elif key in _KEPT:
        _put_back(_KEPT[key])
    else:
        rows, events, files = _rows(), set(Event.objects.values_list("pk", flat=True)), _files()
        build()
        now = _rows()
        if all(set(lines) <= set(now[table]) for table, lines in rows.items()):
            made = {table: _without(lines, rows[table]) for table, lines in now.items()}
            new_events = list(Event.objects.exclude(pk__in=events).order_by("pk"))
            _KEPT[key] = _keep({table: lines for table, lines in made.items() if lines}, new_events, _files() - files)


def forget() -> None:
    """Forget everything: numbers begin with 1 again, so that rows that are put back could meet others of theirs."""
    while _KEPT:
        shutil.rmtree(_KEPT.popitem()[1].folder)


def _rows() -> Rows:
    """Return every row of the database, those of the trail and of the record apart.

    Events are made anew, for their numbers say in which order things happened, and triggers write each into the record.
    """
    in_order = {Event._meta.db_table, *(model._meta.db_table for model in apps.get_app_config("record").get_models())}
    rows: Rows = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - in_order:
            text = StringIO()
            cursor.copy_expert(f"COPY {connection.ops.quote_name(table)} TO STDOUT", text)
            rows[table] = text.getvalue().splitlines(keepends=True)
    return rows


def _without(lines: Iterable[str], others: Iterable[str]) -> list[str]:
    known = set(others)
    return [line for line in lines if line not in known]


def _files() -> set[Path]:
    root = Path(settings.MEDIA_ROOT)
    return {path.relative_to(root) for path in root.rglob("*") if path.is_file()}


def _keep(rows: Rows, events: list[Event], files: Iterable[Path]) -> Kept:
    folder = Path(tempfile.mkdtemp(prefix="kept-"))
    copied = Kept(rows, events, folder, sorted(files))
    _copy(copied.files, Path(settings.MEDIA_ROOT), folder)
    return copied


def _put_back(made: Kept) -> None:
    root = Path(settings.MEDIA_ROOT)
    if made.files and not (root / made.files[0]).parent.exists():
        storage._make_folders()
    _copy(made.files, made.folder, root)
    with transaction.atomic(), without_triggers(), connection.cursor() as cursor:
        for table, lines in made.rows.items():
            cursor.copy_expert(f"COPY {connection.ops.quote_name(table)} FROM STDIN", StringIO("".join(lines)))
    for event in made.events:
        event.pk, event._state.adding = None, True
        event.save(force_insert=True)


def _copy(files: Iterable[Path], source: Path, target: Path) -> None:
    for file in files:
        os.makedirs(target / file.parent, exist_ok=True)
        shutil.copy2(source / file, target / file)
