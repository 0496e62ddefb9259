"""Fingerprints of source files, kept with everything that the software makes."""

from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]  # of the repository


@cache
def source_hash(*folders: str, suffixes: tuple[str, ...] = (".py",)) -> str:
    """Return the SHA-256, in hexadecimal, over paths and bytes of the source files below the folders.

    Folders are relative to the repository ("models_ml", "readerstudy/statistics"). Raises FileNotFoundError for a
    folder without such files. Calculated once per process.
    """
    digest = sha256()
    for folder in folders:
        files = sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in suffixes and path.is_file())
        if not files:
            raise FileNotFoundError(f"There are no source files below {folder}.")
        for path in files:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
