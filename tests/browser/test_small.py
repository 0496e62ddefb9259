"""Displays that are too small, and light: nothing in the reading room is brighter than its text."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import walk
from tests.browser.room import Room
from tests.browser.test_page import complaints

INK = 0xCF


@pytest.mark.parametrize("size", [(390, 844), (844, 390)])
def test_a_phone_cannot_start_and_shows_why(browser, server, study, rita, sign_in, size):
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        screen={"width": size[0], "height": size[1]},
        has_touch=True,
        is_mobile=True,
    )
    sign_in(context, rita)
    room = Room(context.new_page(), server.url, study.code, rita)
    room.page.goto(room.address(1))
    room.in_state("small")
    expect(room.page.get_by_role("heading", level=1)).to_have_text("This display is too small for mammograms")
    expect(room.page.get_by_role("button", name="Start")).not_to_be_visible()
    expect(room.page.locator("#small-scaled")).to_be_hidden()
    assert complaints(room.page) == []
    room.page.get_by_role("link", name="Your sessions").click()
    room.page.wait_for_selector("h1:text('Your sessions')")
    assert room.readings(1) == []
    context.close()


def test_a_monitor_that_is_only_scaled_is_recognised(browser, server, study, rita, sign_in):
    size = {"width": 960, "height": 540}
    context = browser.new_context(viewport=size, screen=size, device_scale_factor=2)
    sign_in(context, rita)
    room = Room(context.new_page(), server.url, study.code, rita)
    room.page.goto(room.address(1))
    room.in_state("small")
    expect(room.page.locator("#small-scaled")).to_contain_text("everything on it is drawn 2 times as large")
    assert complaints(room.page) == []
    context.close()


def brightest(page) -> int:
    return int(np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).max())


def test_nothing_in_the_reading_room_is_brighter_than_its_text(rich, page, context, rich_study):
    """The image and the patterns of the display check apart."""
    page.emulate_media(color_scheme="light")
    page.goto(rich.address(2))
    rich.in_state("check")
    assert brightest(page) <= INK
    rich.check_display()
    rich.in_state("start")
    assert brightest(page) <= INK
    rich.begin()
    rich.stands_at("practice")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector("#pause[open]")
    assert brightest(page) <= INK
    rich.press("Enter")
    rich.press("3")
    rich.answer("1")
    rich.in_state("begins")
    assert brightest(page) <= INK
    other = Room(context.new_page(), rich.url, rich.study, rich.reader)
    other.page.goto(other.address(2))
    other.stands_at(1)
    rich.in_state("taken")
    page.bring_to_front()
    assert brightest(page) <= INK


def test_the_end_says_what_comes_next(room, page, rita):
    client = walk.client_of(rita)
    walk.finish_session(client, room.study, 1)
    page.goto(room.address(1))
    room.in_state("done")
    expect(page.locator("#next-text")).to_have_text("The next session is open.")
    assert brightest(page) <= INK
    page.get_by_role("link", name="To the next session").click()
    room.in_state("start")
    for number in (2, 3, 4, 5):
        walk.finish_session(client, room.study, number)
    page.goto(room.address(5))
    room.in_state("done")
    said = "That was the last session of the study. You can close this page."
    expect(page.locator("#next-text")).to_have_text(said)
    expect(page.locator("[data-section=end] a.primary:visible")).to_have_text("Your sessions")
    expect(page.get_by_role("link", name="To the next session")).not_to_be_visible()
