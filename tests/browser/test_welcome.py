"""The page about a study and the list of sessions: what comes, how long it takes, mouse and keys."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from readerstudy.cohort.models import Cohort
from tests import make, walk
from tests.browser.test_page import complaints

SHOTS = os.environ.get("SHOTS")
SIZES = [(1280, 800), (1920, 1080), (2560, 1440), (2048, 2560)]


@pytest.fixture
def drawn(study):
    """The images of the shared study are computer-drawn; afterwards they are not, as the other tests expect."""
    Cohort.objects.update(is_drawn=True)
    yield
    Cohort.objects.update(is_drawn=False)


def look(page, name: str) -> None:
    """Keep a picture of the page at each size, for those who want to look at it."""
    for width, height in SIZES if SHOTS else []:
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png")


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_a_new_reader_learns_what_comes_and_begins(browser, server, study, people, sign_in, drawn, locale):
    reader = make.reader_in(study, f"wanda-{next(people)}")
    context = browser.new_context(locale=locale, viewport={"width": 1280, "height": 800})
    sign_in(context, reader)
    page = context.new_page()
    page.goto(server.url)
    look(page, f"home-{locale}")
    assert complaints(page) == []
    page.locator(f"a.primary[href='/read/{study.code}/']").click()
    meaning = {"en-GB": "“Not real” means: a real mammogram", "de-DE": "„Nicht echt“ heißt: eine echte Mammographie"}
    expect(page.get_by_text(meaning[locale])).to_be_visible()
    expect(page.get_by_text({"en-GB": "Computer-drawn", "de-DE": "Vom Computer gezeichnet"}[locale])).to_have_count(1)
    expect(page.locator(".plan li")).to_have_count(5)
    expect(page.locator(".plan li").nth(2)).to_contain_text("4 min")  # 14 images of 15 seconds
    drawing = page.get_by_role("img")
    assert len(drawing.get_attribute("aria-label")) > 100
    words = drawing.locator("text").evaluate_all(
        "(all) => all.map((one) => { const { left, right } = one.getBoundingClientRect(); return [left, right]; })"
    )
    box = drawing.bounding_box()
    assert all(box["x"] <= left and right <= box["x"] + box["width"] for left, right in words)
    look(page, f"welcome-{locale}")
    assert complaints(page) == []
    page.locator("a.primary").click()
    page.wait_for_url(f"**/read/{study.code}/1/")
    page.wait_for_selector('body[data-state="start"]')
    look(page, f"start-{locale}")
    context.close()


def test_the_minutes_follow_the_readers_own_pace(server, page, study, rita, sign_in):
    client = walk.client_of(rita)
    sign_in(page.context, rita)
    page.goto(server.url)
    minutes = page.locator(".sessions tbody tr td:nth-child(4)")
    expect(minutes).to_have_text(["1", "1", "4", "1", "4"])  # 15 seconds an image
    for number in (1, 2, 3):
        walk.finish_session(client, study.code, number)  # 4 seconds an image
    page.reload()
    expect(minutes).to_have_text(["–", "–", "–", "1", "1"])
    expect(page.locator(".sessions tfoot td:nth-child(4)")).to_have_text("2")
    expect(page.locator(".sessions tfoot td:nth-child(3)")).to_have_text("20 of 37")


def test_the_study_to_read_stands_first_and_the_columns_are_in_line(server, page, study, rich_study, rita, sign_in):
    walk.finish_study(walk.client_of(rita), study.code)
    make.enroll(study=rich_study, reader=rita, at=make.MONDAY)
    sign_in(page.context, rita)
    page.goto(server.url)
    tables = page.locator(".sessions")
    expect(tables.nth(0)).to_contain_text("Begin session 1")
    lefts = [
        tables.nth(number)
        .locator("thead th")
        .evaluate_all("(all) => all.map((one) => Math.round(one.getBoundingClientRect().left))")
        for number in range(2)
    ]
    assert lefts[0] == lefts[1]


def test_a_phone_shows_the_progress_and_says_why_it_cannot_be_read_there(browser, server, study, rita, sign_in):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    phone = {"width": 390, "height": 844}
    context = browser.new_context(viewport=phone, screen=phone, has_touch=True, is_mobile=True)
    sign_in(context, rita)
    page = context.new_page()
    page.goto(server.url)
    expect(page.get_by_text("Sessions cannot be read on this screen")).to_be_visible()
    expect(page.get_by_text("3 of 37")).to_be_visible()
    expect(page.get_by_role("link", name="Begin")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints(page) == []
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / "home-phone.png", full_page=True)
    context.close()
