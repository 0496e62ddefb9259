"""The report of one study, assembled from its record and written as HTML, CSV, SVG and JSON files."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, override

from readerstudy.analysis.figures import Picture
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.chapters import Chapters
from readerstudy.analysis.report.gallery import ReportGallery, build_gallery, choose_images
from readerstudy.analysis.report.sections import Section
from readerstudy.analysis.wording import limit_sentences, session_limit_sentence
from readerstudy.layout.codes import TableCodes, codes_of
from readerstudy.layout.table import Table, to_csv, to_text
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.results.progress import ActivityKind
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_show_images_of_cohort

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_STYLE_SHEETS = ("css/tokens.css", "css/report.css")


@dataclass(frozen=True)
class StudyReport:
    """Everything that the page, the files and the API show; each part is computed at first access."""

    record: StudyRecord
    at: datetime
    plan: AnalysisPlan = field(default_factory=AnalysisPlan)
    gallery: ReportGallery | None = None
    # Codes of the words of each table, by its key; None: to be made.
    known_codes: Mapping[str, TableCodes] | None = None

    @cached_property
    def chapters(self) -> Chapters:
        return Chapters(self.record, self.plan, self.gallery)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The chapters, in order."""
        return self.chapters.all

    @cached_property
    def summary(self) -> tuple[str, ...]:
        """The primary result in words."""
        return self.chapters.summary

    def compute(self) -> Iterator[ActivityKind]:
        """Compute everything, yielding what is done before each part."""
        stages: tuple[tuple[ActivityKind, Callable[[], object]], ...] = (
            (ActivityKind.COMPARING_SESSIONS, lambda: self.chapters.mrmc),
            (ActivityKind.TESTING_READERS, lambda: self.chapters.subgroups),
            (ActivityKind.DRAWING_REPORT, lambda: self.sections),
        )
        for kind, compute in stages:
            yield kind
            compute()

    @property
    def limits(self) -> tuple[str, ...]:
        sentences = limit_sentences(self.record, self.plan)
        of_comparison = session_limit_sentence(self.record, self.plan)
        return tuple(each for each in sentences if not (self.record.compares_nothing and each == of_comparison))

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """Every table by its key, which is also the name of its CSV file."""
        return {table.key: table for section in self.sections for table in (*section.tables, *section.hidden)}

    @cached_property
    def pictures(self) -> Mapping[str, Picture]:
        """Every figure by its key, which is also the name of its SVG file."""
        return {picture.key: picture for section in self.sections for picture in section.pictures}

    @cached_property
    def codes(self) -> Mapping[str, TableCodes]:
        """The codes of the words of each table by its key, the same in every language."""
        if self.known_codes is not None:
            return self.known_codes
        if get_language() == "en":
            return {key: codes_of(table) for key, table in self.tables.items()}
        with override("en"):
            return self.in_another_language(gallery=None).codes

    def in_another_language(
        self, *, gallery: ReportGallery | None, codes: Mapping[str, TableCodes] | None = None
    ) -> "StudyReport":
        """Return the same report to be written in another language; results without words are not computed again."""
        other = replace(self, gallery=gallery, known_codes=codes)
        vars(other.chapters)["subgroups"] = self.chapters.subgroups
        return other

    def without_gallery(self) -> "StudyReport":
        """Return the same report without images."""
        other = replace(self, gallery=None)
        kept = [
            replace(each, items=tuple(item for item in each.items if item is not self.gallery))
            for each in self.sections
        ]
        vars(other).update(sections=tuple(kept), summary=self.summary)
        return other

    @cached_property
    def table_dicts(self) -> dict[str, dict[str, Any]]:
        """Each table for JSON, by its key."""
        return {key: self.table_dict(key) for key in self.tables}

    def table_dict(self, key: str) -> dict[str, Any]:
        """Return one table for JSON, with the codes of its words."""
        data, codes = self.tables[key].as_dict(), self.codes[key]
        columns = zip(data["columns"], codes.groups, strict=True)
        data["columns"] = [{**column, "group_code": code} for column, code in columns]
        if len(codes.rows) != len(data["rows"]):
            raise ValueError(f"The table {key} has other rows in English than in this language.")
        return {**data, "row_codes": list(codes.rows)}

    def as_dict(self) -> dict[str, Any]:
        """Return every number of the page in full precision, for JSON."""
        return {
            "study": self.record.code,
            "title": self.record.title,
            "rehearsal": self.record.is_rehearsal,
            "language": get_language(),
            "made_at": self.at.isoformat(),
            "plan": {**self.plan.as_data(), "hash": self.plan.hash},
            "tables": self.table_dicts,
            "figures": {key: picture.description for key, picture in self.pictures.items()},
            "summary": list(self.summary),
            "sentences": {section.key: list(section.sentences) for section in self.sections},
            "limits": list(self.limits),
        }


# Called with what is done next.
Stage = Callable[[ActivityKind], None]


def build_report(study: Study, *, at: datetime, stage: Stage = lambda _: None) -> StudyReport:
    """Return the report of an unsealed study by its locked plan. Raises StillSealed before the unsealing.

    `stage` is called with what is done next.
    """
    stage(ActivityKind.ADDING_UP_READINGS)
    record = study_record(study)
    shows_gallery = may_show_images_of_cohort(study.cohort.name)
    gallery = build_gallery(study, choose_images(record, study.analysis)) if shows_gallery else None
    return StudyReport(record, at=at, plan=study.analysis, gallery=gallery)


def write_report(report: StudyReport, folder: Path, *, stage: Stage = lambda _: None) -> list[Path]:
    """Write report.html, report.json, report.txt, CSV and JSON per table, and SVG per figure; return the paths.

    `stage` is called with what is done next.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for kind in report.compute():
        stage(kind)
    stage(ActivityKind.WRITING_REPORT)
    files = {**data_files(report), "report.html": standalone(report)}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def data_files(report: StudyReport) -> dict[str, str]:
    """Return the texts of all files that show no image, by their names."""
    files = {f"{key}.csv": to_csv(table) for key, table in report.tables.items()}
    files |= {f"{key}.json": _json(table) for key, table in report.table_dicts.items()}
    files |= {f"{key}.svg": picture.svg for key, picture in report.pictures.items()}
    files["report.json"] = _json(report.as_dict())
    files["report.txt"] = as_text(report)
    return files


def page_body(report: StudyReport, *, address: str) -> str:
    """Return the report as the middle of a page. `address` is that of its files, with a slash at the end."""
    return render_to_string("report/_report.html", {"report": report, "files": address})


def as_text(report: StudyReport) -> str:
    """Return every table and the limits of the report, for a terminal."""
    lines = []
    for section in report.sections:
        lines += [section.title.upper(), "", *section.sentences, "", *(to_text(table) for table in section.tables)]
    return "\n".join([*lines, *report.limits, ""])


def _json(data: Any) -> str:
    """Return JSON with one line for each row of a table."""
    return _json_text(data, "\n") + "\n"


def _json_text(data: Any, line: str) -> str:
    """Return JSON whose dicts and lists begin new lines, but for those in lists. `line` is a line break and the indent.

    The standard library indents in Python, which took half of the time of a report of a million readings.
    """
    inner = f"{line} "
    match data:
        case dict() if data:
            parts = [f"{_ENCODE(str(key))}: {_json_text(value, inner)}" for key, value in data.items()]
            return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
        case list() if data:
            return f"[{inner}{f',{inner}'.join(map(_ENCODE, data))}{line}]"
    return _ENCODE(data)


def standalone(report: StudyReport) -> str:
    """Return one page with styles and figures inside, and links to the tables in the same folder."""
    sheets = (finders.find(sheet) for sheet in _STYLE_SHEETS)
    style = "\n".join(Path(str(sheet)).read_text(encoding="utf-8") for sheet in sheets if sheet)
    # The style sheets are our own files, so they need no escaping.
    context = {"report": report, "style": mark_safe(style), "files": "", "inline": True}
    return render_to_string("report/standalone.html", context)
