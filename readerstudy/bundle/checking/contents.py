"""The files of a bundle: their names, what each has, and the report that is computed from them."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from readerstudy import serialise
from readerstudy.analysis.report.build import StudyReport
from readerstudy.bundle.checking.recount import Recount
from readerstudy.bundle.columns import TableSpec, table_specs
from readerstudy.bundle.facts import Facts
from readerstudy.bundle.pseudonyms import DAY_0
from readerstudy.bundle.tables import read_table
from readerstudy.errors import BadInput
from readerstudy.modalities import get_modality
from readerstudy.protocol.analysis_plan import AnalysisPlan

PROTOCOL: Final = "protocol/protocol.yaml"
PLAN: Final = "protocol/plan.json"
HASHES: Final = "protocol/hashes.json"
LINES: Final = "protocol/lines.json"
DATA: Final = "data"
CODEBOOK: Final = "data/codebook"
FACTS: Final = "analysis/facts.json"
RESULTS: Final = "analysis/report.json"
RECORD: Final = "record/record.jsonl"
VERIFIER: Final = "record/verifier.py"
SOFTWARE: Final = "software.json"
README: Final = "README.md"

# Raised by calculations over rows and facts that do not belong together.
CONTRADICTIONS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

DESCRIPTIONS: Final = {
    README: "What this is, how to check it and how to compute its tables again",
    PROTOCOL: "The protocol as it was designed",
    PLAN: "The plan as it was locked, with the analysis plan and what was drawn",
    HASHES: "SHA-256 of the plan, the analysis plan, the draw and the readings, as the report states them",
    LINES: "The lines of text that readers saw under the triptychs of the education",
    f"{CODEBOOK}.csv": "Every column of every table: type, unit, levels, meaning",
    f"{CODEBOOK}.json": "The same as JSON, with what a row of each table is",
    FACTS: "What the tables of the report need beyond the rows: material, networks, evaluations, conduct",
    RESULTS: "Every number of the report in full precision",
    "analysis/report.html": "The report as one page",
    RECORD: "The hashes of all entries of the study’s log, its signed head, and the commitment to the answer key",
    VERIFIER: "Program that checks the record and receipts, with Python’s standard library alone",
    SOFTWARE: "Versions of this software and of what it uses",
}


def read_tables(folder: Path, specs: tuple[TableSpec, ...]) -> dict[str, Any]:
    """Return every table by its name. Raises BadInput for files that do not agree with the codebook."""
    return {spec.name: read_table(folder / DATA, spec) for spec in specs}


def compute_report(folder: Path, *, at: datetime = DAY_0) -> StudyReport:
    """Return the report computed from the files of an unpacked bundle. Nothing else is read, no database either.

    Raises BadInput for files that cannot be understood.
    """
    facts, plan = _facts(folder), read_json(folder, PLAN)
    if not isinstance(plan, dict):
        raise BadInput(_("%(file)s is not a plan.") % {"file": PLAN})
    analysis = AnalysisPlan.from_data(plan.get("analysis", {}))
    tables = read_tables(folder, table_specs(get_modality(facts.modality)))
    try:
        record = Recount(facts, tables, plan, analysis).record()
    except CONTRADICTIONS as error:
        raise BadInput(_("The tables contradict each other: %(error)r") % {"error": error}) from error
    return StudyReport(record, at=at, plan=analysis)


# A class, named as the context manager that it extends.
class report_language(override):  # noqa: N801
    """Within it reports are written in a language, with days in UTC, wherever they are computed."""

    def __init__(self, language: str) -> None:
        super().__init__(language)
        self._zone = timezone.override(timezone.get_fixed_timezone(0))

    def __enter__(self) -> None:
        super().__enter__()
        self._zone.__enter__()

    def __exit__(self, *details: Any) -> None:
        self._zone.__exit__(*details)
        super().__exit__(*details)


def results_of(report: StudyReport) -> dict[str, Any]:
    """Return every number of a report as it is read back from a file, without the time of its making."""
    values: dict[str, Any] = json.loads(json.dumps(report.as_dict()))
    return without_time(values)


def without_time(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results without the time of their making."""
    return {name: value for name, value in results.items() if name != "made_at"}


def read_json(folder: Path, name: str) -> Any:
    """Return the JSON value of a file. Raises BadInput."""
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(_("%(file)s cannot be read: %(error)s") % {"file": name, "error": error}) from error


def write_json(folder: Path, name: str, value: Any) -> None:
    """Write a file of the bundle as JSON."""
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    (folder / name).write_text(text, encoding="utf-8")


def _facts(folder: Path) -> Facts:
    try:
        return serialise.from_dict(Facts, read_json(folder, FACTS))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadInput(_("%(file)s cannot be read: %(error)s") % {"file": FACTS, "error": error}) from error
