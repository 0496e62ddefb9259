"""Readings and answers of a closed study, as lists and as files; for researchers with the truth, once unsealed."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.timezone import now
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from readerstudy.accounts.models import User
from readerstudy.api import dataset
from readerstudy.api.exchange.filters import Filters, WholeNumber, YesNo, chosen, of_choices
from readerstudy.api.exchange.pages import ReadingPages
from readerstudy.api.investigator import REFUSED, StudyView
from readerstudy.api.outcome import csv, parquet
from readerstudy.api.requests import UserRequest
from readerstudy.api.serializers import ClosingAnswersLine, ReadingLine
from readerstudy.audit.actions import record
from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_see_truth


class ReadingFilters(Filters):
    """Filters of readings. None of them depends on the truth."""

    reader = filters.CharFilter(dataset.BLIND["reader"], help_text="code in this study")
    session = WholeNumber(dataset.BLIND["session"])
    verdict = of_choices(Verdict.choices)
    quality = of_choices(["A", "B", "C"])
    is_repeat = YesNo(dataset.BLIND["is_repeat"])
    answered_after = filters.IsoDateTimeFilter("answered_at", "gt")
    answered_before = filters.IsoDateTimeFilter("answered_at", "lt")

    class Meta:
        model = Reading
        fields: ClassVar[list[str]] = []


class _OfReadings(StudyView):
    """Base: the readings that the filters select."""

    parameters = ReadingFilters.base_filters

    def readings(self, study: Study) -> QuerySet[Reading, dict[str, Any]]:
        """Return the readings. Raises BadInput for a wrong filter, StudyStillOpen before the closing."""
        selected = ReadingFilters(self.request.query_params, queryset=dataset.readings_of(study))
        chosen(selected)
        rows: QuerySet[Reading, dict[str, Any]] = selected.qs
        return rows

    def file(self, study: Study, person: User, *, format: str) -> HttpResponseBase:
        """Return all the selected readings as a download, which is written while it is sent."""
        sighted = may_see_truth(study, person)
        attributes = dataset.exported_attributes(study)
        columns = (*dataset.BLIND, *((*dataset.SIGHTED, *attributes) if sighted else ()))
        # Outside a transaction this is a cursor of the server, so memory does not depend on the number of readings.
        readings = self.readings(study).iterator(chunk_size=dataset.CHUNK)
        record_export(study, person, part="readings", format=format)
        write = parquet.stream if format == "parquet" else csv.stream
        return write(f"{study.code}-readings", columns, dataset.lines_of(study, readings, sighted=sighted))


class Readings(_OfReadings, GenericAPIView[Any]):
    """The readings of a closed study, in the order in which they were stored; `?format=csv` streams them all.

    The truth of each image (authenticity, pathology, …) is added for researchers once the study is unsealed.
    """

    serializer_class = ReadingLine
    pagination_class = ReadingPages
    filterset_class = ReadingFilters
    renderer_classes = [JSONRenderer, csv.CsvRenderer]
    queryset = Reading.objects.none()  # for the schema; the rows come from `dataset`

    @extend_schema(
        responses={(200, "application/json"): ReadingLine(many=True), (200, "text/csv"): str, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_readings_list",
    )
    def get(self, request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        study = self.study()
        if request.accepted_renderer.format == "csv":
            return self.file(study, request.user, format="csv")
        page = self.paginate_queryset(self.readings(study)) or []
        if "cursor" not in request.query_params:
            record_export(study, request.user, part="readings", format="json")
        sighted = may_see_truth(study, request.user)
        return self.get_paginated_response(list(dataset.lines_of(study, page, sighted=sighted)))


class ReadingsFile(_OfReadings, GenericAPIView[Any]):
    """The readings as a CSV file."""

    serializer_class = ReadingLine
    pagination_class = None
    filterset_class = ReadingFilters
    queryset = Reading.objects.none()  # for the schema

    @extend_schema(
        filters=True,
        responses={(200, "text/csv"): str, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_readings.csv_retrieve",
    )
    def get(self, request: UserRequest, study: str) -> HttpResponseBase:
        return self.file(self.study(), request.user, format="csv")


class ReadingsParquet(_OfReadings, GenericAPIView[Any]):
    """The readings as an Apache Parquet file: the same rows and columns as the CSV, with their types."""

    serializer_class = ReadingLine
    pagination_class = None
    filterset_class = ReadingFilters
    queryset = Reading.objects.none()  # for the schema

    @extend_schema(
        filters=True,
        responses={(200, parquet.MEDIA_TYPE): bytes, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_readings.parquet_retrieve",
    )
    def get(self, request: UserRequest, study: str) -> HttpResponseBase:
        return self.file(self.study(), request.user, format="parquet")


class Answers(StudyView):
    """The answers to the questions at the end of sessions of a closed study, in the order of storage."""

    @extend_schema(
        responses={200: ClosingAnswersLine(many=True), 409: REFUSED},
        tags=["studies"],
        operation_id="studies_answers_list",
    )
    def get(self, request: UserRequest, study: str) -> Response:
        selected = self.study()
        answers = ClosingAnswersLine(dataset.closing_answers_of(selected), many=True).data
        record_export(selected, request.user, part="answers", format="json")
        return Response(answers)


def record_export(study: Study, person: User, *, part: str, format: str) -> None:
    """Record who exported what; `with_truth`: the export could show the truth."""
    sighted = may_see_truth(study, person)
    record("export.made", actor=person, subject=study, at=now(), part=part, format=format, with_truth=sighted)
