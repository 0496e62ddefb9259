"""Readers in a closed loop: one process, one connection each, and as little work of its own as possible."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from readerstudy.client.reader_client import session_address

TOKEN = "a" * 32  # of the form: cookie and header field agree
WARM_UP_S = 1.5
_END = b"\r\n\r\n"


class Connection:
    """One person's connection. It speaks HTTP/1.1 as the proxy does, and opens itself again when it was closed."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.be(cookie)

    def be(self, cookie: str) -> None:
        """Go on as the person of this session."""
        fields = (
            "Host: localhost",
            "X-Forwarded-Proto: https",
            "X-Forwarded-For: 127.0.0.1",
            "Origin: https://localhost",
            f"Cookie: __Host-sessionid={cookie}; __Host-csrftoken={TOKEN}" if cookie else "Accept: */*",
            f"X-CSRFToken: {TOKEN}",
            "Content-Type: application/json",
        )
        self._fields = "\r\n".join(fields)

    async def call(self, method: str, address: str, body: Any = None) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {address} HTTP/1.1\r\n{self._fields}\r\nContent-Length: {len(content)}\r\n\r\n"
        for attempt in (1, 2):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=2**22)
            reader, writer = self._streams
            try:
                writer.write(head.encode() + content)
                fields = await reader.readuntil(_END)
                break
            except (asyncio.IncompleteReadError, ConnectionError):
                self.close()  # the server closes connections that were idle
                if attempt == 2:
                    raise
        lowered = fields.lower()
        length = int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        answer = await reader.readexactly(length)
        if b"connection: close" in lowered:
            self.close()
        return int(fields[9:12]), answer

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


@dataclass
class Reading:
    """One reader at a seat of the load: opens a session and gives verdicts; when it ends, the next reader sits down."""

    connection: Connection
    study: str
    session: int
    waiting: list[str]  # the cookies of readers who have not read, shared by all seats
    step: dict[str, Any] = field(default_factory=dict)
    page: str = ""

    async def sit_down(self) -> None:
        self.connection.be(self.waiting.pop())
        self.page = str(uuid4())
        self.step = await self._ask("POST", "open", {"page": self.page})

    async def give_verdict(self) -> None:
        key, code = str(uuid4()), self.step["stimulus"]["code"]
        body = {"stimulus": code, "verdict": "real", "elapsed_ms": 900, "key": key, "page": self.page}
        answer = await self._ask("POST", "verdicts", {**body, "paradata": PARADATA})
        assert answer["receipt"]
        self.step = answer["step"]
        if self.step["kind"] == "done":
            await self.sit_down()

    async def look(self) -> None:
        await self._ask("GET", "step", query=f"?page={self.page}")

    async def fetch_image(self) -> None:
        status, _content = await self.connection.call("GET", self.step["stimulus"]["image"])
        assert status == 200, status

    async def _ask(self, method: str, call: str, body: Any = None, query: str = "") -> dict[str, Any]:
        address = session_address(self.study, self.session, call) + query
        status, content = await self.connection.call(method, address, body)
        assert status in (200, 201), content
        answer: dict[str, Any] = json.loads(content)
        return answer


# As much as the reading page sends.
PARADATA = {
    "loaded_ms": 212, "drawn_ms": 231, "idle_ms": 0, "hidden_ms": 0, "paused_ms": 0, "visible_ms": 900, "zoom": 1.0,
    "width": 1728, "contrast": 1.0, "brightness": 0.0, "moves": 41, "wheel": 3, "keys": 1, "resizes": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What a closed loop did in its time."""

    times_s: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.times_s) / self.seconds

    def quantile_ms(self, share: float) -> float:
        ordered = sorted(self.times_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def closed_loop(
    acts: list[Callable[[], Awaitable[None]]], seconds: float, *, begun: Callable[[], None], pause_s: float = 0.0
) -> Measured:
    """Repeat each act until the time is over; what ends in the warm-up, or after the time, does not count.

    `begun` is called when counting begins. `pause_s` is the mean pause between two acts.
    """
    times: list[float] = []
    counting = time.perf_counter() + WARM_UP_S
    end = counting + seconds

    async def repeat(act: Callable[[], Awaitable[None]], number: int) -> None:
        if pause_s:
            await asyncio.sleep(pause_s * number / len(acts))
        while (began := time.perf_counter()) < end:
            await act()
            ended = time.perf_counter()
            if counting <= ended <= end:
                times.append(ended - began)
            if pause_s:
                await asyncio.sleep(max(0.0, pause_s - (ended - began)))

    async def wait() -> None:
        await asyncio.sleep(WARM_UP_S)
        begun()

    await asyncio.gather(wait(), *(repeat(act, number) for number, act in enumerate(acts)))
    assert times, f"nothing was answered in {seconds:g} s: the machine is too busy to be measured"
    return Measured(times, seconds)
