"""The tools under mouse, finger, pen and keys; the magnifier; marks; what covers the picture."""

import numpy as np
import pytest
from playwright.sync_api import expect

from readerstudy.imaging.png16 import decode_png
from tests import walk
from tests.browser.test_page import complaints
from tests.browser.test_picture import settled, windowed
from tests.browser.test_viewer_pixels import pointer_on, screen_of
from tests.standard_window import standard_window


@pytest.fixture
def reading(room, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    return room


def badge(page):
    return page.locator("[data-badge]")


def test_the_badge_says_how_what_is_shown_differs_from_the_picture(reading, page):
    reading.press("o")
    expect(badge(page)).to_have_text("1:1")
    reading.press("-")
    expect(badge(page)).to_have_text("80%, reduced")
    reading.press("h")
    expect(badge(page)).to_have_text("80%, reduced, flipped")
    reading.press("r")
    expect(badge(page)).to_have_text("80%, reduced, flipped, rotated 90°")
    for _ in range(12):
        reading.press("+")
    reading.press("h")
    expect(badge(page)).to_contain_text("pixels as squares, rotated 270°")
    reading.press("t")  # it stays when the tools are put away
    expect(badge(page)).to_be_visible()


def enlarged(pixels, axis):
    """Twice as many samples along an axis, interpolated between the middles of the pixels."""
    at = np.clip((np.arange(2 * pixels.shape[axis]) + 0.5) / 2 - 0.5, 0, pixels.shape[axis] - 1)
    below = np.minimum(np.floor(at).astype(int), pixels.shape[axis] - 2)
    share = np.expand_dims(at - below, 1 - axis)
    return pixels.take(below, axis) * (1 - share) + pixels.take(below + 1, axis) * share


def test_the_magnifier_shows_what_is_below_the_pointer_as_smooth_as_the_picture(reading, page):
    pixels = decode_png(reading.presentation(2).stimulus.path)
    levels = enlarged(enlarged(pixels.astype(float), 0), 1)
    grey = windowed(levels, *standard_window(pixels)).astype(int)
    reading.press("o")
    x, y = pointer_on(page, 0.5, 0.5)
    page.mouse.move(x + 8, y + 4)
    page.get_by_role("button", name="Magnifier")  # there is a button as well
    reading.press("m")
    page.mouse.move(x + 9, y + 5)
    settled(page)
    shown = screen_of(page, element=".loupe")[:, :, 0]
    assert shown.shape == (256, 256)
    # Around the pixel of the picture below the pointer, within a rounding of the weights.
    row, column = 32 + 5, 26 + 9
    around = np.pad(grey, 256)
    apart = [
        np.abs(around[top : top + 256, left : left + 256] - shown).max()
        for top in range(2 * row + 125, 2 * row + 132)
        for left in range(2 * column + 125, 2 * column + 132)
    ]
    assert sum(distance <= 2 for distance in apart) == 1


def test_the_magnifier_says_its_factor_which_the_zoom_keys_change(reading, page):
    factor = page.locator(".loupe-factor")
    expect(factor).to_be_hidden()
    shown = badge(page).inner_text()
    reading.press("m")
    expect(factor).to_have_text("2×")
    for key, text in (("+", "3×"), ("-", "2×"), ("-", "1.5×"), ("-", "1.5×")):
        reading.press(key)
        expect(factor).to_have_text(text)
    expect(badge(page)).to_have_text(shown)  # the picture around it stays
    reading.press("1")
    reading.stands_at(2)
    assert reading.presentation(2).reading.paradata["settings"]["loupe_factor"] == 1.5
    reading.press("m")
    expect(factor).to_have_text("1.5×")  # of the reader, not of the image


def test_the_magnifier_follows_the_pan_keys_and_goes_again(reading, page):
    reading.press("o")
    page.get_by_role("button", name="Magnifier").focus()
    page.keyboard.press("Enter")
    loupe = page.locator(".loupe")
    expect(loupe).to_be_visible()
    canvas, first = reading.pixels(), loupe.bounding_box()
    middle = page.locator("canvas[data-panel=image]").bounding_box()
    assert first["x"] + first["width"] / 2 == pytest.approx(middle["x"] + middle["width"] / 2, abs=1)
    reading.press("Shift+ArrowLeft")
    settled(page)
    assert loupe.bounding_box()["x"] == first["x"] - 60
    np.testing.assert_array_equal(reading.pixels(), canvas)  # the magnifier moved, not the picture
    page.keyboard.press("Enter")
    expect(loupe).to_be_hidden()
    # Held, it stays as long as its key is down.
    page.keyboard.down("m")
    page.wait_for_timeout(600)
    expect(loupe).to_be_visible()
    page.keyboard.up("m")
    expect(loupe).to_be_hidden()
    reading.press("1")
    reading.stands_at(2)
    assert reading.presentation(2).reading.paradata["acts"] == {"zoom": 1, "loupe": 3, "pan": 1}


def test_a_double_click_changes_between_the_whole_image_and_one_to_one(reading, page):
    whole = badge(page).inner_text()
    x, y = pointer_on(page, 0.5, 0.5)
    page.mouse.dblclick(x + 10, y)
    expect(badge(page)).to_have_text("1:1")
    page.mouse.dblclick(x + 10, y)
    expect(badge(page)).to_have_text(whole)


def test_window_and_level_are_shown_while_they_are_dragged(reading, page):
    readout = page.locator("[data-readout]")
    expect(readout).to_be_hidden()
    x, y = pointer_on(page, 0.5, 0.5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y - 60, steps=2)
    expect(readout).to_have_text("Width +20%, level −10%")
    page.mouse.up()
    expect(readout).to_be_hidden()
    reading.press("ArrowDown")
    expect(readout).to_have_text("Width +20%, level −6%")
    reading.press("0")
    expect(readout).to_be_hidden()
    reading.press("ArrowDown")
    expect(readout).to_have_text("Width 0%, level +4%")


class Fingers:
    """Touches of a tablet, over the browser's own protocol."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)

    def touch(self, kind, *points):
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def tap(self, x, y):
        self.touch("touchStart", (x, y))
        self.touch("touchEnd")


@pytest.fixture
def fingers(reading, page):
    fingers = Fingers(page)
    fingers.session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    return fingers


def test_one_finger_sets_the_window(reading, page, fingers):
    before = reading.pixels()
    x, y = pointer_on(page, 0.5, 0.5)
    fingers.touch("touchStart", (x, y))
    fingers.touch("touchMove", (x + 60, y + 10))
    fingers.touch("touchMove", (x + 120, y + 30))
    fingers.touch("touchEnd")
    settled(page)
    assert not np.array_equal(reading.pixels(), before)
    reading.press("1")
    reading.stands_at(2)
    assert set(reading.presentation(2).reading.paradata["acts"]) == {"window"}


def test_two_fingers_zoom_and_move_what_lies_between_them(reading, page, fingers):
    reading.press("o")
    settled(page)
    before = reading.pixels()[:, :, 0]
    x, y = (round(part) for part in pointer_on(page, 0.5, 0.5))
    fingers.touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 45, 60, 100):
        fingers.touch("touchMove", (x - apart + 7, y + 5), (x + apart + 7, y + 5))
    fingers.touch("touchEnd")
    settled(page)
    after = reading.pixels()[:, :, 0]
    box = page.locator("canvas[data-panel=image]").bounding_box()
    row, column = int(y - box["y"]), int(x - box["x"])
    assert badge(page).inner_text() == "500%, pixels as squares"
    # What was between them at first is between them at last: a square of five, give or take a rounding.
    square = after[row + 5 - 3 : row + 5 + 3, column + 7 - 3 : column + 7 + 3]
    assert before[row, column] in square or before[row - 1, column - 1] in square
    reading.press("1")
    reading.stands_at(2)
    assert set(reading.presentation(2).reading.paradata["acts"]) == {"zoom"}


def test_a_double_tap_toggles_between_fit_and_one_to_one(reading, page, fingers):
    whole = reading.pixels()
    x, y = pointer_on(page, 0.5, 0.4)
    for expected in ("1:1", None):
        fingers.tap(x, y)
        fingers.tap(x + 2, y)
        settled(page)
        if expected:
            expect(badge(page)).to_have_text(expected)
        else:
            np.testing.assert_array_equal(reading.pixels(), whole)
    fingers.tap(x, y)
    fingers.tap(x + 120, y)  # two taps at two places are none
    settled(page)
    np.testing.assert_array_equal(reading.pixels(), whole)


def test_a_pen_drags_like_the_mouse(reading, page):
    session = page.context.new_cdp_session(page)
    reading.press("g")
    reading.press("o")
    settled(page)
    before = reading.pixels()
    x, y = pointer_on(page, 0.5, 0.5)
    common = {"pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1}
    session.send("Input.dispatchMouseEvent", {"type": "mousePressed", "x": x, "y": y, **common})
    for step in (8, 16):
        session.send("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x + step, "y": y, **common})
    session.send("Input.dispatchMouseEvent", {"type": "mouseReleased", "x": x + 16, "y": y, **common, "buttons": 0})
    settled(page)
    np.testing.assert_array_equal(reading.pixels(), np.roll(before, 16, axis=1))


def test_a_touchpad_pinches_and_scrolls(reading, page):
    reading.press("o")
    x, y = pointer_on(page, 0.5, 0.5)
    page.mouse.move(x, y)
    settled(page)
    before = reading.pixels()
    page.mouse.wheel(-14, 0)  # sideways
    settled(page)
    np.testing.assert_array_equal(reading.pixels(), np.roll(before, 14, axis=1))
    session = page.context.new_cdp_session(page)
    pinch = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -50, "modifiers": 2}
    session.send("Input.dispatchMouseEvent", pinch)
    settled(page)
    expect(badge(page)).to_have_text("165%, enlarged")  # e to the power of a half
    assert page.evaluate("visualViewport.scale") == 1  # the page itself stayed as it was


def test_full_screen_by_key_and_button(reading, page):
    reading.press("f")
    page.wait_for_selector("html:fullscreen")
    reading.press("?")  # the list of keys lies above it
    expect(page.locator("#help")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_selector("html:not(:fullscreen)")


@pytest.mark.parametrize("width", [800, 1024, 1440, 2560])
def test_every_tool_is_at_hand_and_large_enough_at_every_width(reading, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    settled(page)
    tools = page.locator(".strip button:visible, .strip a:visible")
    assert tools.count() >= 18
    for tool in tools.all():
        box = tool.bounding_box()
        assert min(box["width"], box["height"]) >= 24
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    height = page.locator(".strip").bounding_box()["height"]
    assert height <= {800: 100, 1024: 64, 1440: 64, 2560: 48}[width]
    # What the badge says does not move the picture.
    for key in "orhrh-":
        reading.press(key)
        settled(page)
        assert page.locator(".strip").bounding_box()["height"] == height


def test_focus_is_seen_on_every_tool(reading, page):
    page.keyboard.press("Tab")
    for _ in range(8):
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"
        page.keyboard.press("Tab")


def test_no_tool_tells_a_grey_level(reading, page):
    """No probe, no histogram, no measure: over the picture nothing appears but the picture."""
    x, y = pointer_on(page, 0.5, 0.5)
    text = page.locator("main").inner_text()
    page.mouse.move(x, y)
    page.mouse.move(x + 10, y + 10)
    page.mouse.click(x, y)
    for _to_one_to_one_and_back in range(2):
        page.mouse.dblclick(x, y)
    settled(page)
    assert page.locator("main").inner_text() == text
    # The badge says how the picture is scaled; the ring of a late image and the readout of a moving window are hidden.
    probes = page.locator("[title*='ixel']:not([data-badge]), output, svg, [data-readout]")
    assert probes.filter(visible=True).count() == 0


def test_the_tools_pass_axe_with_magnifier_and_key_list_open(reading, page):
    reading.press("m")
    result = complaints(page)
    reading.press("?")
    page.wait_for_selector("#help[open]")
    assert result + complaints(page) == []
