"""A session that rested for longer than its plan allows: the page says so, and goes on once it may."""

from datetime import timedelta

from django.utils.timezone import now
from playwright.sync_api import expect

from readerstudy.reading.actions import allow_resume, open_session
from readerstudy.reading.models import ReadingSession
from tests import make
from tests.browser.room import Room


def test_a_session_on_hold_continues_after_the_coordinator_resumes_it(
    page, context, server, rich_study, people, sign_in, clara
):
    ruth = make.reader_in(rich_study, f"ruth-{next(people)}")
    open_session(reader=ruth, study=rich_study.code, number=1, at=now() - timedelta(hours=3))
    sign_in(context, ruth)
    room = Room(page, server.url, rich_study.code, ruth)
    page.goto(room.address(1))
    room.in_state("waiting")
    expect(page.locator("#end-text")).to_contain_text("nothing was read for longer than the study allows (1 h)")
    session = ReadingSession.objects.get(reading_list__enrollment__reader=ruth)
    allow_resume(session=session, actor=clara, reason="She was ill.", at=now())
    page.reload()
    room.stands_at(1)
    assert room.mishaps == []
