"""The application and the browser as processes of their own, to be killed without a warning and started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings

from tests.roles import database_addresses

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds for a process to come up


class Gunicorn:
    """The application under gunicorn, on the test database and the test's pictures."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://localhost:{port}"
        self._folder, self._port = folder, port
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "media").symlink_to(settings.MEDIA_ROOT)

    def start(self) -> None:
        bind = f"localhost:{self._port}"
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "tests.browser.plain_static",
            "--bind",
            bind,
            "--threads",
            "4",
            "--no-control-socket",
        ]
        self._process = _started([*command, "--log-level", "error"], self._environment())
        _wait_for(self._answers)

    def kill(self) -> None:
        """Without a chance to finish anything, workers too."""
        _kill(self._process)
        self._process = None

    def _answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.url}/account/sign-in/", timeout=PATIENCE).status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **database_addresses(),
            "SECRET_KEY": settings.SECRET_KEY,
            "PSEUDONYM_KEY": settings.PSEUDONYM_KEY,
            "RECORD_KEY": settings.RECORD_KEY,
            "ALLOWED_HOSTS": "localhost",
            "CELERY_BROKER_URL": "filesystem://",
            "HTTPS": "0",
            "VAR_DIR": str(self._folder),
        }


class Browser:
    """A Chromium with a profile that outlives it."""

    def __init__(self, executable: str, arguments: list[str], profile: Path) -> None:
        self._command = [executable, "--headless=new", *arguments, "--remote-debugging-port=0"]
        self._command.append(f"--user-data-dir={profile}")
        self._port_file = profile / "DevToolsActivePort"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """The address at which Playwright may connect."""
        self._port_file.unlink(missing_ok=True)
        self._process = _started(self._command, dict(os.environ))
        _wait_for(lambda: self._port_file.exists() and "\n" in self._port_file.read_text())
        return f"http://localhost:{self._port_file.read_text().splitlines()[0]}"

    def kill(self) -> None:
        _kill(self._process)
        self._process = None


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # A group of its own, so that its children can be killed with it.
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_for(holds) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "The process did not come up."
        time.sleep(0.05)
