"""Damaged files and requests: each is read or refused with a message, and nothing else happens."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import seeds
from tests.fuzz.targets import ENDED, TARGETS, Target


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rng=st.randoms(use_true_random=False))
def test_damaged_bytes_are_read_or_refused(target: Target, tmp_path: Path, rng: Random) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    message = target.try_one(folder, target.damaged(rng))
    assert not any(words in message for words in ENDED)


# --- what long runs have found ----------------------------------------------------------------------------------
FOUND = {
    "a PNG of which 0 bits count": ("PNG", seeds.png_with_significant_bits(0), "has only 0 bits"),
    "a PNG of which 5 bits count": ("PNG", seeds.png_with_significant_bits(5), "has only 5 bits"),
    "a PGM with a negative value": ("PGM", b"P2 2 1 255 7 -13", "holds the value -13"),
    "a zip entry without a name": ("zip-upload", seeds.renamed_zip(b"", b""), "The file name '' is not allowed"),
    "another name before the data": ("zip-upload", seeds.renamed_zip("ä.csv".encode(), b"\xff\xff.csv"), "damaged"),
    "an entry before the file": ("zip-bundle", seeds.zip_that_begins_before_the_file(), "The zip file is damaged"),
    "an endless JSON list": ("record", b"[" * 100_000, "Cannot be read"),
    "a receipt of an entry -100": ("record", seeds.record_with_receipt_of(-100), "entry 1 of the receipt has no index"),
}


@pytest.mark.parametrize(("name", "data", "said"), FOUND.values(), ids=FOUND.keys())
def test_what_was_accepted_or_crashed_is_refused(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (target,) = (target for target in TARGETS if target.name == name)
    assert said in target.try_one(tmp_path, data)


def test_a_folder_as_the_name_of_a_file_is_taken_without_its_slash(tmp_path: Path) -> None:
    (target,) = (target for target in TARGETS if target.name == "multipart-upload")
    data = b'--BOUNDARY\r\nContent-Disposition: form-data; name="a"; filename="images/"\r\n\r\nx\r\n--BOUNDARY--\r\n'
    assert target.try_one(tmp_path, data) == ""
