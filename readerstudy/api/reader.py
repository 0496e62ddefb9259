"""The reader's wire (DESIGN §6): all that a reader can reach. Blind: imports nothing that knows the truth."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import IsReader
from readerstudy.api.serializers import WireStudies
from readerstudy.errors import NotItsTurn
from readerstudy.reading.actions import Answer, NotCurrent, current_step, open_session, record_verdict
from readerstudy.reading.flow import Done, Ready, Teach, Wait
from readerstudy.reading.images import padded
from readerstudy.reading.pages import NoSuchSession, reading_list_of, studies_of, visible_presentation
from readerstudy.studies.models import Presentation, ReadingList
from readerstudy.studies.protocol import ASKED, SessionKind, Verdict

PANELS = ("real", "adversarial", "difference")


class VerdictSerializer(serializers.Serializer[Any]):
    """A verdict as the browser sends it."""

    stimulus = serializers.RegexField(r"^[0-9a-f]{32}$", help_text="the code of the presentation")
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    elapsed_ms = serializers.IntegerField(min_value=0, help_text="from drawn to answered")
    key = serializers.UUIDField(help_text="made by the browser; the same verdict sent again carries the same key")
    paradata = serializers.DictField(required=False, default=dict)


class StepSerializer(serializers.Serializer[Any]):
    """What comes next in a session."""

    kind = serializers.ChoiceField(choices=["read", "teach", "wait", "done"])
    position = serializers.IntegerField(required=False)
    total = serializers.IntegerField(required=False)
    stimulus = serializers.DictField(required=False)
    images = serializers.DictField(required=False)
    next = serializers.DictField(required=False, allow_null=True)
    verdicts = serializers.ListField(child=serializers.CharField(), required=False)
    until = serializers.DateTimeField(required=False, allow_null=True)


class ReceiptSerializer(serializers.Serializer[Any]):
    """A stored verdict: its receipt, and the step after it."""

    receipt = serializers.UUIDField()
    step = StepSerializer()


class ReaderView(APIView):
    """Base: readers only; somebody else's session does not exist."""

    permission_classes = [IsReader]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, NoSuchSession):
            return Response({"detail": str(exc)}, status=404)
        return super().handle_exception(exc)


class Sessions(ReaderView):
    """The reader's studies and sessions."""

    @extend_schema(responses=WireStudies, tags=["reading"])
    def get(self, request: Request) -> Response:
        lines = studies_of(_reader(request), at=now())
        return Response(
            {"studies": [{"study": line.code, "sessions": [_session(s) for s in line.sessions]} for line in lines]}
        )


class Open(ReaderView):
    """Open a session when it is its turn."""

    @extend_schema(
        request=None,
        responses={200: StepSerializer, 409: OpenApiResponse(description="not its turn")},
        tags=["reading"],
    )
    def post(self, request: Request, study: str, number: int) -> Response:
        at = now()
        reading_list = open_session(reader=_reader(request), study=study, number=number, at=at)
        return Response(step_of(reading_list, at=at))


class CurrentStep(ReaderView):
    """Where the reader is; the same until answered."""

    @extend_schema(responses=StepSerializer, tags=["reading"])
    def get(self, request: Request, study: str, number: int) -> Response:
        return Response(step_of(reading_list_of(_reader(request), study, number), at=now()))


class Verdicts(ReaderView):
    """Give a verdict on the current image."""

    @extend_schema(
        request=VerdictSerializer,
        responses={
            201: ReceiptSerializer,
            200: ReceiptSerializer,
            409: OpenApiResponse(description="not the current image"),
        },
        tags=["reading"],
    )
    def post(self, request: Request, study: str, number: int) -> Response:
        form = VerdictSerializer(data=request.data)
        if not form.is_valid():
            return Response({"detail": _sentence(form.errors)}, status=400)
        reader, at = _reader(request), now()
        try:
            accepted = record_verdict(reader=reader, study=study, number=number, answer=_answer(form), at=at)
        except NotCurrent as error:
            step = step_of(reading_list_of(reader, study, number), at=at)
            return Response({"detail": str(error), "step": step}, status=409)
        body = {"receipt": str(accepted.reading.receipt), "step": self._step_after(reader, study, number, at=at)}
        return Response(body, status=201 if accepted.is_new else 200)

    def _step_after(self, reader: User, study: str, number: int, *, at: datetime) -> dict[str, Any]:
        try:
            return step_of(reading_list_of(reader, study, number), at=at)
        except NotItsTurn:
            # Closed since: the receipt of a verdict that is stored must reach the reader all the same.
            return {"kind": "wait", "until": None}


class Picture(ReaderView):
    """The current or the next picture of the reader's open session; 410 for any other."""

    @extend_schema(
        responses={
            (200, "application/octet-stream"): bytes,
            410: OpenApiResponse(description="not this one"),
        },
        tags=["reading"],
    )
    def get(self, request: HttpRequest, study: str, code: str) -> HttpResponseBase:
        presentation = visible_presentation(_reader(request), study, code)
        if presentation is None or presentation.reading_list.session_plan.kind == SessionKind.EDUCATION:
            return Response({"detail": "This image is not the current one."}, status=410)
        length = presentation.reading_list.session_plan.study.image_bytes
        return padded(presentation.stimulus.path, length=length)


def step_of(reading_list: ReadingList, *, at: datetime) -> dict[str, Any]:
    """The step as the wire has it. A session not yet opened waits."""
    step = current_step(reading_list, at=at)
    plan = reading_list.session_plan
    if isinstance(step, Wait):
        return {"kind": "wait", "until": step.until}
    if isinstance(step, Ready):
        return {"kind": "wait", "until": None}
    if isinstance(step, Done):
        return {"kind": "done"}
    ahead = list(
        Presentation.objects.filter(
            reading_list=reading_list, position__in=(step.position, step.position + 1)
        ).select_related("stimulus")
    )
    place = {"position": step.position, "total": plan.total, "verdicts": list(ASKED[SessionKind(plan.kind)])}
    shown = [_picture(presentation, teaches=isinstance(step, Teach)) for presentation in ahead]
    following = shown[1] if len(shown) > 1 else None
    if isinstance(step, Teach):
        current = shown[0]
        images = current.pop("images")
        return {"kind": "teach", **place, "stimulus": current, "images": images, "next": following}
    return {"kind": "read", **place, "stimulus": shown[0], "next": following}


def _picture(presentation: Presentation, *, teaches: bool) -> dict[str, Any]:
    """One presentation as the wire has it. The addresses are made from its random code alone."""
    study = presentation.reading_list.session_plan.study.code
    known = {"code": presentation.code, **presentation.stimulus.as_wire()}
    if not teaches:
        return {**known, "image": reverse("wire:picture", args=[study, presentation.code])}
    panels = {panel: reverse("wire:panel", args=[study, presentation.code, panel]) for panel in PANELS}
    return {**known, "images": panels}


def _session(line: Any) -> dict[str, Any]:
    fields = ("number", "title", "kind", "state", "answered", "total")
    return {name: getattr(line, name) for name in fields}


def _answer(form: VerdictSerializer) -> Answer:
    values = form.validated_data
    return Answer(
        code=values["stimulus"],
        verdict=Verdict(values["verdict"]),
        elapsed_ms=values["elapsed_ms"],
        key=values["key"],
        paradata=values["paradata"],
    )


def _sentence(errors: Any) -> str:
    """DRF's errors as one sentence that names the fields."""
    if isinstance(errors, dict):
        return " ".join(f"{field}: {' '.join(str(text) for text in texts)}" for field, texts in errors.items())
    return " ".join(str(text) for text in errors)


def _reader(request: HttpRequest | Request) -> User:
    assert isinstance(request.user, User)  # the permission let only readers in
    return request.user
