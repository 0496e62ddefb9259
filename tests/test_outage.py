"""Requests while the database is away: 503 and when to ask again, never a server error; after it, no error is left."""

import psycopg2
import pytest
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.test import Client

from readerstudy.accounts.models import Role
from readerstudy.jobs.outages import disconnect
from readerstudy.outage import is_outage, is_unavailable
from tests import make
from tests.jobs.outage import database_away


@pytest.fixture
def desk() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make.user("clara", Role.COORDINATOR))
    return client


@pytest.mark.django_db(transaction=True)
def test_a_page_says_that_the_database_is_away(desk):
    with database_away():
        answer = desk.get("/desk/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database does not answer at the moment. Nothing that was confirmed is lost" in answer.content.decode()
    assert desk.get("/desk/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_page_is_german_for_germans(desk):
    with database_away():
        answer = desk.get("/desk/", headers={"accept-language": "de"})
    assert "Gleich geht es weiter" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_api_says_so_as_data(desk):
    with database_away():
        answer = desk.get("/api/v1/reading/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["detail"].startswith("The database does not answer at the moment.")


@pytest.mark.django_db(transaction=True)
def test_no_request_fails_after_the_server_has_ended_a_connection(desk):
    """As after a restart: the connection of each thread is dead, and its next request must not notice."""
    connection.settings_dict["CONN_MAX_AGE"] = 60
    try:
        assert desk.get("/desk/").status_code == 200
        other = psycopg2.connect(**connection.get_connection_params())
        other.autocommit = True
        other.cursor().execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        other.close()
        close_old_connections()  # as each request does outside of tests
        assert desk.get("/desk/").status_code == 200
    finally:
        connection.settings_dict["CONN_MAX_AGE"] = 0
        disconnect()


@pytest.mark.parametrize(
    ("cause", "away"),
    [
        (psycopg2.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg2.InterfaceError("connection already closed"), True),
        (psycopg2.InterfaceError("cursor already closed"), False),
        (None, False),
    ],
)
def test_an_outage_differs_from_a_refused_statement(cause, away):
    kind = InterfaceError if isinstance(cause, psycopg2.InterfaceError) else OperationalError
    error = kind("x")
    error.__cause__ = cause
    assert is_outage(error) == away


@pytest.mark.django_db
def test_a_full_disk_is_no_outage_but_worth_another_try():
    full = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
    with pytest.raises(OperationalError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(full)
    assert not is_outage(raised.value)
    assert is_unavailable(raised.value)


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_took_too_long_is_no_outage():
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1")
        with pytest.raises(OperationalError) as raised:
            cursor.execute("SELECT pg_sleep(5)")
        cursor.execute("SET statement_timeout = 0")
    assert not is_outage(raised.value)
