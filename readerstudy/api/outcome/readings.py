"""Readings and answers of a closed study, as lists and as files; for researchers with the truth, once unsealed."""

from collections.abc import Iterable
from itertools import chain
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.timezone import now
from django.utils.translation import gettext as _
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
from readerstudy.bundle.reading_columns import reading_columns
from readerstudy.errors import BadInput
from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_see_truth

# Filters of what a presentation without a reading has too.
_OF_PRESENTATIONS: Final = ("reader", "session", "is_repeat")


class ReadingFilters(Filters):
    """Filters of readings. None of them depends on the truth."""

    reader = filters.CharFilter(dataset.PATHS["reader"], help_text="code in this study")
    session = WholeNumber(dataset.PATHS["session"])
    verdict = of_choices(Verdict.choices)
    quality = of_choices(["A", "B", "C"])
    is_repeat = YesNo(dataset.PATHS["is_repeat"])
    answered_after = filters.IsoDateTimeFilter("answered_at", "gt")
    answered_before = filters.IsoDateTimeFilter("answered_at", "lt")
    missing = YesNo(
        method="keep_all",
        help_text="files only: true adds a row for each image of a list that has no reading, after the readings",
    )

    class Meta:
        model = Reading
        fields: ClassVar[list[str]] = []

    def keep_all(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Return the rows: `missing` adds others."""
        return rows

    def wanted_of_missing(self) -> dict[str, Any] | None:
        """Return how presentations without a reading are selected; None: they are not asked for. Raises BadInput."""
        used = {name: value for name, value in chosen(self).items() if value not in (None, "")}
        if not used.pop("missing", False):
            return None
        for name in used:
            if name not in _OF_PRESENTATIONS:
                text = _("missing: a row without a reading has no %(name)s. Leave one of the two out.")
                raise BadInput(text % {"name": name})
        return used


class _OfReadings(StudyView):
    """Base: the readings that the filters select."""

    parameters = ReadingFilters.base_filters

    def filters(self, study: Study) -> ReadingFilters:
        """Return the valid filters. Raises BadInput for a wrong one, StudyStillOpen before the closing."""
        selected = ReadingFilters(self.request.query_params, queryset=dataset.readings_of(study))
        chosen(selected)
        return selected

    def file(self, study: Study, person: User, *, format: str) -> HttpResponseBase:
        """Return all the selected readings as a download, which is written while it is sent."""
        sighted = may_see_truth(study, person)
        selected = self.filters(study)
        wanted = selected.wanted_of_missing()
        missing: Iterable[dict[str, Any]] = () if wanted is None else dataset.missing_of(study, wanted)
        # Outside a transaction these are cursors of the server, so memory does not depend on the number of readings.
        readings = chain(selected.qs.iterator(chunk_size=dataset.CHUNK), missing)
        record_export(study, person, part="readings", format=format)
        name, columns = f"{study.code}-readings", reading_columns(study.cohort.modality, sighted=sighted)
        lines = dataset.lines_of(study, readings, sighted=sighted)
        if format == "parquet":
            return parquet.stream(name, columns, lines)
        return csv.stream(name, [column.name for column in columns], lines)


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
        selected = self.filters(study)
        if selected.wanted_of_missing() is not None:
            raise BadInput(_("missing: only readings.csv and readings.parquet have rows without a reading."))
        page = self.paginate_queryset(selected.qs) or []
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
