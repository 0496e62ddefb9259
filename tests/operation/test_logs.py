"""Log lines as JSON: what they say of a request and a job, and what they never say."""

import io
import json
import logging
import re
import sys
from datetime import datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import Role, User
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import perform
from readerstudy.logs.context import logged_as
from readerstudy.logs.filters import HideSignInLinks, without_personal_data
from readerstudy.logs.lines import JSONLines
from readerstudy.logs.setup import REQUESTS, logging_settings
from readerstudy.studies.models import Presentation
from tests import make, walk

IP = "203.0.113.77"


@pytest.fixture
def lines(monkeypatch):
    """Everything that is logged from INFO on, as in service; a call returns the lines so far."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(HideSignInLinks())
    handler.setFormatter(JSONLines())
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(root, "level", logging.INFO)
    for name, own in logging_settings("json", "INFO", ["gunicorn"])["loggers"].items():
        if "level" in own:
            monkeypatch.setattr(logging.getLogger(name), "level", getattr(logging, own["level"]))
    root.manager._clear_cache()
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.manager._clear_cache()


@pytest.mark.django_db
def test_a_line_says_route_status_time_and_the_number_of_the_person(lines):
    clara, client = make.user("clara", Role.COORDINATOR), Client()
    client.force_login(clara)
    answer = client.get("/desk/")
    line = lines()[-1]
    assert line["logger"] == REQUESTS
    assert (line["route"], line["method"], line["status"], line["user"]) == ("desk", "GET", 200, clara.pk)
    assert line["request"] == answer.headers["X-Request-ID"]
    assert line["ms"] > 0
    assert datetime.fromisoformat(line["time"]).tzinfo is not None


def test_a_line_about_a_visitor_asks_the_database_for_nothing(lines, client):
    client.get("/account/language/")  # no database in this test
    assert "user" not in lines()[-1]


@pytest.mark.parametrize("value", ["short", "a" * 65, "with space in it", 'quote"quote', "new\\nline0", ""])
def test_an_ill_formed_id_of_a_request_is_replaced(client, settings, value):
    settings.BEHIND_PROXY = True
    answer = client.get("/account/language/", headers={"X-Request-ID": value})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_the_id_of_a_proxy_is_kept_and_that_of_a_client_is_not(client, settings):
    given = {"X-Request-ID": "proxy-0123.abc"}
    settings.BEHIND_PROXY = True
    assert client.get("/account/language/", headers=given).headers["X-Request-ID"] == "proxy-0123.abc"
    settings.BEHIND_PROXY = False
    assert client.get("/account/language/", headers=given).headers["X-Request-ID"] != "proxy-0123.abc"


def test_a_line_of_a_job_has_its_number(lines, db):
    job = Job.objects.create(kind="train", queued_at=make.MONDAY)
    perform(job.pk, lambda parameters, report: logging.getLogger("models_ml").info("Step 1"))
    found = [line for line in lines() if line["message"] == "Step 1"]
    assert [line["job"] for line in found] == [job.pk]
    logging.getLogger("models_ml").info("between jobs")
    assert "job" not in lines()[-1]


def test_names_of_the_context_end_with_their_block():
    with logged_as(request="a"):
        with logged_as(job=1):
            pass
        line = json.loads(JSONLines().format(logging.makeLogRecord({"msg": "x"})))
    assert (line["request"], "job" in line) == ("a", False)


# --- what never stands in a line --------------------------------------------------------------------------------
def test_a_played_session_leaves_no_name_mail_token_or_address(lines, study, settings):
    rita = make.reader_in(study, "rita")
    User.objects.filter(pk=rita.pk).update(first_name="Margarita", last_name="Zwölfer", email="rita@hospital.example")
    rita.refresh_from_db()
    clara, client = make.user("clara", Role.COORDINATOR), Client(REMOTE_ADDR=IP)
    token = make_link(user=rita, actor=clara, at=now(), days=3)
    client.get(reverse("accounts:sign_in_by_link", args=[token]))
    client.get("/account/sign-in/wrong-token-of-somebody/")
    client.post("/account/sign-in/", {"username": "rita", "password": "not-her-password"})
    client.post("/account/sign-in/", {"username": "rita", "password": "rita-secret-1"})
    walk.finish_session(walk.client_of(rita), study.code, 1)
    client.get(f"/read/{study.code}/1/")
    client.get(f"/api/v1/reading/{study.code}/images/{Presentation.objects.first().code}/")
    client.get("/desk/people/?q=Margarita")
    staff = Client(REMOTE_ADDR=IP)
    staff.force_login(clara)
    staff.get("/desk/people/?q=Margarita")
    staff.get("/nowhere/Margarita/")
    text = json.dumps(lines(), ensure_ascii=False)
    assert {"Gone", "Forbidden", "Not Found"} <= {line["message"] for line in lines()}
    assert len(lines()) > 12
    codes = set(Presentation.objects.values_list("code", flat=True))
    words = [
        "rita",
        "Margarita",
        "Zwölfer",
        "clara",
        "hospital.example",
        IP,
        "secret",
        "password",
        "wrong-token",
        token,
    ]
    assert [word for word in [*words, study.code, *codes] if word in text] == []


def test_the_address_of_a_client_stands_there_only_if_a_setting_asks(lines, client, settings):
    client.get("/account/language/", REMOTE_ADDR=IP)
    assert "address" not in lines()[-1]
    settings.LOG_ADDRESSES = True
    client.get("/account/language/", REMOTE_ADDR=IP)
    assert lines()[-1]["address"] == IP


def test_a_row_that_the_database_refuses_is_not_quoted(lines, db):
    User.objects.create_user("rita", email="rita@hospital.example")
    try:
        with transaction.atomic():
            User.objects.create_user("rita", email="rita@hospital.example")
    except IntegrityError:
        logging.getLogger("readerstudy").exception("It failed for %s", "rita@hospital.example")
    line = lines()[-1]
    assert line["error"] == "IntegrityError"
    assert "duplicate key" in line["traceback"]
    assert "(rita)" not in line["traceback"]
    assert "hospital" not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        "sent to rita@hospital.example",
        f"from {IP}",
        "from 2001:db8:85a3::8a2e:370:7334",
        "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
        "GET /account/sign-in/abcdefghijklmnop/",
        "DETAIL:  Key (username)=(rita) already exists.",
    ],
)
def test_personal_data_in_messages_become_dots(text):
    hidden = without_personal_data(text)
    assert "…" in hidden
    for secret in ("rita", "203.0", "2001", "370", "abcdefgh"):
        assert secret not in hidden


def test_times_and_local_addresses_stay_readable():
    text = "2026-11-30 22:15:07 listening on 127.0.0.1:8000, took 00:01:02"
    assert without_personal_data(text) == text


# --- settings ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "stream"),
    [
        (["/srv/.venv/bin/gunicorn", "readerstudy.wsgi"], "ext://sys.stdout"),
        (["manage.py", "work"], "ext://sys.stdout"),
        (["manage.py", "create_study", "--json"], "ext://sys.stderr"),
    ],
)
def test_services_log_to_standard_output_and_commands_beside_their_results(arguments, stream):
    assert logging_settings("json", "WARNING", arguments)["handlers"]["console"]["stream"] == stream
    assert "formatter" not in logging_settings("text", "WARNING", arguments)["handlers"]["console"]


@pytest.mark.parametrize(
    ("form", "level", "message"),
    [("xml", "INFO", "LOG_FORMAT is 'xml'; it must be one of text, json."), ("json", "LOUD", "LOG_LEVEL is 'LOUD'")],
)
def test_unknown_words_stop_the_start(form, level, message):
    with pytest.raises(ImproperlyConfigured, match=message):
        logging_settings(form, level, sys.argv)
