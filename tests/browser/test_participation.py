"""What a reader sees beside the images: consent and questions before the first session, and the end page."""

import os
from pathlib import Path

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from readerstudy.participation.actions import save_rules, write_consent
from readerstudy.participation.models import Comment, Consent
from readerstudy.studies.models import Enrollment
from tests import walk
from tests.browser.test_page import complaints

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def asks(study):
    """The study asks for consent and for two characteristics; afterwards for nothing, as the other tests expect."""
    at = now()
    write_consent(study=study, texts={"en": "# What you do\n\nYou read **images**."}, actor=None, at=at)
    save_rules(study=study, values={"asked": ["years", "position"], "consent_required": True}, actor=None, at=at)
    yield
    save_rules(study=study, values={"asked": [], "consent_required": False}, actor=None, at=at)


def look(page, name: str) -> list[str]:
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280, name
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    return complaints(page)


def test_consent_questions_session_and_end(page, server, study, rita, sign_in, asks):
    sign_in(page.context, rita)
    page.goto(server.url)
    expect(page.get_by_text("needs your consent before a session opens")).to_be_visible()
    barriers = look(page, "home")
    page.goto(f"{server.url}/read/{study.code}/1/")  # leads to the text as well
    barriers += look(page, "consent")
    page.get_by_label("I have read this text").check()
    page.get_by_role("button", name="Agree").click()
    barriers += look(page, "about")
    page.get_by_label("Years of experience").fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Begin")).to_be_visible()
    assert Consent.objects.filter(enrollment__reader=rita).exists()
    walk.finish_study(walk.client_of(rita), study.code)
    page.goto(server.url)
    page.get_by_role("link", name="After the study").click()
    expect(page.get_by_text("you can close this page")).to_be_visible()
    page.get_by_label("What would you like to tell the study team?").fill("It was dark.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("It was dark.")).to_be_visible()
    barriers += look(page, "end")
    assert Comment.objects.filter(enrollment=Enrollment.objects.get(reader=rita, study=study)).count() == 1
    assert barriers == []
