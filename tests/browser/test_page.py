"""Every page: readable for everybody (axe), quiet, and only the keys that it promises."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import walk


def complaints(page) -> list[str]:
    return [
        f"{page.url} {violation['id']}: {violation['nodes'][0]['html'][:120]}"
        for violation in Axe().run(page).response["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_outside_the_reading_room_have_no_barriers(page, server, sign_in, rita, clara, scheme):
    page.emulate_media(color_scheme=scheme)
    result = []
    page.goto(f"{server.url}/account/sign-in/")
    result += complaints(page)
    page.get_by_label("Username").fill(rita.username)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    result += complaints(page)
    page.goto(f"{server.url}/no/such/page/")
    result += complaints(page)
    for person in (rita, clara):
        page.context.clear_cookies()
        sign_in(page.context, person)
        for address in ("/", "/read/tiny/1/"):  # the second is refused to a coordinator
            page.goto(server.url + address)
            result += complaints(page)
    assert result == []


def test_the_reading_room_has_no_barriers(room, page, rita):
    result = []
    client = walk.client_of(rita)
    for number in (1, 2):
        page.goto(room.address(number))
        result += complaints(page)
        page.click("#begin")
        room.stands_at(1)
        result += complaints(page)
        room.press("?")
        page.wait_for_selector("dialog[open]")
        result += complaints(page)
        room.press("Escape")
        walk.finish_session(client, room.study, number)
        page.reload()
        room.in_state("done")
        result += complaints(page)
    page.goto(room.address(4))
    room.in_state("waiting")
    result += complaints(page)
    walk.finish_session(client, room.study, 3)
    room.enter(4)
    result += complaints(page)
    assert result == []


def test_the_session_list_says_what_is_open_and_why_others_wait(room, page, rita):
    page.goto(room.url)
    rows = page.locator(".sessions tbody tr")
    expect(rows.nth(0)).to_contain_text("Open")
    expect(rows.nth(1)).to_contain_text("Locked until session 1 is done")
    room.enter(1)
    room.press("1")
    room.stands_at(2)
    page.get_by_role("link", name="Leave").click()
    expect(rows.nth(0)).to_contain_text("In progress")
    expect(rows.nth(0)).to_contain_text("1 of 3")
    page.get_by_role("link", name="Continue session 1").click()
    room.stands_at(2)
    expect(page.locator("#progress")).to_have_text("2 of 3")


def test_viewer_keys_and_the_help_page_give_no_verdict(room, page, rita):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    for key in ("ArrowUp", "i", "+", "-", "f", "o", "0", "p", "t", "t", "Enter", " "):
        room.press(key)
    room.press("?")
    page.wait_for_selector("dialog[open]")
    room.press("1")
    room.press("Escape")
    page.wait_for_timeout(200)
    assert room.positions(2) == []
    room.press("1")
    room.stands_at(2)


@pytest.mark.parametrize("again", ["Space", "Enter"])
def test_no_key_repeats_a_verdict_given_by_button(room, page, rita, again):
    walk.finish_session(walk.client_of(rita), room.study, 1)
    room.enter(2)
    room.settle()
    page.get_by_role("button", name="Unsure").click()
    room.stands_at(2)
    room.settle()
    room.press(again)
    page.wait_for_timeout(200)
    assert room.positions(2) == [1]
    assert page.locator("#verdicts button:focus").count() == 0


def test_the_tools_can_be_hidden_and_stay_hidden(room, page):
    room.enter(1)
    expect(page.get_by_role("toolbar")).to_be_visible()
    room.press("t")
    expect(page.locator("#tools")).not_to_be_visible()
    page.reload()
    room.stands_at(1)
    expect(page.locator("#tools")).not_to_be_visible()
    page.get_by_role("button", name="Tools").click()
    expect(page.get_by_role("toolbar")).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (1200, 1600), (700, 900)])
def test_the_verdict_buttons_never_move(room, page, rita, size):
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    for number in (1, 2):
        walk.finish_session(walk.client_of(rita), room.study, number)
    room.enter(3)  # the one with the longest title
    places = []
    for position in (1, 2, 3):
        room.stands_at(position)
        image = page.locator("canvas[data-panel=image]").bounding_box()
        verdicts = page.locator("#verdicts").bounding_box()
        assert image["width"] == width
        assert abs(verdicts["x"] + verdicts["width"] / 2 - width / 2) < 1
        assert image["y"] + image["height"] <= verdicts["y"]
        assert verdicts["y"] + verdicts["height"] <= height
        places.append(verdicts)
        if position < 3:
            room.press("1")
    assert places[0] == places[1] == places[2]


def test_the_policy_of_the_page_allows_no_inline_script_or_style(room, page):
    reply = page.goto(room.address(1))
    policy = reply.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.locator("[style], style, script:not([src]):not([type='application/json'])").count() == 0
