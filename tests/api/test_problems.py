"""Errors of the API are problem details (RFC 9457), wherever they come from."""

import psycopg2
import pytest
from django.db import OperationalError
from django.test import Client

from tests import make, walk

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de"}


def problem_of(answer, status: int) -> dict:
    """The body of an error, which is the same in form for all of them."""
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer.get("Content-Length", len(answer.content))) == len(answer.content)
    body = answer.json()
    assert body["status"] == status
    assert isinstance(body["title"], str)
    assert isinstance(body["detail"], str)
    return body


@pytest.mark.parametrize("address", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/studies/", "/api/v1/jobs/x/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_address_is_answered_as_json(address, method):
    body = problem_of(getattr(Client(), method)(address), 404)
    assert body == {"title": "Not Found", "status": 404, "detail": "There is nothing at this address."}


def test_the_sentence_is_in_the_language_of_the_request():
    body = problem_of(Client().get("/api/v1/nothing/", headers=GERMAN), 404)
    assert body["detail"].endswith("dieser Adresse gibt es nichts.")


def test_an_address_without_its_slash_still_leads_to_the_one_with_it():
    assert Client().get("/api/v1/studies")["Location"] == "/api/v1/studies/"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Token no-such"}, {"Authorization": "Bearer"}])
def test_a_401_says_how_to_sign_in(header):
    answer = Client().get("/api/v1/studies/", headers=header)
    assert problem_of(answer, 401)["title"] == "Unauthorized"
    assert answer["WWW-Authenticate"] == "Token"


def test_errors_of_the_framework_and_of_the_protocol_have_one_form(study, rosa, rita):
    make.join([rosa], [study])
    client = Client()
    client.force_login(rosa)
    problem_of(client.delete("/api/v1/studies/"), 405)
    problem_of(client.get("/api/v1/studies/", headers={"Accept": "image/png"}), 406)
    problem_of(client.post("/api/v1/jobs/", "kind=x", content_type="text/plain"), 415)
    problem_of(client.post("/api/v1/jobs/", "{", content_type="application/json"), 400)
    problem_of(client.get("/api/v1/studies/no-such/"), 404)
    readings = f"/api/v1/studies/{study.code}/readings/"
    assert "once it is closed" in problem_of(client.get(readings), 409)["detail"]
    as_csv = {"Accept": "text/csv"}
    assert "once it is closed" in problem_of(client.get(readings, headers=as_csv), 409)["detail"]
    reader = walk.client_of(rita)
    assert problem_of(reader.get("/api/v1/studies/"), 403)["title"] == "Forbidden"


def test_a_conflict_keeps_the_current_step(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    walk.answer(client, study.code, 1, step, "seen")
    answer = walk.answer(client, study.code, 1, step, "seen")
    body = problem_of(answer, 409)
    assert body["step"]["kind"] == "read"


def test_a_fault_of_the_server_is_described_and_says_nothing_of_it(study, rosa, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("readerstudy.api.dataset.study_page", fails)
    make.join([rosa], [study])
    client = Client(raise_request_exception=False)
    client.force_login(rosa)
    answer = client.get(f"/api/v1/studies/{study.code}/")
    assert problem_of(answer, 500)["title"] == "Internal Server Error"
    assert b"secret" not in answer.content


def test_a_page_outside_the_api_stays_a_page():
    assert Client().get("/nowhere/")["Content-Type"] == "text/html; charset=utf-8"


def test_a_request_from_another_host_is_a_problem_too():
    problem_of(Client(headers={"Host": "evil.example"}).get("/api/v1/studies/"), 400)


def test_a_429_says_when_to_ask_again(rosa, settings):
    settings.REQUESTS_PER_MINUTE = 1
    client = Client()
    client.force_login(rosa)
    answers = [client.get("/api/v1/studies/") for _ in range(3)]
    problem_of(answers[-1], 429)
    assert 0 < int(answers[-1]["Retry-After"]) <= 60


def test_a_503_says_when_to_ask_again(study, rosa, monkeypatch):
    def fails(*args, **kwargs):
        raise OperationalError from psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("readerstudy.api.dataset.study_page", fails)
    make.join([rosa], [study])
    client = Client(raise_request_exception=False)
    client.force_login(rosa)
    answer = client.get(f"/api/v1/studies/{study.code}/")
    assert problem_of(answer, 503)["title"] == "Service Unavailable"
    assert int(answer["Retry-After"]) > 0
