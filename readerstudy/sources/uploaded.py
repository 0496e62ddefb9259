"""Files that a person sends: which are taken, and archives that are unpacked without harm."""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from readerstudy.errors import BadInput
from readerstudy.errors import Sentence as _
from readerstudy.sources import raster
from readerstudy.sources.dicom.folder import claims_to_be_dicom

TABLE_ENDINGS: Final = (".csv", ".tsv", ".txt")
_LEFT_BY_SYSTEMS: Final = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
_LONGEST_PATH: Final = 400
_LONGEST_NAME: Final = 200
_DEEPEST: Final = 20
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")

_END: Final = b"PK\5\6"
_END_LENGTH: Final = 22
_LOCATOR_LENGTH: Final = 20
_END_64_LENGTH: Final = 56
_ENTRY: Final = 46  # bytes of an entry of the directory without its name
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LARGEST_RATIO: Final = 200  # of an entry's size to its compressed size; images in use reach about 50
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What an upload may hold: bytes before and after unpacking, and files."""

    bytes_sent: int
    bytes_unpacked: int
    files: int


@dataclass(frozen=True)
class LeftOut:
    """A file that is not taken, with the reason as a sentence."""

    name: str
    sentence: str


def safe_path(name: str) -> PurePosixPath:
    """Return the relative path that a sender states for a file. Raises BadInput if it could lead elsewhere."""
    path = PurePosixPath(name)
    shown = name[:100]
    if _FORBIDDEN.search(name) or not path.parts or len(name) > _LONGEST_PATH or len(path.parts) > _DEEPEST:
        raise BadInput(_("The file name %(shown)s is not allowed.", shown=repr(shown)))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or any(map(_is_long, path.parts)):
        raise BadInput(
            _("The file name %(shown)s is not allowed: it leads out of the folder of the upload.", shown=repr(shown))
        )
    return path


def _is_long(part: str) -> bool:
    return len(part.encode(errors="replace")) > _LONGEST_NAME


def is_left_by_system(path: PurePosixPath) -> bool:
    """Return whether a file was put there by an operating system, and is passed over."""
    return any(part.lower() in _LEFT_BY_SYSTEMS or part.startswith("._") for part in path.parts)


def is_zip(path: Path) -> bool:
    """Return whether the first bytes are those of a zip file."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", _END)


def check_type(path: Path, *, name: str) -> LeftOut | None:
    """Return why a file is not taken; None for a picture in a format that is read, and for a table."""
    if raster.format_of(path) or claims_to_be_dicom(path):
        return None
    if path.suffix.lower() in TABLE_ENDINGS:
        with path.open("rb") as file:
            if b"\0" not in file.read(4096):
                return None
    return LeftOut(name, _("%(name)s is no PNG, PGM, TIFF or DICOM file and no table; it is left out.", name=name))


def check_archive(path: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    """Return the files of a zip archive. Nothing is unpacked.

    Raises BadInput for a file that is no zip archive, and for one with too many files, more bytes than the limit, an
    unsafe name, a link, a password, an uncommon compression or an implausible ratio of sizes.
    """
    try:
        _check_directory(path, limits)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise BadInput(_("The zip file is damaged or cut off.")) from error
    for entry in entries:
        _check_entry(entry)
    files = [entry for entry in entries if not entry.is_dir()]  # which fails for an entry without a name
    if len({entry.filename for entry in files}) < len(files):
        raise BadInput(_("The zip file holds two files of one name."))
    if sum(entry.file_size for entry in files) > limits.bytes_unpacked:
        raise BadInput(
            _(
                "The zip file is too large: at most %(megabytes)s MB after unpacking.",
                megabytes=megabytes(limits.bytes_unpacked),
            )
        )
    if sum(entry.compress_size for entry in files) > path.stat().st_size:
        raise BadInput(_("The zip file is not allowed: its files overlap."))
    return files


def unpack(path: Path, into: Path, limits: Limits) -> Iterator[LeftOut]:
    """Unpack a zip archive into an empty folder, and yield every file that is left out. Raises as `check_archive`.

    An entry gives no more bytes than it states, whatever its data would expand to.
    """
    entries = check_archive(path, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                relative = safe_path(entry.filename)
                if is_left_by_system(relative):
                    continue
                target = into / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                _unpack_entry(archive, entry, target)
                if wrong := check_type(target, name=str(relative)):
                    target.unlink()
                    yield wrong
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise BadInput(_("The zip file is damaged or cut off, or one of its files states a wrong size.")) from error


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    left = entry.file_size
    # "x": an entry never replaces a file. The mode is not that of the entry.
    with archive.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile
            file.write(chunk)
    if left:
        raise zipfile.BadZipFile


def _check_directory(path: Path, limits: Limits) -> None:
    """Refuse an archive whose directory is large before it is read into memory.

    Archives with a comment at their end are refused, so that this reads the same directory as zipfile does.
    """
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - _END_LENGTH - _LOCATOR_LENGTH - _END_64_LENGTH))
        tail = file.read()
    end = tail[-_END_LENGTH:]
    if len(end) < _END_LENGTH or not end.startswith(_END) or end[20:22] != b"\0\0":
        raise zipfile.BadZipFile
    count, size = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    larger = tail[: -_END_LENGTH - _LOCATOR_LENGTH]
    if tail[-_END_LENGTH - _LOCATOR_LENGTH :].startswith(b"PK\6\7") and larger.startswith(b"PK\6\6"):
        count, size = int.from_bytes(larger[32:40], "little"), int.from_bytes(larger[40:48], "little")
    if count > limits.files or size > limits.files * (_ENTRY + _LONGEST_PATH):
        raise BadInput(_("The zip file holds too many files: at most %(files)s.", files=limits.files))


def _check_entry(entry: zipfile.ZipInfo) -> None:
    safe_path(entry.filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    shown = entry.filename[:100]
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(_("The zip file holds a link or a device, %(shown)s, which is not allowed.", shown=repr(shown)))
    if entry.flag_bits & 1:
        raise BadInput(_("The zip file has a password. Send one without."))
    if entry.compress_type not in _METHODS:
        raise BadInput(
            _(
                "%(shown)s in the zip file is compressed in an uncommon way. Make the zip file with Deflate.",
                shown=repr(shown),
            )
        )
    if entry.file_size > _LARGEST_RATIO * max(1, entry.compress_size) and entry.file_size > _CHUNK:
        raise BadInput(
            _(
                "%(shown)s in the zip file expands to more than %(ratio)s times its size.",
                shown=repr(shown),
                ratio=_LARGEST_RATIO,
            )
        )


def megabytes(size: int) -> int:
    return size // 1_000_000
