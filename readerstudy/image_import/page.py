"""What the page of one import shows of its report, to whom."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.core.paginator import Page, Paginator

from readerstudy.accounts.models import User
from readerstudy.cohort.importing import FoundCopy
from readerstudy.cohort.models import SPLIT_LABELS, Cohort
from readerstudy.image_import.models import ImageImport, ImportKind, ImportStep
from readerstudy.image_import.report import CheckedRow, CheckReport, read_report
from readerstudy.layout.sentences import say
from readerstudy.modalities import get_modality
from readerstudy.modalities.modality import Modality
from readerstudy.sources.source import ImportProblem
from readerstudy.truth.tells import FactRow, TellSentence, combined_sentence, fact_rows, tell_sentences
from readerstudy.vocabulary import Direction, Pathology, Split

LONGEST_LIST = 200  # problems and copies on the page


@dataclass(frozen=True)
class AttackTells:
    """What would give the images of an attack away, in words and figures."""

    attack: str
    pairs: int
    real_images: int | None  # None: those of the pairs
    sentences: list[TellSentence]
    combined: str
    facts: list[FactRow]


@dataclass(frozen=True)
class ShownRow:
    """A row with the labels of its values; "" is what the row does not have or the person may not see."""

    row: CheckedRow
    split: Any
    pathology: Any
    direction: Any


@dataclass(frozen=True)
class SplitLine:
    """The new images of one split by pathology, and in all."""

    split: Any
    counts: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class ReportPage:
    """The report of a check, or of an import, for a page."""

    report: CheckReport
    rows: list[ShownRow]
    pages: "Page[CheckedRow]"
    problems: tuple[ImportProblem, ...]
    copies: tuple[FoundCopy, ...]
    notes: tuple[str, ...]
    findings: tuple[Any, ...]  # labels of the pathologies
    splits: tuple[SplitLine, ...]
    tells: tuple[AttackTells, ...]
    shows_pathology: bool
    is_synthetic: bool  # no row has a real image

    @property
    def hidden_problems(self) -> int:
        return len(self.report.problems) - len(self.problems)


def report_page(image_import: ImageImport, user: User, *, number: str | None, per_page: int) -> ReportPage | None:
    """Return the report; None before the check has ended. Single pathologies are for researchers only."""
    is_result = image_import.step == ImportStep.IMPORTED
    report = read_report(image_import.folder, is_result=is_result)
    if report is None or image_import.step in (ImportStep.CHECKING, ImportStep.CHECK_FAILED):
        return None
    modality = _modality(image_import)
    is_cohort = image_import.kind == ImportKind.COHORT
    pages = Paginator(report.rows, per_page).get_page(number)
    return ReportPage(
        report=report,
        rows=[_shown(row, modality, shows_pathology=user.is_researcher) for row in pages.object_list],
        pages=pages,
        problems=tuple(ImportProblem(say(each.name), say(each.sentence)) for each in report.problems[:LONGEST_LIST]),
        copies=tuple(replace(each, other=say(each.other)) for each in report.copies[:LONGEST_LIST]),
        notes=tuple(say(each) for each in report.notes),
        findings=tuple(modality.findings[pathology].label for pathology in Pathology),
        splits=tuple(_split_lines(report)) if is_cohort else (),
        tells=tuple(_tells(name, tells) for name, tells in report.tells.items()),
        shows_pathology=user.is_researcher,
        is_synthetic=not is_cohort and not any(row.real for row in report.rows),
    )


def _modality(image_import: ImageImport) -> Modality:
    code = image_import.options.get("modality")
    return get_modality(code) if code else Cohort.modality_of(image_import.cohort)


def _shown(row: CheckedRow, modality: Modality, *, shows_pathology: bool) -> ShownRow:
    return ShownRow(
        row,
        split=SPLIT_LABELS[Split(row.split)],
        pathology=modality.findings[Pathology(row.pathology)].label if shows_pathology else "",
        direction=modality.words.lab.direction(Direction(row.direction)) if row.direction else "",
    )


def _split_lines(report: CheckReport) -> list[SplitLine]:
    lines = []
    for split in Split:
        counts = report.splits.get(split.value, Counter())
        own = tuple(counts.get(pathology.value, 0) for pathology in Pathology)
        lines.append(SplitLine(SPLIT_LABELS[split], own, sum(own)))
    return lines


def _tells(attack: str, tells: Any) -> AttackTells:
    return AttackTells(
        attack,
        tells["pairs"],
        tells.get("real_images"),
        tell_sentences(tells),
        combined_sentence(tells),
        fact_rows(tells),
    )
