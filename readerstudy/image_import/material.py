"""The files of an import: unpacked, without what is not taken, and the table among them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from readerstudy.errors import BadInput, StudyError
from readerstudy.errors import Sentence as _
from readerstudy.image_import.models import ImageImport
from readerstudy.image_import.uploads import limits
from readerstudy.sources.dicom.folder import claims_to_be_dicom
from readerstudy.sources.label_table import is_within
from readerstudy.sources.uploaded import TABLE_ENDINGS, LeftOut, check_archive, check_type, is_zip, safe_path, unpack

SENT, UNPACKED, SCRATCH, PREVIEWS = "sent", "unpacked", "scratch", "previews"


@dataclass(frozen=True)
class Material:
    """The folder of the files, its table, and the folder that no file may be outside of."""

    folder: Path
    table: Path
    root: Path
    left_out: tuple[LeftOut, ...] = ()

    @property
    def has_dicom(self) -> bool:
        return any(
            path.is_file() and claims_to_be_dicom(path)
            for path in self.folder.rglob("*")
            if is_within(path, self.root) and path != self.table
        )


def check_sent(folder: Path) -> None:
    """Refuse what was sent if that shows without unpacking. Raises BadInput."""
    files = _files(folder / SENT)
    if not files:
        raise BadInput(_("No file was sent."))
    archives = [path for path in files if is_zip(path)]
    if archives and len(files) > 1:
        raise BadInput(_("Send one zip file, or the files themselves, but not both."))
    if archives:
        check_archive(archives[0], limits())


def open_material(image_import: ImageImport, *, table: str) -> Material:
    """Return the files of an import. Those that were sent are unpacked first; those that are not taken are deleted.

    `table` is a path in the folder, "" for the only table. Raises BadInput if the files or the table cannot be used,
    StudyError if they were removed.
    """
    if image_import.server_folder:
        root, folder = find_server_folder(image_import.server_folder, image_import.server_path)
        return Material(folder, _find_table(folder, root, table), root)
    folder = image_import.folder
    if not (folder / SENT).is_dir():
        raise StudyError(_("The files of this import were removed. Send them again."))
    check_sent(folder)
    sent = _files(folder / SENT)
    if is_zip(sent[0]):
        shutil.rmtree(folder / UNPACKED, ignore_errors=True)
        left_out = tuple(unpack(sent[0], folder / UNPACKED, limits()))
        root = folder / UNPACKED
        root.mkdir(exist_ok=True)
    else:
        root = folder / SENT
        left_out = tuple(_remove_others(root))
    return Material(root, _find_table(root, root, table), root, left_out)


def find_server_folder(name: str, path: str) -> tuple[Path, Path]:
    """Return the allowed folder of that name and the folder at a path in it.

    Raises BadInput if it is not allowed, not there or not a folder; the message does not tell which files exist
    elsewhere.
    """
    root = settings.IMPORT_FOLDERS.get(name)
    if root is None:
        raise BadInput(_("There is no allowed folder named %(name)s.", name=repr(name)))
    folder = root / safe_path(path) if path.strip() else root
    if not is_within(folder, root) or not folder.is_dir():
        raise BadInput(_("%(path)s is not a folder in %(name)s.", path=repr(path), name=name))
    return root, folder


def remove_files(folder: Path) -> None:
    """Delete the files of an import; the report of its check stays."""
    for name in (SENT, UNPACKED, SCRATCH):
        shutil.rmtree(folder / name, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _remove_others(folder: Path) -> list[LeftOut]:
    found = []
    for path in _files(folder):
        if wrong := check_type(path, name=path.relative_to(folder).as_posix()):
            path.unlink()
            found.append(wrong)
    return found


def _find_table(folder: Path, root: Path, name: str) -> Path:
    """Return the named table, or the only one, at the top or anywhere. Raises BadInput."""
    if name:
        table = folder / safe_path(name)
        if not is_within(table, root) or not table.is_file():
            raise BadInput(_("There is no table %(name)s among the files.", name=repr(name)))
        return table
    at_top = [path for path in folder.iterdir() if _is_table(path, root)]
    tables = at_top or [path for path in folder.rglob("*") if _is_table(path, root)]
    if not tables:
        raise BadInput(
            _(
                "There is no table among the files: one that ends with %(endings)s is needed.",
                endings=" / ".join(TABLE_ENDINGS),
            )
        )
    if len(tables) > 1:
        names = ", ".join(sorted(path.relative_to(folder).as_posix() for path in tables)[:10])
        raise BadInput(_("There are several tables: %(names)s. Name the one to use.", names=names))
    return tables[0]


def _is_table(path: Path, root: Path) -> bool:
    return path.suffix.lower() in TABLE_ENDINGS and is_within(path, root) and path.is_file()
