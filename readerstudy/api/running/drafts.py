"""Drafts and the moves of a study by the API."""

from typing import Any

from django.http import HttpResponse
from django.utils.timezone import now
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from readerstudy.accounts.permissions import signed_in_user
from readerstudy.api import dataset
from readerstudy.api.exchange.repeats import Repeatable, answered_once
from readerstudy.api.investigator import MISUNDERSTOOD, REFUSED, Studies, StudyView
from readerstudy.api.requests import UserRequest, validated
from readerstudy.api.running.shapes import (
    ChecklistAnswer,
    JobStarted,
    MoveLine,
    MoveRequest,
    NewStudy,
    ProtocolRequest,
    ProtocolText,
)
from readerstudy.api.serializers import StudyPage
from readerstudy.cohort.models import Cohort
from readerstudy.designer.actions import files_to_rewrite, start_rehearsal
from readerstudy.designer.checklist.checks import check_draft
from readerstudy.designer.moves import make_move
from readerstudy.errors import BadInput
from readerstudy.participation.actions import draft_design, import_design
from readerstudy.participation.study_file import StudyDesign, design_of, read_design, write_design
from readerstudy.studies.access import study_for
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.models import Study
from readerstudy.studies.transitions import LOCK, MOVES, MOVES_BY_NAME, offered_moves

STARTED = OpenApiResponse(JobStarted, description="a job does it")
MOVE = OpenApiParameter("move", str, OpenApiParameter.PATH, enum=[move.name for move in MOVES])


class StudiesOrNew(Repeatable, Studies):
    """The studies that the user takes part in, the newest first, with the sums over their readers; create one."""

    def require_right_to_repeat(self) -> None:
        """Raise NotFound unless the user still takes part in the study."""
        study_for(signed_in_user(self.request), validated(NewStudy(data=self.request.data))["code"])

    @extend_schema(request=NewStudy, responses={201: StudyPage, 400: MISUNDERSTOOD}, tags=["studies"])
    @answered_once
    def post(self, request: UserRequest) -> Response:
        values = validated(NewStudy(data=request.data))
        cohort = Cohort.objects.filter(name=values["cohort"]).first()
        if cohort is None:
            raise BadInput(f"cohort: there is no cohort named {values['cohort']!r}.")
        design = _design(values["protocol"], cohort)
        named = {"code": values["code"], "title": values["title"]}
        study = draft_design(**named, cohort=cohort, design=design, actor=request.user, at=now())
        return Response(dataset.study_page(study), status=201)


class ProtocolOfStudy(StudyView):
    """The protocol of a study as the text of a file; replace that of a draft."""

    @extend_schema(responses=ProtocolText, tags=["studies"])
    def get(self, request: UserRequest, study: str) -> Response:
        return Response(_text(self.study()))

    @extend_schema(
        request=ProtocolRequest, responses={200: ProtocolText, 400: MISUNDERSTOOD, 409: REFUSED}, tags=["studies"]
    )
    def put(self, request: UserRequest, study: str) -> Response:
        draft, values = self.study(), validated(ProtocolRequest(data=request.data))
        design = _design(values["protocol"], draft.cohort)
        import_design(study=draft, design=design, actor=request.user, at=now(), base=values.get("base"))
        return Response(_text(draft))


class ProtocolFile(StudyView):
    """The protocol of a study as a file."""

    @extend_schema(responses={(200, "application/yaml"): OpenApiTypes.OBJECT}, tags=["studies"])
    def get(self, request: UserRequest, study: str) -> HttpResponse:
        found = self.study()
        answer = HttpResponse(write_design(design_of(found)), content_type="application/yaml; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{found.code}.yaml"'
        return answer


class Checklist(StudyView):
    """What keeps a draft from being locked, advice, and the expected length of each session."""

    @extend_schema(responses={200: ChecklistAnswer, 409: REFUSED}, tags=["studies"])
    def get(self, request: UserRequest, study: str) -> Response:
        found = self.study()
        checked = check_draft(found, told_to=request.user)
        values: dict[str, Any] = {
            "can_be_locked": checked.can_be_locked,
            "design_sha256": found.design_sha256,
            "obstacles": checked.obstacles,
            "advice": checked.advice,
            "times": checked.times,
            "time_sentence": checked.time_sentence,
            "files": files_to_rewrite(found.cohort),
        }
        return Response(ChecklistAnswer(values).data)


class Rehearse(StudyView):
    """Rehearse a draft with simulated readers, by a job."""

    @extend_schema(request=None, responses={202: STARTED, 409: REFUSED}, tags=["studies"])
    @answered_once
    def post(self, request: UserRequest, study: str) -> Response:
        job = start_rehearsal(study=self.study(), actor=request.user, at=now())
        return Response({"job": job.pk}, status=202)


class Moves(StudyView):
    """The moves that the person may make now, with what each changes."""

    @extend_schema(responses=MoveLine(many=True), tags=["studies"], operation_id="studies_moves_list")
    def get(self, request: UserRequest, study: str) -> Response:
        lines = [
            {
                "name": move.name,
                "title": str(move.button),
                "consequence": str(move.consequence),
                "asks_reason": move.asks_reason,
            }
            for move in offered_moves(self.study(), request.user)
        ]
        return Response(lines)


class MakeMove(StudyView):
    """Lock, unlock, open, pause, resume, close, unseal or archive a study, or delete a draft."""

    @extend_schema(
        parameters=[MOVE],
        request=MoveRequest,
        responses={200: StudyPage, 202: STARTED, 204: None, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_move",
    )
    @answered_once
    def post(self, request: UserRequest, study: str, move: str) -> Response:
        found, chosen = self.study(), MOVES_BY_NAME[move]
        if chosen.is_for_researchers:
            self.own_study()
        values = validated(MoveRequest(data=request.data))
        if chosen.asks_reason:
            require_reason(values["reason"])
        if chosen == LOCK and not values["base"]:
            raise BadInput("base: name the design_sha256 of the checklist, so that nothing unchecked is locked.")
        job = make_move(study=found, move=chosen, actor=request.user, at=now(), **values)
        if job is not None:
            return Response({"job": job.pk}, status=202)
        if not Study.objects.filter(code=study).exists():
            return Response(status=204)
        found.refresh_from_db()
        return Response(dataset.study_page(found))


def _text(study: Study) -> dict[str, str]:
    return {"protocol": write_design(design_of(study)), "design_sha256": study.design_sha256}


def _design(text: str, cohort: Cohort) -> StudyDesign:
    return read_design(text.encode(), words=cohort.modality.words.reading)
