"""The reader's wire from the outside: this application served over HTTP, and a scripted reader who speaks to it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Thread
from time import perf_counter
from typing import Any
from uuid import uuid4

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from rest_framework.authtoken.models import Token

from readerstudy.accounts.models import User
from readerstudy.errors import StudyError

Step = dict[str, Any]
Give = Callable[[Step], tuple[str, int]]  # the verdict on a step, and its elapsed milliseconds


# A display that passes the check, for readers who have none.
GOOD_DISPLAY: Step = {
    "letters": [{"ground": ground, "shown": "KHRDN", "typed": "KHRDN"} for ground in ("dark", "middle", "bright")],
    "squares": {"dark": True, "bright": True},
    "card_px_per_mm": None,
    "light": "dim",
    "screen": {
        "width": 2048,
        "height": 2560,
        "device_pixel_ratio": 1.0,
        "color_depth": 30,
        "viewport": [2048, 2460],
        "full_screen": True,
    },
}


@dataclass(frozen=True)
class Answer:
    """What came back: everything that a browser could see of it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float


class Wire:
    """One reader's connection, signed in by a token."""

    def __init__(self, port: int, reader: User) -> None:
        self.http = HTTPConnection("127.0.0.1", port, timeout=60)
        self.token = Token.objects.get_or_create(user=reader)[0].key

    def fetch(
        self, method: str, address: str, headers: dict[str, str] | None = None, *, body: Step | None = None
    ) -> Answer:
        """One request and its whole answer."""
        fields = {"Authorization": f"Token {self.token}", "Content-Type": "application/json", **(headers or {})}
        started = perf_counter()
        self.http.request(method, address, body=json.dumps(body) if body else None, headers=fields)
        response = self.http.getresponse()
        content = response.read()
        return Answer(response.status, tuple(response.getheaders()), content, perf_counter() - started)

    def call(self, method: str, address: str, body: Step | None = None) -> Step:
        """The JSON of a request that must succeed; StudyError with the server's words otherwise."""
        answer = self.fetch(method, address, body=body)
        if answer.status not in (200, 201):
            said = answer.body[:200].decode(errors="replace")
            raise StudyError(f"{method} {address} answered {answer.status}: {said}")
        found: Step = json.loads(answer.body)
        return found

    def sessions(self, study: str) -> list[Step]:
        """The reader's sessions in this study."""
        overview = self.call("GET", "/api/v1/reading/")
        found: list[Step] = next(line["sessions"] for line in overview["studies"] if line["study"] == study)
        return found

    def play(self, study: str, number: int, give: Give) -> Iterator[Step]:
        """Open a session and go through it: each step is yielded while it is current, then answered."""
        base = f"/api/v1/reading/{study}/sessions/{number}"
        self.call("POST", f"{base}/display/", {"results": GOOD_DISPLAY})
        step = self.call("POST", f"{base}/open/")
        if step["kind"] == "practise":
            step = self._answer(base, step, step["verdicts"][0], elapsed_ms=1000)
        while step["kind"] in ("read", "teach"):
            yield step
            verdict, elapsed_ms = give(step)
            step = self._answer(base, step, verdict if len(step["verdicts"]) > 1 else step["verdicts"][0], elapsed_ms)

    def _answer(self, base: str, step: Step, verdict: str, elapsed_ms: int) -> Step:
        """Give one verdict; the step after it."""
        body = {
            "stimulus": step["stimulus"]["code"],
            "verdict": verdict,
            "answers": answers_to(step, verdict),
            "elapsed_ms": elapsed_ms,
            "key": str(uuid4()),  # never from a seed: whoever goes on after a stop must not use a key twice
            "paradata": {"simulated": True},
        }
        following: Step = self.call("POST", f"{base}/verdicts/", body)["step"]
        return following

    def close(self) -> None:
        self.http.close()


def answers_to(step: Step, verdict: str) -> Step:
    """The first choice, or the middle of the picture, for what has to be answered after this verdict."""
    middle = [[step["stimulus"]["width"] // 2, step["stimulus"]["height"] // 2]]
    return {
        question["name"]: middle if question["kind"] == "mark" else question["choices"][0]["value"]
        for question in step["questions"]
        if question["required"] and (not question["after"] or verdict in question["after"])
    }


def pictures_of(step: Step) -> list[str]:
    """The addresses of what a step shows."""
    return list(step["images"].values()) if step["kind"] == "teach" else [step["stimulus"]["image"]]


class _Quiet(WSGIRequestHandler):
    """Keeps connections open, as production servers do: a thread and a database connection for each reader."""

    disable_nagle_algorithm = True  # headers and body are two packets; the second would wait for an answer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: hundreds of lines would drown the progress bar."""


@contextmanager
def served() -> Iterator[int]:
    """This application on a free port of the loopback, for as long as the block lasts; gives the port."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
