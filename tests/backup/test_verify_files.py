"""Rows, files and hashes are compared; files without a row are deleted after a question."""

import json
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from readerstudy.backup.inventory import GRACE_S, delete_orphans, take_inventory
from readerstudy.cohort.storage import write_media
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import media_rows
from tests import make


@pytest.fixture
def rows(db, small):
    """The pictures of a cohort with adversarial images."""
    cohort = make.cohort(patients=4, fractions=(0.25, 0.25, 0.5))
    make.adversarial_images_for(cohort)
    return [row for number in range(256) for row in media_rows(f"{number:02x}/")]


def inventory(**options):
    return take_inventory(advance=lambda *_: None, **options)


def place(file: str) -> Path:
    return Path(settings.MEDIA_ROOT) / file


def test_an_installation_in_order_passes(rows, capsys):
    call_command("verify_files", json=True)
    result = json.loads(capsys.readouterr().out)
    assert result["passed"]
    assert result["files"] == len(rows) == 8 + 2 * 8
    assert result["bytes"] == sum(row.bytes for row in rows)


def test_every_kind_of_damage_is_named(rows):
    missing, changed, short = rows[0].file, rows[1].file, Truth.objects.exclude(difference_file="")[0].difference_file
    if short in (missing, changed):
        missing, changed = rows[2].file, rows[3].file
    place(missing).unlink()
    content = place(changed).read_bytes()
    place(changed).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    place(short).write_bytes(place(short).read_bytes()[:-1])
    found = inventory()
    assert found.missing == [f"media/{missing}"]
    assert found.changed == sorted([f"media/{changed}", f"media/{short}"])
    assert not found.agrees
    assert inventory(reads=False).changed == [f"media/{short}"]  # a flipped bit has to be read
    with pytest.raises(CommandError, match="missing or were changed"):
        call_command("verify_files")


def test_new_files_without_a_row_are_left_to_the_import_that_wrote_them(rows):
    left = write_media(b"left by a killed job").file
    found = inventory()
    assert (found.orphaned, found.recent, found.agrees) == ([], 1, True)
    found = inventory(now_s=time.time() + GRACE_S + 60)
    assert (found.orphaned, found.recent, found.agrees) == ([f"media/{left}"], 0, True)


def test_files_without_a_row_are_deleted_after_a_question(rows, monkeypatch, capsys):
    left = write_media(b"left by a killed job").file
    monkeypatch.setattr("readerstudy.backup.inventory.GRACE_S", -60)
    with pytest.raises(CommandError, match="Nobody can be asked"):
        call_command("verify_files", clean=True)
    assert place(left).exists()
    call_command("verify_files", clean=True, yes=True)
    assert not place(left).exists()
    assert "1 files without a row were deleted" in capsys.readouterr().out
    assert inventory().agrees


def test_a_file_that_got_a_row_meanwhile_is_not_deleted(rows):
    assert delete_orphans([f"media/{rows[0].file}"]) == 0
    assert place(rows[0].file).exists()
