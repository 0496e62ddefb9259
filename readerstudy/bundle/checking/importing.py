"""Import of a bundle: every file checked, the record verified, every table computed again. No database is needed."""

import csv
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from readerstudy.analysis.queries.provenance import plan_hash
from readerstudy.analysis.report.build import write_report
from readerstudy.bundle.archive import MOST_BYTES, unpack
from readerstudy.bundle.checking import contents
from readerstudy.bundle.checking.comparison import Comparison
from readerstudy.bundle.manifest import read_manifest
from readerstudy.errors import BadInput
from readerstudy.names import name_error
from readerstudy.record import verifier

STEPS: Final = 4
Progress = Callable[[int], None]


class _Findings(verifier.Findings):
    """Collects what the verifier finds, without printing."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: dict[str, int] = {}

    def check(self, name: str, count: int, problems: list[str]) -> None:
        self.checked[name] = count
        self.problems += problems


@dataclass(frozen=True)
class ImportedBundle:
    """A bundle that was checked and stored. `checks` are the checks of the record with how much each compared."""

    study: str
    folder: Path
    files: int
    readings: int
    missing: int
    checks: dict[str, int]
    key: str
    software: str
    comparison: Comparison


def import_bundle(
    *,
    path: Path,
    folder: Path,
    at: datetime,
    receipts: Sequence[Path] = (),
    most_bytes: int = MOST_BYTES,
    progress: Progress = lambda _: None,
) -> ImportedBundle:
    """Check a bundle and store it as a folder named by the study, with the tables computed again.

    Raises BadInput for anything that does not agree; nothing is stored then. Tables that differ from those in the
    bundle are no error: another version of the software may compute them otherwise. The result says which they are.
    """
    progress(0)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=folder, prefix=".import-"))
    try:
        files = draft / "bundle"
        files.mkdir()
        unpack(path, files, most_bytes=most_bytes)
        manifest = read_manifest(files)
        code = manifest["study"]
        if name_error(code):
            raise BadInput(_("%(code)r is not a code of a study.") % {"code": code})
        if manifest["language"] not in dict(settings.LANGUAGES):
            raise BadInput(_("There are no texts in the language %(language)r.") % {"language": manifest["language"]})
        if (folder / code).exists():
            raise BadInput(_("%(folder)s is there already.") % {"folder": folder / code})
        progress(1)
        checks = _verify_record(files, manifest)
        _check_protocol(files)
        progress(2)
        with contents.report_language(manifest["language"]):
            comparison = _compare(draft, files, at=at)
        progress(3)
        missing, readings = _check_receipts(files, receipts, code)
        os.rename(draft, folder / code)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    progress(STEPS)
    return ImportedBundle(
        study=code,
        folder=folder / code,
        files=len(manifest["files"]) + 1,
        readings=readings,
        missing=missing,
        checks=checks,
        key=manifest["public_key"],
        software=str(contents.read_json(folder / code / "bundle", contents.SOFTWARE).get("version", "")),
        comparison=comparison,
    )


def _compare(draft: Path, files: Path, *, at: datetime) -> Comparison:
    """Compute the report, and write it and the page that compares it. Raises BadInput if that is not possible."""
    report = contents.compute_report(files, at=at)
    stated = contents.without_time(_results(files))
    try:
        write_report(report, draft / "computed")
        comparison = Comparison(stated, contents.results_of(report))
        (draft / "comparison.html").write_text(comparison.as_html(), encoding="utf-8")
    except contents.CONTRADICTIONS as error:
        raise BadInput(_("The tables contradict each other: %(error)r") % {"error": error}) from error
    return comparison


def _results(files: Path) -> dict[str, Any]:
    results = contents.read_json(files, contents.RESULTS)
    if not isinstance(results, dict) or not isinstance(results.get("tables"), dict):
        raise BadInput(_("%(file)s has no tables.") % {"file": contents.RESULTS})
    return results


def _verify_record(files: Path, manifest: dict[str, Any]) -> dict[str, int]:
    """Check the record as the program in the bundle does, and that it is the record of the manifest's study and key."""
    findings = _Findings()
    values = _record(files)
    try:
        verifier.verify_record(values, findings)
    except verifier.DAMAGES as error:
        raise BadInput(_("The record in the bundle is damaged: %(error)r") % {"error": error}) from error
    if values[0]["log"] != manifest["study"] or values[0]["public_key"] != manifest["public_key"]:
        findings.problems.append(_("the record belongs to another study, or to another installation"))
    if findings.problems:
        raise BadInput(_("The record does not agree: %(problem)s.") % {"problem": findings.problems[0]})
    return findings.checked


def _record(files: Path) -> list[dict[str, Any]]:
    try:
        kind, values = verifier.read_file(str(files / contents.RECORD))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(_("The record in the bundle is damaged: %(error)r") % {"error": error}) from error
    if kind != "record":
        raise BadInput(_("%(file)s is no record.") % {"file": contents.RECORD})
    return values


def _check_protocol(files: Path) -> None:
    plan, hashes = contents.read_json(files, contents.PLAN), contents.read_json(files, contents.HASHES)
    if not isinstance(hashes, dict) or plan_hash(plan) != hashes.get("plan"):
        raise BadInput(_("%(file)s does not have the hash of the locked plan.") % {"file": contents.PLAN})


def _check_receipts(files: Path, receipts: Sequence[Path], code: str) -> tuple[int, int]:
    """Compare receipts with the record and with the rows; return how many readings are missing, and how many given."""
    lines = _verdicts(files)
    given = {receipt: verdict for receipt, verdict in lines if receipt}
    if receipts:
        hashes = [bytes.fromhex(value["hash"]) for value in _record(files)[1:] if value["type"] == "leaf"]
        for path in receipts:
            _check_receipt(path, hashes, given, code)
    return len(lines) - len(given), len(given)


def _check_receipt(path: Path, hashes: list[bytes], given: dict[str, str], code: str) -> None:
    try:
        kind, (receipt, *_others) = verifier.read_file(str(path))
        problems = verifier.check_receipt(receipt, receipt["public_key"])
        problems += verifier.check_receipt_against(receipt, hashes)
        entries = [json.loads(leaf["data"]) for leaf in receipt["leaves"]]
    except (OSError, *verifier.DAMAGES) as error:
        raise BadInput(_("%(file)s is no receipt: %(error)s") % {"file": path, "error": error}) from error
    if kind != "receipt" or receipt["head"]["log"] != code:
        problems.append(_("it belongs to another study"))
    for entry in entries:
        content = entry.get("content") or {}
        if entry.get("table") == "reading_reading" and given.get(content.get("receipt", "")) != content.get("verdict"):
            problems.append(_("the bundle has another verdict than the receipt, or none"))
    if problems:
        raise BadInput(_("The receipt %(file)s does not agree: %(problem)s.") % {"file": path, "problem": problems[0]})


def _verdicts(files: Path) -> list[tuple[str, str]]:
    """Return receipt and verdict of every row of the readings; empty for missing ones."""
    with (files / contents.DATA / "readings.csv").open(encoding="utf-8", newline="") as file:
        return [(row["receipt"], row["verdict"]) for row in csv.DictReader(file)]
