"""The codebook of a study's readings: every column with type, unit, values and meaning, in any state of the study."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from readerstudy.api.investigator import StudyView
from readerstudy.api.outcome import csv
from readerstudy.api.requests import UserRequest
from readerstudy.api.serializers import CodebookLine
from readerstudy.bundle.reading_columns import CodebookEntry, codebook_of_readings

COLUMNS = ("column", "type", "unit", "levels", "meaning", "with_truth")


class Codebook(StudyView):
    """The columns of the readings of a study, in order. Texts are in the language of `Accept-Language`."""

    @extend_schema(responses=CodebookLine(many=True), tags=["studies"], operation_id="studies_codebook_list")
    def get(self, request: UserRequest, study: str) -> Response:
        entries = codebook_of_readings(self.study().cohort.modality)
        return Response([{**_line(entry), "levels": entry.column.levels} for entry in entries])


class CodebookFile(StudyView):
    """The codebook of the readings as a CSV file."""

    @extend_schema(responses={(200, "text/csv"): str}, tags=["studies"], operation_id="studies_codebook_file")
    def get(self, request: UserRequest, study: str) -> HttpResponseBase:
        selected = self.study()
        lines = [_line(entry) for entry in codebook_of_readings(selected.cohort.modality)]
        return csv.stream(f"{selected.code}-codebook", COLUMNS, lines)


def _line(entry: CodebookEntry) -> dict[str, Any]:
    column = entry.column
    values = (column.name, column.type.value, column.unit, column.levels_text, column.meaning, entry.with_truth)
    return dict(zip(COLUMNS, values, strict=True))
