"""Access: readers reach their own API and nothing else; tokens; the schema."""

import pytest
from django.core.management import call_command
from django.urls import get_resolver
from rest_framework.test import APIClient

from tests import walk

WIRE = "api/v1/reading/"
OPEN_TO_ALL = "api/v1/token/"
SAMPLES = {
    "<slug:study>": "tiny",
    "<slug:reader>": "R1",
    "<slug:name>": "films",
    "<panel:panel>": "real",
    "<uuid:delivery>": "00000000-0000-0000-0000-000000000001",
    "<move:move>": "close",
    "<int:pk>": "1",
    "<int:number>": "1",
}


def addresses(resolver=None, prefix: str = "") -> list[str]:
    """Every address of the API, with samples for its variables."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            found += addresses(entry, route)
        elif route.startswith("api/"):
            for variable, sample in SAMPLES.items():
                route = route.replace(variable, sample)
            found.append(route)
    return found


def test_rita_reaches_only_the_readers_api(study, rita):
    client = walk.client_of(rita)
    closed_to_her = [a for a in addresses() if not a.startswith(WIRE) and a != OPEN_TO_ALL]
    assert len(closed_to_her) >= 12
    for address in closed_to_her:
        for call in (client.get, client.post, client.put, client.patch, client.delete, client.options):
            assert call(f"/{address}").status_code == 403, address


def test_strangers_reach_nothing_at_all(study):
    for address in addresses():
        if address != OPEN_TO_ALL and "<" not in address:
            answer = APIClient().get(f"/{address}")
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token"), address


def test_coordinators_and_researchers_do_not_reach_the_readers_api(study, clara, rosa):
    for person in (clara, rosa):
        assert walk.client_of(person).get("/api/v1/reading/").status_code == 403


@pytest.mark.parametrize(("name", "address"), [("clara", "/api/v1/studies/"), ("rita", "/api/v1/reading/")])
def test_a_token_opens_ones_own_doors(study, rita, clara, name, address):
    answer = APIClient().post("/api/v1/token/", {"username": name, "password": f"{name}-secret-1"})
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get(address).status_code == 200
    assert client.get("/api/v1/jobs/").status_code == (403 if name == "rita" else 200)


def test_a_wrong_password_gets_no_token(clara):
    answer = APIClient().post("/api/v1/token/", {"username": "clara", "password": "guess"})
    assert answer.status_code == 400
    assert "token" not in answer.json()


def test_a_session_needs_the_csrf_token_to_act(study, clara):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(clara)
    assert client.get("/api/v1/studies/").status_code == 200
    assert client.post(f"/api/v1/studies/{study.code}/close/").status_code == 403
    study.refresh_from_db()
    assert study.status == "open"


def test_an_inactive_coordinator_is_a_stranger(study, clara):
    token = APIClient().post("/api/v1/token/", {"username": "clara", "password": "clara-secret-1"}).json()["token"]
    clara.is_active = False
    clara.save()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/v1/studies/").status_code == 401


def test_the_schema_is_whole_and_valid(db, tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    text = (tmp_path / "schema.yml").read_text()
    assert all(f"/{part}/" in text for part in ("verdicts", "readings", "results", "jobs"))


def test_clara_can_fetch_the_schema(clara):
    response = walk.client_of(clara).get("/api/v1/schema/")
    assert response.status_code == 200
    assert b"/api/v1/studies/{study}/readings.csv" in response.content
