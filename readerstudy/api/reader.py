"""The reader's wire (DESIGN §6): all that a reader can reach. Blind: imports nothing that knows the truth."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import IsReader
from readerstudy.api.serializers import WireStudies
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.reading.actions import (
    Answer,
    NotCurrent,
    SessionHeld,
    TakenOver,
    check_display,
    current_step,
    held_sentence,
    open_session,
    record_verdict,
    require_newest_page,
)
from readerstudy.reading.display_check import GROUNDS, failures_of
from readerstudy.reading.flow import Done, Held, Practise, Read, Ready, Teach, Wait
from readerstudy.reading.padded_file import padded
from readerstudy.reading.queries import (
    NoSuchSession,
    reading_list_of,
    studies_of,
    visible_practice,
    visible_presentation,
)
from readerstudy.studies.models import Presentation, ReadingList, SessionPlan, Study
from readerstudy.studies.protocol import ASKED, SessionKind, Verdict
from readerstudy.studies.rules import Question

PANELS = ("real", "adversarial", "difference")


class VerdictSerializer(serializers.Serializer[Any]):
    """A verdict as the browser sends it."""

    stimulus = serializers.RegexField(r"^[0-9a-f]{32}$", help_text="the code of the presentation")
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    elapsed_ms = serializers.IntegerField(min_value=0, help_text="from drawn to answered")
    key = serializers.UUIDField(help_text="made by the browser; the same verdict sent again carries the same key")
    paradata = serializers.DictField(required=False, default=dict)
    answers = serializers.DictField(required=False, default=dict, help_text="to the questions of the step, by name")
    page = serializers.UUIDField(required=False, help_text="the browser page that sends it, as in the call to open")


class PageSerializer(serializers.Serializer[Any]):
    """The browser page that opens a session, or asks whether it still holds it."""

    page = serializers.UUIDField(required=False, help_text="made by the page; the newest page holds the session")


class LettersSerializer(serializers.Serializer[Any]):
    """One strip of letters of the display check."""

    ground = serializers.ChoiceField(choices=list(GROUNDS))
    shown = serializers.RegexField(r"^[A-Z]{5}$")
    typed = serializers.CharField(max_length=20, allow_blank=True)


class SquaresSerializer(serializers.Serializer[Any]):
    """Whether the square in black and the one in white were seen."""

    dark = serializers.BooleanField()
    bright = serializers.BooleanField()


class ScreenSerializer(serializers.Serializer[Any]):
    """What the browser says of the display; CSS pixels, but for the ratio."""

    width = serializers.IntegerField(min_value=1)
    height = serializers.IntegerField(min_value=1)
    device_pixel_ratio = serializers.FloatField(min_value=0.1, max_value=20)
    color_depth = serializers.IntegerField(min_value=1)
    viewport = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=2, max_length=2)
    full_screen = serializers.BooleanField()


class DisplayResults(serializers.Serializer[Any]):
    """What the reader saw, and on what."""

    letters = LettersSerializer(many=True)
    squares = SquaresSerializer()
    card_px_per_mm = serializers.FloatField(min_value=0.5, max_value=100, allow_null=True, required=False)
    light = serializers.ChoiceField(choices=["dark", "dim", "bright"])
    screen = ScreenSerializer()

    def validate_letters(self, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        if sorted(row["ground"] for row in rows) != sorted(GROUNDS):
            raise serializers.ValidationError(f"One strip for each ground is needed: {', '.join(GROUNDS)}.")
        return rows


class DisplaySerializer(serializers.Serializer[Any]):
    """A check of the display as the browser sends it."""

    results = DisplayResults()


class JudgedDisplay(serializers.Serializer[Any]):
    """Whether the display passed, and what stands against it."""

    passed = serializers.BooleanField()
    failures = serializers.ListField(child=serializers.CharField())


class StepSerializer(serializers.Serializer[Any]):
    """What comes next in a session."""

    kind = serializers.ChoiceField(choices=["practise", "read", "teach", "wait", "done"])
    position = serializers.IntegerField(required=False)
    total = serializers.IntegerField(required=False)
    stimulus = serializers.DictField(required=False)
    images = serializers.DictField(required=False)
    next = serializers.DictField(required=False, allow_null=True)
    verdicts = serializers.ListField(child=serializers.CharField(), required=False)
    questions = serializers.ListField(child=serializers.DictField(), required=False)
    until = serializers.DateTimeField(required=False, allow_null=True)
    reason = serializers.CharField(required=False)

    def get_fields(self) -> Any:
        # "break" is a word of the language; on the wire it is a field.
        return {**super().get_fields(), "break": serializers.BooleanField(required=False)}


class ReceiptSerializer(serializers.Serializer[Any]):
    """A stored verdict: its receipt, and the step after it."""

    receipt = serializers.UUIDField(allow_null=True, help_text="null after practice, which is not kept")
    step = StepSerializer()


class ReaderView(APIView):
    """Base: readers only; somebody else's session does not exist."""

    permission_classes = [IsReader]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, NoSuchSession):
            return Response({"detail": str(exc)}, status=404)
        if isinstance(exc, TakenOver):
            return Response({"detail": str(exc), "taken_over": True}, status=409)
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
        request=PageSerializer,
        responses={200: StepSerializer, 409: OpenApiResponse(description="not its turn")},
        tags=["reading"],
    )
    def post(self, request: Request, study: str, number: int) -> Response:
        at = now()
        page = _page(request.data)
        try:
            reading_list = open_session(reader=_reader(request), study=study, number=number, at=at, page=page)
        except SessionHeld as error:
            step = {"kind": "wait", "until": None, "reason": str(error)}
            return Response({"detail": str(error), "step": step}, status=409)
        return Response(step_of(reading_list, at=at))


class CurrentStep(ReaderView):
    """Where the reader is; the same until answered."""

    @extend_schema(parameters=[PageSerializer], responses=StepSerializer, tags=["reading"])
    def get(self, request: Request, study: str, number: int) -> Response:
        reading_list = reading_list_of(_reader(request), study, number)
        require_newest_page(reading_list, _page(request.query_params))
        return Response(step_of(reading_list, at=now()))


class Display(ReaderView):
    """Check the display before a session."""

    @extend_schema(request=DisplaySerializer, responses={201: JudgedDisplay}, tags=["reading"])
    def post(self, request: Request, study: str, number: int) -> Response:
        form = DisplaySerializer(data=request.data)
        if not form.is_valid():
            return Response({"detail": _sentence(form.errors)}, status=400)
        results = form.data["results"]
        checked = check_display(reader=_reader(request), study=study, number=number, results=results, at=now())
        return Response({"passed": checked.passed, "failures": failures_of(results)}, status=201)


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
        receipt = str(accepted.reading.receipt) if accepted.reading else None
        body = {"receipt": receipt, "step": self._step_after(reader, study, number, at=at)}
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
        practice = visible_practice(_reader(request), study, code)
        if practice:
            return padded(practice.path, length=Study.objects.get(code=study).image_bytes)
        presentation = visible_presentation(_reader(request), study, code)
        if presentation is None or presentation.reading_list.session_plan.kind == SessionKind.EDUCATION:
            return Response({"detail": gettext("This image is not the current one.")}, status=410)
        length = presentation.reading_list.session_plan.study.image_bytes
        return padded(presentation.stimulus.path, length=length)


def step_of(reading_list: ReadingList, *, at: datetime) -> dict[str, Any]:
    """The step as the wire has it. A session not yet opened waits."""
    step = current_step(reading_list, at=at)
    if isinstance(step, Wait):
        return {"kind": "wait", "until": step.until}
    if isinstance(step, Ready):
        return {"kind": "wait", "until": None}
    if isinstance(step, Held):
        return {"kind": "wait", "until": None, "reason": held_sentence(reading_list)}
    if isinstance(step, Done):
        return {"kind": "done"}
    if isinstance(step, Practise):
        return _practice_step(reading_list)
    return _reading_step(reading_list, step)


def _reading_step(reading_list: ReadingList, step: Read | Teach) -> dict[str, Any]:
    plan, teaches = reading_list.session_plan, isinstance(step, Teach)
    shown = _shown(reading_list, step.position, step.position + 1)
    current, following = shown[0], shown[1] if len(shown) > 1 else None
    place = {"position": step.position, "break": current.pop("break"), **_asked(plan)}
    if teaches:
        images = current.pop("images")
        return {"kind": "teach", **place, "stimulus": current, "images": images, "next": following}
    return {"kind": "read", **place, "stimulus": current, "next": following}


def _practice_step(reading_list: ReadingList) -> dict[str, Any]:
    plan, session = reading_list.session_plan, reading_list.session
    assert plan.practice  # the flow looked
    image = reverse("wire:picture", args=[plan.study.code, session.practice_code])
    shown = {"code": session.practice_code, **plan.practice.as_wire(), "image": image}
    (first,) = _shown(reading_list, 1)
    return {"kind": "practise", "stimulus": shown, "next": first, "break": False, **_asked(plan)}


def _shown(reading_list: ReadingList, *positions: int) -> list[dict[str, Any]]:
    """The presentations at these positions, as the wire has them, each with whether a break comes before it."""
    plan = reading_list.session_plan
    found = Presentation.objects.filter(reading_list=reading_list, position__in=positions).select_related(
        "stimulus__image", "reading_list__session_plan__study"
    )
    teaches = plan.kind == SessionKind.EDUCATION
    return [
        {**_picture(one, teaches=teaches), "break": plan.rules.has_break_before(one.position)}
        for one in found.order_by("position")
    ]


def _asked(plan: SessionPlan) -> dict[str, Any]:
    """What every step of the session says alike."""
    return {
        "total": plan.total,
        "verdicts": list(ASKED[SessionKind(plan.kind)]),
        "questions": [_question(question) for question in plan.rules.questions],
    }


def _question(question: Question) -> dict[str, Any]:
    """A question as the wire has it, in the reader's language where the text is one of ours."""
    return {
        "name": question.name,
        "kind": question.kind.value,
        "text": gettext(question.text),
        "choices": [{"value": choice.value, "text": gettext(choice.text)} for choice in question.choices],
        "after": list(question.after),
        "required": question.required,
        "most": question.most,
    }


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
        answers=values["answers"],
        page=values.get("page"),
    )


def _page(data: Any) -> UUID | None:
    """The page that a request names, if it names one."""
    form = PageSerializer(data=data)
    if not form.is_valid():
        raise BadInput(_sentence(form.errors))
    page: UUID | None = form.validated_data.get("page")
    return page


def _sentence(errors: Any) -> str:
    """DRF's errors as one sentence that names the fields."""
    if isinstance(errors, dict):
        return " ".join(f"{field}: {' '.join(str(text) for text in texts)}" for field, texts in errors.items())
    return " ".join(str(text) for text in errors)


def _reader(request: HttpRequest | Request) -> User:
    assert isinstance(request.user, User)  # the permission let only readers in
    return request.user
