"""The drill: a study is backed up while a reader works, restored elsewhere, and goes on there."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.backup.reader import SAID
from tests.upgrade.previous import (
    ROOT,
    Installation,
    new_installation,
    restore_previous,
    stated_results,
    without_added,
)
from tests.upgrade.reworked import assert_says_the_same

HOSTS = {"ALLOWED_HOSTS": "localhost,testserver"}
FIRST = 3  # verdicts before the backup starts
READ_BY_RALF = """
    SELECT session_plan.number, presentation.position, presentation.code FROM reading_reading reading
    JOIN studies_presentation presentation ON presentation.id = reading.presentation_id
    JOIN studies_readinglist list ON list.id = presentation.reading_list_id
    JOIN studies_sessionplan session_plan ON session_plan.id = list.session_plan_id
    JOIN studies_enrollment enrollment ON enrollment.id = list.enrollment_id
    JOIN accounts_user person ON person.id = enrollment.reader_id
    WHERE person.username = 'ralf' ORDER BY 1, 2
"""


def said(lines: Iterable[str]) -> Iterator[str]:
    """What the reader's process said, without its log."""
    return (line.removeprefix(SAID).strip() for line in lines if line.startswith(SAID))


@pytest.fixture(scope="module")
def source(django_db_setup, tmp_path_factory) -> Installation:
    made = new_installation("source", tmp_path_factory.mktemp("source"))
    restore_previous(made)
    made.manage("migrate", "--verbosity", "0")
    yield made
    made.drop()


@pytest.fixture(scope="module")
def acknowledged() -> dict[str, list[str]]:
    """Codes of images whose verdict was acknowledged to Ralf: before the backup began, and after it ended."""
    return {}


@pytest.fixture(scope="module")
def backup(source, acknowledged, tmp_path_factory) -> Path:
    """Made by the command while Ralf reads."""
    folder = tmp_path_factory.mktemp("backups") / "daily"
    ralf = subprocess.Popen(
        [sys.executable, "-m", "tests.backup.reader", "running", "ralf", "1", "2", "3", "4", "5"],
        cwd=ROOT,
        env={**source.environment, **HOSTS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        codes = said(ralf.stdout)
        acknowledged["before"] = [next(codes, "") for _ in range(FIRST)]
        assert all(acknowledged["before"]), ralf.stderr.read()
        source.manage("backup", str(folder))
    finally:
        ralf.terminate()
        rest, _ = ralf.communicate()
    acknowledged["after"] = acknowledged["before"] + list(said(rest.splitlines()))
    (made,) = folder.glob("20*")
    return made


@pytest.fixture(scope="module")
def restored(backup, tmp_path_factory) -> Installation:
    """Another database and another VAR_DIR. A damaged copy of the backup is refused there first."""
    made = new_installation("restored", tmp_path_factory.mktemp("restored"))
    damaged = tmp_path_factory.mktemp("damaged") / "backup"
    shutil.copytree(backup, damaged)
    picture = max((damaged / "files" / "media").rglob("*.png"))
    picture.write_bytes(picture.read_bytes()[:-1] + b"\0")
    refused = made.manage("restore", str(damaged), "--yes", fails=True)
    assert "is not the file that was backed up. Nothing was changed." in refused.stderr
    assert made.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert not list(made.var.rglob("*.png"))
    made.result = made.manage("restore", str(backup.parent), "--yes", "--json").stdout
    yield made
    made.drop()


def test_what_was_acknowledged_before_the_backup_is_restored(source, restored, acknowledged):
    there = restored.rows(READ_BY_RALF)
    codes = [code for _, _, code in there]
    assert acknowledged["before"] == codes[:FIRST]
    assert codes == acknowledged["after"][: len(codes)]  # a prefix: one moment of the database
    assert len(acknowledged["after"]) > FIRST  # Ralf went on while the backup was made
    assert len(source.rows(READ_BY_RALF)) >= len(acknowledged["after"])


def test_every_record_verifies(restored):
    result = json.loads(restored.result)
    assert result["passed"]
    assert [(row["study"], row["findings"]) for row in result["records"]] == [
        ("", []),
        ("finished", []),
        ("running", []),
    ]


def test_the_report_says_what_it_said(source, restored, tmp_path):
    """Computed again from the restored rows, and compared with the version that the source has stored."""
    restored.manage("analyse_study", "finished", "--no-pdf", "--new-version", "Drill.", "--out", str(tmp_path))
    assert_says_the_same(stated_results(source, 1), without_added(stated_results(restored, 2)))


def test_every_picture_is_there_and_is_served(restored):
    assert json.loads(restored.manage("verify_files", "--json").stdout)["files"] == 264
    command = [sys.executable, "-m", "tests.backup.reader", "running", "ria", "3", "--picture"]
    shown = subprocess.run(command, cwd=ROOT, env={**restored.environment, **HOSTS}, text=True, capture_output=True)
    ((size,),) = restored.rows("SELECT image_bytes FROM studies_study WHERE code = 'running'")
    assert list(said(shown.stdout.splitlines())) == [f"200 True {size}"], shown.stderr


def test_the_roles_have_their_rights(restored):
    with pytest.raises(Exception, match="permission denied"):
        restored.rows("SELECT count(*) FROM truth_truth", role="web")
    assert restored.rows("SELECT count(*) FROM truth_truth", role="sealed")[0][0] > 0
