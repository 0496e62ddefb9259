"""Browsers keep pages in memory and bring them back as they were; Playwright switches that off by default.

This Chromium respects our `no-store` and asks again. Others do not always, so the header is taken away here and
the pages' own guard is what is tested.
"""

import pytest

from tests import walk
from tests.browser.room import Room


@pytest.fixture
def remembering_page(browser_type, browser_type_launch_args, server, study, rita, sign_in):
    browser = browser_type.launch(**browser_type_launch_args, ignore_default_args=["--disable-back-forward-cache"])
    context = browser.new_context()
    sign_in(context, rita)
    context.route("**/*", without_no_store)
    context.add_init_script("addEventListener('pageshow', (e) => console.log('from memory', e.persisted))")
    yield context.new_page()
    browser.close()


def without_no_store(route) -> None:
    if route.request.resource_type != "document":
        return route.continue_()
    reply = route.fetch()
    headers = {name: value for name, value in reply.headers.items() if name != "cache-control"}
    return route.fulfill(response=reply, headers=headers)


def test_back_and_forward_lead_to_the_current_image(server, study, rita, remembering_page):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    page = remembering_page
    said = []
    page.on("console", lambda message: said.append(message.text))
    room = Room(page, server.url, study.code, rita)
    page.goto(server.url)
    page.get_by_role("link", name="Begin session 2").click()
    page.click("#begin")
    room.stands_at(1)
    room.press("1")
    room.stands_at(2)
    page.evaluate("history.back()")
    # As it was it would still say "0 of 3".
    page.wait_for_selector("td:text('1 of 3')")
    walk_on_elsewhere(study.code, rita)
    page.evaluate("history.forward()")
    room.stands_at(3)
    room.press("1")
    room.in_state("done")
    assert room.positions(2) == [1, 2, 3]
    assert said.count("from memory true") == 2  # back, and forward
    assert room.mishaps == []


def walk_on_elsewhere(code, rita) -> None:
    client, held = walk.client_of(rita), walk.holding_page(rita, code, 2)
    step = client.get(walk.address(code, 2, "step"), {"page": held}).json()
    assert walk.answer(client, code, 2, step, "real", page=held).status_code == 201
