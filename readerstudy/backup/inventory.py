"""Comparing rows, files and hashes: files that are missing, were changed, or belong to no row."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.conf import settings

from readerstudy.backup.copied_files import hash_file
from readerstudy.experiments.models import Checkpoint
from readerstudy.truth.queries import media_rows, named_files

Advance = Callable[[int, int, str], None]
SHOWN: Final = 1000  # of each kind that are kept
# Files are written before their rows are committed. An import or a generation may be at work on newer ones.
GRACE_S: Final = 24 * 3600
WEIGHTS: Final = "weights.safetensors"
_PREFIXES: Final = tuple(f"{number:02x}" for number in range(256))


@dataclass
class Inventory:
    """What was compared, and the names of the files in which rows and disk differ."""

    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)  # older than a day
    recent: int = 0  # without a row, but too new to be sure

    @property
    def agrees(self) -> bool:
        """Whether every file that a row names is there, unchanged."""
        return not self.missing and not self.changed


def take_inventory(*, reads: bool = True, now_s: float | None = None, advance: Advance) -> Inventory:
    """Compare every media file and every network with its row; without `reads` by name and size only."""
    found = Inventory()
    newest = (time.time() if now_s is None else now_s) - GRACE_S
    for number, prefix in enumerate(_PREFIXES, start=1):
        _compare(prefix, found, reads=reads, newest=newest)
        advance(number, len(_PREFIXES), f"{found.files} files")
    for folder, digest in Checkpoint.objects.values_list("folder", "weights").iterator():
        _compare_file(
            Path(settings.RUNS_DIR) / folder / WEIGHTS, f"runs/{folder}/{WEIGHTS}", None, digest, found, reads
        )
    return found


def _compare(prefix: str, found: Inventory, *, reads: bool, newest: float) -> None:
    """Compare one of the 256 folders of media files."""
    folder, named = Path(settings.MEDIA_ROOT), set()
    for row in media_rows(f"{prefix}/"):
        named.add(row.file)
        _compare_file(folder / row.file, f"media/{row.file}", row.bytes, row.sha256, found, reads)
    below = folder / prefix
    for path in sorted(below.iterdir()) if below.is_dir() else ():
        if path.is_file() and f"{prefix}/{path.name}" not in named:
            if path.stat().st_ctime > newest:
                found.recent += 1
            else:
                _keep(found.orphaned, f"media/{prefix}/{path.name}")


def _compare_file(path: Path, name: str, size: int | None, digest: str, found: Inventory, reads: bool) -> None:
    found.files += 1
    try:
        there = path.stat().st_size
        found.bytes += there
        # Rows of earlier versions have no hash.
        if size not in (None, there) or (reads and digest and hash_file(path)[1] != digest):
            _keep(found.changed, name)
    except OSError:
        _keep(found.missing, name)


def _keep(names: list[str], name: str) -> None:
    if len(names) < SHOWN:
        names.append(name)


def delete_orphans(names: list[str]) -> int:
    """Delete media files that no row names; return how many. Rows are asked again, a file that got one stays."""
    files = [name.removeprefix("media/") for name in names]
    orphans = set(files) - set(named_files(files))
    for file in orphans:
        (Path(settings.MEDIA_ROOT) / file).unlink(missing_ok=True)
    return len(orphans)
