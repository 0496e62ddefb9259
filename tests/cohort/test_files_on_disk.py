"""Files are on the disk before their rows; what killed processes left is found and removed, and nothing else."""

import os
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from readerstudy.cohort.models import Stimulus
from readerstudy.cohort.storage import write_media
from readerstudy.jobs.queue import new_job
from readerstudy.truth.actions.unnamed_files import find_unnamed_files, remove_unnamed_files
from tests import make

LATER = timedelta(days=1, minutes=1)


def test_a_file_and_its_name_are_on_the_disk_before_its_row(settings, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr("os.fsync", lambda handle: synced.append(Path(os.readlink(f"/proc/self/fd/{handle}"))))
    media = write_media(b"an image")
    path = Path(settings.MEDIA_ROOT) / media.file
    assert synced[-2].parent == path.parent
    assert synced[-2].name.startswith(path.stem)  # the draft, before it had its name
    assert synced[-1] == path.parent
    assert Path(settings.MEDIA_ROOT) in synced, "the names of the folders too"


@pytest.fixture
def orphan(db, small, settings) -> Path:
    make.cohort(patients=3)
    return Path(settings.MEDIA_ROOT) / write_media(b"an image without a row").file


def test_only_old_files_without_a_row_are_removed(orphan, settings):
    draft = Path(settings.RUNS_DIR) / "gan" / "resume.pt.1.partial"
    draft.parent.mkdir(parents=True)
    draft.touch()
    assert find_unnamed_files(at=now()).images == (), "it may be about to have its row"
    found = remove_unnamed_files(at=now() + LATER)
    assert (found.images, found.drafts) == ((orphan,), (draft,))
    assert not orphan.exists()
    assert not draft.exists()
    assert all(stimulus.path.exists() for stimulus in Stimulus.objects.all())


def test_nothing_is_removed_while_a_job_runs(orphan):
    new_job("tests.count", {}, requested_by=None, at=now())
    with pytest.raises(CommandError, match="is not over"):
        call_command("clean_files", "--remove")
    assert orphan.exists()


def test_the_command_counts_first_and_deletes_when_asked(orphan, monkeypatch):
    monkeypatch.setattr("readerstudy.truth.management.commands.clean_files.now", lambda: now() + LATER)
    said = [StringIO(), StringIO()]
    call_command("clean_files", stdout=said[0])
    assert "1 images without a row and 0 drafts, 0.0 MB. Delete them with --remove." in said[0].getvalue()
    assert orphan.exists()
    call_command("clean_files", "--remove", stdout=said[1])
    assert "deleted" in said[1].getvalue()
    assert not orphan.exists()
