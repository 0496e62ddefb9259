"""The desk in a browser: no barriers, nothing scrolls sideways, and the monitor follows the readers by itself."""

from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now
from playwright.sync_api import expect

from readerstudy.accounts.models import Role
from readerstudy.reading.models import ImageProblem
from readerstudy.studies.models import Presentation
from tests import make, walk
from tests.browser.test_page import complaints
from tests.test_permissions import address_of, patterns

# A job of the designer, imports and unblindings: this study has none.
TESTED_ELSEWHERE = [
    "desk/studies/<slug:code>/jobs/<int:number>/",
    "desk/studies/<slug:code>/unblindings/<int:number>/",
    "images/imports/<uuid:key>/",
    "images/imports/<uuid:key>/<int:number>-<slug:panel>.jpg",
]
PAGES = ("/desk/", "/desk/studies/tiny/", "/desk/studies/tiny/images/")


@pytest.fixture
def desk(page, server, sign_in, people):
    """Clara's browser, without a mishap till the end."""
    mishaps = []
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    sign_in(page.context, make.user(f"coordinator-{next(people)}", Role.COORDINATOR))
    yield page
    assert mishaps == []


@pytest.fixture
def reported(study, rita):
    """Rita has begun session 1 and reported its first image; her step and the report."""
    step = walk.open_session(walk.client_of(rita), study.code, 1)
    presentation = Presentation.objects.get(code=step["stimulus"]["code"])
    text = f"It is cut off. {presentation.code[:8]}"
    return step, ImageProblem.objects.create(presentation=presentation, text=text, at=now(), key=uuid4())


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1920), ("dark", 400)])
def test_the_desk_has_no_barriers_and_nothing_scrolls_sideways(desk, server, reported, scheme, width):
    desk.emulate_media(color_scheme=scheme)
    desk.set_viewport_size({"width": width, "height": 800})
    for address in PAGES:
        desk.goto(server.url + address)
        assert desk.evaluate("document.documentElement.scrollWidth") <= width, address
        assert complaints(desk) == [], address


def test_no_page_of_the_desk_has_a_barrier(desk, server, reported, study, people, sign_in):
    """Every address below /desk/ and /images/ that answers with a page, so that a new page is among them."""
    rosa = make.user(f"researcher-{next(people)}", Role.RESEARCHER)
    browser, opened, missing = Client(), [], []
    browser.force_login(rosa)
    sign_in(desk.context, rosa)
    desk.set_viewport_size({"width": 1280, "height": 900})
    for route in patterns():
        if not route.startswith(("desk/", "images/")):
            continue
        answer = browser.get(address := address_of(route, study))
        if answer.status_code == 404:
            missing.append(route)
        if answer.status_code != 200 or answer.streaming or b"<html" not in answer.content:
            continue
        opened.append(route)
        desk.goto(server.url + address)
        assert desk.evaluate("document.documentElement.scrollWidth") <= 1280, address
        assert complaints(desk) == [], address
    assert sorted(missing) == TESTED_ELSEWHERE
    assert len(opened) >= 20, opened


def test_the_monitor_follows_a_reader_by_itself(desk, server, reported, rita, study):
    step, _report = reported
    desk.goto(f"{server.url}/desk/studies/tiny/")
    row = desk.locator("tr", has_text=rita.username).first
    expect(row).to_contain_text("0/3")
    walk.answer(walk.client_of(rita), study.code, 1, step, "seen")
    expect(row).to_contain_text("1/3")


def test_a_coordinator_excludes_a_reported_image_with_a_reason(desk, server, reported):
    _step, report = reported
    desk.goto(f"{server.url}/desk/studies/tiny/images/")
    row = desk.locator("tr", has_text=report.text)
    row.get_by_text("Exclude", exact=True).click()
    row.get_by_label("Reason").fill("Half of it is missing.")
    row.get_by_role("button", name="Exclude from the analysis").click()
    expect(row).to_contain_text("Half of it is missing.")
    row.get_by_text("Include again").click()
    row.get_by_label("Reason").fill("It was the browser.")
    row.get_by_role("button", name="Include in the analysis").click()
    expect(row).to_contain_text("Included")
