"""Take the screenshots of the README from the demo: docs/images/{reader,studies,report}.png.

Usage: make demo SERVE=0, then python tools/screenshots.py

Reads session 1 of the demo's reader and opens session 2. Needs Debian's Chromium.
"""

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import django
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 800}
LARGEST = 300_000  # bytes
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Serve the demo, take each picture, and write it if it is small enough."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")
    # Playwright's event loop runs in the thread that uses the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, username, take in (
            ("reader", "reader", reader),
            ("studies", "coordinator", studies),
            ("report", "researcher", report),
        ):
            page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light")
            page.set_default_timeout(120_000)
            sign_in(page, url, username)
            take(page, url)
            write(name, page.screenshot())
            page.context.close()
        browser.close()


@contextmanager
def served() -> Iterator[str]:
    """Run the application on a free port while the block lasts; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "gunicorn", "readerstudy.wsgi", "--bind", f"localhost:{port}", "--threads", "4"]
    process = subprocess.Popen([*command, "--no-control-socket", "--log-level", "error"], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urlopen(f"{url}/account/sign-in/", timeout=30).close()
                break
            except (URLError, ConnectionError):
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait()


def sign_in(page: Page, url: str, username: str) -> None:
    """Sign in by a link."""
    from django.urls import reverse
    from django.utils.timezone import now

    from readerstudy.accounts.links import make_link
    from readerstudy.accounts.models import User

    token = make_link(user=User.named(username), actor=None, at=now())
    page.goto(f"{url}{reverse('accounts:sign_in_by_link', args=[token])}")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def reader(page: Page, url: str) -> None:
    """Show the first image of session 2, which asks for verdicts; session 1 and the display check need no page."""
    from readerstudy.accounts.models import User
    from readerstudy.client.scripted_reader import PASSING_DISPLAY, play_session
    from readerstudy.rehearsal.live_server import connect_reader

    with connect_reader(url, User.objects.get(username="reader")) as client:
        for _ in play_session(client, "demo", 1, lambda step: ("seen", 4_000)):
            pass
        client.check_display("demo", 2, PASSING_DISPLAY)
    page.goto(f"{url}/read/demo/2/")
    page.locator("#begin").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(8_000)


def studies(page: Page, url: str) -> None:
    """Show all readers of all studies with their progress in each session."""
    page.goto(f"{url}/admin/studies/enrollment/")
    page.locator("#result_list tbody tr").first.wait_for()
    page.wait_for_timeout(2_000)


def report(page: Page, url: str) -> None:
    """Show the figure of correct verdicts in the rehearsal's report."""
    page.goto(f"{url}/report/demo-rehearsal/")
    heading = page.get_by_role("heading", name="Correct verdicts over the sessions")
    heading.wait_for()
    heading.evaluate("heading => heading.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(1_000)


def write(name: str, png: bytes) -> None:
    """Write the picture with at most 128 colours. Raises ValueError if it is larger than LARGEST."""
    path = FOLDER / f"{name}.png"
    colours = 128
    while True:
        stream = io.BytesIO()
        picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(colours, dither=Image.Dither.NONE)
        picture.save(stream, format="PNG", optimize=True)
        if stream.tell() <= LARGEST:
            break
        colours //= 2
        if colours < 8:
            raise ValueError(f"{path} would have {stream.tell()} bytes.")
    path.write_bytes(stream.getvalue())
    print(f"{path.relative_to(ROOT)}: {stream.tell()} bytes, {colours} colours")


if __name__ == "__main__":
    main()
