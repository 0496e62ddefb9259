"""The events that somebody may see, the newest first, page by page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput
from readerstudy.studies.models import Study
from readerstudy.studies.trail import event_scopes

PER_PAGE: Final = 50
PER_QUERY: Final = 2000  # of an export
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """A place in the trail between two events: those that are shown are older."""

    at: datetime
    pk: int

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """Return the place of this text, None for an empty one. Raises BadInput for anything else."""
        if not text:
            return None
        match = re.fullmatch(r"([0-9]{1,17})-([0-9]{1,18})", text)
        if match is None:
            raise BadInput(f"before: {text[:40]!r} is no place in the trail.")
        return cls(_EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.pk}"


@dataclass(frozen=True)
class EventFilter:
    """Which events are shown; `since` and `until` are moments, the latter excluded."""

    study: Study | None = None
    person: User | None = None
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def conditions(self) -> list[Q]:
        """The filter as conditions, each of which an index answers; an event fulfils one or more of them."""
        common = Q()
        if self.kind:
            common &= Q(kind=self.kind)
        if self.since:
            common &= Q(at__gte=self.since)
        if self.until:
            common &= Q(at__lt=self.until)
        if self.person is None:
            return [common]
        return [common & Q(actor=self.person), common & Q(subject=f"{User._meta.label_lower}:{self.person.pk}")]


def newest_events(viewer: User, chosen: EventFilter, *, before: Place | None, most: int) -> list[Event]:
    """Return at most `most` events that the viewer may see, the newest first, all older than `before`.

    One query for each part of the trail that the viewer may see, each answered by an index: "or" in one statement would
    make the database walk through the events of others.
    """
    scopes = [Q(study=chosen.study.code)] if chosen.study else event_scopes(viewer)
    keys: set[tuple[datetime, int]] = set()
    for scope in scopes:
        for condition in chosen.conditions:
            rows = Event.objects.filter(scope & condition).order_by("-at", "-pk")
            if before is not None:
                # The first condition alone is one that an index takes.
                rows = rows.filter(at__lte=before.at).exclude(at=before.at, pk__gte=before.pk)
            keys |= set(rows.values_list("at", "pk")[:most])
    wanted = [pk for _at, pk in sorted(keys, reverse=True)[:most]]
    found = Event.objects.select_related("actor", "sign_in").in_bulk(wanted)
    return [found[pk] for pk in wanted]


def all_events(viewer: User, chosen: EventFilter) -> Iterator[list[Event]]:
    """Yield every event that the filter selects, the newest first, in lists of at most 2,000."""
    before: Place | None = None
    while events := newest_events(viewer, chosen, before=before, most=PER_QUERY):
        yield events
        before = Place(events[-1].at, events[-1].pk)


def reviews_of(study: Study) -> list[Event]:
    """Return the reviews of a study's trail, the latest first."""
    return list(Event.objects.filter(verb="trail.reviewed", study=study.code).select_related("actor").order_by("-pk"))
