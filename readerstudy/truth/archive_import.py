"""Images of an archive (DICOMweb) for an import: the folder in which they wait, and what to search for."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from readerstudy.errors import BadInput, StudyError
from readerstudy.errors import Sentence as _
from readerstudy.modalities.modality import Modality
from readerstudy.sources.dicomweb.archive import Archive
from readerstudy.sources.dicomweb.fetch import fetch_instances
from readerstudy.sources.dicomweb.search import Wanted, find_instances
from readerstudy.sources.source import ImportBatch

MOST_NAMES = 100_000
# Called with what is being done, and how far it is.
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ArchiveRequest:
    """What a person asks of an archive, for a cohort."""

    cohort: str
    url: str
    wanted: Wanted
    table: Path | None
    columns: dict[str, str]

    @property
    def folder(self) -> Path:
        """Return the folder in which the files wait, of this cohort and archive; `remove_uploads` clears old ones."""
        key = hashlib.sha256(f"{self.cohort}\n{self.url.rstrip('/')}".encode()).hexdigest()[:24]
        return Path(settings.UPLOADS_DIR) / f"dicomweb-{key}"


def archive_at(url: str) -> Archive:
    """Return the archive with the sign-in of the settings. Raises BadInput for an address that must not be used."""
    return Archive(
        url,
        token=settings.DICOMWEB_TOKEN,
        user=settings.DICOMWEB_USER,
        password=settings.DICOMWEB_PASSWORD,
        ca_bundle=settings.DICOMWEB_CA,
        needs_tls=settings.DICOMWEB_TLS,
        connections=settings.DICOMWEB_CONNECTIONS,
    )


def wanted_of(studies: Path | None, find: Sequence[str], modalities: Sequence[str]) -> Wanted:
    """Return what to search for; `studies` has one UID or accession number a line. Raises BadInput if it is nothing."""
    filters = {}
    for pair in find:
        keyword, equals, value = pair.partition("=")
        if not equals or not keyword.isalnum() or not value:
            raise BadInput(
                _("--find is %(pair)s; write KEYWORD=VALUE, such as StudyDate=20200101-20201231.", pair=pair)
            )
        filters[keyword] = value
    names = _names(studies) if studies else []
    if not names and not filters and not modalities:
        raise BadInput(_("Say which images: --studies FILE, --find KEYWORD=VALUE or --series-modality CODE."))
    return Wanted(names, filters, modalities)


def _names(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(_("%(path)s cannot be read as a list of studies.", path=path)) from error
    names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not names or len(names) > MOST_NAMES or any("," in name or len(name) > 64 for name in names):
        raise BadInput(_("%(path)s must hold one study UID or accession number a line.", path=path))
    return names


def read_archive(modality: Modality, request: ArchiveRequest, *, watch: Watch) -> tuple[ImportBatch, bool]:
    """Fetch what the archive has and the folder has not; return it as images that can be loaded, and whether it is all.

    Raises StudyError if the archive refuses or is lost; what was fetched stays, and a second call goes on from there.
    """
    if "dicom" not in modality.sources:
        raise StudyError(_("%(modality)s is not read from DICOM files.", modality=modality.title))
    archive = archive_at(request.url)
    instances, unknown = find_instances(
        archive, request.wanted, progress=lambda done, total: watch("Searching studies", done, total)
    )
    if not instances:
        names = " ".join(problem.text for problem in unknown[:3])
        raise StudyError(_("The archive has no image that fits. %(names)s", names=names))
    fetched = fetch_instances(
        archive, instances, request.folder, progress=lambda done, total: watch("Fetching images", done, total)
    )
    _leave(request.folder, {instance.file_name for instance in instances})
    problems = (*unknown, *fetched.problems)
    is_all = not fetched.problems
    if not fetched.new + fetched.known:
        return ImportBatch(modality.code, (), problems), is_all
    batch = modality.sources["dicom"].read(
        request.folder, table=request.table, columns=request.columns, folder=request.folder, root=None
    )
    return replace(batch, problems=(*problems, *batch.problems)), is_all


def _leave(folder: Path, names: set[str]) -> None:
    """Remove what an earlier search of the same cohort has left, and what was cut off."""
    for file in folder.iterdir():
        if file.name not in names:
            file.unlink()


def forget_files(request: ArchiveRequest) -> None:
    """Remove the files that were fetched: they name patients."""
    shutil.rmtree(request.folder, ignore_errors=True)
