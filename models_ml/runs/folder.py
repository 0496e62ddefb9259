"""Writing into the folder of a run: whole files, and by one process.

A worker that stood still while another one took its job over must not write its older save over the newer one. The
process that trains owns the folder: its token stands in `.owner`, and a file is put in place only while it is there.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from readerstudy.errors import WorkTakenOver

OWNER, LOCK, PARTIAL = ".owner", ".lock", ".partial"
_owned: Final[dict[Path, str]] = {}  # folders that this process owns, with its token


@contextmanager
def owned_folder(folder: Path) -> Iterator[None]:
    """Own the folder while the block runs. Temporary files of earlier owners, which may have died, are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    token = uuid4().hex
    with _locked(folder):
        (folder / OWNER).write_text(token)
        for left in folder.glob(f"*{PARTIAL}"):
            left.unlink(missing_ok=True)
    _owned[folder.resolve()] = token
    try:
        yield
    finally:
        del _owned[folder.resolve()]
        with _locked(folder):
            if _owner(folder) == token:
                (folder / OWNER).unlink()


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a temporary file of a name of its own, and put it in the place of `path` in one step, on the disk.

    An interruption leaves the old or the new file, never a part. Raises WorkTakenOver if this process owned the folder
    and another one owns it now.
    """
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{path.name}.{uuid4().hex}{PARTIAL}"
    try:
        write(draft)
        _sync(draft)
        with _locked(folder):
            token = _owned.get(folder.resolve())
            if token is not None and _owner(folder) != token:
                raise WorkTakenOver(f"Another process has the folder {folder.name}.")
            os.replace(draft, path)
    except FileNotFoundError as error:
        if folder.resolve() in _owned and _owner(folder) != _owned[folder.resolve()]:
            raise WorkTakenOver(f"Another process has the folder {folder.name}.") from error  # and removed the draft
        raise
    finally:
        draft.unlink(missing_ok=True)
    _sync(folder)


def _owner(folder: Path) -> str:
    try:
        return (folder / OWNER).read_text()
    except FileNotFoundError:
        return ""


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, for an instant. The kernel releases it if the process is killed."""
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sync(path: Path) -> None:
    """Have the file or folder on the disk, so that a power cut leaves it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
