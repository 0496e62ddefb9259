"""Checking a backup without restoring it: every file against the signed manifest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from readerstudy.backup.copied_files import FileLine, hash_file, read_lines
from readerstudy.backup.manifest import DUMP, LISTING, read_manifest
from readerstudy.backup.postgres_tools import loading_tools, require_readable
from readerstudy.errors import StudyError

Advance = Callable[[int, int, str], None]
MOST_FINDINGS: Final = 1000


@dataclass
class CheckedBackup:
    """What was compared, and a sentence for each finding."""

    folder: Path
    at: str
    files: int = 0
    bytes: int = 0
    findings: list[str] = field(default_factory=list)

    def add(self, finding: str) -> None:
        """Keep a finding, the first thousand of them."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)


def check_backup(folder: Path, *, pg_bin: Path | None = None, advance: Advance) -> CheckedBackup:
    """Read a whole backup and compare it with its manifest. Raises StudyError if the manifest itself is unusable."""
    manifest = read_manifest(folder)
    checked = CheckedBackup(folder, manifest["at"])
    try:
        require_dump(folder, manifest)
        require_readable(folder / DUMP, loading_tools(manifest["database"]["pg_dump"], pg_bin))
    except StudyError as error:
        checked.add(str(error))
    for line in listed_files(folder, manifest):
        checked.files, checked.bytes = checked.files + 1, checked.bytes + line.bytes
        try:
            if hash_file(folder / "files" / line.path) != (line.bytes, line.sha256):
                checked.add(f"{line.path} was changed")
        except OSError as error:
            checked.add(f"{line.path} cannot be read: {error.strerror}")
        advance(checked.bytes, manifest["files"]["bytes"], f"{checked.files} files")
    return checked


def require_dump(folder: Path, manifest: dict[str, Any]) -> None:
    """Raise StudyError if the dump of the database is not the one of the manifest."""
    _require(folder, DUMP, manifest["database"]["sha256"])


def listed_files(folder: Path, manifest: dict[str, Any]) -> Iterator[FileLine]:
    """Yield the files of a backup. Raises StudyError if their list is not the one of the manifest."""
    _require(folder, LISTING, manifest["files"]["sha256"])
    yield from read_lines(folder / LISTING)


def _require(folder: Path, name: str, digest: str) -> None:
    try:
        found = hash_file(folder / name)[1]
    except OSError as error:
        raise StudyError(f"{name} of {folder} cannot be read: {error.strerror}.") from error
    if found != digest:
        raise StudyError(f"{name} of {folder} is not the one that was backed up.")
