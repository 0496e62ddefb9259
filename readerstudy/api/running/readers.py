"""The readers of a study by the API: acts on one of them, links and mails, invitations, and replacements."""

from typing import Any, ClassVar

from django.conf import settings
from django.utils.timezone import now
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.response import Response

from readerstudy.api.dataset import enrolled_readers
from readerstudy.api.exchange.filters import Filters, of_choices
from readerstudy.api.exchange.repeats import answered_once
from readerstudy.api.investigator import MISUNDERSTOOD, REFUSED, StudyView
from readerstudy.api.requests import UserRequest, validated
from readerstudy.api.running.shapes import (
    InviteAnswer,
    InvitedLine,
    InviteRequest,
    LetterLine,
    LinkRequest,
    MailLine,
    ReaderActRequest,
    ReplacementRequest,
)
from readerstudy.api.serializers import EnrolledReader
from readerstudy.desk.people.reader_acts import ACTS, carry_out
from readerstudy.errors import NotFound
from readerstudy.invitations.actions import (
    Invited,
    invite_readers,
    plan_invitations,
    replace_reader,
    revoke_link,
    send_letter,
)
from readerstudy.invitations.invitees import Invitee, parse_invitees
from readerstudy.invitations.letters import Letter, Terms
from readerstudy.invitations.models import Mail, MailKind, MailState
from readerstudy.invitations.queries import list_mails, list_people
from readerstudy.invitations.views import base_url
from readerstudy.studies.models import Enrollment, WithdrawalCause

ACT = OpenApiParameter("name", str, OpenApiParameter.PATH, enum=list(ACTS))


class ReaderOfStudy(StudyView):
    """Base: one reader of a study, by their code."""

    def enrollment(self) -> Enrollment:
        """Return the reader. Raises NotFound unless the user takes part in the study and the reader is in it."""
        study, code = self.study(), self.kwargs["reader"]
        rows = Enrollment.objects.select_related("reader", "study__cohort").filter(study=study, code=code)
        found = rows.first()
        if found is None:
            raise NotFound(f"There is no reader {code} in {study.code}.")
        return found


class ReaderAct(ReaderOfStudy):
    """Pause or withdraw a reader, allow images seen before, an early session or one on hold, with a reason."""

    @extend_schema(
        parameters=[ACT],
        request=ReaderActRequest,
        responses={200: EnrolledReader, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_reader_act",
    )
    @answered_once
    def post(self, request: UserRequest, study: str, reader: str, name: str) -> Response:
        enrollment = self.enrollment()
        if name not in ACTS:
            raise NotFound(f"Nothing is called {name}.")
        values = validated(ReaderActRequest(data=request.data))
        values["cause"] = WithdrawalCause(values["cause"])
        carry_out(name, enrollment=enrollment, actor=request.user, at=now(), **values)
        (line,) = (line for line in enrolled_readers(enrollment.study) if line["code"] == enrollment.code)
        return Response(line)


class ReaderLink(ReaderOfStudy):
    """Send a reader a new sign-in link; revoke the unused one."""

    @extend_schema(request=LinkRequest, responses={201: LetterLine, 400: MISUNDERSTOOD, 409: REFUSED}, tags=["studies"])
    @answered_once
    def post(self, request: UserRequest, study: str, reader: str) -> Response:
        enrollment, values = self.enrollment(), validated(LinkRequest(data=request.data))
        language = enrollment.invitation.language if hasattr(enrollment, "invitation") else settings.LANGUAGE_CODE
        terms = Terms(base_url=base_url(request), language=language, by_hand=values["by_hand"])
        letter = send_letter(
            enrollment=enrollment, kind=MailKind(values["kind"]), actor=request.user, at=now(), terms=terms
        )
        return Response(_letter(letter), status=201)

    @extend_schema(responses={204: None, 409: REFUSED}, tags=["studies"])
    def delete(self, request: UserRequest, study: str, reader: str) -> Response:
        revoke_link(enrollment=self.enrollment(), actor=request.user, at=now())
        return Response(status=204)


class Replacement(ReaderOfStudy):
    """Invite somebody who takes the place of a withdrawn reader."""

    @extend_schema(
        request=ReplacementRequest, responses={201: LetterLine, 400: MISUNDERSTOOD, 409: REFUSED}, tags=["studies"]
    )
    @answered_once
    def post(self, request: UserRequest, study: str, reader: str) -> Response:
        enrollment, values = self.enrollment(), validated(ReplacementRequest(data=request.data))
        letter = replace_reader(
            withdrawn=enrollment,
            invitee=Invitee(1, values["first_name"], values["last_name"], values["address"]),
            actor=request.user,
            at=now(),
            terms=Terms(base_url=base_url(request), language=values["language"]),
            override_reason=values["override_reason"],
        )
        return Response(_letter(letter), status=201)


class Invitations(StudyView):
    """The readers of a study with the state of their links and mails; invite a list of people."""

    @extend_schema(responses=InvitedLine(many=True), tags=["studies"], operation_id="studies_invitations_list")
    def get(self, request: UserRequest, study: str) -> Response:
        return Response(InvitedLine(list_people(self.study(), at=now()), many=True).data)

    @extend_schema(
        request=InviteRequest,
        responses={200: InviteAnswer, 201: InviteAnswer, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
    )
    @answered_once
    def post(self, request: UserRequest, study: str) -> Response:
        found, values = self.study(), validated(InviteRequest(data=request.data))
        parsed = parse_invitees(values["people"])
        listed: dict[str, Any] = {"study": found, "invitees": parsed.invitees, "actor": request.user}
        listed["overridden"] = values["overridden"]
        if values["only_check"]:
            result = Invited(plan_invitations(**listed), ())
        else:
            terms = Terms(base_url=base_url(request), language=values["language"], days=values["days"])
            reason = values["override_reason"]
            result = invite_readers(**listed, at=now(), terms=terms, override_reason=reason)
        answer = InviteAnswer({"people": result.people, "problems": parsed.problems, "letters": []}).data
        answer["letters"] = [_letter(letter) for letter in result.letters]
        return Response(answer, status=201 if result.letters else 200)


class MailFilters(Filters):
    """Filters of mails."""

    kind = of_choices(MailKind.choices)
    state = of_choices(MailState.choices)
    user = filters.CharFilter("person__username")

    class Meta:
        model = Mail
        fields: ClassVar[list[str]] = []


@extend_schema(tags=["studies"])
class Mails(ListAPIView[Mail], StudyView):
    """The mails to the readers of a study, the newest first, without their links."""

    queryset = Mail.objects.none()  # for the schema
    serializer_class = MailLine
    filterset_class = MailFilters
    parameters = MailFilters.base_filters

    def get_queryset(self) -> Any:
        return list_mails(self.study())


def _letter(letter: Letter) -> dict[str, Any]:
    """Return a letter; its text only if somebody has to send it by hand."""
    return {**MailLine(letter.mail).data, "text": letter.text}
