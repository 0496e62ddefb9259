"""`/health/live` and `/health/ready`: what they answer, to whom, and what they keep to themselves."""

import shutil
from types import SimpleNamespace

import pytest
from django.test import Client
from kombu.exceptions import OperationalError

from readerstudy.jobs.workers_seen import note_worker
from readerstudy.operation import health
from readerstudy.operation.health import Examiner, Health, Unfit


@pytest.fixture(autouse=True)
def checks(monkeypatch, settings, tmp_path):
    """Each request examines anew, in its own thread: the test's transaction is seen by this connection only."""
    settings.CELERY_BROKER_URL = "memory://"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
    monkeypatch.setattr(health, "_migrated", [])
    monkeypatch.setattr(health.connection, "close", lambda: None)
    monkeypatch.setattr("readerstudy.operation.addresses.examiner", SimpleNamespace(health=health.examine))


def ready(client: Client) -> tuple[int, dict]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json()


@pytest.mark.django_db
def test_everything_in_order_is_ready(client):
    note_worker(["cpu"])
    status, found = ready(client)
    assert (status, found["status"], found["warnings"]) == (200, "ready", {})
    assert {name: check["ok"] for name, check in found["checks"].items()} == dict.fromkeys(health.CHECKS, True)


@pytest.mark.django_db
def test_a_missing_worker_is_a_warning_only(client):
    assert ready(client)[1]["warnings"] == {"worker": "No worker has reported."}
    assert ready(client)[0] == 200
    note_worker(["mail"])
    assert ready(client)[1]["warnings"], "a worker for mails takes no jobs"


def refuse(*args, **options):
    raise OperationalError("redis://:hunter2@queue.example.org")


@pytest.mark.django_db
def test_a_broker_that_is_away_is_not_ready_and_its_address_stays_secret(client, monkeypatch):
    monkeypatch.setattr(health, "waiting_messages", refuse)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"] == {"ok": False, "message": "does not answer (OperationalError)"}
    assert b"hunter2" not in answer.content
    assert b"example.org" not in answer.content


@pytest.mark.django_db
def test_a_broker_of_redis_that_is_away_is_found(client, settings):
    settings.CELERY_BROKER_URL = "redis://:secret@127.0.0.1:9/0"  # the port of discard: no server is there
    status, found = ready(client)
    assert status == 503
    assert not found["checks"]["broker"]["ok"]


@pytest.mark.django_db
def test_waiting_migrations_are_not_ready(client, monkeypatch):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: [1, 2])
    status, found = ready(client)
    assert status == 503
    assert found["checks"]["migrations"]["message"] == "2 migrations are not applied; run manage.py migrate."


@pytest.mark.django_db
def test_a_full_disk_is_not_ready(client, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda path: usage._replace(free=499_000_000))
    status, found = ready(client)
    assert status == 503
    assert found["checks"]["disk"]["message"] == "499 MB are free; at least 500 are needed."


@pytest.mark.django_db
def test_a_missing_list_of_static_files_is_not_ready(client, settings, tmp_path):
    hashed = {"BACKEND": "readerstudy.middleware.HashedStaticFiles"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
    settings.VAR_DIR = tmp_path
    assert ready(client)[0] == 503
    (tmp_path / "static_files.json").write_text("{}")
    assert ready(client)[0] == 200


def test_a_database_that_is_away_is_not_ready(monkeypatch):
    def away():
        raise ConnectionError("could not connect as postgres with the password hunter2")

    monkeypatch.setattr(health, "CHECKS", {"database": away})
    found = health.examine()
    assert not found.is_ready
    assert found.checks == {"database": "does not answer (ConnectionError)"}


# --- how it is reached ------------------------------------------------------------------------------------------
def test_live_asks_for_nothing_but_the_process(client, settings):
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["study.example.org"]
    answer = client.get("/health/live", headers={"host": "10.0.0.3:8000"})
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert client.head("/health/live").status_code == 200
    assert client.post("/health/live").status_code == 405


@pytest.mark.django_db
def test_ready_needs_no_sign_in_no_https_and_counts_for_no_limit(client, settings):
    settings.REQUESTS_PER_MINUTE = 2
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["study.example.org"]
    answers = [client.get("/health/ready/", headers={"host": "10.0.0.3"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert not answers[0].cookies


def test_many_requests_in_a_second_examine_once():
    runs = []
    examiner = Examiner(lambda: runs.append(1) or Health({"database": ""}))
    assert all(examiner.health().is_ready for _ in range(20))
    # One, or two where a second has passed on a slow machine.
    assert len(runs) < 20


def test_a_check_that_hangs_is_said_and_not_started_again(monkeypatch):
    from threading import Event

    monkeypatch.setattr(health, "DEADLINE", 0.05)
    monkeypatch.setattr(health, "CACHED", 0.0)
    go_on, runs = Event(), []

    def hang() -> Health:
        runs.append(1)
        go_on.wait(60)
        return Health({"database": ""})

    examiner = Examiner(hang)
    assert [examiner.health().is_ready for _ in range(3)] == [False] * 3
    assert len(runs) == 1
    go_on.set()
    monkeypatch.setattr(health, "DEADLINE", 60)
    assert examiner.health().is_ready


def test_the_message_of_a_check_is_what_it_says(monkeypatch):
    def unfit():
        raise Unfit("The disk is full.")

    monkeypatch.setattr(health, "CHECKS", {"disk": unfit})
    monkeypatch.setattr(health, "WARNINGS", {})
    assert health.examine().as_data() == {
        "status": "not ready",
        "checks": {"disk": {"ok": False, "message": "The disk is full."}},
        "warnings": {},
    }
