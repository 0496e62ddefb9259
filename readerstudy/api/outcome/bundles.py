"""The bundle of an unsealed study: the job that makes it, and the file. For researchers of the study."""

from base64 import b64encode

from django.http import FileResponse, HttpResponseBase
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from readerstudy.accounts.models import Scope
from readerstudy.accounts.permissions import IsResearcher
from readerstudy.api.errors import DetailSerializer
from readerstudy.api.exchange.repeats import answered_once
from readerstudy.api.exchange.tags import TAGGED, quoted, unless_known
from readerstudy.api.investigator import REFUSED, StudyView
from readerstudy.api.lab.jobs import JobPage
from readerstudy.api.requests import UserRequest
from readerstudy.bundle.actions import finished_bundle, newest_export, require_exportable, start_export, take_bundle
from readerstudy.errors import NotFound

NONE = OpenApiResponse(DetailSerializer, description="no such study, or nobody has made its bundle")


class Bundle(StudyView):
    """The newest job that makes the bundle of a study; start another one."""

    permission_classes = [IsResearcher]
    required_scope = Scope.JOBS

    @extend_schema(
        responses={200: JobPage, 404: NONE, 409: REFUSED}, tags=["studies"], operation_id="studies_bundle_retrieve"
    )
    def get(self, request: UserRequest, study: str) -> Response:
        selected = self.own_study()
        require_exportable(selected, request.user)
        job = newest_export(selected)
        if job is None:
            raise NotFound(_("No bundle of %(study)s was made yet.") % {"study": selected.code})
        return Response(JobPage(job).data)

    @extend_schema(
        request=None,
        responses={201: JobPage, 200: OpenApiResponse(JobPage, description="under way already"), 409: REFUSED},
        tags=["studies"],
        operation_id="studies_bundle_create",
    )
    @answered_once
    def post(self, request: UserRequest, study: str) -> Response:
        at = now()
        job = start_export(study=self.own_study(), actor=request.user, at=at)
        return Response(JobPage(job).data, status=201 if job.queued_at == at else 200)


class BundleFile(StudyView):
    """The newest bundle that was made, a zip file."""

    permission_classes = [IsResearcher]

    @extend_schema(
        parameters=[TAGGED],
        responses={(200, "application/zip"): bytes, 304: None, 404: NONE, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_bundle_file",
    )
    def get(self, request: UserRequest, study: str) -> HttpResponseBase:
        selected = self.own_study()
        require_exportable(selected, request.user)
        made = finished_bundle(newest_export(selected))
        tag = quoted(made["sha256"]) if made else ""
        if known := unless_known(request, tag):
            return known
        bundle = take_bundle(study=selected, actor=request.user, at=now())
        if bundle is None:
            raise NotFound(_("No bundle of %(study)s was made yet.") % {"study": selected.code})
        # RFC 9530: programs compare it with what arrived.
        digest = f"sha-256=:{b64encode(bytes.fromhex(bundle.sha256)).decode()}:"
        name, headers = f"{selected.code}-bundle.zip", {"ETag": tag, "Repr-Digest": digest}
        return FileResponse(bundle.path.open("rb"), as_attachment=True, filename=name, headers=headers)
