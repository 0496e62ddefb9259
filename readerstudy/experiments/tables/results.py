"""The result of any job as tables, text and data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count, groupby
from typing import Any

from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.models import Evaluation
from readerstudy.experiments.tables.changes import changes_table
from readerstudy.experiments.tables.cross_validation import cross_validation_tables
from readerstudy.experiments.tables.detector import detector_table
from readerstudy.experiments.tables.evaluation import comparison_table, evaluation_tables, table_1, transfer_table
from readerstudy.experiments.tables.trivial_controls import controls_table
from readerstudy.layout.table import Table, to_text
from readerstudy.results import cross_validation, detector, evaluation
from readerstudy.results.cross_validation import CrossValidated
from readerstudy.results.detector import DetectorResult
from readerstudy.results.evaluation import EvaluationResult
from readerstudy.serialise import from_dict


@dataclass(frozen=True)
class ResultSection:
    """Tables under a heading, which is empty for a single section. Table keys are unique within a result."""

    heading: str
    tables: tuple[Table, ...]


def result_sections(result: Any) -> list[ResultSection]:
    """Return the tables of a job's result for a page; none if it has no figures to show."""
    numbers = count(1)
    return [
        ResultSection(heading, tuple(replace(table, key=f"{table.key}-{next(numbers)}") for table in tables))
        for heading, tables in _sections(result)
    ]


def result_text(result: Any) -> str:
    """Return the tables of a job's result as text for a terminal; empty if it has none."""
    parts = []
    for section in result_sections(result):
        parts += [section.heading] if section.heading else []
        parts += [to_text(table).rstrip() for table in section.tables]
    return "\n\n".join(parts)


def result_data(result: Any) -> Any:
    """Return a job's result for programs, with the stored evaluations in place of their keys."""
    if not _has_format(result, evaluation.FORMAT):
        return result
    rows = Evaluation.objects.filter(pk__in=result["evaluations"]).order_by("pk")
    return {**result, "evaluations": [{"id": row.pk, **row.result} for row in rows]}


def _sections(result: Any) -> Iterator[tuple[str, list[Table]]]:
    """Yield tables with the heading above them."""
    if _has_format(result, evaluation.FORMAT):
        yield from _evaluation_sections(result["evaluations"])
    elif _has_format(result, detector.FORMAT):
        stored = {name: result[name] for name in ("threshold", "rows")}
        yield "", [detector_table(result["run"], from_dict(DetectorResult, stored))]
    elif _has_format(result, cross_validation.FORMAT):
        stored = {name: value for name, value in result.items() if name not in ("format", "run", "cohort")}
        modality = Cohort.modality_of(result.get("cohort", ""))
        yield "", cross_validation_tables(from_dict(CrossValidated, stored), modality)


def _has_changes(result: EvaluationResult) -> bool:
    return any(attack.changes for attack in result.attacks)


def _has_format(result: Any, name: str) -> bool:
    return isinstance(result, Mapping) and result.get("format") == name


def _evaluation_sections(keys: list[int]) -> Iterator[tuple[str, list[Table]]]:
    """Yield all tables of one classifier; of several, Table 1 of each and how they compare."""
    rows = Evaluation.objects.filter(pk__in=keys).order_by("pk")
    for resolution, group in groupby(rows, key=lambda row: row.resolution):
        own = list(group)
        results = [row.read() for row in own]
        heading = _("%(resolution)s resolution") % {"resolution": resolution}
        if len(results) == 1:
            yield heading, evaluation_tables(results[0], results, Cohort.modality_of(own[0].cohort))
        else:
            modality = Cohort.modality_of(own[0].cohort)
            tables = [*(table_1(result) for result in results), controls_table(results[0])]
            tables += [comparison_table(results), transfer_table(results[0].transfers)]
            # The change is the same for every classifier.
            tables += [changes_table(results[0], modality)] if _has_changes(results[0]) else []
            yield heading, tables
