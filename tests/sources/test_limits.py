"""Files that would fill the memory, hang or crash a decoder cost themselves and nothing else."""

import os
import pickle
import struct
import subprocess
import time
from functools import partial
from importlib import import_module
from pathlib import Path

import gdcm
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import DeflatedExplicitVRLittleEndian

from readerstudy.errors import Sentence
from readerstudy.imaging.image import Pixels, UnreadableImage
from readerstudy.modalities.mammography.sources import VOCABULARY, read_folder
from readerstudy.sources import limited as limits
from readerstudy.sources.files import read_table
from readerstudy.sources.limited import limited, read_answer
from readerstudy.sources.source import ImportBatch
from tests.sources.make_files import compress_dicom, dicom_dataset, film, write_dicom, write_png, write_table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "film.dcm"


def read_one(path: Path) -> ImportBatch:
    table = write_table(path.parent, [f"{path.name},anna,L,CC,normal"])
    if path.suffix == ".dcm":
        return read_folder(path.parent, table)
    return read_table(table, VOCABULARY)


def deflated(path: Path, *, group: int, length: int) -> Path:
    """An image with a private element of zeros."""
    dataset = dicom_dataset(film(bits=12), bits=12)
    dataset.private_block(group, "TEST", create=True).add_new(1, "OB", bytes(length))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


# --- the process ----------------------------------------------------------------------------------------------
def test_too_much_memory_is_refused_and_the_next_file_is_read() -> None:
    with pytest.raises(UnreadableImage, match=r"^a\.png needs more than 2 GB of memory to be read"):
        limited(partial(bytearray, 3 << 30), name="a.png")
    assert limited(partial(len, "next"), name="b.png") == 4


def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.2)
    with pytest.raises(UnreadableImage, match=r"^a\.png was not read within 0\.2 seconds"):
        limited(partial(time.sleep, 60), name="a.png")
    monkeypatch.undo()
    assert limited(partial(len, "next"), name="b.png") == 4


def test_a_decoder_that_crashes_ends_its_own_process() -> None:
    with pytest.raises(UnreadableImage, match=r"^a\.png is damaged: it ended the program"):
        limited(os.abort, name="a.png")
    assert limited(os.getpid, name="b.png") != os.getpid()


def test_the_process_has_no_secrets_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x" * 50)
    monkeypatch.setattr(limits, "_READERS", {})  # one that is started now
    assert limited(partial(os.getenv, "SECRET_KEY"), name="a.png") is None
    assert limited(partial(os.getenv, "PATH"), name="a.png")
    with pytest.raises(OSError, match="File too large"):
        limited(partial((tmp_path / "new").write_text, "x"), name="a.png")
    limits._READERS[os.getpid()].end()


# --- pixels ---------------------------------------------------------------------------------------------------
class Calling:
    """What a decoder that was taken over could send."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        function, *arguments = self.call
        return function, tuple(arguments)


@pytest.mark.parametrize(
    "call",
    [
        (os.system, "true"),
        (eval, "1"),
        (getattr, UnreadableImage, "__init__"),
        (import_module, "os"),
        (limited, print),
        (Path, "/"),
        (subprocess.Popen, ["true"]),
    ],
)
def test_an_answer_calls_nothing_that_the_decoder_chose(call: tuple[object, ...]) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is no part of an answer"):
        read_answer(pickle.dumps((True, Calling(*call))))


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", pickle.dumps(1)[:-1], b"creaderstudy.errors\nSentence.of.__func__\n."]
)
def test_a_damaged_answer_is_one_error(data: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError):
        read_answer(data)


def test_an_answer_holds_images_and_errors() -> None:
    sentence = Sentence("%(name)s is damaged.", name=Sentence("It"))
    image = Pixels(np.arange(12, dtype=np.uint16).reshape(3, 4)[:, ::2], 16)
    good, (back, error) = read_answer(pickle.dumps((True, (image, UnreadableImage(sentence)))))
    assert good
    assert np.array_equal(back.values, image.values)
    assert error.args == (sentence,)
    assert error.args[0].data == sentence.data


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    path = write_png(tmp_path / "bomb.png", film())
    body = bytearray(path.read_bytes())
    body[16:24] = struct.pack(">II", 13_300, 13_300)
    path.write_bytes(body)
    with pytest.raises(UnreadableImage, match=r"bomb\.png has 13300 × 13300 pixels; at most 64 million are read"):
        read_one(path).images[0].load()


def test_a_header_of_too_many_pixels_is_refused(path: Path) -> None:
    found = read_one(write_dicom(path, film(bits=12), bits=12, Rows=13_300, Columns=13_300))
    assert [problem.sentence for problem in found.problems] == [
        "film.dcm has 13300 × 13300 pixels; at most 64 million are read."
    ]


# --- deflated files -------------------------------------------------------------------------------------------
def test_a_deflated_file_gives_the_same_picture(path: Path) -> None:
    pixels = read_one(deflated(path, group=0x0009, length=100)).images[0].load()
    assert np.array_equal(pixels.values, film(bits=12))


def test_a_deflated_element_before_the_header_is_not_inflated(path: Path) -> None:
    found = read_one(deflated(path, group=0x0009, length=40_000_000))
    assert not found.images
    assert "is deflated and would expand to more than 16 MB" in found.problems[0].sentence


def test_a_deflated_element_before_the_pixels_is_not_inflated(path: Path) -> None:
    found = read_one(deflated(path, group=0x0029, length=40_000_000))
    assert not found.images
    assert "is deflated and would expand to more than 16 MB" in found.problems[0].sentence


# --- what a header says ---------------------------------------------------------------------------------------
def test_text_in_the_picture_is_refused_and_silence_is_noted(path: Path) -> None:
    refused = read_one(write_dicom(path, film(bits=12), bits=12, BurnedInAnnotation="YES"))
    assert not refused.images
    assert "text is burned into the picture" in refused.problems[0].sentence
    silent = read_one(write_dicom(path, film(bits=12), bits=12))
    assert silent.images
    assert silent.notes[0].startswith("1 of 1 DICOM files do not say whether text is burned into the picture")
    assert not read_one(write_dicom(path, film(bits=12), bits=12, BurnedInAnnotation="NO")).notes


@pytest.mark.parametrize("view", ["MUELLER", "A_LONG_VIEW_CODE"])
def test_a_view_beyond_the_standards_list_is_not_stored(path: Path, view: str) -> None:
    found = read_one(write_dicom(path, film(bits=12), bits=12, ViewPosition=view))
    assert found.images[0].attributes["view_position"] == "CC"  # the table's
    assert found.problems[0].sentence.endswith("View Position that is not in the standard's list: it is passed over.")
    assert view not in found.problems[0].sentence


def test_a_row_with_an_unknown_view_is_refused_alone(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", film())
    write_png(tmp_path / "b.png", film(seed=1))
    table = write_table(tmp_path, ["a.png,anna,L,MUELLER,normal", "b.png,bea,L,XCCL,normal"])
    found = read_table(table, VOCABULARY)
    assert [image.name for image in found.images] == ["b.png"]
    assert found.problems[0].sentence.startswith("Row 2 (a.png) has the view 'MUELLER'; CC, MLO, ")


# --- JPEG 2000 ------------------------------------------------------------------------------------------------
@pytest.fixture
def stream(path: Path) -> bytearray:
    compress_dicom(write_dicom(path, film(bits=12, rows=64, columns=40), bits=12), gdcm.TransferSyntax.JPEG2000Lossless)
    assert read_one(path).images[0].load()
    return bytearray(path.read_bytes())


def test_a_jpeg_2000_stream_that_is_cut_off_is_refused(path: Path, stream: bytearray) -> None:
    """The decoder fills the rest with grey. The end is there all the same: a sender may have added it."""
    dataset = dcmread(path)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: frame.rindex(b"\xff\xd9") - 200] + b"\xff\xd9"])
    dataset.save_as(path)
    with pytest.raises(UnreadableImage, match="is damaged"):
        read_one(path).images[0].load()


def test_a_marker_in_coded_data_is_refused(path: Path, stream: bytearray) -> None:
    at = stream.index(b"\xff\x93") + 300
    stream[at : at + 2] = b"\xff\xa0"
    path.write_bytes(stream)
    with pytest.raises(UnreadableImage, match="is damaged"):
        read_one(path).images[0].load()
