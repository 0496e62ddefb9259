"""Every tampering by a superuser of the database is found, and nothing else is."""

from random import Random

import pytest
from django.db import connection, transaction

from readerstudy.record.heads import sign_head
from readerstudy.truth.verification import verify_record
from tests import make, roles, tampering, walk
from tests.tamper import without_triggers

SAMPLE = 48  # of the 1,000 of `make bench PART=tampering`


@pytest.fixture
def signed(study, rita):
    """A study with two sessions read, whose head is signed and outside the database."""
    for number in (1, 2):
        walk.finish_session(walk.client_of(rita), study.code, number)
    connection.check_constraints()
    sign_head(study.code, at=make.MONDAY)
    return study


def findings(study) -> list[str]:
    return [text for check in verify_record(study.code, at=make.MONDAY).checks for text in check["findings"]]


def found_after(kind: str, number: int, study) -> list[str]:
    """What is found after one tampering, which is undone."""
    with roles.around_tests():
        tampering.tamper(kind, Random(f"{kind} {number}"), study)
        found = findings(study)
        transaction.set_rollback(True)
    return found


def test_every_tampering_is_found_and_nothing_else(signed, rita):
    kinds = list(tampering.KINDS)
    missed = []
    for number in range(SAMPLE):
        kind = kinds[number % len(kinds)]
        if not found_after(kind, number, signed):
            missed.append((kind, number))
    assert missed == []
    assert findings(signed) == []
    walk.open_session(walk.client_of(rita), signed.code, 3)
    connection.check_constraints()
    assert findings(signed) == []


def test_an_edit_with_only_its_protection_off_is_found(signed):
    """The log would follow the edit. But no reading is ever changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_reading_append_only%'")
        [(name,)] = cursor.fetchall()
        cursor.execute(f"ALTER TABLE reading_reading DISABLE TRIGGER {name}")
        cursor.execute("UPDATE reading_reading SET elapsed_ms = elapsed_ms + 1")
        connection.check_constraints()
    found = findings(signed)
    assert len(found) == 6
    assert all("which is never changed" in text for text in found)


def test_a_changed_truth_is_named_by_its_position(signed):
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE truth_truth SET label = 1 - label WHERE stimulus_id IN (SELECT a.stimulus_id FROM "
            "studies_allocation a JOIN studies_sessionplan p ON p.id = a.session_plan_id WHERE p.number = 3)"
        )
    assert findings(signed) == [f"session 3 position {place}: not what was committed to" for place in range(1, 15)]


def test_a_replaced_image_file_is_found(signed):
    stimulus = signed.session_plans.get(number=1).allocations.first().stimulus
    stimulus.path.chmod(0o600)
    stimulus.path.write_bytes(stimulus.path.read_bytes()[:-1] + b"x")
    checks = verify_record(signed.code, at=make.MONDAY, with_files=True).checks
    assert [text for check in checks for text in check["findings"]] == [f"the file of {stimulus} was changed"]
