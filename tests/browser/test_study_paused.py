"""A study that is paused while a reader reads: the page says so, and the verdict is sent after the pause."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from readerstudy.studies.actions import pause_study, resume_study
from tests import walk


@pytest.fixture
def reading(room, rita):
    """Session 1 is done; the first image of session 2 is on screen."""
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    return room


def test_a_verdict_given_in_a_pause_is_sent_after_it(reading, page, study):
    pause_study(study=study, actor=None, reason="A power cut.", at=now())
    reading.press("2")
    reading.in_state("waiting")
    expect(page.locator("#end-text")).to_contain_text("is paused. Nothing you have read is lost.")
    assert reading.positions(2) == []
    resume_study(study=study, actor=None, at=now())
    page.goto(reading.address(2))
    reading.stands_at(2)
    assert reading.verdicts(2) == ["not_real"]
