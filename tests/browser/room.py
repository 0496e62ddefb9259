"""The reading room as a person meets it: keys, buttons and what the page says."""

from typing import Any

from playwright.sync_api import Page, expect

from readerstudy.reading.models import Reading

SECONDS = 1000


class Room:
    """One tab of one reader. Waits on selectors only: the page's policy forbids evaluated conditions."""

    def __init__(self, page: Page, url: str, study: str) -> None:
        self.page, self.url, self.study = page, url, study
        self.mishaps: list[str] = []
        page.set_default_timeout(10 * SECONDS)
        page.on("pageerror", lambda error: self.mishaps.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.mishaps.append(message.text)

    def address(self, number: int) -> str:
        return f"{self.url}/read/{self.study}/{number}/"

    def enter(self, number: int) -> None:
        """Go to a session and begin it by keyboard."""
        self.page.goto(self.address(number))
        self.page.locator("#begin").focus()
        self.page.keyboard.press("Enter")
        self.stands_at(1)

    def stands_at(self, position: int, state: str = "ready") -> None:
        self.page.wait_for_selector(f'body[data-position="{position}"][data-state="{state}"]')

    def in_state(self, state: str) -> None:
        self.page.wait_for_selector(f'body[data-state="{state}"]')

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def says(self, text: str) -> None:
        expect(self.page.locator(".says")).to_contain_text(text)

    def pixels(self, panel: str = "image") -> tuple[int, int, list[int]]:
        """Width, height and RGBA bytes of a panel's canvas, as they are on screen."""
        return tuple(
            self.page.locator(f'canvas[data-panel="{panel}"]').evaluate(
                """(canvas) => {
                  const { width, height } = canvas;
                  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                  return [width, height, Array.from(data)];
                }"""
            )
        )


def readings(number: int) -> list[Reading]:
    """The readings of one session in the order in which they were stored."""
    stored = Reading.objects.filter(presentation__reading_list__session_plan__number=number)
    return list(stored.select_related("presentation").order_by("id"))


def positions(number: int) -> list[int]:
    return [reading.presentation.position for reading in readings(number)]


def verdicts(number: int) -> list[str]:
    return [reading.verdict for reading in readings(number)]
