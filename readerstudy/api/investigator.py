"""The API for coordinators and researchers. Parts of it join readings with the truth, after unsealing."""

import re
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.pagination import Cursor, CursorPagination, PageNumberPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import IsInvestigator, IsResearcher, signed_in_user
from readerstudy.analysis.report.making import RETRY_AFTER, report_or_job
from readerstudy.analysis.report.versions import version_facts, versions_of
from readerstudy.api import csv, dataset
from readerstudy.api.errors import DetailSerializer
from readerstudy.api.requests import UserRequest, validated
from readerstudy.api.serializers import (
    ClosingAnswersLine,
    EnrolledReader,
    EnrollRequest,
    MakingAnswer,
    ReadingLine,
    ResultsAnswer,
    ResultsQuery,
    StudyLine,
    StudyPage,
    StudySession,
)
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.jobs.models import Job
from readerstudy.studies.access import require_researcher_of, studies_of, study_for
from readerstudy.studies.actions import end_expired_requests, enroll
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_see_truth

REFUSED = OpenApiResponse(DetailSerializer, description="the protocol forbids it now; the sentence says why")
MAKING = OpenApiResponse(MakingAnswer, description="the report is being computed; ask again after Retry-After")
MISUNDERSTOOD = OpenApiResponse(DetailSerializer, description="the sentence names the field")


class Pages(PageNumberPagination):
    """Pages of a short list."""

    page_size = 100


class ReadingPages(CursorPagination):
    """Pages of a long list. Each page is found by an index, so the last one is as fast as the first."""

    ordering = "pk"
    page_size = 500
    page_size_query_param = "page_size"
    max_page_size = 5000

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor. Raises NotFound if its position is not the key of a row."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not re.fullmatch(r"[0-9]{1,18}", str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


# --- studies ------------------------------------------------------------------------------------------------
@extend_schema(tags=["studies"])
class Studies(ListAPIView[Study]):
    """The studies that the user takes part in, the newest first, with the sums over their readers."""

    permission_classes = [IsInvestigator]
    queryset = Study.objects.none()  # for the schema
    serializer_class = StudyLine
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Study]:
        own = studies_of(signed_in_user(self.request))
        return own.select_related("cohort").order_by("-created_at", "-pk")

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        return dataset.study_lines(list(super().paginate_queryset(queryset) or []))


class StudyView(APIView):
    """Base: one study, by its code."""

    permission_classes = [IsInvestigator]

    def study(self) -> Study:
        """Return the study. Raises NotFound unless the user takes part in it."""
        return study_for(signed_in_user(self.request), self.kwargs["study"])

    def own_study(self) -> Study:
        """Return the study. Raises NotFound unless the user takes part in it, NotAllowed if not as a researcher."""
        study = self.study()
        require_researcher_of(study, signed_in_user(self.request))
        return study


class StudyDetail(StudyView):
    """One study with its plan, sessions and readers; progress as counts."""

    @extend_schema(responses=StudyPage, tags=["studies"])
    def get(self, request: Request, study: str) -> Response:
        selected = self.study()
        end_expired_requests(study=selected, at=now())
        return Response(dataset.study_page(selected))


class Sessions(StudyView):
    """The study's sessions with the progress of each reader."""

    @extend_schema(responses=StudySession(many=True), tags=["studies"], operation_id="studies_sessions_list")
    def get(self, request: Request, study: str) -> Response:
        return Response(dataset.session_pages(self.study()))


class Readers(StudyView):
    """The study's readers; enroll another one."""

    @extend_schema(responses=EnrolledReader(many=True), tags=["studies"], operation_id="studies_readers_list")
    def get(self, request: Request, study: str) -> Response:
        return Response(dataset.enrolled_readers(self.study()))

    @extend_schema(
        request=EnrollRequest, responses={201: EnrolledReader, 400: MISUNDERSTOOD, 409: REFUSED}, tags=["studies"]
    )
    def post(self, request: UserRequest, study: str) -> Response:
        selected = self.study()
        values = validated(EnrollRequest(data=request.data))
        name = values["user"]
        reader = User.objects.filter(username=name).first()
        if reader is None:
            raise BadInput(f"user: there is nobody with the user name {name!r}.")
        enrollment = enroll(
            study=selected,
            reader=reader,
            at=now(),
            actor=request.user,
            override_reason=values.get("override_reason", ""),
        )
        (line,) = (line for line in dataset.enrolled_readers(selected) if line["code"] == enrollment.code)
        return Response(line, status=201)


# --- readings and results -----------------------------------------------------------------------------------
class Readings(StudyView, GenericAPIView[Any]):
    """The readings of a closed study, in the order in which they were stored; `?format=csv` streams them all.

    The truth of each image (authenticity, pathology, …) is added for researchers once the study is unsealed.
    """

    serializer_class = ReadingLine
    pagination_class = ReadingPages
    renderer_classes = [JSONRenderer, csv.CsvRenderer]
    queryset = Study.objects.none()  # for the schema; the rows come from `dataset`

    @extend_schema(
        responses={(200, "application/json"): ReadingLine(many=True), (200, "text/csv"): str, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_readings_list",
    )
    def get(self, request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        study = self.study()
        if request.accepted_renderer.format == "csv":
            return _readings_file(study, request.user)
        page = self.paginate_queryset(dataset.readings_of(study)) or []
        if "cursor" not in request.query_params:
            _record_export(study, request.user, part="readings", format="json")
        sighted = may_see_truth(study, request.user)
        return self.get_paginated_response(list(dataset.lines_of(study, page, sighted=sighted)))


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
        _record_export(selected, request.user, part="answers", format="json")
        return Response(answers)


class ReadingsFile(StudyView):
    """The readings as a CSV file."""

    @extend_schema(responses={(200, "text/csv"): str, 409: REFUSED}, tags=["studies"])
    def get(self, request: UserRequest, study: str) -> HttpResponseBase:
        return _readings_file(self.study(), request.user)


class Results(StudyView):
    """Every number of the report of an unsealed study, in its newest version or another one. For researchers."""

    permission_classes = [IsResearcher]

    @extend_schema(
        parameters=[ResultsQuery],
        responses={200: ResultsAnswer, 202: MAKING, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
    )
    def get(self, request: UserRequest, study: str) -> Response:
        selected = self.own_study()
        number = validated(ResultsQuery(data=request.query_params)).get("version")
        report = report_or_job(selected, actor=request.user, at=now(), number=number, says_failure=True)
        if isinstance(report, Job):
            return Response(MakingAnswer(report).data, status=202, headers={"Retry-After": str(RETRY_AFTER)})
        results = {
            **report.as_dict(),
            "version": version_facts(report.version) if report.version else None,
            "versions": [each.number for each in versions_of(selected)],
        }
        _record_export(selected, request.user, part="results", format="json")
        return Response(results)


def _readings_file(study: Study, person: User) -> HttpResponseBase:
    sighted = may_see_truth(study, person)
    attributes = dataset.exported_attributes(study)
    columns = (*dataset.BLIND, *((*dataset.SIGHTED, *attributes) if sighted else ()))
    readings = dataset.readings_of(study).iterator(chunk_size=dataset.CHUNK)
    _record_export(study, person, part="readings", format="csv")
    return csv.stream(f"{study.code}-readings", columns, dataset.lines_of(study, readings, sighted=sighted))


def _record_export(study: Study, person: User, *, part: str, format: str) -> None:
    """Record who exported what; `with_truth`: the export could show the truth."""
    sighted = may_see_truth(study, person)
    record("export.made", actor=person, subject=study, at=now(), part=part, format=format, with_truth=sighted)
