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
PATIENCE = 60 * SECONDS  # for whatever will come; a busy machine may take long
# In base64: millions of numbers as JSON would take longer than the rest of the test.
READ_BACK = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return [width, height, btoa(text)];
}"""


# The quarter of a field whose middle has another level than the field's corner.
QUARTER = """(canvas) => {
  const { width, height } = canvas;
  const level = (x, y) => canvas.getContext("2d").getImageData(x, y, 1, 1).data[0];
  const quarters = { "top-left": [1, 1], "top-right": [3, 1], "bottom-left": [1, 3], "bottom-right": [3, 3] };
  const found = ([, [x, y]]) => level((x * width) >> 2, (y * height) >> 2) !== level(0, 0);
  return Object.entries(quarters).find(found)[0];
}"""


class Room:
    """One tab of one reader. Waits on selectors only: the page's policy forbids evaluated conditions."""

    def __init__(self, page: Page, url: str, study: str, reader: User) -> None:
        self.page, self.url, self.study, self.reader = page, url, study, reader
        self.mishaps: list[str] = []
        page.set_default_timeout(PATIENCE)
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

    def sign_in_again(self) -> None:
        """From the page that says that the sign-in is lost."""
        self.in_state("signed-out")
        expect(self.page.get_by_role("heading", name="You have been signed out")).to_be_focused()
        self.page.get_by_role("link", name="Sign in").click()
        self.page.wait_for_url("**/sign-in/?next=*")
        self.sign_in()

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

    def enter_by_practice(self, number: int) -> None:
        """Go to a session whose plan has a display check, practice and a diagnosis; at its first image."""
        self.page.goto(self.address(number))
        self.check_display()
        self.begin()
        self.stands_at("practice")
        self.press("3")
        self.answer("1")
        self.in_state("begins")
        self.settle()
        self.press("Enter")
        self.stands_at(1)

    def check_display(self, typed: int = 5, seen: bool = True, light: str = "dark", card: bool | None = True) -> None:
        """Go through the display check by keyboard, reading so many letters of each strip.

        `card`: whether there is one; None: press Enter without measuring it.
        """
        self.in_state("check")
        for _ in range(("dark", "dim", "bright").index(light)):
            self.press("ArrowDown")
        self.press("Space")
        self.press("Enter")
        for ground in ("dark", "middle", "bright"):
            strip = self.page.locator(f'canvas[data-ground="{ground}"]')
            expect(strip).to_be_visible()
            self.page.keyboard.type((strip.get_attribute("data-drawn") or "")[-5:][:typed].lower())
            self.press("Enter")
        for ground in ("dark", "bright"):
            quarter = self.page.locator(f"canvas[data-square={ground}]").evaluate(QUARTER) if seen else "unseen"
            self.page.locator(f"[name=square-{ground}][value={quarter}]").focus()
            self.press("Space")
        self.press("Enter")
        expect(self.page.locator("#card-size")).to_be_focused()
        if card:
            self.press("ArrowRight")
        if card is not False:
            self.press("Enter")
        else:
            self.page.get_by_role("button", name="I have no card with me").focus()
            self.press("Enter")

    def answer(self, *keys: str) -> None:
        """Answer what is asked after a verdict, one key each."""
        asked = self.page.locator("#asked")
        for key in keys:
            text = asked.inner_text()
            self.settle()
            self.press(key)
            expect(asked).not_to_have_text(text)

    def settle(self) -> None:
        """Wait until a press is no echo of the one before any more: 300 ms on the page's own clock."""
        self.page.evaluate("() => new Promise((done) => setTimeout(done, 320))")

    def stands_at(self, position: int | str, state: str = "ready") -> None:
        self.page.wait_for_selector(f'body[data-position="{position}"][data-state="{state}"]')

    def in_state(self, state: str) -> None:
        self.page.wait_for_selector(f'body[data-state="{state}"]')

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def says(self, text: str) -> None:
        expect(self.page.locator(".messages")).to_contain_text(text)

    def pixels(self, panel: str = "image") -> NDArray[np.uint8]:
        """Rows x columns x (red, green, blue) of a panel's canvas in device pixels, as it is on screen."""
        return self.read_back(f'canvas[data-panel="{panel}"]')

    def read_back(self, selector: str) -> NDArray[np.uint8]:
        """Rows x columns x (red, green, blue) of any canvas."""
        width, height, encoded = self.page.locator(selector).evaluate(READ_BACK)
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
