"""The display check before a session: drawn to the level, judged by the server, by keyboard alone."""

import numpy as np
import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from readerstudy.reading.models import CheckedDisplay
from tests import walk
from tests.browser.test_page import complaints

GROUNDS = {"dark": (13, 1), "middle": (128, 1), "bright": (242, -1)}
CONTRASTS = (16, 12, 8, 5, 3)


def checks_of(room, number):
    return list(
        CheckedDisplay.objects.filter(
            reading_list__enrollment__reader=room.reader, reading_list__session_plan__number=number
        )
    )


def read_to_the_end(client, study):
    """Read session 2, which asks for confidence and a diagnosis."""
    step = walk.open_session(client, study, 2)
    while step["kind"] != "done":
        answers = {"confidence": "3", "diagnosis": "negative"}
        step = walk.answer(client, study, 2, step, "real", answers=answers).json()["step"]


def test_a_required_check_comes_before_the_instructions_and_is_stored(rich, page):
    page.goto(rich.address(2))
    rich.in_state("check")
    expect(page.get_by_role("button", name="Start")).not_to_be_visible()
    rich.check_display()
    rich.in_state("start")
    (checked,) = checks_of(rich, 2)
    assert checked.passed
    results = checked.results
    assert [row["typed"].upper() for row in results["letters"]] == [row["shown"] for row in results["letters"]]
    assert all(len(set(row["shown"])) == 5 for row in results["letters"])
    assert results["light"] == "dark"
    assert results["screen"]["viewport"] == [page.viewport_size["width"], page.viewport_size["height"]]
    assert results["card_px_per_mm"] == pytest.approx(324 / 85.6, abs=0.001)  # the frame's width after one arrow key


def test_a_check_that_stands_is_not_asked_for_again(rich, page):
    page.goto(rich.address(2))
    rich.check_display(card=False)
    rich.in_state("start")
    page.reload()
    rich.in_state("start")
    (checked,) = checks_of(rich, 2)
    assert checked.results["card_px_per_mm"] is None


def test_one_check_stands_for_all_sessions_of_the_day_on_one_screen(rich, page):
    page.goto(rich.address(2))
    rich.check_display()
    rich.in_state("start")
    size = page.viewport_size
    read_to_the_end(walk.client_of(rich.reader), rich.study)
    page.set_viewport_size({"width": 1400, "height": 1000})  # another screen
    page.goto(rich.address(3))
    rich.in_state("check")
    assert checks_of(rich, 3) == []
    page.set_viewport_size(size)
    page.reload()
    rich.in_state("start")  # session 3 asks for a check as well
    (checked,) = checks_of(rich, 3)
    assert checked.passed
    assert checked.results["minutes_ago"] < 30
    assert checked.results["letters"] == checks_of(rich, 2)[0].results["letters"]


def test_a_guess_does_not_find_the_squares(rich, page):
    page.goto(rich.address(2))
    rich.check_display(seen=False)
    failures = page.locator("[data-failures] li")
    expect(failures).to_have_count(2)


def test_the_size_of_the_card_has_no_default(rich, page):
    page.goto(rich.address(2))
    rich.check_display(card=None)
    expect(page.locator("#card-size")).to_be_visible()
    assert page.locator("#card-size").evaluate("(size) => size.validationMessage") != ""
    assert checks_of(rich, 2) == []
    page.locator("#card-size").press("ArrowRight")
    rich.press("Enter")
    rich.in_state("start")


def test_a_failed_required_check_gives_reasons_and_can_be_repeated(rich, page):
    page.goto(rich.address(2))
    rich.check_display(typed=1, seen=False, light="bright")
    failures = page.locator("[data-failures] li")
    expect(failures).to_have_count(6)  # three strips, two squares, the light
    expect(failures.first).to_contain_text("You read 1 letter on")
    expect(page.get_by_role("button", name="Continue anyway")).not_to_be_visible()
    assert complaints(page) == []
    page.get_by_role("button", name="Check again").focus()
    rich.press("Enter")
    rich.check_display(typed=4)
    rich.in_state("start")
    assert [checked.passed for checked in checks_of(rich, 2)] == [False, True]


def test_the_reader_may_continue_after_a_failed_advised_check(rich, page):
    client = walk.client_of(rich.reader)
    check = {"ground": "dark", "shown": "CDHKN", "typed": "CDHKN"}
    letters = [{**check, "ground": ground} for ground in GROUNDS]
    screen = {"width": 1920, "height": 1080, "device_pixel_ratio": 1, "color_depth": 24}
    screen |= {"viewport": [1900, 1000], "full_screen": True}
    results = {"letters": letters, "squares": {"dark": True, "bright": True}, "light": "dim", "screen": screen}
    answer = client.post(walk.address(rich.study, 2, "display"), {"results": results}, format="json")
    assert answer.json()["passed"]
    read_to_the_end(client, rich.study)
    page.goto(rich.address(3))
    rich.check_display(typed=0)
    page.get_by_role("button", name="Continue anyway").click()
    rich.in_state("start")
    assert [checked.passed for checked in checks_of(rich, 3)] == [False]


def levels(room, selector):
    """The greys on a canvas, rows x columns."""
    expect(room.page.locator(selector)).to_be_visible()
    return room.read_back(selector)[:, :, 0]


def test_letters_and_squares_have_exactly_the_planned_contrast(rich, page):
    page.goto(rich.address(2))
    rich.in_state("check")
    page.get_by_label("dark (reading room)").check()
    rich.press("Enter")
    for ground, (level, sign) in GROUNDS.items():
        pixels = levels(rich, f'canvas[data-ground="{ground}"]')
        assert np.bincount(pixels.ravel()).argmax() == level
        for i, part in enumerate(np.array_split(pixels, 5, axis=1)):
            # The middle of a stroke has the full contrast, its edge less.
            change = sign * (part.astype(int) - level)
            assert change.max() == CONTRASTS[i]
            assert change.min() >= -1  # an edge, rounded
        rich.press("Enter")
    for square, expected in {"dark": (0, 13), "bright": (255, 242)}.items():
        pixels = levels(rich, f'canvas[data-square="{square}"]')
        assert set(np.unique(pixels)) == set(expected)
        rows, columns = np.nonzero(pixels == expected[1])
        quarter = (rows.mean() / pixels.shape[0], columns.mean() / pixels.shape[1])
        assert all(min(abs(share - 0.25), abs(share - 0.75)) < 0.01 for share in quarter)
        assert np.ptp(rows) == np.ptp(columns)


def test_every_step_of_the_check_is_accessible(rich, page):
    page.goto(rich.address(2))
    rich.in_state("check")
    result = []
    for step in range(6):
        result += complaints(page)
        for picture in page.locator("[data-section=check] form:not([hidden]) [role=img]").all():
            assert "visual check" in picture.get_attribute("aria-label")
        if step == 0:
            page.get_by_label("dark (reading room)").check()
        if step == 4:
            for choice in page.get_by_label("top left", exact=True).all():
                choice.check()
        if step == 5:
            page.locator("#card-size").press("ArrowRight")
        page.locator("[data-section=check] form:not([hidden]) [type=submit]").click()
    rich.in_state("check")
    assert result == []


def test_a_sign_in_lost_during_the_check_can_be_renewed(rich, page):
    page.goto(rich.address(2))
    rich.in_state("check")
    Session.objects.all().delete()
    rich.check_display()
    rich.sign_in_again()
    rich.check_display()
    rich.in_state("start")
