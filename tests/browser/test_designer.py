"""The designer in a browser: a whole study by its coordinator, and forms that need no script."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from readerstudy.accounts.models import Role, User
from readerstudy.studies.models import Study
from tests import make, walk
from tests.browser.test_page import complaints

NAMES = ("Anna Alt", "Bert Bach", "Cleo Cohn", "Dora Dietz", "Emil Ernst")
SHOTS = os.environ.get("SHOTS")
MOST_CLICKS = 15


@pytest.fixture
def desk(page, server, sign_in, people):
    """A coordinator's browser, without a mishap till the end."""
    mishaps = []
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    sign_in(page.context, make.user(f"designer-{next(people)}", Role.COORDINATOR))
    yield page
    assert [text for text in mishaps if "status of 400" not in text] == []


def look(page, name: str) -> list[str]:
    """Return the barriers of the page in both schemes and at two widths; nothing may scroll sideways."""
    result = []
    for scheme, width in (("light", 1280), ("dark", 1920)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
        result += [f"{name}: {each}" for each in complaints(page)]
    return result


def test_a_coordinator_carries_a_study_from_nothing_to_its_end(desk, server, study, people):
    """Without a terminal, and from the board to five invited readers in few clicks."""
    number, barriers = next(people), []
    made = _make_and_invite(desk, server, number, barriers)
    page = f"{server.url}/desk/studies/{made.code}"
    readers = [enrollment.reader for enrollment in made.enrollments.select_related("reader").order_by("pk")]

    # Three scripted readers at work.
    for reader in readers[:3]:
        walk.finish_session(walk.client_of(reader), made.code, 1)
    desk.goto(f"{page}/")
    expect(desk.locator("tr", has_text="R1")).to_contain_text("finished")
    expect(desk.locator("tr", has_text="R4")).to_contain_text("can begin")
    barriers += look(desk, "coordinator-monitor")

    # Somebody lost the link: a new one opens the reader's start page.
    desk.goto(f"{page}/people/")
    barriers += look(desk, "coordinator-people")
    desk.locator("tr", has_text="Dora Dietz").get_by_role("button", name="Text to copy").click()
    link = re.search(r"http\S+", desk.locator("textarea").input_value())[0]
    other = desk.context.browser.new_context()
    reading = other.new_page()
    reading.goto(link)
    reading.get_by_role("button", name="Sign in").click()
    expect(reading.get_by_text("Real or not").first).to_be_visible()
    other.close()

    # A reported image is excluded.
    first = walk.client_of(readers[0])
    step = walk.open_session(first, made.code, 2)
    walk.program_of(first).report_problem(made.code, 2, step, "It is cut off.")
    desk.goto(server.url + "/desk/")
    desk.get_by_role("link", name=f"{made.code}: 1 report of a problem with an image.").click()
    desk.get_by_text("Exclude", exact=True).click()
    desk.get_by_label("Reason").fill("Half of it is missing.")
    desk.get_by_role("button", name="Exclude from the analysis").click()
    expect(desk.get_by_text("Half of it is missing.")).to_be_visible()
    barriers += look(desk, "coordinator-reported")

    # A reader stops.
    desk.goto(f"{page}/people/")
    desk.get_by_role("link", name="R5").click()
    desk.get_by_text("Withdraw the reader", exact=True).click()
    desk.get_by_label("Reason for the withdrawal").fill("She moved abroad.")
    desk.get_by_role("button", name="Withdraw R5 for good").click()
    expect(desk.get_by_text("She moved abroad.").first).to_be_visible()
    barriers += look(desk, "coordinator-withdrawn")

    # A pause, in which no verdict is taken, and the end.
    _move(desk, page, "Pause the study", reason="The room is being painted.")
    assert walk.answer(first, made.code, 2, step, "real").status_code == 409
    _move(desk, page, "Resume the study")
    assert walk.answer(first, made.code, 2, step, "real").status_code == 201
    desk.goto(f"{page}/moves/close/")
    expect(desk.get_by_role("table", name="Still missing")).to_contain_text("R4")
    expect(desk.get_by_role("table", name="Still missing")).not_to_contain_text("R5")
    barriers += look(desk, "coordinator-close")
    _move(desk, page, "Close the study", reason="The time is over.", code=made.code)
    made.refresh_from_db()
    assert (made.status, made.enrollments.exclude(withdrawn_at=None).count()) == ("closed", 1)
    assert barriers == []


def _move(desk, page: str, name: str, *, reason: str = "", code: str = "") -> None:
    desk.goto(f"{page}/")
    desk.get_by_role("link", name=name).click()
    if reason:
        desk.get_by_label("Reason").fill(reason)
    if code:
        desk.get_by_label("The study’s code").fill(code)
    desk.get_by_role("button", name=name).click()
    expect(desk.get_by_role("link", name=name)).to_have_count(0)


def _make_and_invite(desk, server, number: int, barriers: list[str]) -> Study:
    clicks = []

    def click(role: str, name: str) -> None:
        clicks.append(name)
        desk.get_by_role(role, name=name, exact=True).click()

    desk.goto(server.url + "/desk/")
    click("link", "New study")
    desk.get_by_label("Title").fill("Real or not")
    desk.get_by_label("Code").fill(f"real-{number}")
    clicks.append("cohort")
    desk.get_by_label("Cohort").select_option(label="films-tiny")
    desk.get_by_label("Share of the article’s images").fill("3")
    barriers += look(desk, "designer-new")
    click("button", "Create the draft")
    expect(desk.get_by_text("The study can be locked.")).to_be_visible()
    barriers += look(desk, "designer-form")
    click("link", "Study")
    barriers += look(desk, "designer-study")
    click("link", "Lock the study")
    barriers += look(desk, "designer-lock")
    click("button", "Lock the study")
    click("link", "Open the study")
    click("button", "Open the study")
    click("link", "Invite readers")
    clicks.append("list")
    addresses = "\n".join(f"{name} <{name.split()[0].lower()}-d{number}@example.org>" for name in NAMES)
    desk.get_by_label("Names and addresses").fill(addresses)
    click("button", "Check the list")
    click("button", "Invite 5 readers")
    expect(desk.get_by_role("heading", name="Texts to send by hand")).to_be_visible()
    assert len(clicks) <= MOST_CLICKS, clicks
    assert User.objects.filter(email__endswith=f"-d{number}@example.org").count() == 5
    made = Study.objects.get(code=f"real-{number}")
    assert (made.status, made.session_plans.count()) == ("open", 5)
    return made


@pytest.fixture
def draft(desk, server, study, people):
    """A draft that was made in the browser; its code."""
    code = f"draft-{next(people)}"
    desk.goto(server.url + "/desk/studies/new/")
    desk.get_by_label("Title").fill("A draft")
    desk.get_by_label("Code").fill(code)
    desk.get_by_label("Cohort").select_option(label="films-tiny")
    desk.get_by_label("Share of the article’s images").fill("3")
    desk.get_by_role("button", name="Create the draft").click()
    return code


def test_the_checklist_follows_what_is_typed_and_leads_to_the_field(desk, server, draft):
    desk.locator("#sessions-3-real").fill("400")
    desk.locator("#sessions-3-real").blur()
    link = desk.get_by_role("link", name="Session 3, Real images").first
    expect(link).to_be_visible()
    link.click()
    expect(desk.locator("#sessions-3-real")).to_be_in_viewport()
    desk.get_by_role("button", name="Save").last.click()
    expect(desk.get_by_text("Saved.")).to_be_visible()
    # A field in a folded part is unfolded by its link.
    desk.locator("#sessions-3 details").filter(has_text="Which images").locator("summary").click()
    for split in ("tuning", "test"):
        desk.locator(f"#sessions-3-splits input[value={split}]").uncheck()
    desk.get_by_role("button", name="Save").last.click()
    expect(desk.get_by_text("Nothing was saved.")).to_be_visible()
    expect(desk.locator("#sessions-3-splits")).to_be_visible()
    assert look(desk, "designer-error") == []


def test_sessions_are_reordered_and_previewed_by_keyboard_without_scripts(desk, server, draft):
    plain = desk.context.browser.new_context(java_script_enabled=False)
    plain.add_cookies(desk.context.cookies())
    page = plain.new_page()
    page.goto(f"{server.url}/desk/studies/{draft}/design/")
    page.get_by_role("button", name="Move up (Session 5: Reading C)").press("Enter")
    expect(page.get_by_role("group", name="Session 4: Reading C")).to_be_visible()
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    page.get_by_role("group", name="Session 4: Reading C").get_by_text("Instructions").first.press("Enter")
    page.locator("#sessions-4-instructions").fill("Look **twice**.")
    page.get_by_role("button", name="Preview (Session 4: Reading C)").press("Enter")
    expect(page.locator("#sessions-4-preview strong")).to_have_text("twice")
    page.get_by_role("button", name="Save").last.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    protocol = Study.objects.get(code=draft).protocol
    assert protocol.sessions[3].instructions == "Look **twice**."
    assert protocol.analysis.after == 4
    plain.close()


def test_questions_are_added_and_the_preview_appears_beside_them(desk, server, draft):
    session = desk.locator("#sessions-2")
    session.locator("summary", has_text="Questions").first.click()
    session.get_by_role("button", name="Add: confidence").first.click()
    expect(desk.locator("#sessions-2-rules-questions-1-text")).to_have_value("How sure are you?")
    session.locator("summary", has_text="Instructions").click()
    desk.locator("#sessions-2-instructions").fill("Decide *calmly*.")
    session.get_by_role("button", name="Preview").click()
    expect(session.locator(".preview em")).to_have_text("calmly")
    assert look(desk, "designer-questions") == []


def test_a_draft_is_edited_in_the_administration_too(desk, server, draft):
    made = Study.objects.get(code=draft)
    desk.goto(f"{server.url}/admin/studies/study/{made.pk}/change/")
    desk.get_by_role("link", name="Edit the design").click()
    desk.locator("#sessions-2-title").fill("Reading before")
    desk.get_by_role("button", name="Save").last.click()
    expect(desk.locator("#sessions-2-title")).to_have_value("Reading before")
    assert Study.objects.get(code=draft).protocol.sessions[1].title == "Reading before"
    if SHOTS:
        desk.screenshot(path=Path(SHOTS) / "designer-admin.png", full_page=True)
