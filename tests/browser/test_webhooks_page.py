"""Webhooks in a browser: made, tested and ended, without barriers at any width."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from readerstudy.webhooks.models import Attempt, Delivery, DeliveryState, Webhook
from tests import make
from tests.browser.test_page import complaints

SHOTS = os.environ.get("SHOTS")
URL = "https://portal.radiology.hospital.example.org/hooks/reader-study?key=3f1c9a7b5d2e4f60"


def look(page, name: str) -> list[str]:
    """Return the barriers in both schemes on a screen and on a telephone; nothing may scroll sideways."""
    result = []
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}-{width}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            result += complaints(page)
    return result


def messages_of(webhook: Webhook) -> None:
    """One that was delivered at the third attempt, one that waits, one that was given up."""
    at = now() - timedelta(hours=3)
    states = {
        DeliveryState.DELIVERED: [(503, ""), (None, "ConnectTimeout: timed out"), (204, "")],
        DeliveryState.WAITING: [(None, "ConnectError: [Errno 111] Connection refused")],
        DeliveryState.GIVEN_UP: [(410, "")],
    }
    for number, (state, attempts) in enumerate(states.items()):
        row = Delivery.objects.create(
            webhook=webhook,
            fact=("session.finished", "study.closed", "test")[number],
            source=f"event:{number}",
            body="{}",
            state=state,
            made_at=at,
            due_at=now() + timedelta(hours=1) if state == DeliveryState.WAITING else None,
        )
        for status, error in attempts:
            Attempt.objects.create(delivery=row, at=at, status=status, error=error, milliseconds=12)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_of_webhooks_has_no_barriers(page, server, sign_in, clara, study, language, monkeypatch):
    monkeypatch.setattr("readerstudy.webhooks.actions.check_url", lambda url: None)
    mishaps = []
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    make.join([clara], [study])
    sign_in(page.context, clara)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": server.url}])
    page.goto(f"{server.url}/desk/webhooks/")
    barriers = look(page, f"webhooks-none-{language}")
    page.locator("[name=study]").select_option(study.code)
    page.locator("[name=url]").fill(URL)
    page.locator("[value='session.finished']").check()
    page.locator("[value='study.closed']").check()
    page.locator("main button.primary").click()
    expect(page.locator("main code").first).to_contain_text("whsec_")
    barriers += look(page, f"webhooks-made-{language}")
    messages_of(Webhook.objects.get(study=study, ended_at=None))
    page.goto(f"{server.url}/desk/webhooks/")
    expect(page.locator("tbody tr")).to_have_count(3)
    barriers += look(page, f"webhooks-messages-{language}")
    page.locator("main details summary").click()
    barriers += look(page, f"webhooks-end-{language}")
    page.locator("main details button").click()
    expect(page.locator("main .empty")).to_be_visible()
    assert barriers == []
    assert mishaps == []
