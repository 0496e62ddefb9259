"""Names of the media files that an import writes, so that the files of a killed import can be removed.

Files are written before their rows are committed. The names stand in a file of the media folder until the import has
ended; the next import into the cohort removes those that no row names.
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from django.conf import settings

from readerstudy.cohort.models import Cohort

NamedFiles = Callable[[Collection[str]], Collection[str]]

_journal: ContextVar[Path | None] = ContextVar("journal", default=None)


@contextmanager
def noted_files(cohort: Cohort, *, named: NamedFiles) -> Iterator[None]:
    """Note the media files that are written in the block; first remove those that an earlier block has left.

    `named` returns those of some files that rows name. The caller holds the cohort's import lock. If the block raises,
    its files stay until the next one.
    """
    path = Path(settings.MEDIA_ROOT) / f".import-{cohort.pk}"
    _remove_unnamed(path, named)
    token = _journal.set(path)
    try:
        yield
    finally:
        _journal.reset(token)
    _remove_unnamed(path, named)


def note_file(file: str) -> None:
    """Note a file below the media folder that is about to be written, if an import is under way."""
    path = _journal.get()
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as journal:
        journal.write(f"{file}\n")
        journal.flush()
        os.fsync(journal.fileno())


def _remove_unnamed(path: Path, named: NamedFiles) -> None:
    if not path.exists():
        return
    files = path.read_text(encoding="utf-8").splitlines()
    for file in set(files) - set(named(files)):
        written = Path(settings.MEDIA_ROOT) / file
        written.unlink(missing_ok=True)
        for draft in written.parent.glob(f"{written.stem}.*part"):
            draft.unlink(missing_ok=True)
    path.unlink()
