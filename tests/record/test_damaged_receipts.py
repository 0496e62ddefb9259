"""Damaged receipts end in a sentence and an exit code, and never in a traceback."""

import contextlib
import io
import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.record import verifier
from tests.fuzz import seeds
from tests.fuzz.mutate import mutated, mutated_json

_record = cache(seeds.record)


def valid_receipt() -> dict:
    return _record()[1]


def damaged(seed: int) -> bytes:
    """A receipt with one to six damages: of its values, or of its bytes."""
    rng = Random(seed)
    if rng.randrange(2):
        return mutated_json(rng, [valid_receipt()])
    return mutated(rng, [json.dumps(valid_receipt()).encode()])


def verify(path: Path) -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = verifier.main([str(path)])
    return code, said.getvalue()


def signed_part(receipt: dict) -> tuple:
    """What a receipt proves: its head and its entries."""
    head = {name: receipt["head"][name] for name in ("log", "size", "root", "at", "signature")}
    return head, receipt["public_key"], [(leaf["index"], leaf["data"]) for leaf in receipt["leaves"]]


def test_the_receipt_that_is_damaged_here_is_valid(tmp_path):
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(valid_receipt()))
    assert verify(path)[0] == 0


@given(st.integers(0, 2**32))
def test_a_damaged_receipt_gets_a_sentence_and_proves_nothing_else(tmp_path_factory, seed):
    path = tmp_path_factory.getbasetemp() / "damaged_receipt.json"
    path.write_bytes(damaged(seed))
    code, said = verify(path)
    assert code in (0, 1, 2)
    assert said.strip()
    if code == 0:  # the damage is of a part that nothing depends on, or leaves an entry out
        head, key, entries = signed_part(json.loads(path.read_text()))
        known = signed_part(valid_receipt())
        assert (head, key) == known[:2]
        assert all(entry in known[2] for entry in entries)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "neither a record"),
        (b"\x00\xff\xfe binary", "decode"),
        (b"[" * 100_000, "recursion"),
        (b"9" * 5000, "digits"),
        (b'{"format": "readerstudy receipt 1"}', "the tree head of the receipt is missing"),
    ],
)
@pytest.mark.django_db
def test_the_command_says_what_is_wrong_with_a_file(tmp_path, study, content, sentence):
    path = tmp_path / "receipt.json"
    path.write_bytes(content)
    assert verify(path)[0] == 2
    with pytest.raises(CommandError, match=f"cannot be read: .*{sentence}"):
        call_command("verify_study", study.code, receipt=[path])


@pytest.mark.django_db
def test_the_command_takes_no_damaged_receipt_for_a_valid_one(tmp_path, study):
    path = tmp_path / "receipt.json"
    for seed in range(40):
        path.write_bytes(damaged(seed))
        with pytest.raises(CommandError, match=r"cannot be read|is not a receipt|does not agree"):
            call_command("verify_study", study.code, receipt=[path])


def test_a_receipt_with_a_number_beyond_all_sizes_is_refused(tmp_path):
    receipt = json.loads(json.dumps(valid_receipt()))
    path = tmp_path / "receipt.json"
    for value in (2**63, -1, 1e308, True, "1", None):
        receipt["head"]["size"] = value
        path.write_text(json.dumps(receipt))
        assert verify(path) == (2, f"Cannot be read: {path}: the tree head of the receipt has no size\n")
