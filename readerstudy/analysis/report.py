"""The report of one study: assembled from its record, written as a folder of HTML, CSV, SVG and JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from readerstudy.analysis.across import across_readers
from readerstudy.analysis.attack import table_1
from readerstudy.analysis.comparisons import Comparison, compare_sessions, table_of_all_tests, table_of_p_values
from readerstudy.analysis.dataset import study_record
from readerstudy.analysis.figures import Picture, accuracy_figure
from readerstudy.analysis.per_reader import agreement_of_readers, seconds_per_image, signal_detection
from readerstudy.analysis.records import StudyRecord
from readerstudy.analysis.stats.subgroups import DEFAULT_GROUPS
from readerstudy.analysis.stats.unsure import Unsure
from readerstudy.analysis.table import Table, to_csv
from readerstudy.analysis.tables import table_2, table_2_readings, table_3, table_4
from readerstudy.analysis.wording import limit_sentences
from readerstudy.studies.models import Study

_STYLE_SHEETS = ("css/tokens.css", "css/report.css")


KEYS = (
    "table1",
    "table2",
    "table2b",
    "table3",
    "table4",
    "mrmc",
    "detection",
    "agreement",
    "seconds",
    "pvalues",
    "subgroups",
)


@dataclass(frozen=True)
class Report:
    """Everything that the page, the files and the API show; each part is worked out when first asked for.

    `subgroups` is for programs only: every form of the tests that `pvalues` shows.
    """

    record: StudyRecord
    at: datetime
    rule: Unsure = Unsure.WRONG
    groups: int = DEFAULT_GROUPS

    @cached_property
    def table1(self) -> Table:
        return table_1(self.record.attack)

    @cached_property
    def table2(self) -> Table:
        return table_2(self.record)

    @cached_property
    def table2b(self) -> Table:
        return table_2_readings(self.record)

    @cached_property
    def table3(self) -> Table:
        return table_3(self.record, self.rule)

    @cached_property
    def table4(self) -> Table:
        return table_4(self.record)

    @cached_property
    def mrmc(self) -> Table:
        return across_readers(self.record, self.rule)

    @cached_property
    def detection(self) -> Table:
        return signal_detection(self.record, self.rule)

    @cached_property
    def agreement(self) -> Table:
        return agreement_of_readers(self.record)

    @cached_property
    def seconds(self) -> Table:
        return seconds_per_image(self.record)

    @cached_property
    def pvalues(self) -> Table:
        return table_of_p_values(self._comparisons, rule=self.rule, groups=self.groups)

    @cached_property
    def subgroups(self) -> Table:
        return table_of_all_tests(self._comparisons)

    @cached_property
    def picture(self) -> Picture | None:
        return accuracy_figure(self.record, self.rule)

    @cached_property
    def limits(self) -> tuple[str, ...]:
        return limit_sentences()

    @cached_property
    def _comparisons(self) -> tuple[Comparison, ...]:
        return compare_sessions(self.record.readings, rule=self.rule, groups=self.groups)

    def table(self, key: str) -> Table | None:
        """The table of that key, which also names its CSV file; None where there is no such table."""
        found: Table | None = getattr(self, key) if key in KEYS else None
        return found

    @property
    def tables(self) -> Mapping[str, Table]:
        """Every table by its key."""
        return {key: getattr(self, key) for key in KEYS}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every number of the page in full precision."""
        return {
            "study": self.record.code,
            "title": self.record.title,
            "rehearsal": self.record.is_rehearsal,
            "made_at": self.at.isoformat(),
            "unsure": self.rule.value,
            "groups": self.groups,
            "tables": {key: table.as_dict() for key, table in self.tables.items()},
            "figure": None if self.picture is None else self.picture.description,
            "limits": list(self.limits),
        }


def build_report(study: Study, *, at: datetime, rule: Unsure = Unsure.WRONG, groups: int = DEFAULT_GROUPS) -> Report:
    """The report of an unsealed study; raises StillSealed before."""
    return Report(study_record(study), at=at, rule=rule, groups=groups)


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
