"""A pause hides the image and stops the clock; hidden, idle and paused times are counted apart."""

import pytest
from playwright.sync_api import expect

from readerstudy.reading.models import ImageProblem
from tests import walk

NOW = "() => performance.now()"
LOOK_AWAY = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def reading(room, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    return room


@pytest.fixture
def now(page):
    """The page's own clock: tests compare clocks, they do not count on their own speed."""
    return lambda: page.evaluate(NOW)


def dialog(page):
    return page.get_by_role("dialog", name="Pause")


def test_a_pause_hides_the_image_and_stops_the_clock(reading, page, now):
    seen = reading.pixels().copy()
    entered = now()
    page.get_by_role("button", name="Pause").click()
    expect(dialog(page)).to_be_visible()
    began = now()
    expect(dialog(page)).to_contain_text("image 1 of 3")
    assert reading.pixels().max() == 0
    for key in ("1", "2", "i", "+"):
        reading.press(key)
    page.wait_for_timeout(700)
    ending = now()
    page.get_by_role("button", name="Continue").click()
    expect(dialog(page)).not_to_be_visible()
    reading.settle()
    ended = now()
    assert (reading.pixels() == seen).all()
    reading.press("2")
    reading.stands_at(2)
    (stored,) = reading.readings(2)
    assert stored.verdict == "not_real"
    assert ending - began <= stored.paradata["paused_ms"] <= ended - entered
    assert stored.paradata["untimely_presses"] == 2
    assert stored.paradata["acts"] == {}
    whole = now()
    assert stored.elapsed_ms + stored.paradata["paused_ms"] <= whole
    assert stored.elapsed_ms <= whole - (ending - began)


def test_a_pause_is_begun_and_ended_by_its_key(reading, page):
    reading.press("b")
    expect(dialog(page)).to_be_visible()
    reading.press("b")
    expect(dialog(page)).not_to_be_visible()
    reading.settle()
    reading.press("b")
    expect(dialog(page)).to_be_visible()
    reading.press("Enter")
    expect(dialog(page)).not_to_be_visible()
    assert reading.pixels().max() > 0
    reading.press("1")
    reading.stands_at(2)


def test_the_list_of_keys_hides_the_image_and_stops_the_clock(reading, page, now):
    seen = reading.pixels().copy()
    help_list = page.locator("#help")
    entered = now()
    reading.press("?")
    expect(help_list).to_be_visible()
    began = now()
    assert not reading.pixels().any()
    page.wait_for_timeout(500)
    ending = now()
    reading.press("?")  # the key that opened it closes it
    expect(help_list).to_be_hidden()
    reading.settle()
    ended = now()
    assert (reading.pixels() == seen).all()
    reading.press("1")
    reading.stands_at(2)
    (stored,) = reading.readings(2)
    assert ending - began <= stored.paradata["paused_ms"] <= ended - entered
    assert stored.elapsed_ms <= now() - (ending - began)


def test_a_page_out_of_sight_pauses_by_itself(reading, page, now):
    left = now()
    page.evaluate(LOOK_AWAY, True)
    expect(dialog(page)).to_be_visible()
    began = now()
    page.wait_for_timeout(300)
    back = now()
    page.evaluate(LOOK_AWAY, False)
    assert reading.pixels().max() == 0  # until she says that she is back
    returned = now()
    page.wait_for_timeout(300)
    going_on = now()
    page.get_by_role("button", name="Continue").click()
    reading.settle()
    going = now()
    reading.press("1")
    reading.stands_at(2)
    paradata = reading.readings(2)[0].paradata
    assert back - began <= paradata["hidden_ms"] <= returned - left
    assert going_on - began <= paradata["paused_ms"] <= going - left


def test_an_image_that_arrives_in_a_pause_waits_for_its_end(room, page, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    held = []
    page.route(f"**/{room.presentation(2, 1).code}/**", lambda route: held.append(route))
    page.goto(room.address(2))
    room.begin()
    while not held:
        page.wait_for_timeout(20)
    room.in_state("loading")
    page.get_by_role("button", name="Pause").click()
    expect(dialog(page)).to_be_visible()
    code = room.presentation(2, 1).code
    with page.context.expect_event("response", lambda reply: code in reply.url):
        held.pop().continue_()
    room.settle()
    assert room.pixels().max() == 0
    room.in_state("loading")
    page.get_by_role("button", name="Continue").click()
    room.stands_at(1)
    assert room.pixels().max() > 0
    room.press("1")
    room.stands_at(2)
    assert room.readings(2)[0].paradata["paused_ms"] <= 50  # the pause was before the image


def test_idle_time_is_counted_and_stays_in_the_reading_time(rich, page, now):
    rich.enter_by_practice(2)
    before = now()
    page.mouse.move(300, 300)
    still = now()
    page.wait_for_timeout(5600)  # the plan calls 5 s without a movement idle
    moving = now()
    page.mouse.move(320, 320)
    moved = now()
    rich.press("1")
    rich.answer("1", "1")
    rich.stands_at(2)
    (stored,) = rich.readings(2)
    assert moving - still - 5000 - 1 <= stored.paradata["idle_ms"] <= moved - before - 5000 + 1  # whole milliseconds
    assert stored.elapsed_ms >= moving - still


# --- reports of problems --------------------------------------------------------------------------------------
def test_a_reader_reports_a_problem_by_keyboard_and_reads_on(reading, page):
    code = reading.presentation(2, 1).code
    reading.press("e")
    expect(dialog(page)).to_be_visible()
    assert reading.pixels().max() == 0
    page.keyboard.type("bright band, 1 cm wide")  # b would end the pause, 1 would be untimely
    expect(dialog(page)).to_be_visible()
    reading.press("Tab")
    reading.press("Enter")
    expect(page.locator("#problem-status")).to_contain_text("The study coordinator sees your report")
    (problem,) = ImageProblem.objects.filter(presentation__code=code)
    assert problem.text == "bright band, 1 cm wide"
    page.get_by_role("button", name="Continue").click()
    reading.settle()
    reading.press("1")
    reading.stands_at(2)
    (stored,) = reading.readings(2)
    assert stored.paradata["untimely_presses"] == 0
    assert stored.paradata["paused_ms"] > 0
    reading.press("e")
    expect(page.locator("#problem-status")).to_have_text("")  # the report was about the image before
    expect(page.locator("#problem-text")).to_have_value("")


def test_a_report_is_sent_once_the_network_is_back(reading, page):
    attempts = []

    def fail_once(route):
        attempts.append(route.request.post_data_json["key"])
        route.abort() if len(attempts) == 1 else route.continue_()

    page.route("**/problems/", fail_once)
    page.get_by_role("button", name="Report image").click()
    page.get_by_role("button", name="Send the report").click()
    expect(page.locator("#problem-status")).to_contain_text("The study coordinator sees your report")
    assert len(attempts) == 2
    assert len(set(attempts)) == 1
    assert ImageProblem.objects.filter(presentation=reading.presentation(2, 1)).count() == 1
