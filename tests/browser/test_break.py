"""A break that the plan offers: before its image, which does not show itself ahead; its time is no reading time."""

import pytest
from playwright.sync_api import expect


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
