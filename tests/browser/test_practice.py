"""A whole session with everything that a plan may ask for, by keyboard alone, without a barrier on any of its pages."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_page import complaints


@pytest.fixture
def practising(rich, page):
    page.goto(rich.address(2))
    rich.check_display()
    rich.begin()
    rich.stands_at("practice")
    return rich


def test_the_practice_image_is_labelled_and_not_stored(practising, page):
    expect(page.locator("#practice")).to_have_text("Practice, does not count")
    expect(page.locator("#progress")).to_have_text("Practice")
    practising.press("3")
    practising.answer("1")
    practising.in_state("begins")
    expect(page.get_by_role("heading", level=1)).to_have_text("The reading begins now")
    assert practising.readings(2) == []
    practising.settle()
    practising.press("Enter")
    practising.stands_at(1)
    expect(page.locator("#practice")).not_to_be_visible()
    assert practising.readings(2) == []


def test_rosa_reads_a_whole_session_by_keyboard_alone(rich, page):
    result = []

    def look():
        result.extend(complaints(page))

    page.goto(rich.address(2))
    rich.check_display()
    rich.in_state("start")
    look()
    rich.begin()
    rich.stands_at("practice")
    look()
    rich.press("3")
    rich.answer("1")
    rich.in_state("begins")
    look()
    rich.settle()
    rich.press("Enter")
    rich.stands_at(1)
    rich.press("1")
    rich.in_state("asking")
    look()
    rich.answer("5", "2")
    rich.stands_at(2)
    rich.press("2")
    rich.in_state("asking")
    rich.answer("4", "1")
    look()
    rich.settle()
    rich.press("Enter")
    rich.in_state("break")
    look()
    rich.settle()
    rich.press("Enter")
    rich.stands_at(3)
    rich.press("3")
    rich.in_state("asking")
    rich.settle()
    rich.press("1")
    rich.in_state("done")
    look()
    assert rich.verdicts(2) == ["real", "not_real", "unsure"]
    assert [reading.answers for reading in rich.readings(2)] == [
        {"confidence": "5", "diagnosis": "positive"},
        {"confidence": "4", "diagnosis": "negative"},
        {"diagnosis": "negative"},
    ]
    assert [reading.quality for reading in rich.readings(2)] == ["A", "A", "A"]
    assert result == []
