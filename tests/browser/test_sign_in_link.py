"""A sign-in link in a browser: one button, with the protection against forged requests and without barriers."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import make_link
from tests.browser.test_page import complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_link_signs_in_by_its_button_and_sends_its_address_nowhere(page, server, rita, scheme):
    page.emulate_media(color_scheme=scheme)
    token = make_link(user=rita, actor=None, at=now())
    link = server.url + reverse("accounts:sign_in_by_link", args=[token])
    referrers = []
    page.on("request", lambda request: referrers.append(request.headers.get("referer", "")))
    page.goto(link)
    assert complaints(page) == []
    page.get_by_role("main").get_by_role("button", name="Sign in").press("Enter")
    page.get_by_role("heading", name="Your sessions").wait_for()
    assert len(referrers) > 3
    assert not [address for address in referrers if token in address]
    page.context.clear_cookies()
    page.goto(link)
    page.get_by_text("This sign-in link has been used.").wait_for()
    assert complaints(page) == []
