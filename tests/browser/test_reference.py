"""The reference of the API in a browser: under the strict policy, from this server alone, in both schemes."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import expect

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "openapi.yaml"
SIZES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture
def reference(page, server, sign_in, clara):
    """Clara's browser on the page, without a mishap till the end."""
    mishaps, hosts = [], set()
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    sign_in(page.context, clara)
    page.goto(f"{server.url}/api/v1/reference/")
    expect(page.locator("#operations-studies-studies_list")).to_be_visible()
    yield page
    assert mishaps == []
    assert hosts - {""} == {urlsplit(server.url).netloc}


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_every_request_is_listed_and_nothing_scrolls_sideways(reference, width, scheme):
    reference.emulate_media(color_scheme=scheme)
    reference.set_viewport_size({"width": width, "height": 900})
    paths = yaml.safe_load(SCHEMA.read_text())["paths"].values()
    assert reference.locator(".opblock").count() == sum(len(operations) for operations in paths)
    reference.locator(".opblock-summary", has_text="/api/v1/jobs/").first.click()
    expect(reference.locator(".opblock.is-open .parameters").first).to_be_visible()
    assert reference.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = reference.evaluate("getComputedStyle(document.querySelector('.swagger-ui')).backgroundColor")
    assert reference.evaluate("document.documentElement.classList.contains('dark-mode')") is (scheme == "dark")
    assert (ground == "rgb(22, 22, 22)") is (scheme == "dark")


def test_a_request_is_tried_under_ones_own_name(reference, study):
    row = reference.locator("#operations-studies-studies_list")
    row.locator(".opblock-summary").click()
    row.get_by_role("button", name="Try it out").click()
    with reference.expect_response(lambda answer: "/api/v1/studies/" in answer.url) as answered:
        row.get_by_role("button", name="Execute").click()
    assert answered.value.status == 200
    assert study.code in [line["code"] for line in answered.value.json()["results"]]


def test_nothing_that_changes_something_can_be_tried(reference):
    row = reference.locator("#operations-studies-studies_create")
    row.locator(".opblock-summary").click()
    expect(row.locator(".opblock-body")).to_be_visible()
    expect(row.get_by_role("button", name="Try it out")).to_have_count(0)


def test_the_page_is_found_in_the_menu_under_ones_name(page, server, sign_in, clara):
    sign_in(page.context, clara)
    page.goto(f"{server.url}/desk/")
    page.locator(".site-account summary").click()
    page.get_by_role("link", name="API reference").click()
    expect(page.get_by_role("heading", name="API reference")).to_be_visible()
