"""Serving a triptych's panels under the presentation's random code."""

from django.http import HttpResponseBase
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import IsReader
from readerstudy.education.pages import panel_of
from readerstudy.reading.padded_file import padded


class PanelPicture(APIView):
    """One panel of the current or the next triptych; 410 for any other."""

    permission_classes = [IsReader]

    @extend_schema(
        responses={
            (200, "application/octet-stream"): bytes,
            410: OpenApiResponse(description="not this one"),
        },
        tags=["reading"],
    )
    def get(self, request: Request, study: str, code: str, panel: str) -> HttpResponseBase:
        assert isinstance(request.user, User)  # the permission let only readers in
        found = panel_of(request.user, study, code, panel)
        if found is None:
            return Response({"detail": gettext("This image is not the current one.")}, status=410)
        return padded(found.path, length=found.length)
