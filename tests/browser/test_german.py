"""The reading room in German, in a browser that asks for it."""

import re

import pytest
from playwright.sync_api import expect

from tests import walk
from tests.browser.test_page import complaints


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "de-DE", "timezone_id": "Europe/Berlin"}


def test_the_reading_page_is_german_for_screen_readers_too(room, page, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#progress")).to_have_text("1 von 3")
    expect(page.locator("#verdicts button")).to_have_text(["1Echt", "2Nicht echt", "3Unsicher"])
    # A German per cent sign stands after a (no-break) space, and a German thousand has a point.
    badge = page.locator("[data-badge]")
    expect(badge).to_have_text(re.compile(r"^[1-9]\d{0,2}(\.\d{3})*\s%, (Pixel als Quadrate|vergrößert|verkleinert)$"))
    assert complaints(page) == []
    room.press("2")
    room.stands_at(2)
    expect(page.locator("#progress")).to_have_text("2 von 3")
    assert room.verdicts(2) == ["not_real"]  # stored in no language


def test_the_keys_can_be_changed_in_german(room, page):
    room.enter(1)
    room.press("?")
    dialog = page.get_by_role("dialog", name="Anleitung, Tasten und Maus")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Taste ändern: Invertieren").click()
    room.press("k")
    expect(dialog.get_by_role("status")).to_have_text("K ist jetzt die Taste für: Invertieren.")
    assert complaints(page) == []


@pytest.mark.parametrize("width", [1280, 1920, 2048])
def test_the_longest_badge_is_not_cut_and_moves_nothing(room, page, width):
    page.set_viewport_size({"width": width, "height": 1080})
    room.enter(1)
    height = page.locator(".strip").bounding_box()["height"]
    for key in ("h", "r"):
        room.press(key)
    badge = page.locator("[data-badge]")
    expect(badge).to_contain_text("gespiegelt, um 90° gedreht")
    badge.evaluate("(badge) => (badge.textContent = `etwa 1.100 %, nicht genau, gespiegelt, um 270° gedreht`)")
    assert badge.evaluate("(badge) => badge.scrollHeight <= badge.clientHeight")
    assert badge.evaluate("(badge) => badge.scrollWidth <= badge.clientWidth")
    assert page.locator(".strip").bounding_box()["height"] == height


@pytest.mark.parametrize("width", [1024, 1440])
def test_the_tools_of_a_reading_page_stand_in_one_line(room, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    room.enter(1)
    tops = page.locator("#tools > .group").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
    assert len(tops) == 5
    assert max(tops) - min(tops) < 10


def test_a_reader_changes_the_language_by_button_and_reads_on(room, page):
    room.enter(1)
    page.get_by_role("link", name="Verlassen").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Your sessions")).to_be_visible()
    page.get_by_role("link", name="Continue session 1").click()
    room.stands_at(1)
    expect(page.locator("#progress")).to_have_text("1 of 3")


def test_dates_are_written_as_the_server_writes_them(room, page, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    waits = {"kind": "wait", "until": "2026-11-22T13:05:00Z"}
    page.route("**/sessions/2/step/**", lambda route: route.fulfill(json=waits))
    said = page.locator("#next-text")
    page.goto(room.address(1))
    expect(said).to_have_text(
        "Die nächste Sitzung öffnet am 22. November 2026, 14:05. Bis dahin können Sie diese Seite schließen."
    )
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": room.url}])
    page.reload()
    expect(said).to_have_text("The next session opens on 22 November 2026, 14:05. You can close this page until then.")
