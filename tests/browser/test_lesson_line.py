"""The line of text below a triptych: it comes when the triptych is on screen, and no picture moves for it."""

import pytest
from playwright.sync_api import expect

from readerstudy.accounts.models import Role
from readerstudy.truth.actions import LineChange, write_lines
from readerstudy.truth.queries import lines_of, taught_pairs
from readerstudy.truth.terms import LONGEST_LINE
from tests import make, walk
from tests.browser.room import Room
from tests.browser.test_page import complaints
from tests.browser.test_picture import settled

LINE = "Sieh den „oberen“ Rand an: <b>dort</b> endet das Korn & wird glatt."
LONG = ("Look along the upper rim of the gland, " * 5)[:LONGEST_LINE].strip()
PANELS = ("real", "adversarial", "difference")


@pytest.fixture(scope="module")
def lined_study(study):
    """Session 4 has a short line at its first triptych, none at the second, and the longest at the third."""
    made = make.study("lined", changes={"every": {"display_check": "off", "break_every": 0}})
    first, _second, third = (pair.image.number for pair in taught_pairs(made))
    changes = {first: LineChange("", LINE), third: LineChange("", LONG)}
    write_lines(study=made, changes=changes, actor=make.overseer(), at=make.MONDAY)
    return made


@pytest.fixture
def teaching(page, context, server, lined_study, people, sign_in):
    """A reader's room before session 4."""
    reader = make.reader_in(lined_study, f"lena-{next(people)}")
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(reader), lined_study.code, number)
    sign_in(context, reader)
    room = Room(page, server.url, lined_study.code, reader)
    yield room
    assert room.mishaps == []


def below(page):
    return page.locator("#line")


def test_a_line_is_requested_once_its_triptych_is_on_screen(teaching, page):
    requests, texts = [], []
    page.on("request", lambda request: requests.append((request.method, request.url)))
    page.on("response", lambda answer: texts.append(answer) if "json" in answer.headers.get("content-type", "") else 0)
    teaching.enter(4)
    expect(below(page)).to_have_text(LINE)
    for position in (1, 2):
        teaching.stands_at(position)
        teaching.press("Enter")
    teaching.stands_at(3)
    expect(below(page)).to_have_text(LONG)
    codes = [teaching.presentation(4, position).code for position in (1, 2, 3)]
    asked = [url for method, url in requests if url.endswith("/line/")]
    assert [url.split("/")[-3] for url in asked] == codes
    for position, code in enumerate(codes, start=1):
        at = next(i for i, (_, url) in enumerate(requests) if url.endswith(f"{code}/line/"))
        before = requests[:at]
        assert all(any(url.endswith(f"{code}/{panel}/") for _, url in before) for panel in PANELS)
        given = [url for method, url in before if method == "POST" and url.endswith("/verdicts/")]
        assert len(given) == position - 1  # the line of the next one is not known before
    with_text = [answer.url for answer in texts if LONG in answer.text()]
    assert [url.split("/")[-3:-1] for url in with_text] == [[codes[2], "line"]]


def test_no_picture_moves_when_a_line_appears_or_is_missing(teaching, page):
    boxes = []
    page.route("**/line/", lambda route: (boxes.append(box_of(page)), route.continue_()))
    teaching.enter(4)
    for position, line in ((1, LINE), (2, ""), (3, LONG)):
        teaching.stands_at(position)
        expect(below(page)).to_have_text(line)
        settled(page)
        boxes.append(box_of(page))
        if position < 3:
            teaching.press("Enter")
    assert len(boxes) == 6
    assert boxes == boxes[:1] * 6


def box_of(page):
    return page.locator("canvas[data-panel=real]").bounding_box()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (2560, 1440), (1024, 1366)])
def test_the_longest_line_is_read_whole_and_has_no_barriers(teaching, page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    teaching.enter(4)
    for position in (1, 2):
        teaching.stands_at(position)
        teaching.press("Enter")
    teaching.stands_at(3)
    expect(below(page)).to_have_text(LONG)
    settled(page)
    box = below(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size[0]
    assert box["y"] + box["height"] <= page.locator("#verdicts").bounding_box()["y"]
    assert below(page).evaluate(
        "(line) => line.scrollWidth <= line.clientWidth && line.scrollHeight <= line.clientHeight"
    )
    assert complaints(page) == []


def test_the_paradata_say_whether_a_line_was_there(teaching, page):
    teaching.enter(4)
    for position, line in ((1, LINE), (2, ""), (3, LONG)):
        teaching.stands_at(position)
        expect(below(page)).to_have_text(line)
        teaching.press("Enter")
    teaching.in_state("done")
    assert [reading.paradata["line_shown"] for reading in teaching.readings(4)] == [True, False, True]


def test_without_its_line_a_triptych_is_read_all_the_same(teaching, page):
    page.route("**/line/", lambda route: route.fulfill(status=410, json={"detail": "no"}))
    teaching.enter(4)
    expect(below(page)).to_have_text("")
    teaching.press("Enter")
    teaching.stands_at(2)
    page.unroute("**/line/")
    attempts = []

    def fail_once(route):
        attempts.append(route.request.url)
        route.abort() if len(attempts) == 1 else route.continue_()

    page.route("**/line/", fail_once)
    teaching.press("Enter")
    teaching.stands_at(3)
    expect(below(page)).to_have_text(LONG)
    assert len(attempts) == 2


def test_an_education_without_lines_leaves_no_room_for_them(room, page, rita):
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rita), room.study, number)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/line/") else None)
    room.enter(4)
    expect(below(page)).to_be_hidden()
    room.press("Enter")
    room.stands_at(2)
    assert asked == []
    assert "line_shown" not in room.readings(4)[0].paradata


def test_a_researcher_writes_lines_without_barriers(page, server, sign_in, study, people):
    made = make.study(f"written-{next(people)}", changes={"every": {"display_check": "off"}})
    sign_in(page.context, make.user(f"researcher-{next(people)}", Role.RESEARCHER))
    for scheme, width in (("dark", 400), ("light", 1280)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{server.url}/desk/studies/{made.code}/")
        page.get_by_role("link", name="Lines under triptychs").click()
        assert complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("textbox", name="Line – Session 4, position 2").fill(LINE)
    page.get_by_role("button", name="Save the lines of this page").click()
    expect(page.get_by_role("status")).to_have_text("1 line is saved.")
    assert list(lines_of(made).values()) == [LINE]
