"""Readers who go through sessions by the API, as a browser does, without a network."""

from collections.abc import Callable
from uuid import uuid4

import httpx
from rest_framework.test import APIClient

from readerstudy.accounts.models import User
from readerstudy.client import InvestigatorClient
from readerstudy.client.api_client import ApiError
from readerstudy.client.reader_client import ReaderClient, session_address
from readerstudy.client.scripted_reader import play_session, required_answers
from readerstudy.reading.models import Claim, ReadingSession

Decide = Callable[[dict], str]


def client_of(reader: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(reader)
    return client


class _TestTransport(httpx.BaseTransport):
    """Sends requests to the application through the framework's test client."""

    def __init__(self, client: APIClient) -> None:
        self.client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content_type = request.headers.get("Content-Type", "application/octet-stream")
        path = request.url.raw_path.decode()
        sent = {name: value for name, value in request.headers.items() if name in ("accept", "idempotency-key")}
        response = self.client.generic(request.method, path, request.read(), content_type=content_type, headers=sent)
        return httpx.Response(response.status_code, headers=list(response.items()), content=response.getvalue())


def program_of(client: APIClient) -> ReaderClient:
    """The client for programs, signed in as the test client is."""
    return ReaderClient(_http(client))


def investigator(person: User) -> InvestigatorClient:
    """The client for programs of a coordinator or researcher."""
    return InvestigatorClient(_http(client_of(person)))


def _http(client: APIClient) -> httpx.Client:
    return httpx.Client(transport=_TestTransport(client), base_url="http://testserver")


def always(verdict: str) -> Decide:
    return lambda step: verdict


say_real = always("real")


address = session_address


def open_session(client: APIClient, study: str, number: int) -> dict:
    response = client.post(address(study, number, "open"))
    assert response.status_code == 200, response.json()
    return response.json()


def holding_page(reader: User, study: str, number: int) -> str:
    """The page that holds the session: only with it can a session be answered that a browser has opened."""
    of_session = {"reading_list__enrollment__reader": reader, "reading_list__session_plan__study__code": study}
    session = ReadingSession.objects.get(**of_session, reading_list__session_plan__number=number)
    return str(Claim.objects.filter(session=session).latest("id").page)


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


def finish_session(
    client: APIClient, study: str, number: int, decide: Decide = say_real, answers: dict | None = None
) -> int:
    """Open a session and answer everything in it; return the number of verdicts. `answers` are given each time.

    A session that a browser's page holds is taken over, as a second page does.
    """
    program, count = program_of(client), 0
    try:
        step = program.open_session(study, number)
    except ApiError:
        step = program.open_session(study, number, page=uuid4())
    while step["kind"] in ("read", "teach"):
        verdict = decide(step) if len(step["verdicts"]) > 1 else step["verdicts"][0]
        step = program.give_verdict(study, number, step, verdict, elapsed_ms=4000, answers=answers)["step"]
        count += 1
    if step["kind"] == "ask":
        step = program.give_answers(study, number, required_answers(step), elapsed_ms=9000)["step"]
    assert step["kind"] == "done"
    return count


def finish_whole_session(client: APIClient, study: str, number: int) -> int:
    """Play a session as a scripted reader does: display check, practice and all required answers."""
    return len(list(play_session(program_of(client), study, number, lambda step: ("real", 4000))))


def finish_study(client: APIClient, study: str, decide: Decide = say_real) -> int:
    return sum(finish_session(client, study, number, decide) for number in range(1, 6))
