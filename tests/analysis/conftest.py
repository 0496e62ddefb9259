"""A study that two readers have gone through, as far as SAID goes; closed but sealed."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from readerstudy.accounts.models import User
from readerstudy.reading.models import Reading, ReadingSession, Showing
from readerstudy.studies.actions import close_study, enroll
from readerstudy.studies.models import Presentation, ReadingList, Study
from readerstudy.studies.protocol import SessionKind, Verdict
from readerstudy.truth.actions import unseal_study
from tests import make

Decide = Callable[[Presentation], Verdict]


def read(study: Study, name: str, decide: Decide, *, sessions: int = 5) -> User:
    """One reader's readings row by row: 4 s each, one every 10 s. The wire has tests of its own."""
    reader = make.user(name)
    enroll(study=study, reader=reader, at=make.MONDAY)
    for reading_list in ReadingList.objects.filter(
        enrollment__reader=reader, session_plan__number__lte=sessions
    ).select_related("session_plan"):
        _read_list(reading_list, decide)
    return reader


def _read_list(reading_list: ReadingList, decide: Decide) -> None:
    begin = make.MONDAY + timedelta(days=reading_list.session_plan.number)
    ReadingSession.objects.create(reading_list=reading_list, opened_at=begin)
    asks = reading_list.session_plan.kind == SessionKind.BLINDED
    for place, presentation in enumerate(reading_list.presentations.select_related("stimulus").order_by("position")):
        shown_at = begin + timedelta(seconds=10 * place)
        Showing.objects.create(presentation=presentation, at=shown_at)
        Reading.objects.create(
            presentation=presentation,
            verdict=decide(presentation) if asks else Verdict.SEEN,
            elapsed_ms=4000,
            shown_at=shown_at,
            answered_at=shown_at + timedelta(seconds=4),
            key=uuid4(),
        )


def in_turn(presentation: Presentation) -> Verdict:
    """Real, not real, unsure, and again."""
    return (Verdict.REAL, Verdict.NOT_REAL, Verdict.UNSURE)[presentation.position % 3]


@pytest.fixture
def closed_study(study: Study) -> Study:
    """Rita read all of it, saying real, not real and unsure in turn; Rolf stopped after session 3, always sure."""
    read(study, "rita", in_turn)
    read(study, "rolf", lambda presentation: Verdict.REAL, sessions=3)
    close_study(study=study, actor=None, at=make.MONDAY)
    return study


@pytest.fixture
def unsealed_study(closed_study: Study, rosa: User) -> Study:
    unseal_study(study=closed_study, actor=rosa, reason="All have read.", at=make.MONDAY)
    return closed_study


@pytest.fixture
def as_rosa(rosa: User, client: Client) -> Client:
    """A browser in which the researcher is signed in."""
    client.force_login(rosa)
    return client
