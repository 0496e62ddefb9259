"""Files that killed processes left behind: images that no row names, and drafts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from readerstudy.errors import StudyError
from readerstudy.jobs.models import UNDER_WAY, Job
from readerstudy.truth.queries.images import named_files

# Images are written before their rows; none waits for its row as long as this.
OLD: Final = timedelta(days=1)
_DRAFTS: Final = ("*.part", "*.partial", "*.partial.npy")
_AT_ONCE: Final = 5000


@dataclass(frozen=True)
class UnnamedFiles:
    """Files that nothing needs."""

    images: tuple[Path, ...]
    drafts: tuple[Path, ...]

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in (*self.images, *self.drafts) if path.exists())


def find_unnamed_files(*, at: datetime) -> UnnamedFiles:
    """Return images that no row names and drafts, both a day old at least.

    Raises StudyError while a job waits or runs: it may be about to store the rows of its images.
    """
    job = Job.objects.filter(status__in=UNDER_WAY).first()
    if job is not None:
        raise StudyError(f"Job {job.pk} is not over. Look for files without rows when no job waits or runs.")
    media = Path(settings.MEDIA_ROOT)
    images = [path for path in sorted(media.glob("??/*.png")) if _is_old(path, at)]
    unnamed = [path for part in _parts(images) for path in _without_row(part, media)]
    folders = (media, Path(settings.RUNS_DIR), Path(settings.CACHE_DIR))
    drafts = [path for folder in folders for name in _DRAFTS for path in folder.rglob(name) if _is_old(path, at)]
    return UnnamedFiles(tuple(unnamed), tuple(sorted(drafts)))


def remove_unnamed_files(*, at: datetime) -> UnnamedFiles:
    """Remove what `find_unnamed_files` returns, and return it."""
    found = find_unnamed_files(at=at)
    for path in (*found.images, *found.drafts):
        path.unlink(missing_ok=True)
    return found


def _parts(images: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(images), _AT_ONCE):
        yield images[start : start + _AT_ONCE]


def _without_row(images: list[Path], media: Path) -> Iterator[Path]:
    names = {str(path.relative_to(media)): path for path in images}
    named = named_files(names)
    return (path for name, path in names.items() if name not in named)


def _is_old(path: Path, at: datetime) -> bool:
    """Return whether the file was written long ago. Dates of images are all the same, but not when they were set."""
    return path.is_file() and at.timestamp() - path.stat().st_ctime > OLD.total_seconds()
