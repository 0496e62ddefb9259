"""Double keys, lost replies, a dead network, other tabs, a lost sign-in: one verdict per image, always."""

import json

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Error, expect

from readerstudy.invitations.models import Mail, MailKind
from tests import walk
from tests.browser.test_page import complaints

VERDICTS = "**/verdicts/"


def begin_reading(room, rita) -> None:
    """Session 1 is behind her; session 2 is the first that asks."""
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)


def test_a_double_key_and_a_click_give_one_verdict(room, page, rita):
    begin_reading(room, rita)
    page.evaluate(
        """() => {
          const press = (key) => document.body.dispatchEvent(
            new KeyboardEvent("keydown", { key, code: `Digit${key}`, bubbles: true }));
          press("2"); press("2"); press("1");
          document.querySelector("[data-verdict=unsure]").click();
        }"""
    )
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]


def test_the_second_click_of_a_double_click_gives_no_verdict(room, page, rita):
    begin_reading(room, rita)
    page.locator("[data-verdict=real]").dblclick(delay=400)  # slow enough that only the click count tells
    room.stands_at(2)
    page.wait_for_timeout(600)
    assert room.positions(2) == [1]


PRESS_AS_SOON_AS_THE_SECOND_IMAGE_STANDS = """() => {
  const press = () => document.body.dispatchEvent(
    new KeyboardEvent("keydown", { key: "1", code: "Digit1", bubbles: true }));
  new MutationObserver((_, observer) => {
    if (document.body.dataset.position !== "2") return;
    observer.disconnect();
    const since = performance.now();
    press();
    const timer = setInterval(() => (performance.now() - since < 120 ? press() : clearInterval(timer)), 10);
  }).observe(document.body, { attributes: true });
}"""


def test_early_keys_belong_to_the_previous_image(room, page, rita):
    held = []
    page.route(f"**/{room.presentation(2, 2).code}/**", lambda route: held.append(route))
    begin_reading(room, rita)
    room.press("1")
    room.in_state("loading")  # the first verdict is saved, the second image still on its way
    page.evaluate(PRESS_AS_SOON_AS_THE_SECOND_IMAGE_STANDS)
    held.pop().continue_()
    room.stands_at(2)
    assert room.positions(2) == [1]
    room.press("2")
    room.stands_at(3)
    assert room.verdicts(2) == ["real", "not_real"]
    assert room.readings(2)[1].paradata["untimely_presses"] > 0


def test_a_held_key_gives_one_verdict(room, page, rita):
    begin_reading(room, rita)
    for _ in range(12):
        page.keyboard.down("1")  # without up: repeats
        page.wait_for_timeout(60)
    page.keyboard.up("1")
    room.stands_at(2)
    assert room.positions(2) == [1]


def test_a_held_enter_on_a_verdict_button_gives_one_verdict(room, page, rita):
    begin_reading(room, rita)
    page.locator("[data-verdict=unsure]").focus()
    for _ in range(12):
        page.keyboard.down("Enter")
        page.wait_for_timeout(60)
    page.keyboard.up("Enter")
    room.stands_at(2)
    assert room.verdicts(2) == ["unsure"]


def test_a_lost_reply_is_asked_for_again_under_the_same_key(room, page, rita):
    begin_reading(room, rita)
    keys = []

    def lose_the_first(route):
        keys.append(json.loads(route.request.post_data)["key"])
        if len(keys) == 1:
            route.fetch()  # the server has stored it
            route.abort()
        else:
            route.continue_()

    page.route(VERDICTS, lose_the_first)
    room.press("1")
    room.stands_at(2)
    assert len(keys) == 2
    assert keys[0] == keys[1] == str(room.readings(2)[0].key)
    assert room.positions(2) == [1]


def test_offline_the_verdict_waits_and_no_second_one_is_taken(room, page, context, rita):
    begin_reading(room, rita)
    page.wait_for_load_state("networkidle")  # the next image is at hand
    context.set_offline(True)
    room.press("3")
    room.in_state("offline")
    room.says("Waiting for the network")
    page.wait_for_selector('body[data-position="2"]')  # it stands already
    room.press("1")
    page.wait_for_timeout(400)
    assert room.positions(2) == []
    context.set_offline(False)
    room.stands_at(2)
    room.says("Saved")
    assert room.verdicts(2) == ["unsure"]


def test_a_verdict_that_never_left_is_sent_after_a_reload(room, page, rita):
    begin_reading(room, rita)
    page.route(VERDICTS, lambda route: route.abort())
    room.press("2")
    room.in_state("offline")
    assert room.positions(2) == []
    page.unroute(VERDICTS)
    page.reload()
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]


def test_a_verdict_whose_reply_was_lost_counts_once_after_a_reload(room, page, rita):
    begin_reading(room, rita)
    page.route(VERDICTS, lambda route: (route.fetch(), route.abort()))
    room.press("2")
    room.in_state("offline")
    page.unroute(VERDICTS)
    page.reload()
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]


def test_a_verdict_survives_a_lost_sign_in(room, page, rita):
    begin_reading(room, rita)
    Session.objects.all().delete()
    room.press("2")
    room.in_state("signed-out")
    expect(page.locator("[data-section=signed-out]")).to_contain_text("Your answer is safe.")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(11, 11, 11)"
    assert complaints(page) == []
    room.sign_in_again()
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]


def test_a_new_link_is_sent_from_the_page_that_lost_its_sign_in(room, page, rita):
    rita.email = f"{rita.username}@example.org"
    rita.save()
    begin_reading(room, rita)
    Session.objects.all().delete()
    room.press("2")
    page.get_by_role("button", name="Send me a new sign-in link").click()
    expect(page.get_by_role("heading", name="New link")).to_be_visible()
    assert Mail.objects.filter(person=rita, kind=MailKind.NEW_LINK).count() == 1


def test_a_server_in_trouble_is_asked_again(room, page, rita):
    begin_reading(room, rita)
    tries = []

    def refuse_twice(route):
        tries.append(route)
        if len(tries) < 3:
            route.fulfill(status=503, body="busy")
        else:
            route.continue_()

    page.route(VERDICTS, refuse_twice)
    room.press("1")
    room.stands_at(2)
    assert len(tries) == 3
    assert room.positions(2) == [1]


def test_a_key_is_made_where_plain_http_has_no_random_uuid(room, page, rita):
    page.add_init_script("delete Crypto.prototype.randomUUID")
    begin_reading(room, rita)
    assert page.evaluate("typeof crypto.randomUUID") == "undefined"
    room.press("1")
    room.stands_at(2)
    assert room.readings(2)[0].key.version == 4


def test_every_image_is_fetched_exactly_once(room, page, rita):
    fetched = []
    page.context.on(
        "response",
        lambda reply: fetched.append(reply.url) if "octet-stream" in reply.headers.get("content-type", "") else None,
    )
    begin_reading(room, rita)
    for position in (1, 2, 3):
        room.stands_at(position)
        room.press("1")
    room.in_state("done")
    assert len(fetched) == len(set(fetched)) == 3


def test_an_outdated_image_is_replaced_by_the_current_one(room, page, rita):
    client = walk.client_of(rita)
    walk.finish_session(client, room.study, 1)
    walk.open_session(client, room.study, 2)
    first = room.presentation(2, 1).code

    def overtake(route):
        held = walk.holding_page(rita, room.study, 2)
        step = client.get(walk.address(room.study, 2, "step"), {"page": held}).json()
        if step["position"] == 1:
            walk.answer(client, room.study, 2, step, "real", page=held)
        route.continue_()

    page.route(f"**/{first}/**", overtake)
    page.goto(room.address(2))
    room.stands_at(2)
    room.says("already answered that image in another window")
    assert room.positions(2) == [1]


def test_a_refusal_is_shown_in_the_words_of_the_server(room, page, rita):
    begin_reading(room, rita)
    sentence = "The study is closed. No more readings are accepted."
    page.route(VERDICTS, lambda route: route.fulfill(status=409, json={"detail": sentence}))
    room.press("1")
    room.in_state("error")
    expect(page.locator("#end-text")).to_have_text(sentence)


def test_a_verdict_given_in_the_last_moment_before_a_reload_is_kept(room, page, rita):
    begin_reading(room, rita)
    page.route(VERDICTS, lambda route: route.abort())
    page.evaluate(
        """() => {
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "3", code: "Digit3", bubbles: true }));
          queueMicrotask(() => setTimeout(() => location.reload()));
        }"""
    )
    page.unroute(VERDICTS)
    room.stands_at(2)
    assert room.verdicts(2) == ["unsure"]


def test_a_reload_without_a_network_loses_nothing(room, page, context, rita):
    begin_reading(room, rita)
    context.set_offline(True)
    room.press("1")
    room.in_state("offline")
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    context.set_offline(False)
    page.goto(room.address(2))
    room.stands_at(2)
    assert room.verdicts(2) == ["real"]


def test_a_browser_without_a_database_keeps_the_verdict_all_the_same(room, page, rita):
    page.add_init_script("indexedDB.open = () => { throw new Error('not in this window'); }")
    begin_reading(room, rita)
    page.route(VERDICTS, lambda route: route.abort())
    room.press("2")
    room.in_state("offline")
    page.unroute(VERDICTS)
    page.reload()
    room.stands_at(2)
    assert room.verdicts(2) == ["not_real"]
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.includes('tiny'))") == []


def test_a_session_that_must_rest_says_why(room, page, rita):
    begin_reading(room, rita)
    sentence = "This session was left for longer than the study's plan allows."
    step = {"kind": "wait", "until": None, "reason": sentence}
    page.route(VERDICTS, lambda route: route.fulfill(status=201, json={"receipt": "x", "step": step}))
    room.press("1")
    room.in_state("waiting")
    expect(page.locator("#end-text")).to_have_text(sentence)
