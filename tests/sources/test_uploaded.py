"""Archives that try to harm the server: each is refused, and nothing lies outside the folder."""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from readerstudy.errors import BadInput
from readerstudy.sources.uploaded import Limits, check_archive, check_type, safe_path, unpack
from tests.sources.make_files import film, write_png

LIMITS = Limits(bytes_sent=10_000_000, bytes_unpacked=3_000_000, files=50)


def write_zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def refusal(path: Path, limits: Limits = LIMITS) -> str:
    """Return why the archive is not unpacked; nothing may have been written beside the folder."""
    before = {each for each in path.parent.rglob("*") if "into" not in each.parts}
    with pytest.raises(BadInput) as caught:
        list(unpack(path, path.parent / "into", limits))
    assert {each for each in path.parent.rglob("*") if "into" not in each.parts} == before
    return str(caught.value)


def picture() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(film().astype(np.uint8)).save(stream, format="PNG")
    return stream.getvalue()


def test_pictures_and_tables_are_unpacked_and_the_rest_is_left_out_by_name(tmp_path):
    path = write_zip(
        tmp_path / "a.zip",
        ("films/one.png", picture()),
        ("films/table.csv", b"image,patient,pathology\n"),
        ("films/run.exe", b"MZ\x90\0"),
        ("films/table2.csv", b"a\0b"),
        ("__MACOSX/films/._one.png", b"\0\5\x16\7"),
        ("films/.DS_Store", b"\0\0\0\1Bud1"),
    )
    left_out = list(unpack(path, tmp_path / "into", LIMITS))
    files = {each.relative_to(tmp_path / "into").as_posix() for each in tmp_path.glob("into/**/*") if each.is_file()}
    assert files == {"films/one.png", "films/table.csv"}
    assert [each.name for each in left_out] == ["films/run.exe", "films/table2.csv"]
    assert "no PNG, PGM, TIFF or DICOM file" in left_out[0].sentence


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "a/../../evil.png", "/etc/evil.png", "..\\evil.png", "C:/evil.png", "a\nb.png", "x/" * 30 + "y.png",
     "a" * 300 + ".png"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    assert "not allowed" in refusal(write_zip(tmp_path / "a.zip", (name, picture())))


def test_a_name_with_a_nul_byte_is_refused():
    with pytest.raises(BadInput):
        safe_path("a.png\0.exe")


def test_a_symbolic_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = write_zip(tmp_path / "a.zip", (link, b"/etc/passwd"), ("link.png/x", b"data"))
    assert "link or a device" in refusal(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = write_zip(tmp_path / "a.zip", ("zeros.pgm", b"\0" * 2_900_000))
    assert "expands to more than" in refusal(path)
    assert not (tmp_path / "into").exists()


def test_more_bytes_than_allowed_are_refused(tmp_path):
    grain = np.random.default_rng(1).integers(0, 256, 1_600_000, dtype=np.uint8).tobytes()
    path = write_zip(tmp_path / "a.zip", ("a.pgm", grain), ("b.pgm", grain))
    assert "too large" in refusal(path)


def test_more_files_than_allowed_are_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", *((f"{number}.csv", b"a") for number in range(51)))
    assert "too many files" in refusal(path)


def test_overlapping_files_are_refused(tmp_path):
    """The directory names one compressed stream several times, so that a small archive expands to a large one."""
    grain = np.random.default_rng(1).integers(0, 256, 400_000, dtype=np.uint8).tobytes()
    path = write_zip(tmp_path / "a.zip", ("a.pgm", grain))
    body = path.read_bytes()
    start = body.index(b"PK\1\2")
    entry, end = body[start : body.rindex(b"PK\5\6")], body[body.rindex(b"PK\5\6") :]
    entries = b"".join(entry.replace(b"a.pgm", f"{number}.pgm".encode()) for number in range(5))
    end = end[:8] + struct.pack("<HHI", 5, 5, len(entries)) + end[16:]
    path.write_bytes(body[:start] + entries + end)
    assert "overlap" in refusal(path)


def test_a_directory_that_is_too_large_is_refused_without_reading_it(tmp_path):
    path = write_zip(tmp_path / "a.zip", ("a.csv", b"a"))
    body = bytearray(path.read_bytes())
    end = body.rindex(b"PK\5\6")
    body[end + 10 : end + 12] = struct.pack("<H", 60_000)
    path.write_bytes(body)
    assert "too many files" in refusal(path)


@pytest.mark.parametrize("cut", [1, 21, 30, 0.5])
def test_a_truncated_archive_is_refused(tmp_path, cut):
    path = write_zip(tmp_path / "a.zip", ("a.png", picture()), ("t.csv", b"a"))
    body = path.read_bytes()
    path.write_bytes(body[:-cut] if cut >= 1 else body[: int(cut * len(body))])
    assert "damaged or cut off" in refusal(path)


@pytest.mark.parametrize("stated", [10, 2_000_000_000])
def test_an_entry_that_lies_about_its_size_gives_no_more_than_it_states(tmp_path, stated):
    path = write_zip(tmp_path / "a.zip", ("a.csv", b"image,patient\n" * 1000), method=zipfile.ZIP_STORED)
    body = path.read_bytes()
    size = struct.pack("<I", 14_000)
    path.write_bytes(body.replace(size + size, size + struct.pack("<I", stated)))
    assert refusal(path)
    assert sum(each.stat().st_size for each in tmp_path.glob("into/*")) <= 14_000


def test_a_deflated_stream_that_expands_beyond_its_stated_size_is_cut(tmp_path):
    content = b"a,b\n" * 200_000
    path = write_zip(tmp_path / "a.zip", ("a.csv", content))
    body = path.read_bytes()
    path.write_bytes(body.replace(struct.pack("<I", len(content)), struct.pack("<I", 5000)))
    assert "wrong size" in refusal(path)
    assert sum(each.stat().st_size for each in tmp_path.glob("into/*")) <= 5000


def test_a_password_two_files_of_one_name_and_odd_compression_are_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", ("a.csv", b"a"), method=zipfile.ZIP_BZIP2)
    assert "uncommon way" in refusal(path)
    body = write_zip(tmp_path / "b.zip", ("a.csv", b"abc")).read_bytes()
    locked = bytearray(body)
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[body.index(mark) + offset] |= 1
    (tmp_path / "b.zip").write_bytes(locked)
    assert "password" in refusal(tmp_path / "b.zip")
    twice = write_zip(tmp_path / "c.zip", ("a.csv", b"a"), ("b.csv", b"b")).read_bytes()
    (tmp_path / "c.zip").write_bytes(twice.replace(b"b.csv", b"a.csv"))
    assert "two files of one name" in refusal(tmp_path / "c.zip")


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 and nothing more")
    with pytest.raises(BadInput, match="damaged"):
        check_archive(tmp_path / "a.zip", LIMITS)


def test_a_picture_is_known_by_its_content_and_not_by_its_name(tmp_path):
    write_png(tmp_path / "one.bin", film().astype(np.uint8))
    assert check_type(tmp_path / "one.bin", name="one.bin") is None
    (tmp_path / "two.png").write_bytes(zlib.compress(b"no picture"))
    assert check_type(tmp_path / "two.png", name="two.png")
