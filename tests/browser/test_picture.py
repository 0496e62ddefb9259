"""What is on the screen is the picture: read back from the canvas, compared with the stored file."""

import struct
import zlib

import numpy as np
import pytest
from playwright.sync_api import expect

from readerstudy.imaging.png16 import decode_png
from readerstudy.truth.queries import find_adversarial_image
from tests import walk
from tests.browser.room import Room
from tests.standard_window import standard_window


def cut_out(screen, shape):
    """The picture's place on the canvas at 1:1, where the picture is smaller: around the middle."""
    top, left = (round_half_up((have - want) / 2) for have, want in zip(screen.shape, shape, strict=False))
    return screen[top : top + shape[0], left : left + shape[1]]


def round_half_up(value):
    return int(np.floor(value + 0.5))


def windowed(pixels, low, high):
    """Grey levels of a window from `low` to `high`, as the definition of window and level has them."""
    share = (pixels.astype(float) - low) * 255 / (high - low)
    return np.floor(np.clip(share, 0, 255) + 0.5).astype(np.uint8)


@pytest.fixture
def reading(room, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    return room


def settled(page):
    """Two frames later everything asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("size", [(1280, 720), (1281, 721)])
def test_every_pixel_is_exact_at_one_to_one(reading, page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    settled(page)
    pixels = decode_png(reading.presentation(2).stimulus.path)
    reading.press("o")
    settled(page)
    screen = reading.pixels()
    assert screen.shape[0] > pixels.shape[0]
    assert screen.shape[1] > pixels.shape[1]
    expected = windowed(pixels, *standard_window(pixels))
    for colour in range(3):
        np.testing.assert_array_equal(cut_out(screen, pixels.shape)[:, :, colour], expected)


def test_the_whole_range_and_inverting_are_exact_too(reading, page):
    pixels = decode_png(reading.presentation(2).stimulus.path)
    reading.press("o")
    page.get_by_role("button", name="Full range").click()
    reading.press("i")
    settled(page)
    expected = 255 - windowed(pixels, 0, 65535)
    np.testing.assert_array_equal(cut_out(reading.pixels(), pixels.shape)[:, :, 0], expected)


def test_the_window_starts_anew_with_every_image(reading, page):
    for key in ("o", "i", "ArrowRight", "ArrowUp", "p"):
        reading.press(key)
    reading.press("1")
    reading.stands_at(2)
    reading.press("o")
    settled(page)
    pixels = decode_png(reading.presentation(2, 2).stimulus.path)
    expected = windowed(pixels, *standard_window(pixels))
    np.testing.assert_array_equal(cut_out(reading.pixels(), pixels.shape)[:, :, 0], expected)


def test_drag_wheel_and_tools_change_the_view_and_are_counted(reading, page):
    box = page.locator("canvas[data-panel=image]").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen = [reading.pixels()]

    def changed():
        settled(page)
        seen.append(reading.pixels())
        return not np.array_equal(seen[-1], seen[-2])

    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 200, middle[1] + 60, steps=3)
    page.mouse.up()
    assert changed()
    page.mouse.wheel(0, -300)
    assert changed()
    page.keyboard.press("Shift+ArrowLeft")
    assert changed()
    page.keyboard.press("0")
    assert changed()
    np.testing.assert_array_equal(seen[-1], seen[0])
    reading.press("2")
    reading.stands_at(2)
    stored = reading.presentation(2).reading
    assert stored.paradata["acts"] == {"window": 3, "zoom": 1, "pan": 1, "reset": 1}
    assert stored.elapsed_ms >= stored.paradata["first_action_ms"] > 0


def test_one_to_one_is_exact_at_a_screen_scale_of_one_and_a_half(
    browser_type, browser_type_launch_args, server, study, rita, sign_in
):
    # The flag, not Playwright's emulation: that leaves the canvas's device pixels as they are.
    # And a screen that is no phone's: 1200 x 900 CSS pixels.
    scaled = ["--force-device-scale-factor=1.5", "--screen-info={1800x1350}"]
    arguments = [*browser_type_launch_args["args"], *scaled]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    context = browser.new_context(no_viewport=True)
    sign_in(context, rita)
    room = Room(context.new_page(), server.url, study.code, rita)
    room.enter(1)
    room.press("o")
    settled(room.page)
    pixels = decode_png(room.presentation(1).stimulus.path)
    screen = room.pixels()
    box = room.page.locator("canvas[data-panel=image]").bounding_box()
    assert abs(screen.shape[1] - 1.5 * box["width"]) <= 1
    expected = windowed(pixels, *standard_window(pixels))
    np.testing.assert_array_equal(cut_out(screen, pixels.shape)[:, :, 0], expected)
    browser.close()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


def filtered(line: bytes, above: bytes, kind: int) -> bytes:
    """One line of a PNG under filter `kind` (ISO/IEC 15948, clause 9), two bytes to a pixel."""
    out = bytearray([kind])
    for i, value in enumerate(line):
        left, corner = (line[i - 2], above[i - 2]) if i >= 2 else (0, 0)
        up = above[i]
        expected = (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]
        out.append((value - expected) % 256)
    return bytes(out)


def png_of_every_filter(pixels) -> bytes:
    """The picture as a PNG whose lines use all five filters in turn, its data in many chunks, padding behind."""
    lines = [row.astype(">u2").tobytes() for row in pixels]
    lines_above = [bytes(len(lines[0])), *lines]
    packed = zlib.compress(b"".join(filtered(line, lines_above[y], (y + 4) % 5) for y, line in enumerate(lines)))
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, 0, 0, 0, 0)
    parts = [chunk(b"IDAT", packed[i : i + 1000]) for i in range(0, len(packed), 1000)]
    whole = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"tEXt", b"x"), *parts, chunk(b"IEND", b"")]
    return b"".join(whole) + bytes(range(256)) * 40


def test_the_decoder_knows_every_filter_of_png(room, page):
    pixels = np.random.default_rng(5).integers(0, 65536, (67, 53), dtype=np.uint16)
    page.route("**/images/**", lambda route: route.fulfill(body=png_of_every_filter(pixels)))
    room.enter(1)
    room.press("o")
    page.get_by_role("button", name="Full range").click()
    settled(page)
    shown = cut_out(room.pixels(), pixels.shape)[:, :, 0]
    np.testing.assert_array_equal(shown, windowed(pixels, 0, 65535))


@pytest.mark.parametrize("cut", [9, 60, 1500])
def test_a_damaged_picture_stops_the_reading_with_a_sentence(room, page, cut):
    pixels = np.random.default_rng(5).integers(0, 65536, (67, 53), dtype=np.uint16)
    page.route("**/images/**", lambda route: route.fulfill(body=png_of_every_filter(pixels)[:cut]))
    page.goto(room.address(1))
    room.begin()
    room.in_state("error")
    expect(page.locator("#end-title")).to_have_text("Reading cannot continue")
    expect(page.locator("#end-text")).to_contain_text("did not load completely")
    room.press("1")
    page.unroute("**/images/**")
    page.get_by_role("button", name="Reload this page").click()
    room.stands_at(1)
    assert room.positions(1) == []


@pytest.fixture
def teaching(room, rita):
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rita), room.study, number)
    room.enter(4)
    return room


def test_the_triptych_shows_real_altered_and_difference(teaching, page, study):
    stimulus = teaching.presentation(4).stimulus
    twin = find_adversarial_image(stimulus, study.session_plans.get(number=4))
    real, altered = decode_png(stimulus.path), decode_png(twin.path)
    change = decode_png(twin.difference_path).astype(int) - 32768
    teaching.press("o")
    settled(page)
    # Both in the window of the original: a pair is compared, not flattered.
    low, high = standard_window(real)
    for panel, pixels in (("real", real), ("adversarial", altered)):
        shown = cut_out(teaching.pixels(panel), pixels.shape)
        np.testing.assert_array_equal(shown[:, :, 0], windowed(pixels, low, high))
    shown = cut_out(teaching.pixels("difference"), change.shape).astype(int)
    assert change.min() < 0 or change.max() > 0
    # Orange where the original is brighter, blue where the adversarial image is, one dark grey where they agree.
    assert np.all(shown[change > 2000][:, 0] > shown[change > 2000][:, 2])
    assert np.all(shown[change < -2000][:, 0] < shown[change < -2000][:, 2])
    assert np.all(shown[change == 0] == 16)
    # The legend's ends are those of the change itself: 99.9 of 100 changed pixels lie between them.
    reach = np.sort(np.abs(change[change != 0]))[int(np.ceil(0.999 * np.count_nonzero(change))) - 1]
    percent = float(page.locator("[data-highest]").inner_text().strip("+%"))
    assert percent == pytest.approx(100 * 2 * reach / 65535, rel=0.05)


def extent(screen):
    """First and last row and column that are not black."""
    rows, columns = np.nonzero(screen.max(axis=2) > 0)
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_the_three_panels_zoom_and_move_together(teaching, page):
    teaching.press("i")  # inverted, the dark surroundings of the breast show where the picture ends
    teaching.press("o")
    box = page.locator("canvas[data-panel=adversarial]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2 + 20, box["y"] + box["height"] / 2 - 10)
    page.mouse.wheel(0, -400)
    page.keyboard.press("Shift+ArrowRight")
    settled(page)
    extents = [extent(teaching.pixels(panel)) for panel in ("real", "adversarial", "difference")]
    assert extents[0] == extents[1] == extents[2]
    top, bottom, left, right = extents[0]
    # 64 x 52 pixels, e times as large after the wheel.
    assert abs((bottom - top + 1) - 64 * np.e) <= 2
    assert abs((right - left + 1) - 52 * np.e) <= 2
