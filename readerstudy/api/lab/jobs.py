"""Start, follow, cancel and retry jobs. Coordinators see their progress; parameters and results are for researchers."""

import math
from typing import Any, ClassVar

from django.utils.timezone import now
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from readerstudy.accounts.models import Scope, User
from readerstudy.accounts.permissions import IsInvestigator, IsResearcher
from readerstudy.api.exchange.filters import Filters, of_choices
from readerstudy.api.exchange.repeats import Repeatable, answered_once
from readerstudy.api.investigator import MISUNDERSTOOD, REFUSED
from readerstudy.api.requests import UserRequest, validated
from readerstudy.experiments.catalogue import KINDS
from readerstudy.experiments.job_view import OTHER_TITLES, view_job
from readerstudy.experiments.start import start_job
from readerstudy.jobs.actions import cancel_job, retry_job
from readerstudy.jobs.models import Job, JobStatus, Queue
from readerstudy.jobs.progress_log import read_points
from readerstudy.jobs.progress_text import activity_text, job_note
from readerstudy.results.progress import ActivityKind


# --- shapes -------------------------------------------------------------------------------------------------
class JobLine(serializers.ModelSerializer[Job]):
    """One job with its progress, remaining time and message."""

    status = serializers.ChoiceField(choices=JobStatus.choices)
    requested_by: Any = serializers.SlugRelatedField(slug_field="username", read_only=True)
    note = serializers.SerializerMethodField(help_text="message of a failed job, else the last report")
    is_lost = serializers.SerializerMethodField(help_text="marked as running, but its worker sends no heartbeat")
    seconds_left = serializers.SerializerMethodField(help_text="at the recent rate; null if there are too few points")

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "queue",
            "status",
            "is_lost",
            "done",
            "total",
            "note",
            "seconds_left",
            "attempts",
            "retried_from",
            "requested_by",
            "queued_at",
            "started_at",
            "ended_at",
            "cancel_requested_at",
        )
        read_only_fields = fields

    def get_note(self, job: Job) -> str:
        return job_note(job)

    def get_is_lost(self, job: Job) -> bool:
        return view_job(job, at=now()).is_lost

    @extend_schema_field(OpenApiTypes.FLOAT)
    def get_seconds_left(self, job: Job) -> float | None:
        return view_job(job, at=now()).seconds_left


class JobPage(JobLine):
    """One job with its parameters and its result."""

    class Meta(JobLine.Meta):
        fields = (*JobLine.Meta.fields, "parameters", "result", "worker")
        read_only_fields = fields


class StartRequest(serializers.Serializer[Any]):
    """The kind of job and its parameters, as in the forms at /lab/."""

    kind = serializers.ChoiceField(choices=[(kind.key, kind.title) for kind in KINDS])
    parameters = serializers.DictField(help_text="by name; missing ones have the form's default")


class ActivityObject(serializers.Serializer[Any]):
    """What the job was doing at a point."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in ActivityKind])
    stage = serializers.IntegerField(help_text="of a GAN, from 1; 0 if there is none")
    stages = serializers.IntegerField(help_text="in all")
    fold = serializers.IntegerField(help_text="of a cross-validation, from 1; 0 if there is none")


class PointLine(serializers.Serializer[Any]):
    """One point of the job's curves."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    activity = ActivityObject()
    text = serializers.CharField(help_text="the activity in words")
    at = serializers.FloatField(help_text="seconds since 1970")
    values = serializers.DictField(child=serializers.FloatField(allow_null=True), help_text="figures by name")


class JobFilters(Filters):
    """Filters of jobs."""

    status = of_choices(JobStatus.choices)
    kind = of_choices([*((kind.key, kind.title) for kind in KINDS), *OTHER_TITLES.items()])
    queue = of_choices(Queue.choices)
    requested_by = filters.CharFilter("requested_by__username")
    queued_after = filters.IsoDateTimeFilter("queued_at", "gt")
    queued_before = filters.IsoDateTimeFilter("queued_at", "lt")

    class Meta:
        model = Job
        fields: ClassVar[list[str]] = []


# --- jobs ---------------------------------------------------------------------------------------------------
@extend_schema(tags=["jobs"])
class Jobs(Repeatable, ListAPIView[Job]):
    """Jobs, the newest first. Only researchers can start one."""

    queryset = Job.objects.select_related("requested_by")
    serializer_class = JobLine
    filterset_class = JobFilters
    required_scope = Scope.JOBS

    def get_permissions(self) -> list[BasePermission]:
        return [IsResearcher()] if self.request.method == "POST" else [IsInvestigator()]

    def require_right_to_repeat(self) -> None:
        """Every researcher may see every job; the permission was checked."""

    @extend_schema(
        request=StartRequest,
        responses={201: JobPage, 200: OpenApiResponse(JobPage, description="under way already"), 400: MISUNDERSTOOD},
    )
    @answered_once
    def post(self, request: UserRequest) -> Response:
        start = validated(StartRequest(data=request.data))
        at = now()
        job = start_job(kind=start["kind"], parameters=start["parameters"], requested_by=request.user, at=at)
        return Response(JobPage(job).data, status=201 if job.queued_at == at else 200)


@extend_schema(tags=["jobs"])
class JobDetail(RetrieveAPIView[Job]):
    """One job; for researchers with its parameters and its result."""

    permission_classes = [IsInvestigator]
    queryset = Job.objects.select_related("requested_by")
    serializer_class = JobPage

    def get_serializer_class(self) -> type[JobLine]:
        person = getattr(self.request, "user", None)  # the schema is generated without a request
        return JobLine if isinstance(person, User) and not person.is_researcher else JobPage


class OneJob(Repeatable, GenericAPIView[Job]):
    """Base of the requests about one job that are for researchers."""

    permission_classes = [IsResearcher]
    required_scope = Scope.JOBS
    queryset = Job.objects.all()
    serializer_class = JobPage

    def require_right_to_repeat(self) -> None:
        """Every researcher may see every job; the permission was checked."""


@extend_schema(tags=["jobs"])
class JobPoints(OneJob):
    """The curves of a job: at most about 2,000 points."""

    @extend_schema(responses=PointLine(many=True), operation_id="jobs_points_list")
    def get(self, request: UserRequest, pk: int) -> Response:
        points = read_points(self.get_object().pk)
        lines = ({**vars(p), "text": activity_text(p.activity), "values": _finite(p.values)} for p in points)
        return Response([PointLine(line).data for line in lines])


@extend_schema(tags=["jobs"])
class Cancel(OneJob):
    """Cancel a job: at once if it is queued, at its next report if it is running."""

    @extend_schema(request=None, responses={200: JobPage, 409: REFUSED})
    @answered_once
    def post(self, request: UserRequest, pk: int) -> Response:
        return Response(JobPage(cancel_job(job=self.get_object(), actor=request.user, at=now())).data)


@extend_schema(tags=["jobs"])
class Retry(OneJob):
    """Start a failed or cancelled job again, as a new job that resumes from the last save."""

    @extend_schema(request=None, responses={201: JobPage, 409: REFUSED})
    @answered_once
    def post(self, request: UserRequest, pk: int) -> Response:
        return Response(JobPage(retry_job(job=self.get_object(), actor=request.user, at=now())).data, status=201)


def _finite(values: Any) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
