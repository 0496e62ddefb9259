"""The audit trail by the API: the same events, for the same people, as on the pages of the desk."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import IsInvestigator
from readerstudy.api.exchange.filters import Filters, chosen, of_choices, refuse_unknown
from readerstudy.api.exchange.pages import Pages, page_after, page_size_of
from readerstudy.api.investigator import StudyView
from readerstudy.api.requests import UserRequest
from readerstudy.audit.models import Event
from readerstudy.audit.sentences import KINDS
from readerstudy.desk.trail.queries import EventFilter, Place, newest_events
from readerstudy.desk.trail.wording import TrailRow, rows_of
from readerstudy.errors import BadInput, NotFound
from readerstudy.studies.access import study_for
from readerstudy.studies.models import Study


# --- shapes and filters -------------------------------------------------------------------------------------
class EventLine(serializers.Serializer[Any]):
    """One event of the audit trail."""

    event = serializers.IntegerField(source="event.pk", help_text="its number")
    at = serializers.DateTimeField(source="event.at")
    name = serializers.CharField(source="event.verb", help_text="such as `study.opened`")
    sentence = serializers.CharField(help_text="in the language of the request")
    by = serializers.CharField(
        source="event.actor.username", read_only=True, default="", help_text="user name; empty: the server"
    )
    study = serializers.CharField(source="event.study", help_text="code; empty: of no study")
    reason = serializers.CharField(help_text="may be empty")
    address = serializers.IPAddressField(source="event.address", allow_null=True)
    version = serializers.CharField(source="event.version", help_text="of the software")
    sign_in = serializers.IntegerField(
        source="event.sign_in_id", allow_null=True, help_text="number of the event of the sign-in"
    )
    sign_in_link = serializers.IntegerField(source="sign_in.link", read_only=True, default=None, allow_null=True)
    link_made_by = serializers.CharField(
        source="sign_in.made_by.username", read_only=True, default="", help_text="user name"
    )
    link_used_at_makers_address = serializers.BooleanField(
        source="sign_in.is_makers_address", read_only=True, default=None, allow_null=True
    )


class EventFilters(Filters):
    """Filters of events; `since` and `until` are moments, the latter excluded."""

    kind = of_choices([(kind, kind) for kind in KINDS])
    person = filters.CharFilter(help_text="user name of who did it, or whom it is about")
    since = filters.IsoDateTimeFilter()
    until = filters.IsoDateTimeFilter()


class AllEventFilters(EventFilters):
    """Filters of the events of all studies."""

    study = filters.CharFilter(help_text="code")


# --- views --------------------------------------------------------------------------------------------------
@extend_schema(tags=["events"])
class Events(GenericAPIView[Event]):
    """The events that the person may see, the newest first."""

    permission_classes = [IsInvestigator]
    queryset = Event.objects.none()  # for the schema
    serializer_class = EventLine
    filterset_class = AllEventFilters

    @extend_schema(responses=EventLine(many=True), operation_id="events_list")
    def get(self, request: UserRequest) -> Response:
        return _answer(request, AllEventFilters, None)


@extend_schema(tags=["studies"])
class StudyEvents(StudyView, GenericAPIView[Event]):
    """The events of a study, the newest first."""

    queryset = Event.objects.none()  # for the schema
    serializer_class = EventLine
    filterset_class = EventFilters
    parameters = EventFilters.base_filters

    @extend_schema(responses=EventLine(many=True), operation_id="studies_events_list")
    def get(self, request: UserRequest, study: str) -> Response:
        return _answer(request, EventFilters, self.study())


def _answer(request: UserRequest, kind: type[EventFilters], study: Study | None) -> Response:
    refuse_unknown(request, kind.base_filters)
    values = chosen(kind(request.query_params, queryset=Event.objects.none()))
    if values.get("study"):
        study = study_for(request.user, values["study"])
    selected = EventFilter(
        study=study,
        person=_person(values["person"]) if values["person"] else None,
        kind=values["kind"],
        since=values["since"],
        until=values["until"],
    )
    size, before = page_size_of(request), _place(request.query_params.get("cursor", ""))
    events = newest_events(request.user, selected, before=before, most=size + 1)
    shown: Sequence[TrailRow] = rows_of(events[:size], request.user)
    last = events[size - 1] if len(events) > size else None
    cursor = str(Place(last.at, last.pk)) if last else None
    return page_after(request, EventLine(shown, many=True).data, cursor=cursor)


def _person(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is None:
        raise BadInput(_("person: there is nobody with the user name %(name)s.") % {"name": name[:150]})
    return found


def _place(cursor: str) -> Place | None:
    try:
        return Place.parse(cursor)
    except BadInput as error:
        raise NotFound(str(Pages.invalid_cursor_message)) from error
