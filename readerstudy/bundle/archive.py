"""The zip file of a bundle: written so that the same files give the same bytes, and unpacked with limits."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from django.utils.translation import gettext as _

from readerstudy.errors import BadInput

MOST_FILES: Final = 2_000
MOST_BYTES: Final = 8 << 30  # unpacked
# Text compresses well, but not beyond this: a bomb of zeros has a ratio of a thousand.
MOST_RATIO: Final = 200
SMALL: Final = 1 << 20  # bytes; a ratio is not looked at below this
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
_BLOCK: Final = 1 << 20
_DAMAGES: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def pack(folder: Path, target: Path) -> None:
    """Write all files of the folder to a zip file, in the order of their names and without times."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as member:
                while block := source.read(_BLOCK):
                    member.write(block)


def unpack(path: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Write the files of a zip file below the folder. Raises BadInput before a limit or a rule is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(members)
            left = most_bytes
            for member in members:
                left -= _unpack_member(archive, member, folder / member.filename, left)
    except FileNotFoundError as error:
        raise BadInput(_("There is no file %(file)s.") % {"file": path}) from error
    except _DAMAGES as error:
        raise BadInput(_("The zip file is damaged: %(error)s") % {"error": error}) from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_FILES:
        raise BadInput(_("The zip file has %(count)d files; a bundle has fewer.") % {"count": len(members)})
    names: set[str] = set()
    for member in members:
        name = member.filename
        parts = PurePosixPath(name).parts
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        is_plain = name == "/".join(parts) and not any(letter in name for letter in '\\:*?"<>|')
        if is_link or not is_plain or name.startswith("/") or ".." in parts or not name.isprintable():
            raise BadInput(_("The zip file has an entry that is no plain file: %(name)r.") % {"name": name})
        if name.casefold() in names:
            raise BadInput(_("The zip file has %(name)r twice.") % {"name": name})
        names.add(name.casefold())
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise BadInput(_("%(name)s is encrypted, or compressed by an unknown method.") % {"name": name})


def _unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one file and return its length. The sizes that the zip file states are not trusted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    most = min(left, max(SMALL, MOST_RATIO * member.compress_size))
    written = 0
    with archive.open(member) as source, target.open("xb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > most:
                raise BadInput(_("%(name)s unpacks to more than a bundle can have.") % {"name": member.filename})
            file.write(block)
    return written
