"""The report of one study: assembled from its record, written as a folder of HTML, CSV, SVG and JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from readerstudy.analysis.attack import table_1
from readerstudy.analysis.comparisons import compare_sessions, table_of_all_tests, table_of_p_values
from readerstudy.analysis.dataset import study_record
from readerstudy.analysis.figures import Picture, accuracy_figure
from readerstudy.analysis.records import StudyRecord
from readerstudy.analysis.stats.subgroups import DEFAULT_GROUPS
from readerstudy.analysis.stats.unsure import Unsure
from readerstudy.analysis.table import Table, to_csv
from readerstudy.analysis.tables import table_2, table_2_readings, table_3, table_4
from readerstudy.analysis.wording import limit_sentences
from readerstudy.studies.models import Study

_STYLE_SHEETS = ("css/tokens.css", "css/report.css")


@dataclass(frozen=True)
class Report:
    """Everything that the page, the files and the API show. `all_tests` is for programs only."""

    code: str
    title: str
    is_rehearsal: bool
    at: datetime
    rule: Unsure
    groups: int
    table1: Table
    table2: Table
    table2b: Table
    table3: Table
    table4: Table
    p_values: Table
    all_tests: Table
    picture: Picture | None
    limits: tuple[str, ...]

    @property
    def tables(self) -> Mapping[str, Table]:
        """Every table by its key, which also names its CSV file."""
        found = (
            self.table1,
            self.table2,
            self.table2b,
            self.table3,
            self.p_values,
            self.all_tests,
            self.table4,
        )
        return {table.key: table for table in found}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every number of the page in full precision."""
        return {
            "study": self.code,
            "title": self.title,
            "rehearsal": self.is_rehearsal,
            "made_at": self.at.isoformat(),
            "unsure": self.rule.value,
            "groups": self.groups,
            "tables": {key: table.as_dict() for key, table in self.tables.items()},
            "figure": None if self.picture is None else self.picture.description,
            "limits": list(self.limits),
        }


def build_report(study: Study, *, at: datetime, rule: Unsure = Unsure.WRONG, groups: int = DEFAULT_GROUPS) -> Report:
    """The report of an unsealed study; raises StillSealed before."""
    return assemble(study_record(study), at=at, rule=rule, groups=groups)


def assemble(record: StudyRecord, *, at: datetime, rule: Unsure = Unsure.WRONG, groups: int = DEFAULT_GROUPS) -> Report:
    """Tables, tests and figure from the record alone; no database."""
    comparisons = compare_sessions(record.readings, rule=rule, groups=groups)
    return Report(
        code=record.code,
        title=record.title,
        is_rehearsal=record.is_rehearsal,
        at=at,
        rule=rule,
        groups=groups,
        table1=table_1(record.attack),
        table2=table_2(record),
        table2b=table_2_readings(record),
        table3=table_3(record, rule),
        table4=table_4(record),
        p_values=table_of_p_values(comparisons, rule=rule, groups=groups),
        all_tests=table_of_all_tests(comparisons),
        picture=accuracy_figure(record, rule),
        limits=limit_sentences(),
    )


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write report.html, one CSV per table, figure.svg and report.json; returns the paths written.

    A figure of an earlier report that has none now is removed, so that the folder holds one report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{key}.csv": to_csv(table) for key, table in report.tables.items()}
    files["report.json"] = json.dumps(report.as_dict(), indent=1, ensure_ascii=False) + "\n"
    files["report.html"] = _standalone(report)
    if report.picture:
        files["figure.svg"] = report.picture.svg
    else:
        (folder / "figure.svg").unlink(missing_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def _standalone(report: Report) -> str:
    """One page that needs no server: its styles inside, its figure and tables beside it."""
    sheets = (finders.find(sheet) for sheet in _STYLE_SHEETS)
    style = "\n".join(Path(str(sheet)).read_text(encoding="utf-8") for sheet in sheets if sheet)
    # The sheets are our own files, so they may stand in the page as they are.
    context = {"report": report, "style": mark_safe(style), "figure_url": "figure.svg"}
    return render_to_string("report/standalone.html", context)
