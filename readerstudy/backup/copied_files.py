"""The files of an installation in a backup: copied once, hashed while they are copied, linked in later backups.

The list of the files is a text with one JSON object a line, in the order of the walk. Two lists are compared side by
side, so that a million files need no memory.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings

from readerstudy.errors import StudyError

# Heads that are signed later than the dump would name entries that the dump does not have: they are copied before it.
BEFORE_THE_DUMP: Final = ("record",)
AFTER_THE_DUMP: Final = ("media", "runs", "jobs", "bundles")
FOLDERS: Final = (*BEFORE_THE_DUMP, *AFTER_THE_DUMP)
CHUNK: Final = 1 << 20
OnBytes = Callable[[int], None]


@dataclass(frozen=True)
class FileLine:
    """A file in a backup. `seen` is inode and time of change of the original, equal only if nobody wrote since."""

    path: str  # "media/ab/ab12.png"
    bytes: int
    sha256: str
    seen: tuple[int, int]

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> "FileLine":
        """Return the file of a line. Raises StudyError if it is none, or leads out of the folders."""
        try:
            values = json.loads(text)
            first, second = values["seen"]
            line = cls(str(values["path"]), int(values["bytes"]), str(values["sha256"]), (int(first), int(second)))
        except (ValueError, TypeError, KeyError) as error:
            raise StudyError(f"The list of files has a line that cannot be read: {text[:100]!r}.") from error
        parts = line.path.split("/")
        if parts[0] not in FOLDERS or len(parts) < 2 or any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise StudyError(f"The list of files names {line.path!r}, which is outside the folders of a backup.")
        return line


def folder_of(name: str) -> Path:
    """Return a folder of this installation by its name in a backup."""
    own = {
        "record": settings.RECORD_DIR,
        "media": settings.MEDIA_ROOT,
        "runs": settings.RUNS_DIR,
        "jobs": settings.JOBS_DIR,
        "bundles": Path(settings.VAR_DIR) / "bundles",
    }
    return Path(own[name])


def place_of(path: str) -> Path:
    """Return where a file of a backup is, or goes, in this installation."""
    name, _, rest = path.partition("/")
    return folder_of(name) / rest


def files_below(name: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield path and facts of every finished file below a folder, in the order of `_key`."""
    yield from _walk(folder_of(name), name)


def _walk(folder: Path, name: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        path = f"{name}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, path)
        elif entry.is_file(follow_symlinks=False) and ".part" not in entry.name:  # drafts, renamed when whole
            with suppress(FileNotFoundError):  # removed since
                yield path, entry.stat(follow_symlinks=False)


def _key(path: str) -> tuple[int, list[str]]:
    first, *others = path.split("/")
    return FOLDERS.index(first), others


def read_lines(path: Path) -> Iterator[FileLine]:
    """Yield the files of a list."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            yield FileLine.of(text)


class EarlierBackup:
    """The files of the backup before, looked up in the order of the walk."""

    def __init__(self, folder: Path | None) -> None:
        self._files = folder / "files" if folder else None
        self._lines = read_lines(folder / "files.jsonl") if folder else iter(())
        self._line = next(self._lines, None)

    def find(self, path: str, facts: os.stat_result) -> FileLine | None:
        """Return the file if it is in the backup as it is now. Paths must be asked for in order."""
        key = _key(path)
        while self._line is not None and _key(self._line.path) < key:
            self._line = next(self._lines, None)
        line = self._line
        if line is None or line.path != path or line.bytes != facts.st_size or line.seen != _seen(facts):
            return None
        return line

    def link(self, line: FileLine, target: Path) -> bool:
        """Give the file of the earlier backup a second name. False: the file system has no such links."""
        assert self._files is not None
        try:
            os.link(self._files / line.path, target)
        except OSError:
            return False
        return target.stat().st_size == line.bytes


def _seen(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_ino, facts.st_ctime_ns


@dataclass
class Copied:
    """How much was copied: all files of the backup, and those that the backup before did not have."""

    files: int = 0
    bytes: int = 0
    new_files: int = 0
    new_bytes: int = 0


def copy_folders(
    names: tuple[str, ...], target: Path, listing: IO[str], *, earlier: EarlierBackup, copied: Copied, on_bytes: OnBytes
) -> None:
    """Copy the folders of this installation below `target`, and write a line for each file."""
    for name in names:
        for path, facts in files_below(name):
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            line = earlier.find(path, facts)
            if line is None or not earlier.link(line, place):
                try:
                    size, digest = copy_file(place_of(path), place)
                except FileNotFoundError:  # removed since it was listed
                    continue
                line = FileLine(path, size, digest, _seen(facts))
                copied.new_files, copied.new_bytes = copied.new_files + 1, copied.new_bytes + size
            copied.files, copied.bytes = copied.files + 1, copied.bytes + line.bytes
            listing.write(line.as_json() + "\n")
            on_bytes(line.bytes)


def copy_file(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file with its date; return the number of bytes and the SHA-256 of what was copied."""
    with source.open("rb") as reading:
        facts = os.fstat(reading.fileno())
        with target.open("xb") as writing:
            size, digest = _pass_on(reading, writing)
    os.utime(target, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
    return size, digest


def hash_file(path: Path) -> tuple[int, str]:
    """Return the number of bytes and the SHA-256 of a file."""
    with path.open("rb") as reading:
        return _pass_on(reading, None)


def _pass_on(reading: IO[bytes], writing: IO[bytes] | None) -> tuple[int, str]:
    digest: Any = hashlib.sha256()
    size = 0
    while chunk := reading.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if writing is not None:
            writing.write(chunk)
    return size, digest.hexdigest()
