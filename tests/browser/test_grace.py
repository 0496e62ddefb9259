"""An answer that can be taken back for a moment: it is stored meanwhile, sent once, and never lost."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from readerstudy.errors import BadInput
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.rules import session_changes
from tests import make, walk
from tests.browser.conftest import GRACE
from tests.browser.room import Room

HIDE = """() => {
  Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""

LONGER = """(grace) => {
  const timer = window.setTimeout;
  window.setTimeout = (call, delay, ...rest) => timer(call, delay === grace ? 60_000 : delay, ...rest);
}"""


@pytest.fixture
def room(page, context, server, kind_study, people, sign_in):
    """Gina's room at the first image of session 2."""
    gina = make.reader_in(kind_study, f"gina-{next(people)}")
    walk.finish_session(walk.client_of(gina), kind_study.code, 1)
    sign_in(context, gina)
    room = Room(page, server.url, kind_study.code, gina)
    room.enter(2)
    yield room
    assert room.mishaps == []


@pytest.fixture
def sent(page):
    """The bodies of the verdicts that left the browser."""
    bodies = []

    def note(request):
        if request.url.endswith("/verdicts/"):
            bodies.append(json.loads(request.post_data))

    page.on("request", note)
    return bodies


def test_a_verdict_taken_back_is_never_sent(room, page, sent):
    page.wait_for_timeout(400)
    room.press("1")
    room.in_state("grace")
    expect(page.locator("[data-verdict=real]")).to_have_attribute("data-given", "")
    room.press("Backspace")
    room.in_state("ready")
    assert page.evaluate("document.querySelectorAll('[data-given]').length") == 0
    assert sent == []
    page.wait_for_timeout(GRACE + 200)  # the first moment would be over by now
    assert sent == []
    room.press("2")
    room.stands_at(2)
    assert [body["verdict"] for body in sent] == ["not_real"]
    (reading,) = room.readings(2)
    (first,) = reading.paradata["taken_back"]
    assert (reading.verdict, first["verdict"]) == ("not_real", "real")
    assert first["elapsed_ms"] + GRACE < reading.elapsed_ms


def test_the_time_is_that_of_the_key_and_the_grade_is_kept(room, page):
    since = page.evaluate("performance.now()")
    room.press("3")
    pressed = page.evaluate("performance.now()") - since
    room.in_state("grace")
    room.stands_at(2)
    room.press("3")  # the first of a page has its own grade
    room.stands_at(3)
    first, second = room.readings(2)
    assert GRACE <= first.paradata["grace_ms"] < GRACE + 1000
    assert first.elapsed_ms < pressed + 10_000
    assert second.elapsed_ms < GRACE
    assert (second.quality, second.quality_reasons) == ("A", [])


def test_the_button_takes_it_back_and_other_verdicts_do_not_count(room, page, sent):
    room.press("1")
    room.in_state("grace")
    room.press("2")
    page.locator("[data-verdict=unsure]").dispatch_event("click")
    expect(page.locator("[data-verdict=real]")).to_have_attribute("data-given", "")
    page.get_by_role("button", name="Take back").click()
    room.in_state("ready")
    expect(page.get_by_role("button", name="Take back")).to_be_hidden()
    room.press("Backspace")
    room.press("3")
    room.stands_at(2)
    assert room.verdicts(2) == ["unsure"]
    assert room.readings(2)[0].paradata["untimely_presses"] == 2


def test_the_moment_has_no_barriers(room, page):
    page.evaluate(LONGER, GRACE)  # looking for barriers may take longer than the moment lasts
    room.press("1")
    room.in_state("grace")
    assert Axe().run(page).response["violations"] == []
    room.in_state("grace")
    room.press("Backspace")
    room.in_state("ready")


def test_the_image_does_not_move_when_an_answer_is_given(room, page):
    for width in (1280, 900):
        page.set_viewport_size({"width": width, "height": 800})
        room.in_state("ready")
        box = page.locator('canvas[data-panel="image"]').bounding_box()
        room.press("1")
        room.in_state("grace")
        assert page.locator('canvas[data-panel="image"]').bounding_box() == box
        room.press("Backspace")


def test_it_is_sent_at_once_when_the_page_is_hidden(room, page, sent):
    room.press("2")
    room.in_state("grace")
    page.evaluate(HIDE)
    page.wait_for_selector("#pause[open]")
    assert [body["verdict"] for body in sent] == ["not_real"]
    assert sent[0]["paradata"]["grace_ms"] < GRACE


@pytest.mark.parametrize("away", ["reload", "close"])
def test_it_is_sent_or_kept_when_the_page_goes(room, page, context, away):
    room.press("2")
    room.in_state("grace")
    if away == "reload":
        page.reload()
    else:
        page.close(run_before_unload=True)
        room = Room(context.new_page(), room.url, room.study, room.reader)
        room.page.goto(room.address(2))
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]


def test_it_is_kept_if_nothing_can_be_sent_on_leaving(room, page):
    page.route("**/verdicts/", lambda route: route.abort())
    room.press("2")
    room.in_state("grace")
    page.reload()
    page.unroute("**/verdicts/")
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]


def test_it_survives_a_sign_in_that_was_lost_meanwhile(room):
    room.press("1")
    room.in_state("grace")
    Session.objects.all().delete()
    room.sign_in_again()
    room.stands_at(2)
    assert room.verdicts(2) == ["real"]


def test_taken_back_it_is_not_sent_after_a_reload_either(room, page, sent):
    room.press("1")
    room.in_state("grace")
    room.press("Backspace")
    room.in_state("ready")
    page.reload()
    room.stands_at(1)
    assert sent == []
    assert room.verdicts(2) == []


def test_a_pause_stops_the_moment(room, page, sent):
    room.press("1")
    room.in_state("grace")
    room.press("b")
    page.wait_for_selector("#pause[open]")
    room.press("Backspace")
    page.wait_for_timeout(GRACE + 300)
    assert sent == []
    room.press("b")
    room.in_state("grace")
    room.press("Backspace")
    room.in_state("ready")
    assert sent == []


def test_a_second_tab_sends_what_the_first_could_take_back(room, page, context):
    room.press("2")
    room.in_state("grace")
    tab = Room(context.new_page(), room.url, room.study, room.reader)
    tab.page.goto(tab.address(2))
    tab.stands_at(2)
    room.in_state("taken")
    room.press("Backspace")
    assert room.verdicts(2) == ["not_real"]


def test_with_questions_the_whole_answer_is_taken_back(room, page, sent):
    for position in (1, 2, 3):
        room.stands_at(position)
        room.press("3")
    room.in_state("done")
    sent.clear()
    room.enter(3)
    room.press("1")
    room.answer("2")
    room.in_state("grace")
    room.press("Backspace")
    room.in_state("ready")
    room.press("2")
    room.answer("5")
    room.stands_at(2)
    (reading,) = room.readings(3)
    assert (reading.verdict, reading.answers) == ("not_real", {"confidence": "5"})
    assert [body["verdict"] for body in sent] == ["not_real"]


def test_only_blinded_sessions_have_such_a_moment():
    with pytest.raises(BadInput, match=r"session\.1.*grace_ms"):
        session_changes({"session": {"1": {"grace_ms": 500}}}, 1, "familiarisation", words=MAMMOGRAPHY.words.reading)
