"""One process writes into the folder of a run; a worker that stood still writes nothing over the newer one's files."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models_ml.runs import folder as run_folder
from models_ml.runs.folder import OWNER, owned_folder, replace_file
from readerstudy.errors import WorkTakenOver

# Owns the folder, says so, and writes each line that it reads into the file.
STALE = """
import sys
from pathlib import Path
from models_ml.runs.folder import owned_folder, replace_file
folder = Path(sys.argv[1])
with owned_folder(folder):
    print("owner", flush=True)
    for line in sys.stdin:
        try:
            replace_file(folder / "resume.pt", lambda path: path.write_text(line.strip()))
            print("written", flush=True)
        except Exception as error:
            print(type(error).__name__, flush=True)
"""


def write(folder: Path, text: str) -> None:
    replace_file(folder / "resume.pt", lambda path: path.write_text(text))


def test_a_stopped_process_writes_nothing_over_the_file_of_the_next(tmp_path):
    command = [sys.executable, "-c", STALE, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    stale = subprocess.Popen(command, cwd=Path(__file__).parents[3], **pipes)
    try:
        assert stale.stdout.readline() == "owner\n"
        stale.stdin.write("step 150\n")
        assert stale.stdout.readline() == "written\n"
        os.kill(stale.pid, signal.SIGSTOP)
        with owned_folder(tmp_path):
            write(tmp_path, "step 180")
            stale.stdin.write("step 160\n")
            os.kill(stale.pid, signal.SIGCONT)
            assert stale.stdout.readline() == "WorkTakenOver\n"
            assert (tmp_path / "resume.pt").read_text() == "step 180"
            write(tmp_path, "step 190")
    finally:
        stale.stdin.close()
        assert stale.wait(timeout=120) == 0
    assert (tmp_path / "resume.pt").read_text() == "step 190"


def test_an_owner_whose_draft_the_next_one_removed_was_taken_over(tmp_path):
    with owned_folder(tmp_path):

        def write_and_lose(path: Path) -> None:
            path.write_text("old")
            (tmp_path / OWNER).write_text("another")
            path.unlink()

        with pytest.raises(WorkTakenOver, match=tmp_path.name):
            replace_file(tmp_path / "resume.pt", write_and_lose)
    assert (tmp_path / OWNER).read_text() == "another", "the next owner's token stays"


def test_two_writers_use_different_temporary_files(tmp_path):
    drafts = []
    for _writer in range(2):
        replace_file(tmp_path / "resume.pt", lambda path: drafts.append(path) or path.write_text("whole"))
    assert len(set(drafts)) == 2
    assert not list(tmp_path.glob("*.partial"))


def test_a_failed_write_leaves_the_old_file_alone(tmp_path):
    write(tmp_path, "old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        replace_file(tmp_path / "resume.pt", fail)
    assert (tmp_path / "resume.pt").read_text() == "old"
    assert not list(tmp_path.glob("*.partial"))


def test_what_a_dead_owner_left_is_removed(tmp_path):
    (tmp_path / "resume.pt.0123.partial").write_text("half")
    with owned_folder(tmp_path):
        assert not list(tmp_path.glob("*.partial"))
    assert not (tmp_path / OWNER).exists()


def test_a_file_and_its_folder_are_on_the_disk_before_the_next_step(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(run_folder, "_sync", lambda path: synced.append((path.name, path.exists())))
    write(tmp_path, "saved")
    (draft, existed), (folder, _exists) = synced
    assert draft.endswith(".partial")
    assert existed
    assert folder == tmp_path.name
