"""The manifest of a bundle: every file with length and SHA-256, signed with the key of the study's record."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from readerstudy.errors import BadInput
from readerstudy.record.heads import public_key, sign
from readerstudy.record.verifier import canonical, is_signed

NAME: Final = "manifest.json"
FORMAT: Final = "readerstudy bundle 1"
_BLOCK: Final = 1 << 20


def write_manifest(folder: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """Write the manifest of all files in the folder and return it."""
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": file_hash(folder / name)}
        for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    }
    manifest = {"format": FORMAT, **about, "files": files, "public_key": public_key()}
    manifest["signature"] = sign(_message(manifest)).hex()
    (folder / NAME).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest once every file was compared with it. Raises BadInput with what does not agree."""
    try:
        manifest = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(_("There is no %(file)s: this is not a bundle of a study.") % {"file": NAME}) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(_("%(file)s is not JSON.") % {"file": NAME}) from error
    _check_shape(manifest)
    _check_signature(manifest)
    _check_files(folder, manifest["files"])
    return dict(manifest)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _message(manifest: Mapping[str, Any]) -> bytes:
    """Return what the signature signs."""
    fields = {name: value for name, value in manifest.items() if name != "signature"}
    return f"{FORMAT}\n{canonical(fields)}".encode()


def _check_shape(manifest: Any) -> None:
    stated = manifest.get("format") if isinstance(manifest, dict) else None
    if stated != FORMAT:
        values = {"stated": stated, "known": FORMAT}
        raise BadInput(_("The bundle has the format %(stated)r; this version reads %(known)r.") % values)
    texts = all(isinstance(manifest.get(name), str) for name in ("study", "language", "public_key", "signature"))
    files = manifest.get("files")
    if not texts or not isinstance(files, dict) or not all(isinstance(each, dict) for each in files.values()):
        raise BadInput(_("%(file)s is incomplete.") % {"file": NAME})


def _check_signature(manifest: Mapping[str, Any]) -> None:
    try:
        key, signature = bytes.fromhex(manifest["public_key"]), bytes.fromhex(manifest["signature"])
    except ValueError:
        key = signature = b""
    if not is_signed(_message(manifest), signature=signature, public_key=key):
        raise BadInput(_("The signature of %(file)s is wrong: the list of files was changed.") % {"file": NAME})


def _check_files(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {NAME}
    if missing := sorted(files.keys() - there):
        raise BadInput(_("The bundle lacks %(files)s.") % {"files": ", ".join(missing)})
    if unknown := sorted(there - files.keys()):
        raise BadInput(_("The manifest does not list %(files)s.") % {"files": ", ".join(unknown)})
    changed = [name for name, stated in files.items() if file_hash(folder / name) != stated.get("sha256")]
    if changed:
        raise BadInput(_("Changed since the export: %(files)s.") % {"files": ", ".join(sorted(changed))})
