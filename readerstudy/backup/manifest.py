"""The manifest of a backup: what it was made from, and the SHA-256 of everything in it. It is signed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

import readerstudy
from readerstudy.errors import StudyError
from readerstudy.provenance import source_hash
from readerstudy.record.heads import is_message_signed, public_key, sign

FORMAT: Final = "readerstudy backup 1"
MANIFEST, SIGNATURE, DUMP, LISTING = "manifest.json", "signature.json", "database.dump", "files.jsonl"


def software() -> dict[str, str]:
    """Return the version of this software."""
    return {"version": readerstudy.__version__, "source_sha256": source_hash("readerstudy", "models_ml", "attacks")}


def applied_migrations() -> dict[str, list[str]]:
    """Return the migrations of the database, by application."""
    applied: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        applied.setdefault(app, []).append(name)
    return applied


def require_known(migrations: Mapping[str, list[str]]) -> None:
    """Raise StudyError if a newer version of the software made the backup."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {}
    unknown = [f"{app} {name}" for app, names in migrations.items() for name in names if (app, name) not in known]
    if unknown:
        raise StudyError(
            f"A newer version of the software made the backup: this one does not know {', '.join(unknown[:5])}. "
            "Restore it with that version."
        )


def write_manifest(folder: Path, content: Mapping[str, Any], *, at: datetime) -> None:
    """Write the manifest and its signature by the key of the record."""
    whole = {"format": FORMAT, "at": at.astimezone(UTC).isoformat(timespec="seconds"), **content}
    text = json.dumps(whole, indent=1, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    signature = {"public_key": public_key(), "signature": sign(_message(text)).hex()}
    (folder / SIGNATURE).write_text(json.dumps(signature) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a backup. Raises StudyError if there is none, or if it was changed since it was signed."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        content = json.loads(text)
        signature = json.loads((folder / SIGNATURE).read_text(encoding="utf-8"))
        valid = is_message_signed(_message(text), signature["signature"], signature["public_key"])
    except FileNotFoundError as error:
        raise StudyError(f"{folder} is no backup: it has no {Path(error.filename).name}.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"The manifest of {folder} cannot be read: {error}.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StudyError(f"{folder} is no backup of a format that this version knows.")
    if not valid or signature["public_key"] != content.get("public_key"):
        raise StudyError(f"The manifest of {folder} was changed after it was signed.")
    return content


def _message(text: str) -> bytes:
    return FORMAT.encode() + b"\n" + sha256(text.encode()).hexdigest().encode()


def backups_in(folder: Path) -> list[Path]:
    """Return the complete backups in a folder, the oldest first."""
    return sorted(path.parent for path in folder.glob(f"20*/{MANIFEST}"))


def newest_backup(folder: Path) -> Path:
    """Return the folder itself if it is a backup, otherwise its newest. Raises StudyError if there is none."""
    if (folder / MANIFEST).exists():
        return folder
    found = backups_in(folder)
    if not found:
        raise StudyError(f"There is no backup in {folder}.")
    return found[-1]
