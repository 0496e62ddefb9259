"""Every number of the report of an unsealed study."""

from django.http import HttpResponseBase
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from readerstudy.accounts.permissions import IsResearcher
from readerstudy.analysis.report.making import RETRY_AFTER, report_or_job
from readerstudy.analysis.report.versions import version_facts, versions_of
from readerstudy.api.exchange.tags import TAGGED, tag_of, unless_known
from readerstudy.api.investigator import MISUNDERSTOOD, REFUSED, StudyView
from readerstudy.api.outcome.readings import record_export
from readerstudy.api.requests import UserRequest, validated
from readerstudy.api.serializers import MakingAnswer, ResultsAnswer, ResultsQuery
from readerstudy.jobs.models import Job

MAKING = OpenApiResponse(MakingAnswer, description="the report is being computed; ask again after Retry-After")


class Results(StudyView):
    """Every number of the report of an unsealed study, in its newest version or another one. For researchers."""

    permission_classes = [IsResearcher]
    parameters = ("version",)

    @extend_schema(
        parameters=[ResultsQuery, TAGGED],
        responses={200: ResultsAnswer, 202: MAKING, 304: None, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
    )
    def get(self, request: UserRequest, study: str) -> HttpResponseBase:
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
        tag = tag_of(results)
        if known := unless_known(request, tag):
            return known
        record_export(selected, request.user, part="results", format="json")
        return Response(results, headers={"ETag": tag})
