"""Restoring a backup: files first, each compared with its hash, then the database in one transaction."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from readerstudy.backup.checking import listed_files, require_dump
from readerstudy.backup.copied_files import FOLDERS, copy_file, folder_of, place_of
from readerstudy.backup.keys import adopt_keys, require_same_keys
from readerstudy.backup.making import STAMP
from readerstudy.backup.manifest import DUMP, read_manifest, require_known
from readerstudy.backup.postgres_tools import (
    Tools,
    count_tables,
    load_database,
    loading_tools,
    other_connections,
)
from readerstudy.errors import StudyError
from readerstudy.record.models import Log
from readerstudy.truth.verification import verify_record

Advance = Callable[[int, int, str], None]


@dataclass(frozen=True)
class RestorePlan:
    """A backup that can be restored here, and what that replaces."""

    folder: Path
    manifest: dict[str, Any]
    tools: Tools
    tables: int  # in the database now
    full_folders: tuple[str, ...]  # that are not empty now


@dataclass(frozen=True)
class VerifiedStudy:
    """A record after the restore, and what does not agree in it."""

    code: str
    entries: int
    findings: tuple[str, ...]


def plan_restore(
    folder: Path,
    *,
    replaces: bool = False,
    keys: Mapping[str, str] | None = None,
    other_keys: bool = False,
    pg_bin: Path | None = None,
) -> RestorePlan:
    """Return what a restore would do. Nothing is changed.

    Raises StudyError for a backup that is damaged, newer than this software, or made with other keys (unless
    `other_keys`), and unless `replaces` if the database or a folder is not empty.
    """
    manifest = read_manifest(folder)
    require_known(manifest["migrations"])
    if not other_keys:
        require_same_keys(manifest["keys"], keys)
    tools = loading_tools(manifest["database"]["pg_dump"], pg_bin)
    require_dump(folder, manifest)
    tables, full = count_tables(), tuple(name for name in FOLDERS if _is_full(folder_of(name)))
    if (tables or full) and not replaces:
        there = [
            *([f"the database has {tables} tables"] if tables else []),
            *(f"{folder_of(n)} has files" for n in full),
        ]
        raise StudyError(
            f"This installation is not empty: {', '.join(there)}. Restore into an empty database and an empty VAR_DIR, "
            "or replace what is there with --replace."
        )
    if count := other_connections():
        raise StudyError(f"{count} other processes use the database. Stop the web processes and the workers first.")
    _require_room(manifest)
    return RestorePlan(folder, manifest, tools, tables, full)


def restore(
    plan: RestorePlan, *, at: datetime, keys: Mapping[str, str] | None = None, advance: Advance
) -> list[VerifiedStudy]:
    """Restore the backup, migrate it to this version, grant the roles their rights, and verify every record.

    What was in the folders before is kept beside them, under a name with the time. If a file of the backup is damaged,
    or if the database cannot be loaded, everything is as it was. Raises StudyError then.
    """
    suffix = f".replaced-{at.astimezone(UTC).strftime(STAMP)}"
    for name in plan.full_folders:
        folder_of(name).rename(folder_of(name).with_name(name + suffix))
    try:
        _copy_back(plan, advance)
        load_database(
            plan.folder / DUMP,
            plan.tools,
            replaces=bool(plan.tables),
            tables=plan.manifest["database"]["tables"],
            advance=advance,
        )
    except BaseException:
        for name in FOLDERS:
            shutil.rmtree(folder_of(name), ignore_errors=True)
            if name in plan.full_folders:
                folder_of(name).with_name(name + suffix).rename(folder_of(name))
        raise
    if keys:
        adopt_keys(keys)
    connections.close_all()
    call_command("migrate", verbosity=0, interactive=False)
    return verify_all(plan.manifest["heads"], at=at, advance=advance)


def verify_all(heads: list[dict[str, Any]], *, at: datetime, advance: Advance) -> list[VerifiedStudy]:
    """Verify every record, also against heads that were kept elsewhere."""
    codes = sorted({"", *Log.objects.values_list("code", flat=True)})
    verified = []
    for number, code in enumerate(codes, start=1):
        result = verify_record(code, at=at, heads=[head for head in heads if head["log"] == code])
        found = tuple(f"{check['name']}: {finding}" for check in result.checks for finding in check["findings"])
        verified.append(VerifiedStudy(code, result.size, found))
        advance(number, len(codes), "records verified")
    return verified


def _copy_back(plan: RestorePlan, advance: Advance) -> None:
    done, total = 0, plan.manifest["files"]["bytes"]
    for line in listed_files(plan.folder, plan.manifest):
        place = place_of(line.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            copied = copy_file(plan.folder / "files" / line.path, place)
        except OSError as error:
            raise StudyError(f"{line.path} cannot be restored: {error.strerror}. Nothing was changed.") from error
        if copied != (line.bytes, line.sha256):
            raise StudyError(f"{line.path} of the backup is not the file that was backed up. Nothing was changed.")
        done += line.bytes
        advance(done, total, "files")


def _is_full(folder: Path) -> bool:
    """Return whether there is a file in the folder, or below it."""
    return any(path.is_file() for path in folder.rglob("*"))


def _require_room(manifest: Mapping[str, Any]) -> None:
    var = Path(settings.VAR_DIR)
    needed, free = manifest["files"]["bytes"], shutil.disk_usage(var).free
    if needed > free:
        raise StudyError(f"The files of the backup need {needed:,} bytes, and {var} has room for {free:,}.")
