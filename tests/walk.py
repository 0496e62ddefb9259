"""A scripted reader who goes through sessions over the real wire, as a browser does."""

from collections.abc import Callable
from uuid import uuid4

from rest_framework.test import APIClient

from readerstudy.accounts.models import User

Decide = Callable[[dict], str]


def client_of(reader: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(reader)
    return client


def always(verdict: str) -> Decide:
    return lambda step: verdict


say_real = always("real")


def address(study: str, number: int, call: str) -> str:
    return f"/api/v1/reading/{study}/sessions/{number}/{call}/"


def open_session(client: APIClient, study: str, number: int) -> dict:
    response = client.post(address(study, number, "open"))
    assert response.status_code == 200, response.json()
    return response.json()


def answer(client: APIClient, study: str, number: int, step: dict, verdict: str, **changes):
    body = {
        "stimulus": step["stimulus"]["code"],
        "verdict": verdict,
        "elapsed_ms": 4000,
        "key": str(uuid4()),
        "paradata": {},
        **changes,
    }
    return client.post(address(study, number, "verdicts"), body, format="json")


def finish_session(client: APIClient, study: str, number: int, decide: Decide = say_real) -> int:
    """Open a session and answer everything in it; gives the number of verdicts."""
    step, given = open_session(client, study, number), 0
    while step["kind"] in ("read", "teach"):
        verdict = decide(step) if len(step["verdicts"]) > 1 else step["verdicts"][0]
        response = answer(client, study, number, step, verdict)
        assert response.status_code == 201, response.json()
        step, given = response.json()["step"], given + 1
    assert step["kind"] == "done"
    return given


def finish_study(client: APIClient, study: str, decide: Decide = say_real) -> int:
    return sum(finish_session(client, study, number, decide) for number in range(1, 6))
