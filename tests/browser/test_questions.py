"""What the plan asks after a verdict: one after the other, by digits, before the verdict is sent once."""

import json

import pytest
from playwright.sync_api import expect


@pytest.fixture
def reading(rich, page):
    rich.enter_by_practice(2)
    return rich


def asks(page, text):
    expect(page.locator("#asked")).to_have_text(text)


def test_the_verdict_is_sent_with_its_answers(reading, page):
    sent = []
    page.on("request", lambda call: sent.append(call) if call.url.endswith("/verdicts/") else None)
    seen = reading.pixels().copy()
    reading.press("1")
    asks(page, "How sure are you?")
    reading.settle()
    reading.press("4")
    asks(page, "Your diagnosis of this image?")
    assert (reading.pixels() == seen).all()
    assert sent == []
    reading.settle()
    page.get_by_role("button", name="No sign of cancer").click()
    reading.stands_at(2)
    (call,) = sent
    body = json.loads(call.post_data)
    assert body["answers"] == {"confidence": "4", "diagnosis": "negative"}
    (stored,) = reading.readings(2)
    assert stored.verdict == "real"
    assert stored.answers == body["answers"]
    assert stored.paradata["questions_ms"] >= 600  # two answers, neither within 300 ms


def test_backspace_returns_to_the_last_question_not_the_verdict(reading, page):
    reading.press("1")
    asks(page, "How sure are you?")
    reading.settle()
    reading.press("Backspace")
    asks(page, "How sure are you?")
    reading.answer("2")
    asks(page, "Your diagnosis of this image?")
    reading.answer("Backspace")
    asks(page, "How sure are you?")
    expect(page.locator("#choices [aria-current]")).to_have_text("2Leaning")
    reading.answer("5", "1")
    reading.stands_at(2)
    (stored,) = reading.readings(2)
    assert stored.verdict == "real"
    assert stored.answers == {"confidence": "5", "diagnosis": "negative"}


def test_enter_does_not_skip_what_must_be_answered_but_skips_the_rest(reading, page):
    reading.press("2")
    asks(page, "How sure are you?")
    reading.settle()
    reading.press("Enter")
    asks(page, "How sure are you?")
    reading.answer("3", "2")
    asks(page, "Click where the image looks altered.")
    reading.answer("Enter")
    reading.stands_at(2)
    assert reading.readings(2)[0].answers == {"confidence": "3", "diagnosis": "positive"}


def test_marks_are_in_pixels_of_the_file(reading, page):
    stimulus = reading.presentation(2).stimulus
    reading.press("2")
    reading.answer("1", "1")
    asks(page, "Click where the image looks altered.")
    box = page.locator("canvas[data-panel=image]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#asked-hint")).to_have_text("1 of up to 5 marked")
    reading.press("Backspace")
    expect(page.locator("#asked-hint")).to_have_text("0 of up to 5 marked")
    page.get_by_role("button", name="Mark screen centre").click()
    expect(page.locator("#asked-hint")).to_have_text("1 of up to 5 marked")
    page.evaluate("document.dispatchEvent(new CustomEvent('command', { detail: 'pause' }))")
    reading.press("1")
    asks(page, "Click where the image looks altered.")
    reading.press("Enter")  # continue
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.locator("#asking").focus()
    reading.answer("Enter")
    reading.stands_at(2)
    ((x, y),) = reading.readings(2)[0].answers["mark"]
    assert abs(x - stimulus.columns / 2) <= 1
    assert abs(y - stimulus.rows / 2) <= 1


def test_a_double_press_of_the_verdict_key_answers_no_question(reading, page):
    page.evaluate(
        """() => {
          const press = () => document.body.dispatchEvent(
            new KeyboardEvent("keydown", { key: "1", code: "Digit1", bubbles: true }));
          press(); setTimeout(press, 60); setTimeout(press, 120);
        }"""
    )
    reading.settle()
    asks(page, "How sure are you?")
    assert reading.readings(2) == []


def test_a_reload_between_verdict_and_answers_changes_no_verdict(reading, page):
    reading.press("1")
    reading.answer("4")
    asks(page, "Your diagnosis of this image?")
    page.reload()
    asks(page, "How sure are you?")
    assert reading.pixels().max() > 0
    reading.answer("2", "2")
    reading.stands_at(2)
    (stored,) = reading.readings(2)
    assert stored.verdict == "real"
    assert stored.answers == {"confidence": "2", "diagnosis": "positive"}
    assert stored.paradata["reloaded"] is True
    reading.press("3")
    reading.answer("1")
    reading.in_state("break")
    assert reading.verdicts(2) == ["real", "unsure"]
