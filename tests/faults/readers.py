"""Readers who never give up: each writes down a verdict before it is sent, and its receipt before the next step."""

import json
import math
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from readerstudy.client.api_client import ApiError
from readerstudy.client.messages import StepData
from readerstudy.client.reader_client import ReaderClient
from readerstudy.client.scripted_reader import Decide, play_session

SESSIONS = range(1, 6)
_LATER = (408, 429, 500, 502, 503, 504)


class StubbornReader(ReaderClient):
    """A reader's client that repeats a request until it is answered, as the reading page does.

    Now and then it sends a verdict twice at the same time, repeats an old one, and tries what is forbidden.
    """

    def __init__(self, name: str, address: str, token: str, *, seed: int, journal: Path, over: threading.Event) -> None:
        self.headers = {"Authorization": f"Token {token}"}
        self.address = address
        super().__init__(self._new_http())
        self.name, self.over = name, over
        self.counts: Counter[str] = Counter()
        self.acknowledged: list[dict[str, Any]] = []
        self._random = random.Random(seed)
        self._journal = journal.open("ab")

    def _new_http(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers=self.headers, timeout=20, trust_env=False)

    def call(self, method: str, address: str, *, body: Any = None) -> Any:
        """Return the answer; while there is none, ask again."""
        is_verdict = address.endswith("/verdicts/")
        if not is_verdict:
            return self._insist(method, address, body)
        self._write({"sent": body["key"], "stimulus": body["stimulus"], "verdict": body["verdict"], "at": address})
        twin = self._send_twin(address, body) if self._random.random() < 0.08 else None
        answer = self._insist(method, address, body)
        self._write({"acknowledged": body["key"], "receipt": answer["receipt"]})
        if twin:
            twin.join()
        if answer["receipt"] is None:  # the practice image, which is no reading
            return answer
        self._misbehave(address, body)
        self.acknowledged.append({"address": address, "body": body, "receipt": answer["receipt"]})
        return answer

    def _insist(self, method: str, address: str, body: Any) -> Any:
        pause = 0.05
        while not self.over.is_set():
            try:
                return super().call(method, address, body=body)
            except httpx.TransportError:
                self.counts["no answer"] += 1
            except ApiError as error:
                if error.status not in _LATER:
                    raise
                self.counts[f"HTTP {error.status}"] += 1
            time.sleep(pause * self._random.uniform(0.5, 1.5))
            pause = min(2 * pause, 1)
        raise TimeoutError(f"{self.name} had no answer to {address}")

    def _send_twin(self, address: str, body: Any) -> threading.Thread:
        """Send the same on another connection at the same time."""

        def send() -> None:
            with self._new_http() as http:
                try:
                    http.post(address, json=body)
                except httpx.TransportError:
                    self.counts["no answer"] += 1

        self.counts["twins"] += 1
        thread = threading.Thread(target=send)
        thread.start()
        return thread

    def _misbehave(self, address: str, body: Any) -> None:
        """Repeat an old verdict, which has the same receipt; change a verdict, or use a key again: both are refused."""
        chance = self._random.random()
        if chance < 0.03 and self.acknowledged:
            old = self._random.choice(self.acknowledged)
            self.counts["repeated"] += 1
            answer = self._insist("POST", old["address"], old["body"])
            assert answer["receipt"] == old["receipt"], "an old verdict had another receipt"
        elif chance < 0.05:
            self._expect_refusal(address, {**body, "key": str(uuid4())})
        elif chance < 0.07 and self.acknowledged:
            old = self._random.choice(self.acknowledged)["body"]
            self._expect_refusal(address, {**body, "key": old["key"]})

    def _expect_refusal(self, address: str, body: Any) -> None:
        self.counts["forbidden"] += 1
        status = 200
        try:
            self._insist("POST", address, body)
        except ApiError as error:
            status = error.status
        assert status in (400, 409), f"{self.name}: a forbidden verdict was answered with {status}"

    def _write(self, line: dict[str, Any]) -> None:
        self._journal.write(json.dumps(line).encode() + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())

    def finish(self) -> None:
        self._journal.close()
        self.close()


class Crowd:
    """Readers in threads, each going through all sessions of the study."""

    def __init__(
        self, address: str, study: str, tokens: dict[str, str], *, seed: int, folder: Path, pause_s: float
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.allowed: float = (
            math.inf
        )  # verdicts of each reader; who has given so many looks at the image until there are more
        self.study, self.pause_s, self.over = study, pause_s, threading.Event()
        self.errors: list[str] = []
        self.readers = [
            StubbornReader(name, address, token, seed=seed + number, journal=folder / f"{name}.jsonl", over=self.over)
            for number, (name, token) in enumerate(sorted(tokens.items()))
        ]
        self._threads = [threading.Thread(target=self._read, args=(reader,)) for reader in self.readers]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def allow(self, verdicts: int) -> None:
        """Let each reader give so many verdicts more."""
        self.allowed += verdicts

    @property
    def is_reading(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def acknowledged(self) -> int:
        return sum(len(reader.acknowledged) for reader in self.readers)

    def join(self, seconds: float) -> None:
        """Wait until all have read everything; after these seconds they stop where they are."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.1, end - time.monotonic()))
        self.over.set()
        for thread in self._threads:
            thread.join()
        for reader in self.readers:
            reader.finish()

    def _read(self, reader: StubbornReader) -> None:
        dice = random.Random(reader.name)

        def decide(step: StepData) -> tuple[str, int]:
            time.sleep(self.pause_s * dice.uniform(0.5, 1.5))
            while len(reader.acknowledged) >= self.allowed and not self.over.is_set():
                reader.current_step(self.study, number)
                time.sleep(self.pause_s)
            if self.over.is_set():
                raise TimeoutError(f"{reader.name} stopped in the middle")
            return dice.choice(step["verdicts"]), dice.randint(800, 20_000)

        try:
            for number in SESSIONS:
                while not self._play(reader, number, decide, dice):
                    reader.counts["waited for the time of a session"] += 1
                    time.sleep(1)
        except (TimeoutError, KeyboardInterrupt):
            reader.counts["stopped"] += 1
        except Exception as error:
            self.errors.append(f"{reader.name}: {type(error).__name__}: {error}")

    def _play(self, reader: StubbornReader, number: int, decide: Decide, dice: random.Random) -> bool:
        """Read one session. Return False if it opens later: a clock that was set back moves it away."""
        if self.over.is_set():
            raise TimeoutError(f"{reader.name} stopped between two sessions")
        try:
            for step in play_session(reader, self.study, number, decide):
                if dice.random() < 0.2:
                    reader.current_step(self.study, number)
                assert step["kind"] in ("read", "teach")
        except ApiError as error:
            if error.status != 409 or " opens on " not in str(error):
                raise
            return False
        return True
