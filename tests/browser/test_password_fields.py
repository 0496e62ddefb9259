"""Fields for passwords in a browser: shown by a button, judged while typed, without barriers."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_page import complaints

NEW = "correct horse battery staple"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_password_is_shown_by_a_key_and_judged_while_it_is_typed(page, server, sign_in, clara, scheme):
    page.emulate_media(color_scheme=scheme)
    sign_in(page.context, clara)
    page.goto(f"{server.url}/account/password/")
    field, button = page.locator("#id_new_password1"), page.get_by_role("button", name="Show password").nth(1)
    field.press_sequentially("abcdefghijkl")
    meter = page.locator("#id_new_password1_strength")
    expect(meter).to_contain_text("Strength of the password: very weak.")
    expect(field).to_have_attribute("type", "password")
    button.press("Space")
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    assert complaints(page) == []
    field.fill("")
    field.press_sequentially(NEW)
    expect(meter).to_contain_text("Strength of the password: strong.")
    page.locator("#id_old_password").fill("wrong")
    page.locator("#id_new_password2").fill(NEW)
    # Hidden before it is sent: browsers remember what fields of text had.
    page.evaluate("addEventListener('submit', (event) => { event.preventDefault(); })")
    page.get_by_role("button", name="Store the password").press("Enter")
    expect(field).to_have_attribute("type", "password")
    expect(button).to_have_attribute("aria-pressed", "false")
