"""The triptych: real and altered in turn, the difference laid over, one panel full size, the room it takes."""

import numpy as np
import pytest
from django.db import transaction
from playwright.sync_api import expect
from scipy import ndimage

from readerstudy.imaging.png16 import decode_png
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import find_adversarial_image
from tests import walk
from tests.browser.test_page import complaints
from tests.browser.test_picture import cut_out, settled, windowed
from tests.standard_window import standard_window
from tests.tamper import without_triggers

PANELS = ("real", "adversarial", "difference")


@pytest.fixture
def teaching(room, rita):
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rita), room.study, number)
    room.enter(4)
    return room


@pytest.fixture
def pair(teaching, study):
    """Real and altered as they are on screen at 1:1, in the window of the real one; and the change."""
    stimulus = teaching.presentation(4).stimulus
    twin = find_adversarial_image(stimulus, study.session_plans.get(number=4))
    real, altered = decode_png(stimulus.path), decode_png(twin.path)
    low, high = standard_window(real)
    change = decode_png(twin.difference_path).astype(int) - 32768
    return windowed(real, low, high), windowed(altered, low, high), change


def shown(room, panel, shape):
    settled(room.page)
    return cut_out(room.pixels(panel), shape)


def test_real_and_altered_alternate_in_place_by_one_key(teaching, page, pair):
    real, altered, _ = pair
    caption = page.locator("figure").first.locator("figcaption")
    teaching.press("o")
    for picture, text in ((real, "Real"), (altered, "Showing: altered"), (real, "Real")):
        np.testing.assert_array_equal(shown(teaching, "real", real.shape)[:, :, 0], picture)
        np.testing.assert_array_equal(shown(teaching, "adversarial", real.shape)[:, :, 0], altered)
        expect(caption).to_have_text(text, use_inner_text=True)
        teaching.press("a")


def test_a_button_alternates_too_and_says_so(teaching, page):
    button = page.get_by_role("button", name="Toggle real/altered")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("img", name="The same mammogram, altered")).to_have_count(2)
    teaching.press("0")
    expect(button).to_have_attribute("aria-pressed", "false")


def swaps_while_held(page, milliseconds):
    """How often the picture changed while the key was held, its repeats as quick as a keyboard's."""
    page.evaluate(
        """() => {
          window.swaps = [];
          const button = document.querySelector("[data-command=flicker]");
          const seen = new MutationObserver(() => window.swaps.push(performance.now()));
          seen.observe(button, { attributeFilter: ["aria-pressed"] });
        }"""
    )
    page.keyboard.down("a")
    for _ in range(milliseconds // 30):
        page.wait_for_timeout(30)
        page.keyboard.down("a")  # a repeat
    page.keyboard.up("a")
    return page.evaluate("window.swaps")


def test_held_the_key_alternates_slowly(teaching, page):
    swaps = swaps_while_held(page, 2400)
    assert len(swaps) >= 3
    # Two swaps make one turn: at most one in a second, where three flashes are allowed (WCAG 2.3.1).
    assert np.diff(swaps).min() >= 450
    before = len(swaps)
    page.wait_for_timeout(700)
    assert page.evaluate("window.swaps.length") == before  # never by itself


def test_with_reduced_motion_a_held_key_alternates_once(teaching, page):
    page.emulate_media(reduced_motion="reduce")
    assert len(swaps_while_held(page, 1500)) == 1


def test_the_difference_is_laid_over_the_real_picture(teaching, page, pair):
    real, altered, change = pair
    teaching.press("o")
    teaching.press("d")
    over = shown(teaching, "real", real.shape).astype(int)
    same = change == 0
    assert same.any()
    np.testing.assert_array_equal(over[same], np.repeat(real[same][:, None], 3, axis=1))
    strong = np.abs(change) > 0.5 * np.abs(change).max()
    tint = np.where(change > 0, over[:, :, 0] - over[:, :, 2], over[:, :, 2] - over[:, :, 0])
    assert (tint[strong] > 30).all()
    np.testing.assert_array_equal(shown(teaching, "adversarial", real.shape)[:, :, 0], altered)
    expect(page.locator("figure").first).to_contain_text("with difference overlay")
    teaching.press("d")
    np.testing.assert_array_equal(shown(teaching, "real", real.shape)[:, :, 0], real)


YELLOW = (240, 228, 66)


def test_a_key_draws_lines_around_what_was_altered(teaching, page, pair):
    real, altered, change = pair
    teaching.press("o")
    teaching.press("c")
    expect(page.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "true")
    over = shown(teaching, "real", real.shape)
    lines = (over == YELLOW).all(axis=2)
    assert 0 < lines.sum() < lines.size / 2
    np.testing.assert_array_equal(over[~lines], np.repeat(real[~lines][:, None], 3, axis=1))
    beside = shown(teaching, "adversarial", real.shape)
    np.testing.assert_array_equal((beside == YELLOW).all(axis=2), lines)
    np.testing.assert_array_equal(beside[~lines][:, 0], altered[~lines])
    strong = np.abs(change) >= 0.25 * np.quantile(np.abs(change[change != 0]), 0.999)
    assert not (strong & lines).any()
    parts, _ = ndimage.label(~lines)
    far = ~ndimage.binary_dilation(strong, iterations=8)
    assert not set(parts[strong]) & set(parts[far & ~lines])  # a line lies between them
    teaching.press("d")  # with the overlay below it
    assert (shown(teaching, "real", real.shape)[lines] == YELLOW).all()
    teaching.press("0")
    expect(page.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "false")


def visible(page):
    return [name for name in PANELS if page.locator(f"canvas[data-panel={name}]").is_visible()]


def test_one_key_gives_each_panel_the_whole_room_in_turn(teaching, page):
    whole = page.locator(".panels").bounding_box()
    badge = page.locator("[data-badge]")
    small = badge.inner_text()
    for panel in PANELS:
        teaching.press("s")
        assert visible(page) == [panel]
        box = page.locator(f"canvas[data-panel={panel}]").bounding_box()
        assert box["width"] == pytest.approx(whole["width"], abs=2)
        settled(page)
        assert badge.inner_text() != small  # fitted anew, larger
    teaching.press("s")
    assert visible(page) == list(PANELS)
    settled(page)
    assert badge.inner_text() == small


def test_reset_while_swapped_returns_to_the_real_images_window(teaching, page, pair):
    real, altered, _ = pair
    for key in ("o", "a", "i", "0", "o"):
        teaching.press(key)
    np.testing.assert_array_equal(shown(teaching, "real", real.shape)[:, :, 0], real)
    np.testing.assert_array_equal(shown(teaching, "adversarial", real.shape)[:, :, 0], altered)


def test_full_size_the_altered_one_alternates_with_the_real_one(teaching, page, pair):
    real, altered, _ = pair
    teaching.press("s")
    teaching.press("s")
    teaching.press("o")
    np.testing.assert_array_equal(shown(teaching, "adversarial", real.shape)[:, :, 0], altered)
    teaching.press("a")
    np.testing.assert_array_equal(shown(teaching, "adversarial", real.shape)[:, :, 0], real)
    expect(page.locator("figcaption:visible")).to_have_text("Showing: real", use_inner_text=True)


def test_the_next_page_begins_with_three_panels(teaching, page):
    for key in ("s", "a", "d", "1"):
        teaching.press(key)
    teaching.stands_at(2)
    assert visible(page) == list(PANELS)
    for name in ("Toggle real/altered", "Difference overlay", "One image"):
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "false")
    acts = teaching.readings(4)[0].paradata["acts"]
    assert acts == {"panel": 1, "flicker": 1, "overlay": 1}


@pytest.mark.parametrize(
    ("size", "columns"), [((1440, 900), 3), ((1024, 768), 3), ((1000, 1000), 2), ((1200, 1600), 2)]
)
def test_on_a_tall_screen_two_panels_stand_above_the_third(teaching, page, size, columns):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    settled(page)
    boxes = [page.locator(f"canvas[data-panel={name}]").bounding_box() for name in PANELS]
    assert len({box["x"] for box in boxes[:columns]}) == columns
    assert (boxes[2]["y"] > boxes[0]["y"]) == (columns == 2)
    # Nothing is cut off.
    assert max(box["x"] + box["width"] for box in boxes) == pytest.approx(size[0], abs=0.5)
    assert max(box["y"] + box["height"] for box in boxes) < page.locator("#verdicts").bounding_box()["y"]


def test_the_magnifier_stands_in_all_three_panels(teaching, page):
    teaching.press("m")
    expect(page.locator(".loupe:visible")).to_have_count(3)
    teaching.press("s")
    expect(page.locator(".loupe:visible")).to_have_count(1)


def test_the_tools_of_a_triptych_are_its_own(room, page, rita):
    room.enter(1)
    assert page.locator("[data-command=flicker]").count() == 0
    for key in "ads":
        room.press(key)
    room.press("1")
    room.stands_at(2)
    assert room.presentation(1).reading.paradata["acts"] == {}


def test_a_triptych_has_no_barriers_in_any_of_its_views(teaching, page):
    result = []
    for key in ("a", "d", "s", "s", "s"):
        teaching.press(key)
        result += complaints(page)
    assert result == []


def test_each_triptych_says_how_it_was_altered_on_the_scale_of_the_session(room, page, rita):
    with transaction.atomic(), without_triggers():
        Truth.objects.exclude(source_image=None).update(quality={"linf_levels": 65_535 * 0.04})
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rita), room.study, number)
    room.enter(4)
    directions = {"remove": "Altered so that the AI sees no cancer", "insert": "Altered so that the AI sees cancer"}
    for position in (1, 2):
        room.stands_at(position)
        twin = Truth.objects.get(source_image=room.presentation(4, position).stimulus)
        expect(page.locator("[data-lesson]")).to_have_text(directions[twin.direction])
        assert page.locator("[data-lowest]").inner_text() == "≤ −5%"
        assert page.locator("[data-highest]").inner_text() == "≥ +5%"
        room.press("Enter")
    assert complaints(page) == []


def test_a_triptych_without_its_lesson_says_only_that_it_was_altered(room, page, rita):
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rita), room.study, number)
    second = room.presentation(4, 2)
    page.route(f"**/triptychs/{second.code}/lesson/", lambda route: route.abort())
    room.enter(4)
    expect(page.locator("[data-lesson]")).to_contain_text("so that the AI sees")
    room.press("Enter")
    room.stands_at(2)
    expect(page.locator("[data-lesson]")).to_have_text("Altered")
