"""The API for coordinators and researchers: studies, their sessions, plans and readers; progress as counts."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.timezone import now
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import IsInvestigator, signed_in_user
from readerstudy.api import dataset
from readerstudy.api.errors import DetailSerializer
from readerstudy.api.exchange.filters import Filters, YesNo, of_choices, refuse_unknown
from readerstudy.api.exchange.repeats import Repeatable, answered_once
from readerstudy.api.requests import UserRequest, validated
from readerstudy.api.serializers import (
    EnrolledReader,
    EnrollRequest,
    PlansOfStudy,
    StudyLine,
    StudyPage,
    StudySession,
)
from readerstudy.errors import BadInput, NotFound
from readerstudy.studies.access import require_researcher_of, studies_of, study_for
from readerstudy.studies.actions import end_expired_requests, enroll
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Study

REFUSED = OpenApiResponse(DetailSerializer, description="the protocol forbids it now; the sentence says why")
MISUNDERSTOOD = OpenApiResponse(DetailSerializer, description="the sentence names the field")


class StudyFilters(Filters):
    """Filters of studies."""

    status = of_choices(StudyStatus.choices)
    cohort = filters.CharFilter("cohort__name")
    modality = filters.CharFilter("cohort__modality_code")
    is_rehearsal = YesNo()

    class Meta:
        model = Study
        fields: ClassVar[list[str]] = []


# --- studies ------------------------------------------------------------------------------------------------
@extend_schema(tags=["studies"])
class Studies(ListAPIView[Study]):
    """The studies that the user takes part in, the newest first, with the sums over their readers."""

    permission_classes = [IsInvestigator]
    queryset = Study.objects.none()  # for the schema
    serializer_class = StudyLine
    filterset_class = StudyFilters

    def get_queryset(self) -> QuerySet[Study]:
        return studies_of(signed_in_user(self.request)).select_related("cohort")

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        return dataset.study_lines(list(super().paginate_queryset(queryset) or []))


class StudyView(Repeatable):
    """Base: one study, by its code."""

    permission_classes = [IsInvestigator]
    parameters: ClassVar[Iterable[str]] = ()  # that its address may have

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in SAFE_METHODS:
            refuse_unknown(request, self.parameters)

    def require_right_to_repeat(self) -> None:
        """Raise NotFound unless the user still takes part in the study, or has deleted it."""
        if Study.objects.filter(code=self.kwargs["study"]).exists():
            self.study()

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


class Plans(StudyView):
    """The plan of a study as it was drawn, and its analysis plan, with their hashes."""

    @extend_schema(responses=PlansOfStudy, tags=["studies"])
    def get(self, request: Request, study: str) -> Response:
        found = self.study()
        values = {
            "is_locked": bool(found.plan),
            "plan": found.plan or None,
            "plan_sha256": found.plan_sha256,
            "analysis": found.analysis.as_data(),
            "analysis_sha256": found.analysis_sha256,
        }
        return Response(values)


class ReaderDetail(StudyView):
    """One reader of the study, with the progress of their sessions."""

    @extend_schema(responses=EnrolledReader, tags=["studies"], operation_id="studies_reader_retrieve")
    def get(self, request: Request, study: str, reader: str) -> Response:
        found = self.study()
        for line in dataset.enrolled_readers(found):
            if line["code"] == reader:
                return Response(line)
        raise NotFound(f"There is no reader {reader} in {found.code}.")


class Readers(StudyView):
    """The study's readers; enroll another one."""

    @extend_schema(responses=EnrolledReader(many=True), tags=["studies"], operation_id="studies_readers_list")
    def get(self, request: Request, study: str) -> Response:
        return Response(dataset.enrolled_readers(self.study()))

    @extend_schema(
        request=EnrollRequest, responses={201: EnrolledReader, 400: MISUNDERSTOOD, 409: REFUSED}, tags=["studies"]
    )
    @answered_once
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
