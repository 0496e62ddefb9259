"""The database logs every change of evidence by itself."""

import json
from datetime import datetime
from hashlib import sha256

import pytest
from django.db import DatabaseError, connection, transaction

from readerstudy.reading.models import Reading
from readerstudy.record.models import Entry, Log
from readerstudy.record.verifier import add_leaf, leaf_hash, root_of, root_of_peaks
from tests import make, walk


@pytest.fixture
def read(study, rita):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    connection.check_constraints()  # as a commit does
    return study


def entries(relation: str) -> list[dict]:
    return [json.loads(entry.data) for entry in Entry.objects.filter(log="tiny", relation=relation)]


def test_each_reading_has_one_entry_with_all_its_columns(read):
    rows = {str(row.pk): row for row in Reading.objects.all()}
    logged = entries("reading_reading")
    assert len(rows) == 3
    assert {entry["row"]: entry["content"]["verdict"] for entry in logged} == {
        key: row.verdict for key, row in rows.items()
    }
    times = {datetime.fromisoformat(entry["content"]["answered_at"]) for entry in logged}
    assert times == {row.answered_at for row in rows.values()}
    assert all(entry["content"].keys() == {f.column for f in Reading._meta.fields} for entry in logged)


def test_the_head_is_the_tree_over_the_entries(read):
    log = Log.objects.get(code="tiny")
    stored = list(Entry.objects.filter(log="tiny"))
    assert [entry.index for entry in stored] == list(range(log.size))
    assert [bytes(entry.hash) for entry in stored] == [leaf_hash(entry.data.encode()) for entry in stored]
    peaks = [bytes(log.peaks)[at : at + 32] for at in range(0, len(log.peaks), 32)]
    expected: list[bytes] = []
    for entry in stored:
        add_leaf(expected, entry.index, bytes(entry.hash))
    assert peaks == expected
    assert root_of_peaks(peaks) == root_of([bytes(entry.hash) for entry in stored])


def test_a_verdict_has_two_entries_and_its_session_none(read, rita):
    step = walk.open_session(walk.client_of(rita), read.code, 2)
    connection.check_constraints()
    opened = Log.objects.get(code="tiny").size
    walk.answer(walk.client_of(rita), read.code, 2, step, step["verdicts"][0])
    connection.check_constraints()
    added = Entry.objects.filter(log="tiny", index__gte=opened)
    assert [entry.relation for entry in added] == ["reading_reading", "reading_showing"]


def test_the_log_holds_what_must_stay_sealed_only_as_a_hash(read):
    (drawn,) = entries("truth_drawseed")
    assert "seed" not in drawn["content"]
    stored = Entry.objects.get(relation="truth_drawseed")
    assert drawn["sealed"] == sha256(stored.sealed.encode()).hexdigest()
    assert json.loads(stored.sealed)["content"] == {"seed": 7}
    stimuli = [str(key) for key in read.cohort.patients.values_list("exams__images__stimuli", flat=True)]
    text = "\n".join(Entry.objects.values_list("data", flat=True))
    assert [key for key in stimuli if key in text] == []


def test_a_draw_is_one_entry_for_each_list(read):
    assert [entry["content"] for entry in entries("studies_allocation")] == [
        {"count": plan.total} for plan in read.session_plans.all()
    ]
    assert sum(entry["content"]["count"] for entry in entries("studies_presentation")) == 37


def test_what_belongs_to_no_study_is_in_a_log_of_its_own(read):
    assert {entry.relation for entry in Entry.objects.filter(log="")} == {"audit_event"}


def test_the_rows_of_an_unlocked_study_are_logged_as_deleted(study, rita):
    from readerstudy.studies.actions import delete_draft, unlock_study

    connection.check_constraints()
    unlock_study(study=study, actor=None, reason="a mistake", at=make.MONDAY)
    connection.check_constraints()
    deleted = [entry for entry in entries("studies_presentation") if entry["op"] == "delete"]
    assert len(deleted) == 5
    assert all("content" not in entry for entry in deleted)
    with pytest.raises(Exception, match="locked before"):
        delete_draft(study=study, actor=None, at=make.MONDAY)


EVIDENCE = [
    "accounts_user",  # because what refers to it is emptied with it
    "audit_event",
    "reading_reading",
    "reading_readingsession",
    "record_entry",
    "record_log",
    "studies_presentation",
    "studies_study",
    "truth_truth",
    "truth_score",
    "truth_unsealing",
    "cohort_stimulus",
]


@pytest.mark.parametrize("table", EVIDENCE)
def test_evidence_cannot_be_truncated(db, table):
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="Cannot truncate"), transaction.atomic():
        cursor.execute(f"TRUNCATE {table} CASCADE")


CHANGES = [
    "UPDATE record_entry SET data = ''",
    "DELETE FROM record_entry",
    "UPDATE record_log SET size = size - 1",
    "DELETE FROM record_log",
    "UPDATE truth_truth SET label = 1 - label",
    "UPDATE truth_imagetruth SET pathology = 'negative'",
    "DELETE FROM truth_imagetruth",
    "UPDATE cohort_stimulus SET sha256 = ''",
    "UPDATE studies_presentation SET position = position + 100",
    "UPDATE studies_allocation SET stimulus_id = 1",
    "UPDATE studies_sessionplan SET total = 1",
    "DELETE FROM studies_presentation WHERE id IN (SELECT max(id) FROM studies_presentation)",
    "DELETE FROM studies_allocation",
]


def test_raw_sql_cannot_change_the_log_the_draw_or_the_truth(read, rita):
    for number in (2, 3, 4, 5):  # so that a reader has begun each list
        walk.finish_session(walk.client_of(rita), read.code, number)
    for change in CHANGES:
        with connection.cursor() as cursor, pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            cursor.execute(change)
