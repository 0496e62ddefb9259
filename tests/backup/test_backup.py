"""Backups: what is in them, what is linked, what is found damaged, and what a restore refuses."""

import fcntl
import json
import os
import re
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from readerstudy.backup import making
from readerstudy.backup.copied_files import FileLine
from readerstudy.backup.keys import KEYS
from readerstudy.backup.making import make_backup
from readerstudy.backup.manifest import FORMAT, read_manifest, write_manifest
from readerstudy.backup.postgres_tools import dumping_tools
from readerstudy.backup.restoring import plan_restore
from readerstudy.errors import BadInput, StudyError
from tests.make import MONDAY

pytestmark = pytest.mark.django_db


def ignore(done: int, total: int, note: str) -> None:
    pass


@pytest.fixture(autouse=True)
def files(tmp_path, settings):
    """A picture, the log of a job, an unfinished file, and a link."""
    settings.VAR_DIR = tmp_path
    picture = tmp_path / "media" / "ab" / "ab12.png"
    for path, text in (
        (picture, "a picture"),
        (tmp_path / "jobs" / "1" / "log.txt", "started"),
        (tmp_path / "runs" / "r" / "resume.pt.partial", "half"),
        (tmp_path / "record" / "heads.jsonl", ""),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.utime(picture, (0, 0))
    (tmp_path / "media" / "ab" / "link.png").symlink_to("/etc/hostname")
    return tmp_path


@pytest.fixture(autouse=True)
def nobody_else_is_connected(db):
    """End what earlier tests of this worker have left connected: a restore counts who uses the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
        )
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # or the whole test would see those from before


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "backups"


def make(folder: Path, *, later: int = 0, **options) -> Path:
    return make_backup(folder, at=MONDAY + timedelta(minutes=later), advance=ignore, **options).folder


def kept(backup: Path) -> list[str]:
    return sorted(str(path.relative_to(backup / "files")) for path in (backup / "files").rglob("*") if path.is_file())


# --- making -----------------------------------------------------------------------------------------------------
def test_a_backup_has_the_finished_files_with_their_dates(folder):
    made = make(folder)
    assert kept(made) == ["jobs/1/log.txt", "media/ab/ab12.png", "record/heads.jsonl"]
    assert (made / "files/media/ab/ab12.png").stat().st_mtime == 0
    assert (made / "database.dump").read_bytes()[:5] == b"PGDMP"
    assert made.stat().st_mode & 0o077 == 0


def test_the_manifest_says_what_it_was_made_from(folder):
    manifest = read_manifest(make(folder))
    assert manifest["at"] == "2026-03-02T09:00:00+00:00"
    assert manifest["files"]["count"] == 3
    assert manifest["migrations"]["truth"][0] == "0001_initial"
    assert int(manifest["database"]["pg_dump"].split(".")[0]) >= int(manifest["database"]["server"].split(".")[0])


def test_no_file_of_a_backup_has_a_key(folder):
    made = make(folder)
    assert set(read_manifest(made)["keys"]) == set(KEYS)
    for path in (path for path in made.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not any(getattr(settings, name).encode() in content for name in KEYS), path


def test_the_next_backup_links_what_has_not_changed(folder, files):
    first = make(folder)
    (files / "media" / "ab" / "ab99.png").write_text("another")
    log = files / "jobs" / "1" / "log.txt"
    log.write_text("changed")  # as long as before
    os.utime(log, (0, 0))
    second = make(folder, later=1)
    picture, log, new = "files/media/ab/ab12.png", "files/jobs/1/log.txt", "files/media/ab/ab99.png"
    assert (second / picture).stat().st_ino == (first / picture).stat().st_ino
    assert ((first / log).read_text(), (second / log).read_text()) == ("started", "changed")
    assert (second / new).read_text() == "another"
    full = make(folder, later=2, full=True)
    assert (full / picture).stat().st_ino != (first / picture).stat().st_ino


def test_only_the_newest_backups_are_kept_and_stay_whole(folder):
    made = [make(folder, later=number, keep=2) for number in range(4)]
    assert sorted(folder.glob("2*")) == made[2:]
    assert (made[3] / "files/media/ab/ab12.png").read_text() == "a picture"
    call_command("backup", str(made[3]), verify=True)


def test_a_backup_that_fails_leaves_nothing(folder, monkeypatch):
    monkeypatch.setattr(making, "write_manifest", lambda *args, **options: os.mkdir("/proc/no"))
    with pytest.raises(StudyError, match="was not completed"):
        make(folder)
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_what_a_killed_backup_left_is_removed(folder):
    (folder / ".unfinished-2026-01-01T00-00-00Z" / "files").mkdir(parents=True)
    made = make(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", made.name]


def test_two_backups_into_one_folder_do_not_meet(folder):
    folder.mkdir()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StudyError, match="is under way"):
            make(folder)


def test_tools_that_are_older_than_the_server_are_refused_in_words(tmp_path):
    for program in ("pg_dump", "psql"):
        path = tmp_path / program
        path.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
        path.chmod(0o755)
    with pytest.raises(StudyError, match=r"needs pg_dump of this version or newer; found: 9\.6 in .*--pg-bin"):
        dumping_tools(tmp_path)
    with pytest.raises(StudyError, match="found: none"):
        dumping_tools(tmp_path / "nowhere")


def test_keys_are_written_apart_and_for_the_owner_alone(folder, tmp_path, capsys):
    path = tmp_path / "keys"
    call_command("backup", str(folder), keys=path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"RECORD_KEY={settings.RECORD_KEY}\n" in path.read_text()
    for wrong in (path, folder / "keys"):
        with pytest.raises(CommandError, match=r"Name a new file|keep the keys apart"):
            call_command("backup", str(folder), keys=wrong)


# --- checking -------------------------------------------------------------------------------------------------
def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("files/media/ab/ab12.png", "media/ab/ab12.png was changed"),
        ("database.dump", "database.dump of .* is not the one that was backed up"),
        ("files.jsonl", "files.jsonl of .* is not the one that was backed up"),
        ("manifest.json", "was changed after it was signed"),
    ],
)
def test_damage_is_found_without_restoring(folder, capsys, name, said):
    made = make(folder)
    call_command("backup", str(folder), verify=True)
    cut(made / name)
    with pytest.raises(CommandError) as error:
        call_command("backup", str(folder), verify=True)
    assert re.search(said, f"{capsys.readouterr().out} {error.value}")


def test_a_missing_file_is_named(folder, capsys):
    (make(folder) / "files/jobs/1/log.txt").unlink()
    with pytest.raises(CommandError, match="damaged"):
        call_command("backup", str(folder), verify=True)
    assert "jobs/1/log.txt cannot be read" in capsys.readouterr().out


def test_a_folder_without_a_backup_is_refused(folder):
    with pytest.raises(CommandError, match="There is no backup in"):
        call_command("backup", str(folder), verify=True)


@pytest.mark.parametrize(
    "path", ["media/../../etc/passwd", "/etc/passwd", "static/x", "media", "media//x", 'media/\\0"']
)
def test_a_list_of_files_leads_nowhere_else(path):
    with pytest.raises(StudyError, match=r"outside the folders|cannot be read"):
        FileLine.of(json.dumps({"path": path.replace("\\0", "\0"), "bytes": 1, "sha256": "0", "seen": [1, 1]}))


# --- restoring: what is refused before anything changes ---------------------------------------------------------
def test_an_installation_that_is_not_empty_is_refused(folder):
    with pytest.raises(StudyError, match=r"the database has \d+ tables, .*media has files.*--replace"):
        plan_restore(make(folder))


def test_other_keys_are_refused_by_name(folder, settings):
    made = make(folder)
    settings.PSEUDONYM_KEY = "another key, which is as long as it has to be"
    with pytest.raises(StudyError, match=r"not the keys of this backup: PSEUDONYM_KEY \(later imports"):
        plan_restore(made, replaces=True)
    assert plan_restore(made, replaces=True, other_keys=True).full_folders == ("record", "media", "runs", "jobs")


def test_a_key_that_the_process_lacks_is_not_compared_later(folder, settings):
    key, settings.PSEUDONYM_KEY = settings.PSEUDONYM_KEY, ""
    without = make(folder)
    assert set(read_manifest(without)["keys"]) == {"RECORD_KEY", "SECRET_KEY"}
    settings.PSEUDONYM_KEY = key
    assert plan_restore(without, replaces=True)
    complete = make(folder, later=1)
    settings.PSEUDONYM_KEY = ""
    with pytest.raises(StudyError, match="PSEUDONYM_KEY"):
        plan_restore(complete, replaces=True)


def test_a_backup_of_a_newer_version_is_refused(folder):
    made = make(folder)
    manifest = read_manifest(made)
    manifest["migrations"]["truth"].append("0999_of_tomorrow")
    write_manifest(made, {name: value for name, value in manifest.items() if name not in ("at", "format")}, at=MONDAY)
    with pytest.raises(StudyError, match="does not know truth 0999_of_tomorrow"):
        plan_restore(made, replaces=True)


def test_a_manifest_of_another_format_is_refused(folder):
    made = make(folder)
    text = (made / "manifest.json").read_text()
    (made / "manifest.json").write_text(text.replace(FORMAT, "readerstudy backup 9"))
    with pytest.raises(StudyError, match="no backup of a format"):
        plan_restore(made, replaces=True)


def test_processes_that_use_the_database_must_stop(folder):
    made = make(folder)
    address = settings.DATABASE_ADDRESSES["web"]
    names = {"host": address["HOST"], "user": address["USER"], "password": address["PASSWORD"]}
    other = psycopg2.connect(dbname=connection.settings_dict["NAME"], **names)
    try:
        with pytest.raises(StudyError, match="1 other processes use the database"):
            plan_restore(made, replaces=True)
    finally:
        other.close()


def test_a_restore_asks_first(folder, monkeypatch):
    make(folder)
    with pytest.raises(CommandError, match="Nobody can be asked"):
        call_command("restore", str(folder), replace=True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", str(folder), replace=True)


def test_keys_in_a_file_are_for_embedded_installations(folder, tmp_path, settings):
    settings.EMBEDDED = False
    from readerstudy.backup.keys import adopt_keys, read_keys

    (tmp_path / "keys").write_text("RECORD_KEY=x\n")
    with pytest.raises(BadInput, match="has no PSEUDONYM_KEY, SECRET_KEY"):
        read_keys(tmp_path / "keys")
    with pytest.raises(BadInput, match="environment variables"):
        adopt_keys(dict.fromkeys(KEYS, "x"))
