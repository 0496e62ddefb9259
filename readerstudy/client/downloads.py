"""Long answers as files: written piece by piece, whole or not at all, with their SHA-256 checked."""

import base64
import binascii
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final

import httpx

from readerstudy.client.api_client import ApiClient
from readerstudy.client.problems import NoAnswer
from readerstudy.errors import StudyError

Advance = Callable[[int, int | None], None]  # bytes so far, and in all if the server says so
DIGESTS: Final = ("Repr-Digest", "Content-Digest")  # RFC 9530
_SHA256: Final = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


@dataclass(frozen=True)
class Download:
    """A file that was written. `is_verified`: the server named its SHA-256, and it is the same."""

    path: Path
    bytes: int
    sha256: str
    is_verified: bool


class Damaged(StudyError):
    """What arrived is not what the server sent: the SHA-256 differs. No file was written."""


def download(
    client: ApiClient, address: str, path: Path | str, *, sha256: str = "", progress: Advance | bool = True
) -> Download:
    """Write the answer to a file, which appears under its name when it is complete; an earlier one is replaced.

    Only its owner may read the file. `sha256`: of the file, if it is known from elsewhere. `progress`: a bar on
    standard error if that is a terminal and rich is installed, a function that is called instead, or False. A
    connection that breaks is tried again from the start, as the client's retries say. Raises Damaged if the SHA-256
    differs, NoAnswer, and ApiError for an error.
    """
    path = Path(path)
    tries = 0
    while True:
        tries += 1
        try:
            return _written(client, address, path, sha256=sha256, progress=progress)
        except NoAnswer:
            pause = client.retries.pause(tries)
            if pause is None:
                raise
            client.retries.sleep(pause)


def _written(client: ApiClient, address: str, path: Path, *, sha256: str, progress: Advance | bool) -> Download:
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        part = Path(file.name)
        try:
            with client.open("GET", address) as response, bar(path.name, shown=progress, is_bytes=True) as advance:
                digest, size = _copied(response, file, advance)
                expected = sha256 or digest_of(response)
            if expected and expected != digest:
                raise Damaged(f"{path.name} arrived with the SHA-256 {digest}; the server named {expected}.")
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    return Download(path, size, digest, is_verified=bool(expected))


def _copied(response: httpx.Response, file: IO[bytes], advance: Advance) -> tuple[str, int]:
    """Return the SHA-256 and the number of bytes written."""
    length = response.headers.get("Content-Length")
    is_packed = "Content-Encoding" in response.headers
    total = int(length) if length and not is_packed else None
    digest, size = hashlib.sha256(), 0
    for piece in response.iter_bytes():
        file.write(piece)
        digest.update(piece)
        size += len(piece)
        advance(size, total)
    return digest.hexdigest(), size


def digest_of(response: httpx.Response) -> str:
    """Return the SHA-256 that the response names (RFC 9530), in hexadecimal digits; empty if it names none.

    That of a packed answer is the packed bytes', which are unpacked on arrival: it is not used.
    """
    if "Content-Encoding" in response.headers:
        return ""
    for name in DIGESTS:
        found = _SHA256.search(response.headers.get(name, ""))
        if found:
            try:
                return base64.b64decode(found[1], validate=True).hex()
            except binascii.Error:
                return ""
    return ""


# --- progress ---------------------------------------------------------------------------------------------------------
@contextmanager
def bar(title: str, *, shown: Advance | bool = True, is_bytes: bool = False) -> Iterator[Advance]:
    """Yield a function that moves a bar on standard error, or `shown` if that is a function.

    Shows nothing if `shown` is False, without a terminal, or without rich.
    """
    if callable(shown):
        yield shown
        return
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        shown = False
    if not shown or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    sizes = (progress.DownloadColumn(), progress.TransferSpeedColumn())
    amounts = sizes if is_bytes else (progress.MofNCompleteColumn(),)
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), *amounts)
    with progress.Progress(*columns, progress.TimeRemainingColumn(), console=Console(stderr=True)) as lines:
        task = lines.add_task(title, total=None)
        yield lambda done, total: lines.update(task, completed=done, total=total)
