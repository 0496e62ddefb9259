"""Where a reader is in a session: all that a verdict and the step after it need, by two prepared queries.

The second one begins when the first has locked the session: it sees what others have stored before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from django.db.models import QuerySet, Subquery

from readerstudy.accounts.models import User
from readerstudy.prepared import Given, PreparedQuery
from readerstudy.reading.models import Claim, ReadingSession
from readerstudy.reading.queries import IMAGES_AHEAD, LONG, get_reading_list, no_such_session
from readerstudy.studies.models import Presentation, ReadingList

_SHOWN: Final = 1 + IMAGES_AHEAD  # the current presentation and the next ones
_READ: Final = _SHOWN + 1  # and the one that follows them after a verdict
_LARGEST: Final = 32_767  # number of a session: PostgreSQL refuses larger ones, which a queryset does not find


@dataclass(frozen=True)
class Place:
    """A reader's place in a session.

    `session` is None before it is opened. `coming`: the current presentation and the next ones, each with its stimulus;
    none after the last. `newest_page`: the browser page that holds the session, None if none ever claimed it.
    """

    reading_list: ReadingList
    session: ReadingSession | None = None
    coming: Sequence[Presentation] = ()
    newest_page: UUID | None = None

    @property
    def current(self) -> Presentation | None:
        """The presentation to be answered next; None while the practice is due, before the opening or at the end."""
        is_practice = self.session and self.reading_list.session_plan.practice_id and not self.session.practised_at
        return None if is_practice or not self.coming else self.coming[0]


def find_place(reader: User, study: str, number: int) -> Place:
    """Return the reader's place. Raises NoSuchSession."""
    reading_list = _LIST.first(reader=reader.pk, study=study, number=number) if number <= _LARGEST else None
    if reading_list is None:
        raise no_such_session(study, number)
    session = getattr(reading_list, "session", None)
    return _place(reading_list, session) if session else Place(reading_list)


def lock_place(reader: User, study: str, number: int) -> Place:
    """Return the reader's place, with the session and the enrolment locked for this transaction. Raises NoSuchSession.

    A reader who is paused or withdrawn at the same moment has either finished this transaction, or is seen as such.
    """
    session = _SESSION.first(reader=reader.pk, study=study, number=number) if number <= _LARGEST else None
    if session is None:
        return Place(get_reading_list(reader, study, number))
    return _place(session.reading_list, session)


def _place(reading_list: ReadingList, session: ReadingSession) -> Place:
    answered = session.answered
    coming = _COMING.rows(reading_list=reading_list.pk, session=session.pk, answered=answered, last=answered + _READ)
    return Place(reading_list, session, coming, _newest_page(session, coming))


def _newest_page(session: ReadingSession, coming: Sequence[Presentation]) -> UUID | None:
    if coming:
        return cast(UUID | None, vars(coming[0])["newest_page"])
    return session.claims.order_by("-id").values_list("page", flat=True).first()


def _lists() -> QuerySet[ReadingList]:
    return (
        ReadingList.objects.filter(
            enrollment__reader=Given("reader"),
            session_plan__study__code=Given("study"),
            session_plan__number=Given("number"),
        )
        .select_related("session_plan__study__cohort", "enrollment", "session")
        .defer(*(f"session_plan__{name}" for name in LONG))
    )


def _sessions() -> QuerySet[ReadingSession]:
    rows = ReadingSession.objects.select_for_update(of=("self", "reading_list__enrollment"), no_key=True)
    return (
        rows.filter(
            reading_list__enrollment__reader=Given("reader"),
            reading_list__session_plan__study__code=Given("study"),
            reading_list__session_plan__number=Given("number"),
        )
        .select_related("reading_list__session_plan__study__cohort", "reading_list__enrollment")
        .defer(*(f"reading_list__session_plan__{name}" for name in LONG))
    )


def _coming() -> QuerySet[Presentation]:
    newest = Claim.objects.filter(session=Given("session")).order_by("-id").values("page")[:1]
    return (
        Presentation.objects.filter(
            reading_list=Given("reading_list"), position__gt=Given("answered"), position__lte=Given("last")
        )
        .select_related("stimulus__image", "showing")
        .only(
            "code",
            "position",
            "reading_list",
            "stimulus__rows",
            "stimulus__columns",
            "stimulus__bits",
            "stimulus__image__attributes",
            "showing__at",
            "showing__presentation",
        )
        .annotate(newest_page=Subquery(newest))
        .order_by("position")
    )


_LIST: Final = PreparedQuery(_lists)
_SESSION: Final = PreparedQuery(_sessions)
_COMING: Final = PreparedQuery(_coming)
