"""Everything that reads what others send, as functions of a folder and some bytes that need no database.

Each returns if the bytes were accepted, and raises one of the target's refusals otherwise. Anything else is a defect.
"""

import contextlib
import io
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

# The framework imports the parser of the settings, which needs its views.
import rest_framework.views  # noqa: F401 - as above
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory
from rest_framework.exceptions import ParseError

from readerstudy.api.parsers import StrictJSONParser
from readerstudy.api.reader import bodies
from readerstudy.api.requests import validated
from readerstudy.bundle import archive
from readerstudy.errors import BadInput, StudyError
from readerstudy.image_import.uploads import ReceiveFiles
from readerstudy.imaging.image import UnreadableImage
from readerstudy.modalities.mammography import sources
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.yaml_file import read_protocol, write_protocol
from readerstudy.record import verifier
from readerstudy.sources.any_file import load_file
from readerstudy.sources.pair_table import read_pairs
from readerstudy.sources.synthetic_table import read_synthetic
from readerstudy.sources.uploaded import Limits, safe_path, unpack
from tests.fuzz import seeds
from tests.fuzz.mutate import mutated, mutated_json, with_checksums

LIMITS = Limits(bytes_sent=1_000_000, bytes_unpacked=3_000_000, files=50)
# Refused by the limited process rather than by the reader: the file crashed a decoder, or took too long.
ENDED = ("ended the program", "was not read within")


@dataclass(frozen=True)
class Target:
    name: str
    damaged: Callable[[Random], bytes]
    read: Callable[[Path, bytes], None]
    refusals: tuple[type[Exception], ...]

    def try_one(self, folder: Path, data: bytes) -> str:
        """Return "" if the bytes were accepted, else the message. The folder is empty before and after.

        Raises what the product should not have raised, and AssertionError if it wrote what it should not have.
        """
        try:
            self.read(folder, data)
            return ""
        except self.refusals as error:
            if not str(error):
                raise AssertionError("a refusal without a message") from error
            return str(error)
        finally:
            for path in list(folder.iterdir()):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


class _Refused(Exception):
    """The verifier refuses by its exit code."""


def _written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _only(folder: Path, *names: str) -> None:
    """Fail if anything else has been written."""
    there = set(os.listdir(folder))
    assert there == set(names), f"{there} instead of {names}"


# --- pictures -------------------------------------------------------------------------------------------------
def _picture(folder: Path, data: bytes) -> None:
    path = _written(folder, "picture.x", data)
    try:
        file = load_file(path, name="picture")
    finally:
        _only(folder, path.name)
    assert file.pixels.values.ndim == 2
    assert file.pixels.values.size
    assert 8 <= file.pixels.bits <= 16
    assert 0 <= int(file.pixels.values.min()) <= int(file.pixels.values.max()) < 2**file.pixels.bits


def _dicom(folder: Path, data: bytes) -> None:
    path = _written(folder, "film.dcm", data)
    table = _written(folder, "t.csv", b"image,patient,pathology\nfilm.dcm,anna,normal\n")
    try:
        batch = sources.read_folder(folder, table)
        assert batch.images or batch.problems
        for image in batch.images:
            pixels = image.load()
            assert pixels.values.ndim == 2
            assert 0 <= int(pixels.values.min()) <= int(pixels.values.max()) < 2**pixels.bits
        if not batch.images:
            raise StudyError(batch.problems[0].text)
    finally:
        _only(folder, path.name, table.name)


# --- tables, protocols, archives ------------------------------------------------------------------------------
def _table(folder: Path, data: bytes) -> None:
    table = _written(folder, "table.csv", data)
    refused = []
    for read in (
        lambda: sources.read_table(table),
        lambda: read_pairs(table, sources.VOCABULARY),
        lambda: read_synthetic(table, sources.VOCABULARY),
    ):
        try:
            read()
        except StudyError as error:
            refused.append(error)
    _only(folder, table.name)
    if len(refused) == 3:
        raise refused[0]


def _protocol(folder: Path, data: bytes) -> None:
    words = MAMMOGRAPHY.words.reading
    protocol = read_protocol(data, words=words)
    assert read_protocol(write_protocol(protocol).encode(), words=words) == protocol


def _upload(folder: Path, data: bytes) -> None:
    path, into = _written(folder, "a.zip", data), folder / "into"
    try:
        left_out = list(unpack(path, into, LIMITS))
        assert all(each.sentence for each in left_out)
    finally:
        _only(folder, path.name, *(["into"] if into.exists() else []))
        assert sum(each.stat().st_size for each in into.rglob("*") if each.is_file()) <= LIMITS.bytes_unpacked


def _bundle_archive(folder: Path, data: bytes) -> None:
    path, into = _written(folder, "a.zip", data), folder / "into"
    into.mkdir()
    try:
        archive.unpack(path, into)
    finally:
        _only(folder, path.name, "into")


def _parts(folder: Path, data: bytes) -> None:
    receiver = ReceiveFiles(folder / "sent", LIMITS)
    request = RequestFactory().generic("POST", "/", data, content_type="multipart/form-data; boundary=BOUNDARY")
    request.upload_handlers = [receiver]
    assert request.POST is not None
    if (folder / "sent").exists():
        _only(folder, "sent")
        assert all(path.is_dir() or path.is_file() for path in (folder / "sent").rglob("*"))
    else:
        _only(folder)
    if receiver.error:
        raise StudyError(receiver.error)


def _path(folder: Path, data: bytes) -> None:
    path = safe_path(data.decode("utf-8", "replace"))
    assert Path(os.path.normpath(folder / path)).is_relative_to(folder)


# --- record and API ------------------------------------------------------------------------------------------
def _verify(folder: Path, data: bytes) -> None:
    first, _, second = data.partition(seeds.BETWEEN)
    paths = [_written(folder, "a.jsonl", first), _written(folder, "b.json", second)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = verifier.main([str(path) for path in paths if path.stat().st_size])
    _only(folder, *(path.name for path in paths))
    assert code in (0, 1, 2)
    assert said.getvalue()
    if code:
        raise _Refused(said.getvalue())


def _lines(rng: Random) -> bytes:
    """Return a record and a receipt, one of them damaged."""
    values, receipt = _record()
    damaged = rng.randrange(2 * len(values))
    rows = [mutated_json(rng, [value]) if at == damaged else _dumped(value) for at, value in enumerate(values)]
    last = _dumped(receipt) if damaged < len(values) else mutated_json(rng, [receipt])
    return seeds.BETWEEN.join([b"\n".join(rows), last])


_record = cache(seeds.record)


def _dumped(value: object) -> bytes:
    return verifier.canonical(value).encode()


_REQUESTS = {
    "open": bodies.PageSerializer,
    "display": bodies.DisplayCheckSerializer,
    "verdicts": bodies.SubmittedVerdictSerializer,
    "answers": bodies.SubmittedAnswersSerializer,
    "problems": bodies.SubmittedProblemSerializer,
}


def _body(folder: Path, data: bytes) -> None:
    value = StrictJSONParser().parse(io.BytesIO(data))
    refused = []
    for serializer in _REQUESTS.values():
        try:
            validated(serializer(data=value))
        except BadInput as error:
            refused.append(error)
    if len(refused) == len(_REQUESTS):
        raise refused[0]


# --- all ------------------------------------------------------------------------------------------------------
_MULTIPART = b"".join(
    b'--BOUNDARY\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n' % part
    for part in (
        (b"cohort", b"", b"", b"cohort-1"),
        (b"files", b'; filename="images/one.png"', b"Content-Type: image/png\r\n", b"\x89PNG"),
        (b"files", b"; filename*=UTF-8''images/zwei%C3%A4.png", b"Content-Type: image/png\r\n", b"x" * 50),
        (b"files", b'; filename="t.csv"', b"Content-Transfer-Encoding: base64\r\n", b"aW1hZ2U="),
    )
) + b"--BOUNDARY--\r\n"  # fmt: skip
_PATHS = (b"images/one.png", "Aufnahmen/zwei-ä.png".encode(), b"a/b/c/d/e/f", b"t.csv")


def _of(made: Callable[[], Sequence[bytes]]) -> Callable[[Random], bytes]:
    files = cache(made)
    return lambda rng: mutated(rng, files())


def _png(rng: Random) -> bytes:
    data = _plain_png(rng)
    return with_checksums(data) if rng.randrange(4) else data


_plain_png = _of(seeds.pngs)
_UNREADABLE = (UnreadableImage, StudyError)
TARGETS = (
    Target("PNG", _png, _picture, _UNREADABLE),
    Target("PGM", _of(seeds.pgms), _picture, _UNREADABLE),
    Target("TIFF", _of(seeds.tiffs), _picture, _UNREADABLE),
    Target("DICOM", _of(seeds.dicoms), _dicom, _UNREADABLE),
    Target("tables", _of(lambda: seeds.TABLES), _table, (StudyError,)),
    Target("protocol", _of(seeds.protocols), _protocol, (BadInput,)),
    Target("zip-upload", _of(seeds.zips), _upload, (BadInput,)),
    Target("multipart-upload", _of(lambda: [_MULTIPART]), _parts, (StudyError, MultiPartParserError)),
    Target("upload-path", _of(lambda: _PATHS), _path, (BadInput,)),
    Target("zip-bundle", _of(seeds.zips), _bundle_archive, (BadInput,)),
    Target("record", _lines, _verify, (_Refused,)),
    Target("request-body", lambda rng: mutated_json(rng, list(seeds.BODIES.values())), _body, (BadInput, ParseError)),
)
