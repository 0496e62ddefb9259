"""A proxy between readers and gunicorn that spoils some requests, each in one of six ways, and counts them."""

import random
import socket
import threading
from collections import Counter
from contextlib import suppress
from time import sleep

# cut before: the request never arrives. cut after: it arrives, the answer does not. cut in the answer: half of it.
# late: the connection is cut, and the request arrives later, overtaken by its own repetition. doubled: it arrives
# twice. slow: the answer is held back.
KINDS = ("cut before", "cut after", "cut in the answer", "late", "doubled", "slow")
_LONGEST_S = 30


class Proxy:
    """Listens on a free port of the loopback. `share` of the requests are spoilt."""

    def __init__(self, target_port: int, *, share: float, seed: int) -> None:
        self.target_port, self.share = target_port, share
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._server.getsockname()[1]
        self._late: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more connections, and wait for the requests that are delivered late."""
        self._server.close()
        for thread in self._late:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, ValueError):
            client.settimeout(600)
            while request := _read_message(client):
                fault = self._draw()
                if not self._answer(client, request, fault):
                    return

    def _draw(self) -> str:
        with self._lock:
            self.counts["requests"] += 1
            if self._random.random() >= self.share:
                return ""
            fault = self._random.choice(KINDS)
            self.counts[fault] += 1
            return fault

    def _answer(self, client: socket.socket, request: bytes, fault: str) -> bool:
        """Return whether the connection goes on."""
        match fault:
            case "cut before":
                return False
            case "late":
                thread = threading.Thread(target=self._deliver_late, args=(request,))
                self._late.append(thread)
                thread.start()
                return False
            case "doubled":
                self._forward(request)
            case "slow":
                sleep(self._random.uniform(0.2, 1.5))
        answer = self._forward(request)
        if fault == "cut after":
            return False
        client.sendall(answer[: len(answer) // 2] if fault == "cut in the answer" else answer)
        return fault != "cut in the answer"

    def _deliver_late(self, request: bytes) -> None:
        sleep(self._random.uniform(0.3, 2))
        with suppress(OSError, ValueError):
            self._forward(request)

    def _forward(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.target_port), timeout=_LONGEST_S) as upstream:
            upstream.sendall(request)
            answer = _read_message(upstream)
        if not answer:
            raise OSError("gunicorn closed the connection")
        return answer


def _read_message(connection: socket.socket) -> bytes:
    """Return one request or response with its body; nothing at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _blank, _body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    wanted = len(head) + 4 + length
    while len(data) < wanted:
        part = connection.recv(65536)
        if not part:
            raise OSError("the message was cut")
        data += part
    return data
