"""The same picture on every path: flipped, turned, enlarged, on the graphics card and without one."""

import base64

import numpy as np
import pytest

from readerstudy.imaging.png16 import decode_png
from tests import walk
from tests.browser.room import Room
from tests.browser.test_picture import cut_out, settled, windowed
from tests.standard_window import standard_window

# Stands for a machine with a graphics card: the software renderer here is one that keeps its name to itself, and the
# page's own canvases can be read after they were painted.
AS_A_GRAPHICS_CARD = """
  const extension = WebGL2RenderingContext.prototype.getExtension;
  WebGL2RenderingContext.prototype.getExtension = function (name) {
    return name === "WEBGL_debug_renderer_info" ? null : extension.call(this, name);
  };
  const context = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, attributes) {
    return context.call(this, kind, kind === "webgl2" ? { ...attributes, preserveDrawingBuffer: true } : attributes);
  };
"""
# By way of a second canvas: the first may be of either kind.
READ_BACK = """(canvas) => {
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, width, height);
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return [width, height, btoa(text)];
}"""


def screen_of(page, panel="image", element=None):
    """Rows x columns x 3 of a canvas of either kind."""
    canvas = page.locator(element or f'canvas[data-panel="{panel}"]')
    width, height, encoded = canvas.evaluate(READ_BACK)
    return np.frombuffer(base64.b64decode(encoded), dtype=np.uint8).reshape(height, width, 4)[:, :, :3]


@pytest.fixture
def reading(room, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    return room


TURNS = {
    "h": lambda shown: shown[:, ::-1],
    "v": lambda shown: shown[::-1],
    "r": lambda shown: np.rot90(shown, -1),
    "l": lambda shown: np.rot90(shown),
}


@pytest.mark.parametrize("keys", ["h", "v", "r", "l", "rh", "hr", "rrv", "lhvl", "rrr"])
def test_every_pixel_is_exact_at_one_to_one_in_every_orientation(reading, page, keys):
    page.set_viewport_size({"width": 1281, "height": 801})
    pixels = decode_png(reading.presentation(2).stimulus.path)
    expected = windowed(pixels, *standard_window(pixels))
    reading.press("o")
    for key in keys:
        reading.press(key)
        expected = TURNS[key](expected)
    settled(page)
    np.testing.assert_array_equal(cut_out(reading.pixels(), expected.shape)[:, :, 0], expected)


def test_reset_undoes_flips_and_turns(reading, page):
    before = reading.pixels()
    for keys in ("h", "r", "vl"):
        for key in keys:
            reading.press(key)
        settled(page)
        if keys != "vl":
            assert not np.array_equal(reading.pixels(), before)
        reading.press("0")
        settled(page)
        np.testing.assert_array_equal(reading.pixels(), before)


def test_a_turned_picture_is_fitted_to_the_canvas_anew(reading, page):
    def extent():
        settled(page)
        rows, columns = np.nonzero(reading.pixels().max(axis=2))
        return np.ptp(rows) + 1, np.ptp(columns) + 1

    reading.press("i")  # inverted, the air shows where the picture ends
    upright, canvas = extent(), reading.pixels().shape
    reading.press("r")
    turned = extent()
    assert upright[0] >= canvas[0] - 1
    assert turned[0] >= canvas[0] - 1 or turned[1] >= canvas[1] - 1
    assert turned[1] / turned[0] == pytest.approx(upright[0] / upright[1], rel=0.02)


def pointer_on(page, share_x, share_y):
    box = page.locator("canvas[data-panel=image]").bounding_box()
    return box["x"] + share_x * box["width"], box["y"] + share_y * box["height"]


@pytest.mark.parametrize("keys", ["", "h", "r", "vl"])
def test_what_lies_below_the_cursor_stays_there_when_zooming(reading, page, keys):
    """One bright pixel, seen below the cursor before and after, at a square of screen pixels."""
    for key in [*keys, "o"]:
        reading.press(key)
    settled(page)
    before = reading.pixels()[:, :, 0]
    middle = np.array(before.shape) // 2
    box = page.locator("canvas[data-panel=image]").bounding_box()
    place = middle + np.array([6, 9])
    page.mouse.move(box["x"] + place[1] + 0.5, box["y"] + place[0] + 0.5)
    page.mouse.wheel(0, -1200)  # e cubed, beyond 16 for the second
    settled(page)
    after = reading.pixels()[:, :, 0]
    assert after[tuple(place)] == before[tuple(place)]
    # The neighbours have moved away.
    assert after[place[0], place[1] + 20] == pytest.approx(float(before[place[0], place[1] + 1]), abs=0)


@pytest.mark.parametrize("keys", ["", "h", "r", "rrv"])
def test_dragging_moves_the_picture_with_the_pointer_however_turned(reading, page, keys):
    for key in [*keys, "o", "g"]:
        reading.press(key)
    settled(page)
    before = reading.pixels()
    x, y = pointer_on(page, 0.5, 0.5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 15, y - 12)
    page.mouse.up()
    settled(page)
    np.testing.assert_array_equal(reading.pixels(), np.roll(before, (-12, 15), axis=(0, 1)))


def test_from_four_times_on_every_pixel_is_a_square(reading, page):
    pixels = decode_png(reading.presentation(2).stimulus.path)
    expected = windowed(pixels, *standard_window(pixels)).repeat(16, axis=0).repeat(16, axis=1)
    for _ in range(20):
        reading.press("+")  # 16 is the most
    settled(page)
    screen = reading.pixels()[:, :, 0]
    rows = (screen.shape[0] - expected.shape[0]) // 2  # the canvas is lower than the picture now
    assert rows < 0
    expected = expected[-rows : screen.shape[0] - rows]
    np.testing.assert_array_equal(cut_out(screen, expected.shape), expected)


@pytest.fixture
def with_card(browser, server, study, rita, sign_in):
    """Rita's room on a machine with a graphics card."""
    walk.finish_session(walk.client_of(rita), study.code, 1)
    context = browser.new_context(viewport={"width": 1100, "height": 700})
    context.add_init_script(AS_A_GRAPHICS_CARD)
    sign_in(context, rita)
    room = Room(context.new_page(), server.url, study.code, rita)
    yield room
    context.close()
    assert room.mishaps == []


KIND = "(canvas) => canvas.getContext('webgl2') ? 'card' : 'processor'"


def screens_after(room, sequences, read):
    """What `read` returns after each of these sequences of keys."""
    screens = []
    for keys in sequences:
        for key in keys:
            room.press(key)
        settled(room.page)
        screens.append(read())
    return screens


def test_a_graphics_card_gives_the_same_bytes_at_every_zoom_and_turn(with_card, page, rita, server, sign_in):
    # Fitted, then one to one, then turned, interpolated up and down, halved, enlarged, windowed and inverted.
    sequences = ("", "o", "h", "r", "+", "++", "+++", "++++", "=", "-", "----", "----", "0", "iv", "p")
    with_card.enter(2)
    by_card = screens_after(with_card, sequences, lambda: screen_of(with_card.page))
    assert with_card.page.locator("canvas[data-panel=image]").evaluate(KIND) == "card"
    # One after the other: the newest window takes the session over.
    page.set_viewport_size({"width": 1100, "height": 700})
    sign_in(page.context, rita)
    plain = Room(page, server.url, with_card.study, rita)
    page.goto(plain.address(2))
    plain.stands_at(1)
    by_processor = screens_after(plain, sequences, plain.pixels)
    assert page.locator("canvas[data-panel=image]").evaluate(KIND) == "processor"
    for keys, card, processor in zip(sequences, by_card, by_processor, strict=True):
        np.testing.assert_array_equal(card, processor, err_msg=keys)


def test_a_lost_graphics_card_leaves_the_same_picture(with_card):
    with_card.enter(2)
    page = with_card.page
    with_card.press("i")
    with_card.press("r")
    settled(page)
    before = screen_of(page)
    canvas = page.locator("canvas[data-panel=image]")
    assert canvas.evaluate(KIND) == "card"
    canvas.evaluate("(canvas) => canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()")
    while canvas.evaluate(KIND) == "card":  # the browser reports the loss in a later task
        page.wait_for_timeout(20)
    settled(page)
    np.testing.assert_array_equal(screen_of(page), before)
    with_card.press("0")
    settled(page)
    assert not np.array_equal(screen_of(page), before)
    with_card.press("1")
    with_card.stands_at(2)
    assert with_card.presentation(2).reading.paradata["settings"]["gpu"] is False


def test_the_triptych_is_the_same_on_a_graphics_card(with_card, page, rita, server, sign_in, study):
    sequences, panels = ("", "o", "a", "r"), ("real", "adversarial", "difference")
    for number in (2, 3):
        walk.finish_session(walk.client_of(rita), study.code, number)
    with_card.enter(4)
    by_card = screens_after(with_card, sequences, lambda: [screen_of(with_card.page, panel) for panel in panels])
    (laid_over_by_card,) = screens_after(with_card, ("d",), lambda: screen_of(with_card.page, "real"))
    page.set_viewport_size({"width": 1100, "height": 700})
    sign_in(page.context, rita)
    plain = Room(page, server.url, study.code, rita)
    page.goto(plain.address(4))
    plain.stands_at(1)
    by_processor = screens_after(plain, sequences, lambda: [plain.pixels(panel) for panel in panels])
    (laid_over,) = screens_after(plain, ("d",), lambda: plain.pixels("real"))
    for keys, card, processor in zip(sequences, by_card, by_processor, strict=True):
        for panel, card_panel, processor_panel in zip(panels, card, processor, strict=True):
            np.testing.assert_array_equal(card_panel, processor_panel, err_msg=f"{panel} after {keys!r}")
    # Laid over, colours are mixed: by the card within a rounding.
    apart = laid_over_by_card.astype(int) - laid_over
    assert np.abs(apart).max() <= 2


def test_the_stored_settings_are_those_that_were_seen(reading, page):
    for key in ("o", "h", "r", "m"):
        reading.press(key)
    reading.press("1")
    reading.stands_at(2)
    settings = reading.presentation(2).reading.paradata["settings"]
    exact = {"scale": "one_to_one", "one_to_one": True, "interpolated": False, "averaged": False}
    expected = {**exact, "flipped": True, "rotated": 90}
    assert {name: settings[name] for name in expected} == expected
    assert settings["loupe"] is True
    assert settings["zoom"] == 1
    assert settings["gpu"] is False
    reading.press("o")
    reading.press("-")
    reading.press("1")
    reading.stands_at(3)
    settings = reading.presentation(2, 2).reading.paradata["settings"]
    assert (settings["scale"], settings["averaged"], settings["one_to_one"]) == ("reduced", True, False)
    assert (settings["flipped"], settings["rotated"], settings["loupe"]) == (False, 0, False)
