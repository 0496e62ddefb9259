"""The report in a browser: no barriers, no sideways scrolling of the page, every picture there, the PDF by a click."""

import pytest

from readerstudy.accounts.models import Role
from tests import make, walk
from tests.browser.test_page import complaints


@pytest.fixture(scope="module")
def rehearsal(study):
    """Two readers have read it wholly, one of them wrongly; it is open still."""
    copy = make.study("copy", is_rehearsal=True, changes={"every": {"display_check": "off"}})
    for name, said in (("rita-of-copy", "not_real"), ("rolf-of-copy", "real")):
        client = walk.client_of(make.reader_in(copy, name))
        for number in range(1, 6):
            walk.finish_session(client, copy.code, number, walk.always(said))
    return copy


@pytest.fixture
def report(page, server, sign_in, rehearsal, people):
    """Rosa looks at it."""
    mishaps = []
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    sign_in(page.context, make.user(f"researcher-{next(people)}", Role.RESEARCHER))
    page.goto(f"{server.url}/report/{rehearsal.code}/")
    yield page
    assert mishaps == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_has_no_barriers(report, scheme):
    report.emulate_media(color_scheme=scheme)
    assert complaints(report) == []


def test_every_picture_of_the_report_is_there(report):
    report.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
    assert report.locator("figure.plot img").count() >= 6
    assert report.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")


@pytest.mark.parametrize("width", [420, 1024])
def test_tables_scroll_and_the_page_does_not(report, width):
    report.set_viewport_size({"width": width, "height": 800})
    assert report.evaluate("document.documentElement.scrollWidth") <= width


def test_the_pdf_comes_by_a_click_and_says_that_it_takes_a_while(report, tmp_path):
    with report.expect_download() as waiting:
        report.get_by_role("link", name="PDF").click()
        assert "Preparing the PDF" in report.locator(".waiting").inner_text()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.name == "copy-report.pdf"
    assert path.read_bytes().startswith(b"%PDF-")


def test_new_readings_of_a_rehearsal_are_shown_after_a_click(report, rehearsal):
    assert "first 74 readings" in report.locator("#growing").inner_text()
    newer = report.get_by_role("link", name="More readings are available")
    assert newer.count() == 0
    walk.finish_session(walk.client_of(make.reader_in(rehearsal, "ruth-of-copy")), rehearsal.code, 1)
    newer.click()
    report.wait_for_function("document.querySelector('#growing').innerText.includes('first 77 readings')")
