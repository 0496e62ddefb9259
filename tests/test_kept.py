"""What a builder made once is put back whole, for each test anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings

from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort, Image, Stimulus
from readerstudy.record.checks import load_log, verify_log
from readerstudy.record.models import Entry
from readerstudy.truth.models import Truth
from tests import kept, make
from tests.roles import around_tests

pytestmark = pytest.mark.django_db


@pytest.fixture
def nothing_kept(small, monkeypatch):
    """Whatever earlier tests of this process had made is out of sight."""
    monkeypatch.setattr(kept, "_KEPT", {})


@pytest.fixture
def undone():
    """A block whose rows are gone after it, as between two tests."""

    @contextmanager
    def block() -> Iterator[None]:
        with around_tests():
            yield
            transaction.set_rollback(True)

    return block


def contents() -> tuple[kept.Rows, dict[str, bytes], list[str]]:
    """Return the rows by table, the media files, and of which tables the record has entries."""
    connection.check_constraints()  # what was written is now in the record
    rows = {table: sorted(lines) for table, lines in kept._rows().items()}
    files = {*Stimulus.objects.values_list("file", flat=True), *Truth.objects.values_list("difference_file", flat=True)}
    logged = list(Entry.objects.order_by("index").values_list("relation", flat=True))
    return rows, {file: (Path(settings.MEDIA_ROOT) / file).read_bytes() for file in files if file}, logged


def made(folder, name: str = "films") -> tuple[kept.Rows, dict[str, bytes], list[str]]:
    """Return what is in the database and in a new media folder once a cohort is made."""
    with override_settings(MEDIA_ROOT=folder):
        make.adversarial_images_for(make.cohort(name, patients=6))
        return contents()


def test_the_second_time_every_row_and_file_is_as_the_first(nothing_kept, tmp_path, undone):
    with undone():
        first = made(tmp_path / "first")
    with undone():
        assert not Cohort.objects.exists()
        second = made(tmp_path / "second")
    assert second == first
    assert len(first[1]) == 12 * 3
    assert first[2] == ["audit_event"]
    assert len(kept._KEPT) == 2


def test_the_folders_and_dates_of_files_are_as_an_import_makes_them(nothing_kept, tmp_path, undone):
    for folder in ("first", "second"):
        with undone():
            made(tmp_path / folder)
    first, second = (
        {
            path.relative_to(tmp_path / folder): path.is_file() and path.stat().st_mtime
            for path in (tmp_path / folder).rglob("*")
        }
        for folder in ("first", "second")
    )
    assert second == first


def test_another_argument_or_size_is_made_anew(nothing_kept, tmp_path, undone, monkeypatch):
    with undone():
        made(tmp_path / "a")
    with undone():
        made(tmp_path / "b", "other")
    make.small_resolutions(monkeypatch, size=(48, 40))
    with undone():
        made(tmp_path / "c")
        assert set(Stimulus.objects.values_list("rows", "columns")) == {(48, 40)}
    assert len(kept._KEPT) == 6


def test_what_one_test_changes_is_not_in_the_next(nothing_kept, tmp_path, undone):
    with undone():
        first = made(tmp_path / "first")
        with override_settings(MEDIA_ROOT=tmp_path / "first"):
            Stimulus.objects.first().path.write_bytes(b"damaged")
        Cohort.objects.update(name="renamed")
    with undone():
        assert made(tmp_path / "second") == first


def test_a_second_cohort_is_put_back_beside_the_same_first_one_only(nothing_kept, tmp_path, undone):
    def both(folder, patients: int) -> tuple[kept.Rows, dict[str, bytes], list[str]]:
        with override_settings(MEDIA_ROOT=folder):
            make.cohort(patients=patients)
            make.cohort("other", patients=6)
            return contents()

    found = []
    for number, patients in enumerate((5, 5, 7)):
        with undone():
            found.append(both(tmp_path / str(number), patients))
            assert Image.objects.count() == 2 * (patients + 6)
    assert found[0] == found[1]
    assert len(kept._KEPT) == 2 + 2


def test_new_rows_have_numbers_of_their_own_after_rows_were_put_back(nothing_kept, tmp_path, undone):
    with undone():
        made(tmp_path / "first")
    with undone(), override_settings(MEDIA_ROOT=tmp_path / "second"):
        make.cohort(patients=6)
        before = set(Image.objects.values_list("pk", flat=True))
        make.cohort("other", patients=7)
        assert len(set(Image.objects.values_list("pk", flat=True)) - before) == 14


def test_the_event_of_the_import_gets_its_number_anew(nothing_kept, tmp_path, undone):
    numbers = []
    for folder in ("first", "second", "third"):
        with undone():
            make.user("rita")
            made(tmp_path / folder)
            numbers.append(Event.objects.get(verb="cohort.imported").pk)
    assert numbers == sorted(set(numbers))


@pytest.mark.django_db(transaction=True)
def test_the_record_of_a_kept_cohort_verifies_where_its_entries_were_committed(nothing_kept, tmp_path):
    for number in range(2):
        made(tmp_path / str(number))
        checks = verify_log(load_log(""))
        assert {check.name: check.findings for check in checks if check.findings} == {}
        assert next(check for check in checks if check.name == "entries").compared == 1
        call_command("flush", reset_sequences=False, interactive=False, verbosity=0)


def test_what_changes_rows_that_were_there_is_not_kept(nothing_kept):
    person = make.user("rita")

    def rename() -> None:
        person.username += "-again"
        person.save()

    for _ in range(2):
        kept.kept("renaming", rename)
    assert not kept._KEPT
    assert make.User.objects.get().username == "rita-again-again"
