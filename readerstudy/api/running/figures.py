"""Figures by the API: the monitor, reported and excluded images, and cohorts."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.permissions import IsInvestigator
from readerstudy.api.exchange.repeats import answered_once
from readerstudy.api.investigator import MISUNDERSTOOD, REFUSED, StudyView
from readerstudy.api.requests import UserRequest, validated
from readerstudy.api.running.shapes import CohortAnswer, MonitorAnswer, ReportLine
from readerstudy.api.serializers import ReasonRequest
from readerstudy.desk.monitor import readers_of
from readerstudy.desk.queries import reported_images
from readerstudy.errors import NotFound
from readerstudy.image_import.queries import CohortLine, cohort_lines
from readerstudy.reading.models import ImageProblem
from readerstudy.studies.actions import exclude_from_analysis, include_in_analysis
from readerstudy.vocabulary import Pathology, Split

DECISIONS: dict[str, Callable[..., object]] = {"exclude": exclude_from_analysis, "include": include_in_analysis}
DECISION = OpenApiParameter("name", str, OpenApiParameter.PATH, enum=list(DECISIONS))


class Monitor(StudyView):
    """How far each reader is, how fast, and what is unusual; no verdict."""

    @extend_schema(responses=MonitorAnswer, tags=["studies"])
    def get(self, request: UserRequest, study: str) -> Response:
        found, at = self.study(), now()
        readers = [
            {**asdict(reader), "answered": reader.answered, "total": reader.total}
            for reader in readers_of(found, at=at)
        ]
        reports = ImageProblem.objects.filter(presentation__reading_list__enrollment__study=found).count()
        return Response(MonitorAnswer({"at": at, "reports": reports, "readers": readers}).data)


class Reports(StudyView):
    """The images that readers reported, and which of them are excluded from the analysis, without the images."""

    @extend_schema(responses=ReportLine(many=True), tags=["studies"], operation_id="studies_reports_list")
    def get(self, request: UserRequest, study: str) -> Response:
        return Response(ReportLine(reported_images(self.study()), many=True).data)


class Decide(StudyView):
    """Exclude a reported image from the analysis for all readers, or include it again, with a reason."""

    @extend_schema(
        parameters=[DECISION],
        request=ReasonRequest,
        responses={200: ReportLine, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
    )
    @answered_once
    def post(self, request: UserRequest, study: str, number: int, name: str) -> Response:
        found = self.study()
        rows = ImageProblem.objects.filter(pk=number, presentation__reading_list__enrollment__study=found)
        problem = rows.select_related("presentation").first()
        if problem is None or name not in DECISIONS:
            raise NotFound(f"There is no report {number} in {found.code}.")
        reason = validated(ReasonRequest(data=request.data))["reason"]
        DECISIONS[name](presentation=problem.presentation, actor=request.user, reason=reason, at=now())
        (line,) = (line for line in reported_images(found) if line.number == number)
        return Response(ReportLine(line).data)


class Cohorts(APIView):
    """The cohorts by name: counts only."""

    permission_classes = [IsInvestigator]

    @extend_schema(responses=CohortAnswer(many=True), tags=["cohorts"], operation_id="cohorts_list")
    def get(self, request: UserRequest) -> Response:
        return Response([_cohort(line) for line in cohort_lines(request.user)])


class CohortDetail(APIView):
    """One cohort: counts only."""

    permission_classes = [IsInvestigator]

    @extend_schema(responses=CohortAnswer, tags=["cohorts"])
    def get(self, request: UserRequest, name: str) -> Response:
        for line in cohort_lines(request.user):
            if line.cohort.name == name:
                return Response(_cohort(line))
        raise NotFound(f"There is no cohort {name}.")


def _cohort(line: CohortLine) -> dict[str, Any]:
    splits = [split.value for split in Split]
    return {
        "name": line.cohort.name,
        "modality": line.cohort.modality_code,
        "resolutions": list(line.cohort.resolutions),
        "is_drawn": line.cohort.is_drawn,
        "created_at": line.cohort.created_at,
        "patients": line.patients,
        "images": line.images,
        "splits": dict(zip(splits, line.totals, strict=True)),
        "pathologies": [
            {
                "pathology": pathology.value,
                "splits": dict(zip(splits, counts.counts, strict=True)),
                "total": counts.total,
            }
            for pathology, counts in zip(Pathology, line.lines, strict=True)
        ],
        "attacks": [{"attack": attack, "images": images} for attack, images in line.attacks],
        "studies": [study.code for study in line.studies],
    }
