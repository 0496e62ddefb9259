"""Written reports: the stored versions of a study's report, and the report of a rehearsal, which is computed.

The reports folder is a cache and can be deleted at any time. A rehearsal does not change once it is closed, so its
report is computed once per version of the software and language. Requests compute none: see `making`.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from readerstudy.analysis.models import ReportVersion
from readerstudy.analysis.queries.attack import study_evaluations
from readerstudy.analysis.queries.exclusions import excluded_images
from readerstudy.analysis.report.build import Stage, build_report, page_body, write_report
from readerstudy.analysis.report.paper import PDF, store_pdf, stored_pdf
from readerstudy.analysis.report.pdf import write_pdf
from readerstudy.analysis.report.versions import (
    WITH_IMAGES,
    NoVersion,
    count_readings,
    find_version,
    store_version,
    stored_file,
    stored_results,
)
from readerstudy.provenance import source_hash
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_show_images_of_cohort, require_unsealed

SUFFIXES = (".py", ".html", ".css", ".po", ".mo")  # of the files that a report is made by
_INTERNAL: Final = ("body.html", "report.txt")
KEPT = 4  # reports of one study, for languages and for versions of the software that run in parallel


@dataclass(frozen=True)
class CachedReport:
    """A written report: the folder of its files, and the number of readings it covers."""

    folder: Path
    readings: int
    version: ReportVersion | None = None

    @property
    def names(self) -> list[str]:
        """The names of the files that belong to people: data, pictures and the page."""
        return sorted(path.name for path in self.folder.iterdir() if path.name not in _INTERNAL)

    @property
    def body(self) -> str:
        return (self.folder / "body.html").read_text(encoding="utf-8")

    def file(self, name: str) -> Path | None:
        """Return one of the report's files, or None if there is no such file."""
        path = self.folder / name
        return path if path.is_file() else None

    def lay_out(self, *, at: datetime) -> None:
        """Lay out the PDF, unless there is one. Raises PdfUnavailable."""
        page = self.file("report.html")
        if self.file(PDF) is None and page is not None:
            write_pdf(page, self.folder / PDF)

    def as_dict(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return report


@dataclass(frozen=True)
class StoredReport(CachedReport):
    """A stored version. Its files are those of the database, written to the folder when they are needed."""

    @property
    def names(self) -> list[str]:
        assert self.version is not None
        known = self.version.files["en"]
        return sorted(name for name in known if name not in _INTERNAL and not name.startswith(WITH_IMAGES))

    @property
    def body(self) -> str:
        return self._text("body.html") or ""

    def file(self, name: str) -> Path | None:
        """Return one of the version's files; the PDF once it was laid out."""
        content = self._content(name)
        path = self.folder / name
        if content is None:
            return None
        if not (path.is_file() and path.read_bytes() == content):
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f"{path.suffix}.{uuid4().hex}")
            draft.write_bytes(content)
            draft.replace(path)
        return path

    def lay_out(self, *, at: datetime) -> None:
        """Lay out and store the PDF, unless it is stored. Raises PdfUnavailable."""
        assert self.version is not None
        store_pdf(self.version, at=at)

    def as_dict(self) -> dict[str, Any]:
        assert self.version is not None
        return stored_results(self.version)

    def _content(self, name: str) -> bytes | None:
        assert self.version is not None
        if name == PDF:
            return stored_pdf(self.version)
        text = self._text(name)
        return None if text is None else text.encode()

    def _text(self, name: str) -> str | None:
        assert self.version is not None
        return stored_file(self.version, name)


def known_report(study: Study, *, number: int | None = None, readings: int | None = None) -> CachedReport | None:
    """Return the report if it was made: of a study the version of this number, or the newest; of a rehearsal that of
    now, or the newest that covers at least this number of readings.

    Raises StillSealed before the unsealing, and NoVersion if there is none of this number.
    """
    require_unsealed(study)
    if not study.is_rehearsal:
        version = find_version(study, number)
        return None if version is None else _stored_report(version)
    if number is not None:
        raise NoVersion(_("The report of a rehearsal has no versions."))
    state, count = _state(study), count_readings(study)
    if readings is None:
        folder = _folder(study, state, count)
        return CachedReport(folder, count) if folder.is_dir() else None
    covered = [each for each in _covered(study, state) if each >= readings]
    return CachedReport(_folder(study, state, max(covered)), max(covered)) if covered else None


def cached_report(
    study: Study, *, at: datetime, number: int | None = None, stage: Stage = lambda _: None
) -> CachedReport:
    """Return the report as `known_report` does; compute it now if it was not made. A version is stored then."""
    if (known := known_report(study, number=number)) is not None:
        return known
    if not study.is_rehearsal:
        return _stored_report(store_version(study=study, actor=None, at=at, stage=stage))
    readings = count_readings(study)
    folder = _folder(study, _state(study), readings)
    _write(study, folder, at=at, stage=stage)
    return CachedReport(folder, readings)


def _stored_report(version: ReportVersion) -> StoredReport:
    study = version.study
    images = "-images" if may_show_images_of_cohort(study.cohort.name) else ""
    name = f"v{version.number}-{get_language()}-{version.sha256[:12]}{images}"
    return StoredReport(Path(settings.REPORTS_DIR) / ".versions" / study.code / name, version.readings, version)


def _folder(study: Study, state: str, readings: int) -> Path:
    """Return the folder of a rehearsal's report."""
    return _folders(study) / f"{state}-{readings}"


def _folders(study: Study) -> Path:
    return Path(settings.REPORTS_DIR) / ".published" / study.code


def _covered(study: Study, state: str) -> list[int]:
    """Return the numbers of readings that the reports of a rehearsal in this state cover."""
    return [int(folder.name.rpartition("-")[2]) for folder in _folders(study).glob(f"{state}-*")]


def _write(study: Study, folder: Path, *, at: datetime, stage: Stage) -> None:
    """Write to a draft folder and rename it, so that reports are complete; of two processes the first one wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=folder.parent, prefix="draft-"))
    try:
        report = build_report(study, at=at, stage=stage)
        write_report(report, draft, stage=stage)
        body = page_body(report, address=f"/report/{study.code}/")
        (draft / "body.html").write_text(body, encoding="utf-8")
        _delete_oldest(folder.parent)
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _delete_oldest(folder: Path) -> None:
    """Keep the newest reports of a study; a running rehearsal is reported repeatedly."""
    by_age = sorted((path for path in folder.iterdir() if not path.name.startswith("draft-")), key=_modified)
    for old in by_age[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _modified(folder: Path) -> float:
    return folder.stat().st_mtime


def _state(study: Study) -> str:
    """Return a hash of all but the readings that the report depends on: study, exclusions, evaluations, software,
    language.

    It includes whether the gallery may be shown, because a later study of the same cohort removes the gallery.
    """
    evaluations = [row.pk for row in study_evaluations(study)]
    shows_gallery = may_show_images_of_cohort(study.cohort.name)
    excluded = [str(each) for each in excluded_images(study)]
    state = [study.pk, study.status, str(study.unsealed_at), excluded, evaluations, shows_gallery]
    return sha256(json.dumps([*state, software_hash(), get_language()], default=str).encode()).hexdigest()[:24]


def software_hash() -> str:
    """Return a fingerprint of the source files that a report is made by."""
    return source_hash("readerstudy", "templates", "static/css", "locale", suffixes=SUFFIXES)
