"""The keys of an installation: their fingerprints go into a backup, they themselves into a file apart, or nowhere."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings

from readerstudy.errors import BadInput, StudyError

# What is lost with another key.
KEYS: Final = {
    "RECORD_KEY": "signatures of this backup's tree heads and receipts would not verify",
    "PSEUDONYM_KEY": "later imports would not recognise patients and images",
    "SECRET_KEY": "everybody would be signed out, and sign-in links and authenticator apps would not work",
}
_WARNING: Final = """\
# The keys of a reader study. Keep this file apart from the backups: with it and a backup somebody can find out which
# patient has which pseudonym, sign a history that did not happen, and sign in as anybody.
"""


def fingerprints() -> dict[str, str]:
    """Return what tells each key of this installation from others. A key cannot be guessed from it in a short time.

    A process that imports nothing may lack the key of the pseudonyms; then it is not among them.
    """
    return {name: _fingerprint(name, key) for name in KEYS if (key := getattr(settings, name))}


def _fingerprint(name: str, key: str) -> str:
    salt = f"readerstudy key {name}".encode()
    return hashlib.scrypt(key.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=8).hex()


def write_keys(path: Path, *, apart_from: Path) -> None:
    """Write the keys to a new file that its owner alone can read.

    Raises BadInput if it exists or is not apart, or if this process lacks a key.
    """
    if missing := [name for name in KEYS if not getattr(settings, name)]:
        raise BadInput(f"This process has no {', '.join(missing)}; set it, or leave out --keys.")
    if path.resolve().is_relative_to(apart_from.resolve()):
        raise BadInput(f"{path} is in the folder of the backups; keep the keys apart from them.")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadInput(f"The keys cannot be written to {path}: {error.strerror}. Name a new file.") from error
    with os.fdopen(handle, "w") as file:
        file.write(_WARNING + "".join(f"{name}={getattr(settings, name)}\n" for name in KEYS))
        file.flush()
        os.fsync(file.fileno())


def read_keys(path: Path) -> dict[str, str]:
    """Return the keys in a file of `write_keys`. Raises BadInput if one is missing."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    if missing := [name for name in KEYS if not values.get(name)]:
        raise BadInput(f"{path} has no {', '.join(missing)}; it must have a line NAME=value for each key.")
    return {name: values[name] for name in KEYS}


def adopt_keys(keys: Mapping[str, str]) -> None:
    """Make them the keys of this embedded installation. Raises BadInput in service, where the environment has them."""
    if not settings.EMBEDDED:
        raise BadInput("In service the keys are environment variables: set those of the file, and leave out --keys.")
    for name, key in keys.items():
        path = Path(settings.VAR_DIR) / name.lower()
        draft = path.with_name(f".{path.name}.part")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
        draft.replace(path)
        setattr(settings, name, key)


def require_same_keys(of_backup: Mapping[str, str], own: Mapping[str, str] | None = None) -> None:
    """Raise StudyError, which names the keys that are not those of the backup and what is lost without them.

    `own` are the keys themselves if they are not those of this installation.
    """
    mine = {name: _fingerprint(name, key) for name, key in own.items()} if own else fingerprints()
    # Nothing can be compared with a backup that was made without the key of the pseudonyms.
    other = [name for name in KEYS if of_backup.get(name) and of_backup[name] != mine.get(name)]
    if other:
        reasons = "; ".join(f"{name} ({KEYS[name]})" for name in other)
        raise StudyError(
            f"These are not the keys of this backup: {reasons}. Set the keys that were stored apart from it, or go "
            "without them by --other-keys."
        )
