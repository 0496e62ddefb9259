"""Export of a study as one file."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from readerstudy import serialise
from readerstudy.accounts.models import User
from readerstudy.analysis.queries.provenance import software_versions
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.build import StudyReport, write_report
from readerstudy.analysis.report.versions import find_version, stored_results, versions_of
from readerstudy.audit.actions import record as record_event
from readerstudy.bundle.actions import STEPS, require_exportable
from readerstudy.bundle.archive import pack
from readerstudy.bundle.checking import contents
from readerstudy.bundle.columns import CODEBOOK_COLUMNS, Column, TableSpec, Type, codebook, table_specs
from readerstudy.bundle.facts import facts_of
from readerstudy.bundle.manifest import file_hash, write_manifest
from readerstudy.bundle.tables import write_table
from readerstudy.bundle.writing import crate
from readerstudy.bundle.writing.identities import require_no_names
from readerstudy.bundle.writing.readme import readme
from readerstudy.bundle.writing.rows import Network, StudyRows
from readerstudy.errors import BadInput
from readerstudy.protocol.yaml_file import write_protocol
from readerstudy.record import verifier
from readerstudy.studies.models import Study
from readerstudy.truth.seal import images_are_sealed_elsewhere
from readerstudy.truth.verification import deidentified_record

# Files of a report that a bundle has; figures are inside the page.
_OF_REPORT: Final = (".csv", ".html")
Progress = Callable[[int], None]


@dataclass(frozen=True)
class ExportedBundle:
    """A bundle that was written. `differing` are the tables that are not, cell for cell, those of the report."""

    path: str
    bytes: int
    sha256: str
    files: int
    tables: int
    differing: tuple[str, ...]


def export_bundle(
    *, study: Study, target: Path, actor: User | None, at: datetime, progress: Progress = lambda _: None
) -> ExportedBundle:
    """Write the bundle of an unsealed study to a file that is not there yet, and record the export.

    `actor` is None at the server's terminal. Raises StillSealed, NotAllowed, BadInput for the file, and NamesSomebody.
    """
    require_exportable(study, actor)
    if target.exists():
        raise BadInput(_("%(file)s is there already.") % {"file": target})
    if not target.parent.is_dir():
        raise BadInput(_("There is no folder %(folder)s.") % {"folder": target.parent})
    with _folder_beside(target) as folder, contents.report_language(get_language() or settings.LANGUAGE_CODE):
        differing, tables = _write_files(study, folder / "files", at=at, progress=progress)
        progress(STEPS - 1)
        draft = folder / target.name
        pack(folder / "files", draft)
        exported = ExportedBundle(
            path=str(target),
            bytes=draft.stat().st_size,
            sha256=file_hash(draft),
            files=sum(path.is_file() for path in (folder / "files").rglob("*")),
            tables=tables,
            differing=differing,
        )
        with transaction.atomic():
            _record(study, exported, actor=actor, at=at)
            os.link(draft, target)  # fails if somebody wrote the file meanwhile
    progress(STEPS)
    return exported


@contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    """Yield an empty folder on the same disk as the file, and remove it at the end."""
    folder = Path(mkdtemp(dir=target.parent, prefix=".bundle-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _record(study: Study, exported: ExportedBundle, *, actor: User | None, at: datetime) -> None:
    values = {"part": "bundle", "format": "zip", "with_truth": True}
    record_event("export.made", actor=actor, subject=study, at=at, **values, sha256=exported.sha256)


# --- the files ------------------------------------------------------------------------------------------------
def _write_files(study: Study, folder: Path, *, at: datetime, progress: Progress) -> tuple[tuple[str, ...], int]:
    """Write every file; return the tables that differ from those of the study's own report, and how many there are."""
    for name in ("protocol", "data", "analysis", "record"):
        (folder / name).mkdir(parents=True)
    progress(0)
    own = study_record(study)
    hides_files = images_are_sealed_elsewhere(study)
    rows = StudyRows(study, _networks(own), hides_files)
    specs = table_specs(study.cohort.modality)
    _write_protocol(study, own, folder)
    if taught := rows.lines():
        contents.write_json(folder, contents.LINES, taught)
    contents.write_json(folder, contents.FACTS, serialise.to_dict(facts_of(study, own, rows.calendar)))
    progress(1)
    lines = rows.by_name()
    for spec in specs:
        write_table(folder / contents.DATA, spec, lines[spec.name])
    _write_codebook(folder, specs)
    _write_record(study, folder, at=at)
    progress(2)
    report = contents.compute_report(folder, at=rows.calendar.shifted(at))
    _write_report(report, folder / "analysis")
    progress(3)
    differing = _differing(_own_results(study, own, at=at), report)
    (folder / contents.README).write_text(readme(study, hides_files=hides_files, differing=differing), encoding="utf-8")
    require_no_names(folder, study)
    language = get_language() or settings.LANGUAGE_CODE
    descriptions = {**contents.DESCRIPTIONS, **_descriptions(specs)}
    about = {"code": study.code, "title": study.title, "language": language}
    metadata = crate.crate_metadata(folder, **about, descriptions=descriptions, on=at.date())
    contents.write_json(folder, crate.NAME, metadata)
    write_manifest(folder, {"study": study.code, "language": language, "rehearsal": study.is_rehearsal})
    return differing, len(report.tables)


def _networks(own: StudyRecord) -> list[Network]:
    classifiers = [Network(own.classifier.run, "classifier")] if own.classifier and own.classifier.run else []
    return [*classifiers, *(Network(each.run, "detector") for each in own.detectors)]


def _write_protocol(study: Study, own: StudyRecord, folder: Path) -> None:
    (folder / contents.PROTOCOL).write_text(write_protocol(study.protocol), encoding="utf-8")
    contents.write_json(folder, contents.PLAN, study.plan)
    hashes: dict[str, Any] = {"plan": study.plan_sha256, "analysis": study.analysis_sha256}
    hashes["versions_of_report"] = {str(each.number): each.sha256 for each in versions_of(study)}
    hashes["pdfs_of_report"] = {
        str(each.number): {
            f"{pdf.language}{'-with-images' if pdf.with_images else ''}": pdf.sha256 for pdf in each.pdfs.all()
        }
        for each in versions_of(study)
    }
    if own.conduct is not None:
        hashes |= asdict(own.conduct.hashes)
        contents.write_json(folder, contents.SOFTWARE, asdict(software_versions()))
    contents.write_json(folder, contents.HASHES, hashes)


_CODEBOOK: Final = TableSpec("codebook", "One column.", tuple(Column(name, Type.TEXT, "") for name in CODEBOOK_COLUMNS))


def _write_codebook(folder: Path, specs: tuple[TableSpec, ...]) -> None:
    write_table(folder / contents.DATA, _CODEBOOK, codebook(specs))
    (folder / f"{contents.CODEBOOK}.parquet").unlink()
    contents.write_json(folder, f"{contents.CODEBOOK}.json", [serialise.to_dict(spec) for spec in specs])


def _write_record(study: Study, folder: Path, *, at: datetime) -> None:
    with (folder / contents.RECORD).open("w", encoding="utf-8") as file:
        file.writelines(deidentified_record(study, at=at))
    shutil.copyfile(verifier.__file__, folder / contents.VERIFIER)


def _write_report(report: StudyReport, folder: Path) -> None:
    for path in write_report(report, folder):
        if path.suffix not in _OF_REPORT and path != folder / "report.json":
            path.unlink()


def _own_results(study: Study, own: StudyRecord, *, at: datetime) -> dict[str, Any]:
    """Return the newest stored version of the study's report; the report as it is now if none is stored."""
    version = find_version(study, None)
    if version is not None:
        return stored_results(version, language=get_language())
    return contents.results_of(StudyReport(own, at=at, plan=study.analysis))


def _differing(own: dict[str, Any], report: StudyReport) -> tuple[str, ...]:
    """Return the tables with another cell than in the report of this installation, which has names and dates."""
    theirs, ours = own["tables"], contents.results_of(report)["tables"]
    return tuple(key for key in sorted(theirs.keys() | ours.keys()) if theirs.get(key) != ours.get(key))


def _descriptions(specs: tuple[TableSpec, ...]) -> dict[str, Any]:
    return {f"data/{spec.name}.{ending}": spec.rows for spec in specs for ending in ("csv", "parquet")}
