"""The views of the reader's API. Sessions of other readers do not exist."""

from datetime import datetime

from django.http import HttpResponseBase
from django.utils.timezone import now
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import IsReader
from readerstudy.api.errors import DetailSerializer
from readerstudy.api.reader import bodies, serializers
from readerstudy.api.reader.steps import HeldStep, ReaderStep, WaitStep, build_step
from readerstudy.api.requests import UserRequest, checked, validated
from readerstudy.cohort.models import Stimulus
from readerstudy.errors import NotItsTurn
from readerstudy.modalities.modality import Form
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.actions import (
    NotCurrent,
    SessionHeld,
    StudyPaused,
    SubmittedAnswers,
    SubmittedProblem,
    SubmittedVerdict,
    TakenOver,
    check_display,
    keep_keys,
    open_session,
    record_closing_answers,
    record_verdict,
    report_problem,
    require_page,
    stop_for_changed_file,
)
from readerstudy.reading.display_check import find_failures
from readerstudy.reading.forms import PAGE_FORMS, form_of
from readerstudy.reading.models import ReadingSession
from readerstudy.reading.padded_file import ChangedFile, padded_response
from readerstudy.reading.place import Place, find_place
from readerstudy.reading.queries import (
    NoSuchSession,
    list_studies,
    visible_practice,
    visible_presentation,
)
from readerstudy.studies.models import ReadingList, Study

_CONFLICT = OpenApiResponse(serializers.ConflictSerializer, description="the protocol does not allow it now")
_INVALID = OpenApiResponse(DetailSerializer, description="the message names the field")
_NO_SESSION = OpenApiResponse(DetailSerializer, description="there is no such session for this reader")


class ReaderView(APIView):
    """Base class: readers only, and how the refusals of the protocol are answered."""

    permission_classes = [IsReader]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer 404 for a session that the reader does not have, 409 with details if it is taken over or must wait."""
        match exc:
            case NoSuchSession():
                return Response(DetailSerializer({"detail": exc}).data, status=404)
            case TakenOver():
                return conflict(exc, taken_over=True)
            case SessionHeld():
                return conflict(exc, step=HeldStep(str(exc)))
            case StudyPaused():
                return conflict(exc, step=HeldStep(str(exc)), paused=True)
            case _:
                return super().handle_exception(exc)


class SessionList(ReaderView):
    """The reader's studies and sessions."""

    @extend_schema(responses=serializers.ReaderStudiesSerializer, tags=["reading"])
    def get(self, request: UserRequest) -> Response:
        studies = list_studies(request.user, at=now())
        return Response(serializers.ReaderStudiesSerializer({"studies": studies}).data)


class KeepKeys(ReaderView):
    """Replace the reader's own keys of one form of images. The reading page has them on every workstation."""

    @extend_schema(
        request=bodies.OwnKeysSerializer,
        responses={200: bodies.OwnKeysSerializer, 400: _INVALID, 404: DetailSerializer},
        tags=["reading"],
    )
    def put(self, request: UserRequest, form: str) -> Response:
        if form not in PAGE_FORMS:
            return Response(DetailSerializer({"detail": gettext("There is no such form of images.")}).data, status=404)
        body = validated(bodies.OwnKeysSerializer(data=request.data))
        keep_keys(reader=request.user, form=Form(form), keys=body["keys"])
        return Response(bodies.OwnKeysSerializer(body).data)


class OpenSession(ReaderView):
    """Open a session. The page that opens it holds it."""

    @extend_schema(
        request=bodies.PageSerializer,
        responses={200: serializers.STEP, 400: _INVALID, 404: _NO_SESSION, 409: _CONFLICT},
        tags=["reading"],
    )
    def post(self, request: UserRequest, study: str, number: int) -> Response:
        at = now()
        page = validated(bodies.PageSerializer(data=request.data)).get("page")
        open_session(reader=request.user, study=study, number=number, at=at, page=page)
        return Response(serializers.step_data(build_step(find_place(request.user, study, number), at=at)))


class CurrentStep(ReaderView):
    """The reader's current step; the same until it is answered."""

    @extend_schema(
        parameters=[bodies.PageSerializer],
        responses={200: serializers.STEP, 404: _NO_SESSION, 409: _CONFLICT},
        tags=["reading"],
    )
    def get(self, request: UserRequest, study: str, number: int) -> Response:
        place = find_place(request.user, study, number)
        page = checked(bodies.PAGE, request.query_params).get("page")
        require_page(page, newest=place.newest_page)
        return Response(serializers.step_data(build_step(place, at=now())))


class CheckDisplay(ReaderView):
    """Check the display before a session."""

    @extend_schema(
        request=bodies.DisplayCheckSerializer,
        responses={201: serializers.DisplayJudgementSerializer, 400: _INVALID, 404: _NO_SESSION, 409: _CONFLICT},
        tags=["reading"],
    )
    def post(self, request: UserRequest, study: str, number: int) -> Response:
        results = validated(bodies.DisplayCheckSerializer(data=request.data))["results"]
        checked = check_display(reader=request.user, study=study, number=number, results=results, at=now())
        # The stored failures are in English; the reader's language is that of the request.
        form = form_of(checked.reading_list.session_plan.study)
        failures = find_failures(results, least_viewport=form.least_viewport)
        body = {"passed": checked.passed, "failures": failures}
        return Response(serializers.DisplayJudgementSerializer(body).data, status=201)


class GiveVerdict(ReaderView):
    """Give a verdict on the current image."""

    @extend_schema(
        request=bodies.SubmittedVerdictSerializer,
        responses={
            201: serializers.ReceiptSerializer,
            200: OpenApiResponse(serializers.ReceiptSerializer, description="stored before under the same key"),
            400: _INVALID,
            404: _NO_SESSION,
            409: _CONFLICT,
        },
        tags=["reading"],
    )
    def post(self, request: UserRequest, study: str, number: int) -> Response:
        submitted = SubmittedVerdict(**checked(bodies.SUBMITTED_VERDICT, request.data))
        at = now()
        try:
            stored = record_verdict(reader=request.user, study=study, number=number, submitted=submitted, at=at)
        except NotCurrent as error:
            return conflict(error, step=build_step(find_place(request.user, study, number), at=at))
        body = {"receipt": stored.receipt, "step": _step_after(stored.place, at=at)}
        return Response(serializers.RECEIPT.to_representation(body), status=201 if stored.is_new else 200)


class GiveAnswers(ReaderView):
    """Answer the questions at the end of a session. They finish it."""

    @extend_schema(
        request=bodies.SubmittedAnswersSerializer,
        responses={
            201: serializers.ReceiptSerializer,
            200: OpenApiResponse(serializers.ReceiptSerializer, description="stored before under the same key"),
            400: _INVALID,
            404: _NO_SESSION,
            409: _CONFLICT,
        },
        tags=["reading"],
    )
    def post(self, request: UserRequest, study: str, number: int) -> Response:
        submitted = SubmittedAnswers(**validated(bodies.SubmittedAnswersSerializer(data=request.data)))
        at = now()
        try:
            stored = record_closing_answers(reader=request.user, study=study, number=number, submitted=submitted, at=at)
        except NotCurrent as error:
            return conflict(error, step=build_step(find_place(request.user, study, number), at=at))
        body = {"receipt": stored.receipt, "step": _step_after(find_place(request.user, study, number), at=at)}
        return Response(serializers.ReceiptSerializer(body).data, status=201 if stored.is_new else 200)


class ReportProblem(ReaderView):
    """Report a problem with the current image to the coordinator. The image still needs a verdict."""

    @extend_schema(
        request=bodies.SubmittedProblemSerializer,
        responses={
            201: serializers.ReportedSerializer,
            200: OpenApiResponse(serializers.ReportedSerializer, description="stored before under the same key"),
            400: _INVALID,
            404: _NO_SESSION,
            409: _CONFLICT,
        },
        tags=["reading"],
    )
    def post(self, request: UserRequest, study: str, number: int) -> Response:
        submitted = SubmittedProblem(**validated(bodies.SubmittedProblemSerializer(data=request.data)))
        is_new = report_problem(reader=request.user, study=study, number=number, submitted=submitted, at=now())
        return Response(serializers.ReportedSerializer({"reported": True}).data, status=201 if is_new else 200)


class ImageFile(ReaderView):
    """The file of the current image of an open session or of the next two; 410 for any other, and for a changed file.

    If the file of the current image is not the one that was drawn, its session is on hold from then on.
    """

    @extend_schema(
        responses={
            (200, "application/octet-stream"): bytes,
            410: OpenApiResponse(DetailSerializer, description="neither the current image nor one of the next two"),
        },
        tags=["reading"],
    )
    def get(self, request: UserRequest, study: str, code: str) -> HttpResponseBase:
        presentation = visible_presentation(request.user, study, code)
        # Only once in a session is the image that of the practice.
        if presentation is None and (practice := visible_practice(request.user, study, code)):
            session = ReadingSession.objects.get(practice_code=code)
            length = Study.objects.get(code=study).response_bytes
            return _image(request.user, session.reading_list, practice, length=length, is_current=True)
        if presentation is None or presentation.reading_list.session_plan.kind == SessionKind.EDUCATION:
            return Response(DetailSerializer({"detail": gettext("This is not the current image.")}).data, status=410)
        reading_list = presentation.reading_list
        length = reading_list.session_plan.study.response_bytes
        is_current = presentation.position == reading_list.session.answered + 1
        return _image(request.user, reading_list, presentation.stimulus, length=length, is_current=is_current)


def _image(
    reader: User, reading_list: ReadingList, stimulus: Stimulus, *, length: int, is_current: bool
) -> HttpResponseBase:
    """Return the file of a stimulus, or 410 if it was changed; then a session whose current image it is, stops."""
    try:
        return padded_response(stimulus.path, sha256_of_file=stimulus.sha256, length=length)
    except ChangedFile as error:
        # The next image is only fetched ahead: the reader finishes the current one first.
        if is_current:
            stop_for_changed_file(reader=reader, reading_list=reading_list, at=now())
        return Response(DetailSerializer({"detail": error}).data, status=410)


def conflict(error: NotItsTurn, **details: ReaderStep | bool) -> Response:
    """Answer 409 with the message of the error, and with a `step`, `taken_over` or `paused`."""
    return Response(serializers.ConflictSerializer({"detail": str(error), **details}).data, status=409)


def _step_after(place: Place, *, at: datetime) -> ReaderStep:
    try:
        return build_step(place, at=at)
    except NotItsTurn:
        # The study was closed since: the receipt of a stored verdict must reach the reader nevertheless.
        return WaitStep(until=None)
