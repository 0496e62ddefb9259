"""Making a backup: heads and record first, then the database as one snapshot, then the files, which are only added."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from readerstudy.backup.copied_files import (
    AFTER_THE_DUMP,
    BEFORE_THE_DUMP,
    FOLDERS,
    Copied,
    EarlierBackup,
    copy_folders,
    files_below,
    hash_file,
)
from readerstudy.backup.keys import fingerprints
from readerstudy.backup.manifest import (
    DUMP,
    LISTING,
    applied_migrations,
    backups_in,
    software,
    write_manifest,
)
from readerstudy.backup.postgres_tools import Tools, count_tables, dump_database, dumping_tools, server_version
from readerstudy.errors import BadInput, StudyError
from readerstudy.record.heads import head_data, public_key, sign_head
from readerstudy.record.models import Log

Advance = Callable[[int, int, str], None]
STAMP: Final = "%Y-%m-%dT%H-%M-%SZ"
_DRAFT: Final = ".unfinished-"


@dataclass(frozen=True)
class MadeBackup:
    """A complete backup, and the older ones that were deleted for it."""

    folder: Path
    copied: Copied
    database_bytes: int
    heads: int
    deleted: tuple[str, ...]


def make_backup(
    folder: Path,
    *,
    at: datetime,
    keep: int | None = None,
    full: bool = False,
    pg_bin: Path | None = None,
    advance: Advance,
) -> MadeBackup:
    """Back up into a new folder below `folder`, and return it once it is complete.

    Files that the newest backup there has are linked, unless `full`. `keep` is the number of backups that stay. Readers
    and workers may go on meanwhile. Raises StudyError if another backup into the folder is under way, if the tools of
    PostgreSQL do not fit, or if the disk is full; a backup that was not completed is deleted.
    """
    tools = dumping_tools(pg_bin)
    with _alone(folder):
        existing = backups_in(folder)
        earlier = existing[-1] if existing and not full else None
        target = folder / at.astimezone(UTC).strftime(STAMP)
        if target.exists():
            raise StudyError(f"{target} exists already; wait a second.")
        draft = folder / f"{_DRAFT}{target.name}"
        draft.mkdir(mode=0o700)
        try:
            copied, content = _fill(draft, tools, at=at, earlier=earlier, advance=advance)
            write_manifest(draft, content, at=at)
            os.sync()
            draft.rename(target)
        except OSError as error:
            raise StudyError(f"The backup was not completed: {error.strerror} ({error.filename or folder}).") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        deleted = _delete_oldest([*existing, target], keep)
    return MadeBackup(target, copied, content["database"]["bytes"], len(content["heads"]), deleted)


def _fill(
    draft: Path, tools: Tools, *, at: datetime, earlier: Path | None, advance: Advance
) -> tuple[Copied, dict[str, Any]]:
    """Write everything but the manifest; return what was copied, and the manifest's contents."""
    total = sum(facts.st_size for name in FOLDERS for _, facts in files_below(name))
    copied = Copied()

    def on_bytes(size: int) -> None:
        advance(min(copied.bytes, total), total, f"{copied.files} files")

    heads = [sign_head(code, at=at) for code in Log.objects.order_by("code").values_list("code", flat=True)]
    migrations, tables = applied_migrations(), count_tables()
    with (draft / LISTING).open("w", encoding="utf-8") as listing:
        common: dict[str, Any] = {"earlier": EarlierBackup(earlier), "copied": copied, "on_bytes": on_bytes}
        copy_folders(BEFORE_THE_DUMP, draft / "files", listing, **common)
        dump_database(draft / DUMP, tools, advance)
        copy_folders(AFTER_THE_DUMP, draft / "files", listing, **common)
    dump_bytes, dump_hash = hash_file(draft / DUMP)
    _, listing_hash = hash_file(draft / LISTING)
    return copied, {
        "software": software(),
        "database": {
            "bytes": dump_bytes,
            "sha256": dump_hash,
            "server": server_version(),
            "pg_dump": tools.version,
            "tables": tables,
        },
        "files": {"count": copied.files, "bytes": copied.bytes, "sha256": listing_hash},
        "migrations": migrations,
        "heads": [head_data(head) for head in heads if head],
        "public_key": public_key(),
        "keys": fingerprints(),
    }


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder of the backups, and remove what a killed backup has left in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StudyError(f"Another backup into {folder} is under way.") from error
        for left in folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _delete_oldest(backups: list[Path], keep: int | None) -> tuple[str, ...]:
    old = backups[:-keep] if keep else []
    for each in old:
        # Renamed first, so that half a backup never looks like a whole one.
        dying = each.with_name(f"{_DRAFT}{each.name}")
        each.rename(dying)
        shutil.rmtree(dying)
    return tuple(each.name for each in old)
