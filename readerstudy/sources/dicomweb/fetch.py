"""Fetching instances (WADO-RS) into a folder: some at a time, whole or not at all, and only what is not there yet.

What a server sends is not parsed here but for its envelope: the limited process reads it, as any other file.
"""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import requests

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError, message_of
from readerstudy.sources.dicomweb.archive import ATTEMPTS, Archive, Lost, Refused
from readerstudy.sources.dicomweb.search import Instance
from readerstudy.sources.source import ImportProblem

# In the form in which the archive keeps it: nothing is decompressed or compressed again.
# Not compressed for the way either: Orthanc then needs 150 ms for an image of 1 MB instead of 10.
FIELDS: Final = {
    "Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*',
    "Accept-Encoding": "identity",
}
LARGEST: Final = 500_000_000  # bytes
GIVE_UP_AFTER: Final = 8  # images in a row that the archive did not send
_CHUNK: Final = 1_000_000
_BOUNDARY: Final = re.compile(r"""boundary="?([^";]+)"?""", re.IGNORECASE)
_OWN_UID: Final = b"\x02\x00\x03\x00UI"  # (0002,0003) in a file's meta information
Progress = Callable[[int, int], None]


class WrongAnswer(StudyError):
    """The archive sent something else for this instance; the message continues its name."""


class CannotWrite(StudyError):
    """The folder takes no more files."""


@dataclass(frozen=True)
class Fetched:
    """What lies in the folder now, and what could not be fetched."""

    new: int
    known: int
    problems: tuple[ImportProblem, ...]


def fetch_instances(
    archive: Archive,
    instances: Sequence[Instance],
    folder: Path,
    *,
    progress: Progress = lambda done, total: None,
) -> Fetched:
    """Fetch every instance that the folder does not have; an instance that cannot be fetched is a problem.

    Raises Refused, CannotWrite, or Lost after many failures in a row. What has been fetched stays, and a second call
    goes on from there.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = [instance for instance in instances if not (folder / instance.file_name).exists()]
    known = len(instances) - len(waiting)
    problems: list[ImportProblem] = []
    done, lost = known, 0
    base = archive.url.rstrip("/")
    session = archive.session()
    progress(done, len(instances))
    with ThreadPoolExecutor(archive.connections, thread_name_prefix="fetch") as pool:
        running: dict[Future[None], Instance] = {}
        remaining = iter(waiting)
        try:
            while True:
                # Few at a time, so that nothing is left to cancel if the archive is gone.
                while len(running) < 2 * archive.connections and (instance := next(remaining, None)):
                    running[pool.submit(_fetch, archive, session, base, instance, folder)] = instance
                if not running:
                    break
                finished, _rest = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    instance = running.pop(future)
                    done += 1
                    try:
                        future.result()
                        lost = 0
                    except (Refused, CannotWrite):
                        raise
                    except Lost as error:
                        lost += 1
                        problems.append(ImportProblem(instance.file_name, message_of(error)))
                        if lost >= GIVE_UP_AFTER:
                            raise _gave_up(archive, len(instances), folder) from error
                    except StudyError as error:
                        lost = 0
                        problems.append(ImportProblem(instance.file_name, message_of(error)))
                    progress(done, len(instances))
        finally:
            for future in running:
                future.cancel()
    return Fetched(len(waiting) - len(problems), known, tuple(problems))


def _gave_up(archive: Archive, wanted: int, folder: Path) -> Lost:
    here = sum(1 for _file in folder.glob("*.dcm"))
    return Lost(
        _(
            "%(host)s has stopped answering. %(here)s of %(all)s images are here; nothing was imported. The same "
            "command goes on from there.",
            host=archive.host,
            here=here,
            all=wanted,
        )
    )


def _fetch(archive: Archive, session: requests.Session, base: str, instance: Instance, folder: Path) -> None:
    """Write one instance; an answer that breaks off is asked for again."""
    url = f"{base}/studies/{instance.study}/series/{instance.series}/instances/{instance.uid}"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            content = _content(archive, session, url)
            break
        except requests.exceptions.ChunkedEncodingError as error:
            if attempt == ATTEMPTS:
                raise archive.failure(error) from error
        except requests.RequestException as error:
            raise archive.failure(error) from error
    _check(content, instance)
    part = folder / f".{uuid4().hex}.part"
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / instance.file_name)
    except OSError as error:
        part.unlink(missing_ok=True)
        values = {"folder": folder, "error": error.strerror or type(error).__name__}
        raise CannotWrite(_("The folder %(folder)s cannot be written: %(error)s.", **values)) from error


def _content(archive: Archive, session: requests.Session, url: str) -> memoryview:
    """Return the file in the answer. Raises an error of requests, Refused or WrongAnswer."""
    # The session's own time limit is that of the archive's client.
    with session.get(url, headers=FIELDS, stream=True, timeout=(10, 60)) as answer:
        if answer.status_code in (401, 403):
            raise archive.refused(answer.status_code)
        if answer.status_code != 200:
            raise WrongAnswer(_("The archive answered with the status %(status)s.", status=answer.status_code))
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > LARGEST:
                raise WrongAnswer(_("The file is larger than %(most)s MB.", most=LARGEST // 1_000_000))
        kind = answer.headers.get("Content-Type", "")
    if kind.lower().startswith("multipart/related"):
        return _only_part(body, kind)
    if kind.lower().startswith("application/dicom") and "json" not in kind.lower():
        return memoryview(body)  # against the standard, but some archives do
    raise WrongAnswer(_("The archive sent no DICOM file but %(kind)s.", kind=kind.partition(";")[0][:60] or "?"))


def _only_part(body: bytearray, kind: str) -> memoryview:
    """Return the content of the first part (RFC 2387). Raises ChunkedEncodingError if the end is missing."""
    found = _BOUNDARY.search(kind)
    if not found:
        raise WrongAnswer(_("The archive sent an answer without a boundary between its parts."))
    boundary = b"--" + found[1].strip().encode("latin-1", "replace")
    begin = body.find(boundary)
    head = body.find(b"\r\n\r\n", begin)
    if begin < 0 or head < 0:
        raise WrongAnswer(_("The archive sent an answer without a part."))
    end = body.find(b"\r\n" + boundary, head + 2)
    if end < 0:
        raise requests.exceptions.ChunkedEncodingError("the last delimiter is missing")
    after = end + 2 + len(boundary)
    if body[after : after + 2] != b"--":
        raise WrongAnswer(_("The archive sent several files for one image."))
    return memoryview(body)[head + 4 : end]


def _check(content: memoryview, instance: Instance) -> None:
    """Raise WrongAnswer unless this is a DICOM file that names the instance as its own."""
    start = bytes(content[:2000])
    if start[128:132] != b"DICM":
        raise WrongAnswer(_("The archive sent something that is no DICOM file."))
    at = start.find(_OWN_UID)
    if at < 0:
        return
    length = int.from_bytes(start[at + 6 : at + 8], "little")
    if start[at + 8 : at + 8 + length].rstrip(b"\0 ") != instance.uid.encode():
        raise WrongAnswer(_("The archive sent another image than the one that was asked for."))
