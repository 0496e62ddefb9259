"""A small archive of our own that speaks QIDO-RS and WADO-RS, on a free loopback port, with faults on request."""

import base64
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import generate_uid

from tests.sources.make_files import dicom_dataset

BOUNDARY = "b7e1c0"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


@dataclass(frozen=True)
class Stored:
    """One instance of the archive."""

    study: str
    series: str
    uid: str
    body: bytes
    modality: str = "MG"
    accession: str = ""


def stored(number: int, *, study: int = 1, modality: str = "MG", values: NDArray[np.uint16] | None = None) -> Stored:
    """A random image of the patient P1 in study 1, and so on; the same arguments make the same image."""
    uid, of_study = (generate_uid(entropy_srcs=[f"{name}"]) for name in (f"i{study}.{number}", f"s{study}"))
    series = generate_uid(entropy_srcs=[f"r{study}"])
    if values is None:
        values = np.random.default_rng(number).integers(0, 4096, (40, 30), dtype=np.uint16)
    dataset = dicom_dataset(values, bits=12, PatientID=f"P{study}", Modality=modality)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.AccessionNumber = of_study, series, f"A{study}"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return Stored(of_study, series, uid, file.getvalue(), modality, f"A{study}")


@dataclass
class StubArchive:
    """What the archive holds, who may ask, and which faults it has; counts what it was asked."""

    instances: list[Stored]
    url: str = ""
    sign_in: str = ""  # the value of Authorization that is wanted
    # What is sent for an instance instead of its answer, by UID: see `faults` below.
    faults: dict[str, Callable[["Handler", Stored], None]] = field(default_factory=dict)
    page: int = 100_000  # most rows of a search
    is_gone: bool = False
    encodings: set[str] = field(default_factory=set)  # that clients have asked for
    fetched: Counter[str] = field(default_factory=Counter)
    queries: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    archive: StubArchive

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:  # the name that http.server calls
        archive = self.archive
        if archive.is_gone:
            return self.cut()
        if archive.sign_in and self.headers.get("Authorization") != archive.sign_in:
            return self.send(401, b"who are you", "text/plain")
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if match := re.fullmatch(r"/studies/([\d.]+)/series/([\d.]+)/instances/([\d.]+)", parts.path):
            return self.instance(match[3])
        archive.queries.append(self.path)
        if parts.path == "/studies":
            rows = {
                each.study: {"0020000D": _ui(each.study)}
                for each in archive.instances
                if asked.get("StudyInstanceUID", each.study) == each.study
                and asked.get("AccessionNumber", each.accession) == each.accession
            }
            return self.rows(list(rows.values()), asked)
        if match := re.fullmatch(r"/studies/([\d.]+)/instances", parts.path):
            found = [
                {"0020000E": _ui(each.series), "00080018": _ui(each.uid), "00080060": _ui(each.modality, "CS")}
                for each in archive.instances
                if each.study == match[1] and asked.get("Modality", each.modality) == each.modality
            ]
            return self.rows(found, asked)
        return self.send(404, b"", "text/plain")

    def instance(self, uid: str) -> None:
        archive = self.archive
        asked = next(each for each in archive.instances if each.uid == uid)
        with archive.lock:
            archive.fetched[uid] += 1
            archive.encodings.add(self.headers.get("Accept-Encoding", ""))
            archive.at_once += 1
            archive.most_at_once = max(archive.most_at_once, archive.at_once)
        try:
            fault = archive.faults.get(uid)
            if fault:
                fault(self, asked)
            else:
                self.send(200, related(asked.body), MULTIPART)
        finally:
            with archive.lock:
                archive.at_once -= 1

    def rows(self, rows: list[dict], asked: dict[str, str]) -> None:
        begin = int(asked.get("offset", 0))
        page = rows[begin : begin + min(self.archive.page, int(asked.get("limit", 1_000_000)))]
        self.send(200, json.dumps(page).encode(), "application/dicom+json")

    def send(self, status: int, body: bytes, kind: str, *, stated: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if stated is None else stated))
        self.end_headers()
        self.wfile.write(body)

    def cut(self) -> None:
        """End the connection without an answer."""
        self.close_connection = True
        self.connection.close()


def related(body: bytes, *, ends: bool = True) -> bytes:
    """One file as multipart/related (RFC 2387)."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return head + body + (f"\r\n--{BOUNDARY}--\r\n".encode() if ends else b"")


def _ui(value: str, kind: str = "UI") -> dict:
    return {"vr": kind, "Value": [value]}


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@contextmanager
def running(archive: StubArchive) -> Iterator[StubArchive]:
    """Serve the archive while the block runs."""
    handler = type("OwnHandler", (Handler,), {"archive": archive})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    archive.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield archive
    finally:
        server.shutdown()
        server.server_close()


# --- faults ---------------------------------------------------------------------------------------------------
def status(number: int) -> Callable[[Handler, Stored], None]:
    return lambda handler, stored: handler.send(number, b"no", "text/plain")


def sends(body: bytes, kind: str) -> Callable[[Handler, Stored], None]:
    return lambda handler, stored: handler.send(200, body, kind)


def cut_off(handler: Handler, stored: Stored) -> None:
    """End the connection in the middle of the file."""
    body = related(stored.body)
    kind = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'
    handler.send(200, body[: len(body) // 2], kind, stated=len(body))
    handler.cut()


def once(fault: Callable[[Handler, Stored], None]) -> Callable[[Handler, Stored], None]:
    """The fault at the first request, then the file."""
    done: set[str] = set()

    def faulty(handler: Handler, stored: Stored) -> None:
        if stored.uid not in done:
            done.add(stored.uid)
            return fault(handler, stored)
        return handler.send(200, related(stored.body), MULTIPART)

    return faulty
