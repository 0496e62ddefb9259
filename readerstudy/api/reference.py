"""The OpenAPI schema, as a document and as a page."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.api.exchange.tags import quoted, tag_of, unless_known


class Schema(SpectacularAPIView):
    """The OpenAPI schema, as YAML or JSON."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # drf-spectacular annotates no view.
        answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        # One document in several forms: each has a tag of its own.
        tag = quoted(f"{tag_of(answer.data).strip(chr(34))}-{request.accepted_renderer.format}")
        answer.headers["ETag"] = tag
        return unless_known(request, tag) or answer


class ReferencePage(APIView):
    """The reference as a page."""

    renderer_classes = [TemplateHTMLRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(template_name="api_reference.html")
