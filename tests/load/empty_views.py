"""What Django and the framework cost alone: two views that do nothing, below /api/v1/load/."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy import urls
from readerstudy.accounts.permissions import IsReader


def empty(request: HttpRequest) -> HttpResponse:
    """All middleware, without a session."""
    return HttpResponse(b"{}", content_type="application/json")


class Empty(APIView):
    """All middleware, the session with its reader, the check of the form's token, and JSON both ways."""

    permission_classes = [IsReader]

    def post(self, request: Request) -> Response:
        return Response(request.data)


urls.urlpatterns += [path("api/v1/load/empty/", empty), path("api/v1/load/empty-post/", Empty.as_view())]
