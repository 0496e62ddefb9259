"""The people of a study in a browser: from its page to five invited readers in a few clicks, without barriers."""

import os
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from readerstudy.accounts.models import User
from readerstudy.invitations.models import Mail
from readerstudy.studies.models import Enrollment
from tests import make
from tests.browser.test_page import complaints

NAMES = ("Anna Alt", "Bert Bach", "Cleo Cohn", "Dora Dietz", "Emil Ernst")
SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def desk(page, server, sign_in, clara):
    """Clara's browser, without a mishap till the end."""
    mishaps = []
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    sign_in(page.context, clara)
    yield page
    assert mishaps == []


def look(page, name: str) -> list[str]:
    """Return the barriers of the page in both schemes and at two widths; nothing may scroll sideways."""
    result = []
    for scheme, width in (("light", 1280), ("dark", 1920)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
        result += complaints(page)
    return result


def test_five_readers_are_invited_with_four_clicks_from_the_study(desk, server, study, people):
    number = next(people)
    text = "\n".join(f"{name} <{name.split()[0].lower()}-{number}@example.org>" for name in NAMES)
    clicks = []
    desk.goto(server.url + reverse("admin:studies_study_change", args=[study.pk]))
    desk.get_by_role("link", name="Invitations and mails").click(), clicks.append("people")
    barriers = look(desk, "people-before")
    desk.get_by_label("Names and addresses").click(), clicks.append("list")
    desk.keyboard.insert_text(f"{text}\nclara@example\n")
    desk.get_by_role("button", name="Check the list").click(), clicks.append("check")
    expect(desk.get_by_text("“clara@example” is not a mail address.")).to_be_visible()
    barriers += look(desk, "check")
    desk.get_by_role("button", name="Invite 5 readers").click(), clicks.append("invite")
    expect(desk.get_by_role("heading", name="Texts to send by hand")).to_be_visible()
    barriers += look(desk, "letters")
    assert len(clicks) <= 6
    assert User.objects.filter(email__endswith=f"-{number}@example.org").count() == 5
    desk.get_by_role("link", name="Back to the people").click()
    expect(desk.locator("tr", has_text=f"emil-{number}@").locator(".state")).to_have_text("To be sent by hand")
    barriers += look(desk, "people")
    desk.get_by_role("link", name="Mails").click()
    desk.locator("summary").first.press("Enter")
    barriers += look(desk, "mails")
    assert barriers == []


def test_everything_works_by_keyboard_and_without_scripts(desk, server, study, people):
    number = next(people)
    make.user(f"zoe-{number}", email=f"zoe-{number}@example.org")
    plain = desk.context.browser.new_context(java_script_enabled=False)
    plain.add_cookies(desk.context.cookies())
    page = plain.new_page()
    page.goto(server.url + reverse("desk:people", args=[study.code]))
    page.get_by_label("Names and addresses").fill(f"zoe-{number}@example.org")
    page.get_by_role("button", name="Check the list").press("Enter")
    page.get_by_role("button", name="Invite 1 reader").press("Enter")
    page.get_by_role("link", name="Back to the people").press("Enter")
    row = page.locator("tr", has_text=f"zoe-{number}@")
    row.get_by_role("button", name="Revoke").press("Enter")
    expect(page.locator("tr", has_text=f"zoe-{number}@").locator(".state")).to_have_text("Revoked")
    assert Mail.objects.get(person__username=f"zoe-{number}").state == "by_hand"
    plain.close()


def test_a_reader_is_paused_withdrawn_and_replaced(desk, server, study, rita, people):
    enrollment = Enrollment.objects.get(study=study, reader=rita)
    desk.goto(server.url + reverse("desk:people", args=[study.code]))
    desk.locator("tr", has_text=rita.username).get_by_role("link", name=enrollment.code).click()
    desk.get_by_label("Reason for the pause").fill("She is ill.")
    desk.get_by_role("button", name="Pause the reader").click()
    desk.get_by_role("button", name="Resume the reader").click()
    desk.locator("summary", has_text="Withdraw the reader").click()
    barriers = look(desk, "reader")
    desk.get_by_label("Reason for the withdrawal").fill("She moved away.")
    desk.get_by_role("button", name="for good").click()
    desk.get_by_label("Name").fill("Tom Tau")
    desk.get_by_label("Mail address").fill(f"tom-{next(people)}@example.org")
    barriers += look(desk, "withdrawn")
    desk.get_by_role("button", name="Invite the replacement").click()
    expect(desk.get_by_role("heading", name="Texts to send by hand")).to_be_visible()
    enrollment.refresh_from_db()
    assert enrollment.replaced_by.arm == enrollment.arm
    assert barriers == []
