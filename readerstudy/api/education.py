"""The panels of a triptych and its lesson, which show the truth (`education.pages`)."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.timezone import now
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.permissions import IsReader
from readerstudy.api.errors import DetailSerializer
from readerstudy.api.requests import UserRequest
from readerstudy.education.pages import find_lesson, find_own_line, find_panel
from readerstudy.reading.actions import stop_for_changed_file
from readerstudy.reading.padded_file import ChangedFile, padded_response
from readerstudy.vocabulary import Direction


class LessonAnswer(serializers.Serializer[Any]):
    """How the image of a triptych was altered, and the colour scale that all triptychs of its session share."""

    direction = serializers.ChoiceField(
        choices=[direction.value for direction in Direction],
        allow_null=True,
        help_text="null: the plan has the education say nothing of it",
    )
    sentence = serializers.CharField(help_text="in the language of the request; may be empty")
    full_colour = serializers.FloatField(
        allow_null=True, help_text="share of the grey scale that full colour stands for; null: not measured"
    )
    has_lines = serializers.BooleanField(help_text="whether a triptych of the session has a line of text below it")


class LineAnswer(serializers.Serializer[Any]):
    """The line of text below a triptych."""

    line = serializers.CharField(allow_blank=True, help_text="as the researcher wrote it; empty: none")


class LessonOfTriptych(APIView):
    """What the current triptych teaches, or one of the next two; 410 for any other."""

    permission_classes = [IsReader]

    @extend_schema(
        responses={
            200: LessonAnswer,
            410: OpenApiResponse(DetailSerializer, description="neither the current triptych nor one of the next two"),
        },
        tags=["reading"],
    )
    def get(self, request: UserRequest, study: str, code: str) -> Response:
        lesson = find_lesson(request.user, study, code)
        if lesson is None:
            return Response(DetailSerializer({"detail": gettext("This is not the current image.")}).data, status=410)
        return Response(LessonAnswer(lesson).data)


class LineOfTriptych(APIView):
    """The line of text below the current triptych; 410 for any other, also for the next ones."""

    permission_classes = [IsReader]

    @extend_schema(
        responses={200: LineAnswer, 410: OpenApiResponse(DetailSerializer, description="not the current triptych")},
        tags=["reading"],
    )
    def get(self, request: UserRequest, study: str, code: str) -> Response:
        line = find_own_line(request.user, study, code)
        if line is None:
            return Response(DetailSerializer({"detail": gettext("This is not the current image.")}).data, status=410)
        return Response(LineAnswer({"line": line}).data)


class PanelFile(APIView):
    """One panel of the current triptych or of the next two; 410 for any other, and for a changed file."""

    permission_classes = [IsReader]

    @extend_schema(
        responses={
            (200, "application/octet-stream"): bytes,
            410: OpenApiResponse(DetailSerializer, description="neither the current triptych nor one of the next two"),
        },
        tags=["reading"],
    )
    def get(self, request: UserRequest, study: str, code: str, panel: str) -> HttpResponseBase:
        file = find_panel(request.user, study, code, panel)
        if file is None:
            return Response(DetailSerializer({"detail": gettext("This is not the current image.")}).data, status=410)
        try:
            return padded_response(file.path, sha256_of_file=file.sha256, length=file.length)
        except ChangedFile as error:
            if file.is_current:
                stop_for_changed_file(reader=request.user, reading_list=file.reading_list, at=now())
            return Response(DetailSerializer({"detail": error}).data, status=410)
