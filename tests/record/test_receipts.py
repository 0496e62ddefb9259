"""Receipts and exported records are verified by one file, without this software."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from readerstudy.record import verifier
from readerstudy.record.heads import as_lines, heads_file, sign_head
from readerstudy.record.models import Entry, TreeHead
from readerstudy.studies.actions import close_study
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.verification import exported_record, verify_record
from tests import make, walk
from tests.tamper import without_triggers

FORBIDDEN = ("authenticity", "adversarial", "pathology", "stimulus", "generator", "seed")


@pytest.fixture
def read(study, rita):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    connection.check_constraints()
    sign_head(study.code, at=make.MONDAY)
    return study


@pytest.fixture
def room(rita):
    client = Client()
    client.force_login(rita)
    return client


def run_alone(*paths: Path) -> subprocess.CompletedProcess[str]:
    """The verifier as somebody else runs it: one file, none of our packages, no site-packages."""
    return subprocess.run([sys.executable, "-I", "-S", verifier.__file__, *paths], capture_output=True, text=True)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def exported(study, path: Path) -> Path:
    return written(path, "".join(exported_record(study, at=make.MONDAY)))


def receipt_of(room, study, number: int = 1) -> dict:
    return json.loads(room.get(f"/read/{study.code}/{number}/receipt.json").content)


def test_the_receipt_has_the_reader_s_readings_and_is_valid(read, room, tmp_path):
    receipt = receipt_of(room, read)
    contents = [json.loads(leaf["data"]) for leaf in receipt["leaves"]]
    assert [data["table"] for data in contents].count("reading_reading") == 3
    assert (receipt["study"], receipt["session"], receipt["reader"]) == ("tiny", 1, "R1")
    alone = run_alone(written(tmp_path / "receipt.json", json.dumps(receipt)))
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert verify_record(read.code, at=make.MONDAY, receipts=[receipt]).passed


def test_a_receipt_is_the_same_each_time_and_tells_nothing_of_the_truth(read, room, rita):
    before = receipt_of(room, read)
    walk.finish_session(walk.client_of(rita), read.code, 2)
    connection.check_constraints()
    assert receipt_of(room, read) == before
    text = json.dumps(before).lower()
    assert [word for word in FORBIDDEN if word in text] == []
    shown = [str(key) for key in read.session_plans.values_list("allocations__stimulus", flat=True)]
    assert [key for key in shown if key in text] == []


def test_the_page_of_the_receipt_shows_its_short_code(read, room):
    page = room.get(f"/read/{read.code}/1/receipt/").content.decode()
    assert room.get(f"/read/{read.code}/2/receipt/").status_code == 409
    assert "3 images" in page
    assert f"/read/{read.code}/1/receipt.json" in page
    assert f"/read/{read.code}/1/receipt/" in room.get("/").content.decode()


def test_a_damaged_receipt_is_refused(read, room, tmp_path):
    receipt = receipt_of(room, read)
    receipt["leaves"][1]["data"] = receipt["leaves"][1]["data"].replace("4000", "4001")
    alone = run_alone(written(tmp_path / "receipt.json", json.dumps(receipt)))
    assert alone.returncode == 1
    assert "is not in the tree of its head" in alone.stdout


def test_a_rewritten_log_contradicts_a_receipt(read, room, tmp_path):
    from random import Random

    from tests.tampering import rewrite_edit

    receipt = receipt_of(room, read)
    heads_file().unlink()  # the receipt is all that is left
    with without_triggers():
        rewrite_edit(Random(1), read)
    assert verify_record(read.code, at=make.MONDAY).passed
    again = verify_record(read.code, at=make.MONDAY, receipts=[receipt])
    assert "is not the one in the receipt" in json.dumps(again.checks)
    alone = run_alone(exported(read, tmp_path / "r.jsonl"), written(tmp_path / "receipt.json", json.dumps(receipt)))
    assert alone.returncode == 1
    assert "is not the one in the receipt" in alone.stdout


def test_the_exported_record_hides_verdicts_then_the_answer_key(read, rosa, tmp_path):
    def kinds() -> tuple[bool, bool]:
        path = exported(read, tmp_path / "record.jsonl")
        alone = run_alone(path, written(tmp_path / "heads.jsonl", as_lines(TreeHead.objects.all())))
        assert alone.returncode == 0, alone.stdout + alone.stderr
        return '\\"elapsed_ms\\"' in path.read_text(), '\\"authenticity\\"' in path.read_text()

    assert kinds() == (False, False)
    close_study(study=read, actor=None, reason="enough", at=make.MONDAY)
    connection.check_constraints()
    assert kinds() == (True, False)
    unseal_study(study=read, actor=rosa, reason="the analysis", at=make.MONDAY)
    connection.check_constraints()
    assert kinds() == (True, True)
    lines = [json.loads(line) for line in (tmp_path / "record.jsonl").read_text().splitlines()]
    key = next(line for line in lines if line.get("type") == "commitment")
    key["lines"][5] = key["lines"][5].replace('"label":1', '"label":0') + " "
    damaged = written(tmp_path / "damaged.jsonl", "\n".join(map(json.dumps, lines)))
    assert "not what was committed to" in run_alone(damaged).stdout


def test_the_verifier_is_one_file_for_old_pythons():
    import ast

    source = Path(verifier.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported <= {"__future__", "collections.abc", "hashlib", "hmac", "json", "sys", "typing"}


def test_the_desk_shows_the_record_and_hands_out_its_files(read, clara):
    desk = Client()
    desk.force_login(clara)
    address = f"/desk/studies/{read.code}/record/"
    assert "none yet" in desk.get(address).content.decode()
    connection.check_constraints()  # what a commit writes
    entries = Entry.objects.filter(log=read.code).count()
    verify_record(read.code, at=make.MONDAY)
    assert f"{entries} entries" in desk.get(address).content.decode()
    commitment = json.loads(desk.get(f"{address}answer-key/").content)
    assert len(commitment["items"]) == 38
    assert set(commitment) == {"study", "at", "root", "items"}
    assert json.loads(desk.get(f"{address}heads/").content.splitlines()[0])["log"] == read.code
    assert desk.get(f"{address}verifier/").content == Path(verifier.__file__).read_bytes()
    assert desk.get(f"{address}other/").status_code == 404
