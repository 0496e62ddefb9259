"""A break that the plan offers: before its image, which does not show itself ahead; its time is no reading time."""

import pytest
from playwright.sync_api import expect

from tests import make
from tests.browser.room import Room


@pytest.fixture
def at_the_break(rich, page):
    rich.enter_by_practice(2)
    for position in (1, 2):
        rich.stands_at(position)
        rich.press("3")
        rich.answer("2")
    rich.in_state("break")
    return rich


def test_a_break_says_what_is_done_and_left_and_shows_no_image(at_the_break, page):
    expect(page.locator("#between-text")).to_contain_text("2 of 3 images are done, 1 to go")
    assert at_the_break.pixels().max() == 0
    for key in ("1", "2", "b"):
        at_the_break.press(key)
    assert at_the_break.positions(2) == [1, 2]


def test_the_time_of_a_break_is_no_reading_time(at_the_break, page):
    since = page.evaluate("() => performance.now()")
    page.wait_for_timeout(1500)
    until = page.evaluate("() => performance.now()")
    page.get_by_role("button", name="Continue").click()
    at_the_break.stands_at(3)
    at_the_break.press("3")
    at_the_break.answer("1")
    at_the_break.in_state("done")
    last = at_the_break.readings(2)[-1]
    assert last.paradata["rested_ms"] >= until - since
    assert last.elapsed_ms <= page.evaluate("() => performance.now()") - until
    assert last.paradata["paused_ms"] == last.paradata["idle_ms"] == 0


def test_who_loads_the_page_at_a_break_has_had_it(at_the_break, page):
    page.reload()
    at_the_break.stands_at(3)


@pytest.fixture
def kind(page, context, server, kind_study, people, sign_in):
    """Kira's room in a study that offers a break after five minutes; at the first image."""
    kira = make.reader_in(kind_study, f"kira-{next(people)}")
    sign_in(context, kira)
    room = Room(page, server.url, kind_study.code, kira)
    room.enter(1)
    yield room
    assert room.mishaps == []


LATER = "(minutes) => { const now = Date.now; Date.now = () => now() + minutes * 60_000; }"


def test_a_break_comes_after_five_minutes_of_reading(kind, page):
    page.evaluate(LATER, 4)
    kind.press("1")
    kind.stands_at(2)
    page.evaluate(LATER, 2)
    kind.press("1")
    kind.in_state("break")
    expect(page.locator("#between-text")).to_contain_text("2 of 3 images are done, 1 to go")
    assert kind.pixels().max() == 0
    kind.settle()
    kind.press("Enter")
    kind.stands_at(3)
    kind.press("1")
    kind.in_state("done")


def test_no_break_comes_after_the_last_image(kind, page):
    for position in (1, 2):
        kind.stands_at(position)
        kind.press("1")
    kind.stands_at(3)
    page.evaluate(LATER, 6)
    kind.press("1")
    kind.in_state("done")
