"""A report in the making in a browser: the stages as they are, no barriers, and the report by itself at the end."""

import os
from pathlib import Path

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from readerstudy.accounts.models import Role
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.results.progress import Activity, ActivityKind, ProgressReport
from tests import make, walk
from tests.browser.test_page import complaints
from tests.conftest import run_now

SHOTS = os.environ.get("SHOTS")


@pytest.fixture(scope="module")
def rehearsal(study):
    """One reader has read its first session."""
    copy = make.study("in-the-making", is_rehearsal=True, changes={"every": {"display_check": "off"}})
    walk.finish_session(walk.client_of(make.reader_in(copy, "rita-of-the-making")), copy.code, 1)
    return copy


def look(page, name: str) -> None:
    """No scheme and no width has a barrier, and nothing scrolls sideways."""
    for scheme in ("light", "dark"):
        for width in (390, 1280):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}-{width}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert complaints(page) == []


WORDS = {
    "en": ("Queued", "Testing each reader’s sessions", "first 3 readings"),
    "de": ("Wartet", "Die Sitzungen jeder Person werden getestet", "ersten 3 Beurteilungen"),
}


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_shows_the_stages_and_then_the_report(page, server, sign_in, rehearsal, people, monkeypatch, language):
    queued, testing, covered = WORDS[language]
    started, mishaps = [], []
    monkeypatch.setattr("readerstudy.jobs.own_process.start_process", started.append)
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    sign_in(page.context, make.user(f"researcher-{next(people)}", Role.RESEARCHER))
    page.context.add_cookies([{"name": "django_language", "value": language, "url": server.url}])
    page.goto(f"{server.url}/report/{rehearsal.code}/")
    expect(page.locator("#job")).to_contain_text(queued)
    look(page, f"making-queued-{language}")
    (number,) = started
    job = Job.objects.get(pk=number)
    job.claim(worker="elsewhere", at=now())
    job.advance(2, 5, ProgressReport(Activity(ActivityKind.TESTING_READERS), {}))
    expect(page.locator("#job")).to_contain_text(testing)
    assert page.locator("progress").evaluate("each => [each.value, each.max]") == [2, 5]
    look(page, f"making-{language}")
    Job.objects.filter(pk=number).update(status=JobStatus.QUEUED)
    run_now(number)
    page.wait_for_url("**/report/in-the-making/?readings=3")
    expect(page.locator("#growing")).to_contain_text(covered)
    assert mishaps == []
