"""The reading room as a person meets it: keys, buttons and what the page says."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from readerstudy.accounts.models import User
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Presentation

SECONDS = 1000
# In base64: millions of numbers as JSON would take longer than the rest of the test.
READ_BACK = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return [width, height, btoa(text)];
}"""


class Room:
    """One tab of one reader. Waits on selectors only: the page's policy forbids evaluated conditions."""

    def __init__(self, page: Page, url: str, study: str, reader: User) -> None:
        self.page, self.url, self.study, self.reader = page, url, study, reader
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
        self.begin()
        self.stands_at(1)

    def sign_in(self) -> None:
        """By name and password, on the sign-in page."""
        self.page.get_by_label("Username").fill(self.reader.username)
        self.page.get_by_label("Password").fill(f"{self.reader.username}-secret-1")
        self.press("Enter")

    def begin(self) -> None:
        """Press Start by keyboard, once the page is ready for it."""
        self.in_state("start")
        self.page.locator("#begin").focus()
        self.page.keyboard.press("Enter")

    def stands_at(self, position: int, state: str = "ready") -> None:
        self.page.wait_for_selector(f'body[data-position="{position}"][data-state="{state}"]')

    def in_state(self, state: str) -> None:
        self.page.wait_for_selector(f'body[data-state="{state}"]')

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def says(self, text: str) -> None:
        expect(self.page.locator(".says")).to_contain_text(text)

    def pixels(self, panel: str = "image") -> NDArray[np.uint8]:
        """Rows x columns x (red, green, blue) of a panel's canvas in device pixels, as it is on screen."""
        width, height, encoded = self.page.locator(f'canvas[data-panel="{panel}"]').evaluate(READ_BACK)
        values = np.frombuffer(base64.b64decode(encoded), dtype=np.uint8)
        return values.reshape(height, width, 4)[:, :, :3]

    def readings(self, number: int) -> list[Reading]:
        """What the database has of one session, in the order in which it was stored."""
        stored = Reading.objects.filter(
            presentation__reading_list__enrollment__reader=self.reader,
            presentation__reading_list__session_plan__number=number,
        )
        return list(stored.select_related("presentation").order_by("id"))

    def positions(self, number: int) -> list[int]:
        return [reading.presentation.position for reading in self.readings(number)]

    def verdicts(self, number: int) -> list[str]:
        return [reading.verdict for reading in self.readings(number)]

    def presentation(self, number: int, position: int = 1) -> Presentation:
        return Presentation.objects.get(
            reading_list__enrollment__reader=self.reader,
            reading_list__session_plan__number=number,
            position=position,
        )
