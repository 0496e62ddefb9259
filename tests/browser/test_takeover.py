"""Two tabs, two devices: the newest page reads, the other says so and shows nothing."""

import json

import pytest
from playwright.sync_api import expect

from tests import walk
from tests.browser.room import PATIENCE, SECONDS, Room

VERDICTS = "**/verdicts/"
HEARTBEAT = 20 * SECONDS


@pytest.fixture
def reading(room, rita):
    """Session 1 is behind her; she is at the first image of session 2, the first that asks."""
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    return room


@pytest.fixture
def tab(reading, context, rita):
    """Another tab of the same browser."""
    return Room(context.new_page(), reading.url, reading.study, rita)


@pytest.fixture
def laptop(reading, browser, sign_in, rita):
    """Another browser, in which she is signed in too."""
    context = browser.new_context()
    sign_in(context, rita)
    yield Room(context.new_page(), reading.url, reading.study, rita)
    context.close()


def goes_to(other: Room) -> None:
    other.page.goto(other.address(2))


def notices(room: Room) -> None:
    """What a browser says when its window is looked at again."""
    room.page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_a_second_tab_takes_over_and_the_first_can_take_it_back(reading, tab):
    goes_to(tab)
    tab.stands_at(1)
    reading.in_state("taken")
    heading = reading.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("You are reading in another window or on another device")
    assert reading.pixels().max() == 0
    reading.press("1")
    tab.press("2")
    tab.stands_at(2)
    assert reading.verdicts(2) == ["not_real"]
    reading.page.get_by_role("button", name="Continue here").click()
    reading.stands_at(2)
    tab.in_state("taken")
    reading.press("3")
    reading.stands_at(3)
    assert reading.verdicts(2) == ["not_real", "unsure"]


def test_a_second_device_takes_over_and_the_first_says_so(reading, laptop):
    goes_to(laptop)
    laptop.stands_at(1)
    notices(reading)
    reading.in_state("taken")
    laptop.press("1")
    laptop.stands_at(2)
    assert reading.verdicts(2) == ["real"]


def test_a_page_that_is_only_looked_at_learns_it_from_its_heartbeat(reading, laptop):
    goes_to(laptop)
    laptop.stands_at(1)
    reading.page.wait_for_selector('body[data-state="taken"]', timeout=HEARTBEAT + PATIENCE)


def test_a_verdict_after_the_takeover_is_rejected_and_not_repeated(reading, laptop):
    goes_to(laptop)
    laptop.stands_at(1)
    reading.press("2")
    reading.in_state("taken")
    expect(reading.page.locator("#taken-text")).to_contain_text("was not saved")
    reading.page.reload()
    reading.stands_at(1)
    assert reading.verdicts(2) == []
    reading.press("1")
    reading.stands_at(2)
    assert reading.verdicts(2) == ["real"]


def test_the_tab_that_takes_over_sends_the_pending_verdict(reading, tab):
    reading.page.route(VERDICTS, lambda route: route.abort())
    reading.press("2")
    reading.in_state("offline")
    goes_to(tab)
    tab.stands_at(2)
    reading.in_state("taken")
    assert reading.verdicts(2) == ["not_real"]


def test_a_pending_verdict_yields_to_one_from_another_device(reading, laptop):
    reading.page.context.set_offline(True)
    reading.press("2")
    reading.in_state("offline")
    goes_to(laptop)
    laptop.stands_at(1)
    laptop.press("3")
    laptop.stands_at(2)
    reading.page.context.set_offline(False)
    reading.in_state("taken")
    reading.page.get_by_role("button", name="Continue here").click()
    reading.stands_at(2)
    assert reading.verdicts(2) == ["unsure"]


def test_a_reloaded_page_claims_before_it_sends_pending_verdicts(reading, page):
    sent = []
    page.route(VERDICTS, lambda route: route.continue_() if sent else route.abort())
    reading.press("2")
    reading.in_state("offline")

    def note(call) -> None:
        if call.post_data:
            sent.append((call.url.split("/")[-2], call.post_data))

    # The page before the reload still tries; only the new one is watched.
    page.once("framenavigated", lambda frame: page.on("request", note))
    page.reload()
    reading.stands_at(2)
    assert [name for name, _ in sent] == ["open", "verdicts"]
    claimed, delivered = (json.loads(body) for _, body in sent)
    assert claimed["page"] == delivered["page"]
    assert delivered["paradata"]["waited_ms"] > 0
    assert reading.verdicts(2) == ["not_real"]
