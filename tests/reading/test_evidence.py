"""Evidence cannot be rewritten, not even by raw SQL, and two windows cannot both answer."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, connections, transaction

from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.actions import NotCurrent, SubmittedVerdict, record_verdict
from readerstudy.reading.models import Reading
from tests import make, walk

FROZEN = [
    ("reading_reading", "verdict = 'real'"),
    ("reading_showing", "at = now()"),
    ("audit_event", "verb = 'nothing'"),
]


@pytest.mark.parametrize(("table", "change"), FROZEN)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {change}", "DELETE FROM {table}"])
def test_raw_sql_cannot_change_or_delete_evidence(study, rita, table, change, statement):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] > 0
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            cursor.execute(statement.format(table=table, change=change))


def test_a_finished_session_stays_finished(study, rita):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
        cursor.execute("UPDATE reading_readingsession SET finished_at = NULL, answered = 0")


@pytest.mark.django_db(transaction=True)
def test_of_many_windows_that_answer_at_once_one_is_taken(small):
    study = make.study()
    rita = make.reader_in(study, "rita")
    step = walk.open_session(walk.client_of(rita), study.code, 1)

    def answer(number: int) -> str:
        try:
            submitted = SubmittedVerdict(step["stimulus"]["code"], Verdict.SEEN, 1000 + number, uuid4(), {})
            at = make.MONDAY.replace(year=2027)
            record_verdict(reader=rita, study=study.code, number=1, submitted=submitted, at=at)
            return "taken"
        except NotCurrent:
            return "refused"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as windows:
        outcomes = list(windows.map(answer, range(8)))
    assert sorted(outcomes) == ["refused"] * 7 + ["taken"]
    assert Reading.objects.count() == 1
