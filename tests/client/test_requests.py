"""Requests of the client: what is sent again and what is not, errors, pages and downloads, against planned answers."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from readerstudy.client import ApiError, InvestigatorClient, JobFailed, NoAnswer, Retries
from readerstudy.client.api_client import ApiClient
from readerstudy.client.downloads import Damaged, bar, download
from readerstudy.client.pages import Pages
from readerstudy.client.problems import Misunderstood, NothingThere, NotSignedIn, Refused, TooManyRequests, Unavailable
from readerstudy.errors import BadInput, StudyError

AWAY = {"title": "Service Unavailable", "status": 503, "detail": "The database is away."}


def problem(status: int, detail: str = "It is so.", **headers: str) -> httpx.Response:
    body = {"title": "A title", "status": status, "detail": detail}
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json", **headers})


class Server:
    """Answers each request with the next planned answer; an exception is raised instead."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers, self.requests, self.pauses = list(answers), [], []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def client(self, **options) -> InvestigatorClient:
        http = httpx.Client(transport=httpx.MockTransport(self), base_url="https://host")
        return InvestigatorClient(http, retries=Retries(sleep=self.pauses.append, chance=lambda: 0.0, **options))


def ok(value=None) -> httpx.Response:
    return httpx.Response(200, json=value if value is not None else {})


# --- sending again ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("answer", [problem(503), problem(429), problem(502), httpx.ConnectError("refused")])
def test_a_request_is_sent_again_after_growing_pauses(answer):
    server = Server(answer, httpx.ReadError("broken"), httpx.ReadTimeout("late"), ok([]))
    assert server.client().cohorts().list() == []
    assert server.pauses == [0.5, 1.0, 2.0]


def test_a_write_is_sent_again_with_the_same_key():
    server = Server(httpx.ReadError("broken"), problem(503), ok({"id": 7}))
    assert server.client().start_job("evaluate") == {"id": 7}
    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1
    other = Server(ok({"id": 8}))
    other.client().start_job("evaluate")
    assert other.requests[0].headers["Idempotency-Key"] not in keys


def test_a_change_without_a_key_is_not_sent_again_once_it_may_have_arrived():
    server = Server(httpx.ReadError("broken"))
    with pytest.raises(NoAnswer, match="broken"):
        server.client().study("breast1").replace_protocol("sessions: []")
    assert len(server.requests) == 1
    server = Server(httpx.ConnectError("refused"), ok())
    server.client().study("breast1").replace_protocol("sessions: []")
    assert len(server.requests) == 2


def test_a_client_without_retries_gives_up_at_once_and_sends_no_key():
    server = Server(problem(503))
    client = ApiClient(httpx.Client(transport=httpx.MockTransport(server), base_url="https://host"))
    with pytest.raises(Unavailable):
        client.call("POST", "/api/v1/jobs/", body={})
    assert "Idempotency-Key" not in server.requests[0].headers


def test_the_client_gives_up_in_the_end():
    server = Server(*[problem(503, "The database is away.") for _ in range(3)])
    with pytest.raises(Unavailable, match="The database is away"):
        server.client(most=2).job(1)
    assert server.pauses == [0.5, 1.0]


def test_the_pause_that_the_server_asks_for_is_kept():
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    server = Server(problem(429, **{"Retry-After": "7"}), problem(503, **{"Retry-After": then}), ok({"id": 1}))
    server.client().job(1)
    assert server.pauses[0] == 7
    assert 15 < server.pauses[1] <= 20


def test_a_server_that_asks_for_a_long_pause_is_not_waited_for():
    server = Server(problem(429, **{"Retry-After": "900"}))
    with pytest.raises(TooManyRequests) as caught:
        server.client().job(1)
    assert caught.value.retry_after == 900
    assert server.pauses == []


def test_pauses_differ_by_chance_and_have_an_end():
    assert Retries(chance=lambda: 1.0).pause(1) == 0.25
    assert Retries(most=20, longest=10, chance=lambda: 0.0).pause(20) == 10


# --- errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Misunderstood), (401, NotSignedIn), (404, NothingThere), (409, Refused), (418, ApiError)],
)
def test_a_problem_is_an_exception_with_its_members(status, kind):
    with pytest.raises(kind, match="It is so") as caught:
        Server(problem(status)).client().study("breast1").page()
    error = caught.value
    assert (type(error), error.status, error.title, error.detail) == (kind, status, "A title", "It is so.")


def test_a_page_of_a_proxy_is_an_error_too():
    page = httpx.Response(504, text="<h1>Gateway Timeout</h1>", headers={"Content-Type": "text/html"})
    with pytest.raises(Unavailable, match="<h1>Gateway Timeout") as caught:
        Server(page).client(most=0).job(1)
    assert caught.value.members == {}


def test_redirects_are_not_followed():
    server = Server(httpx.Response(302, headers={"Location": "https://elsewhere/api/v1/jobs/1/"}))
    with pytest.raises(ApiError, match="status 302"):
        server.client().job(1)
    assert len(server.requests) == 1


# --- pages ------------------------------------------------------------------------------------------------------------
def test_pages_are_requested_when_they_are_needed():
    first = ok({"next": "https://host/api/v1/jobs/?cursor=b", "previous": None, "results": [{"id": 3}, {"id": 2}]})
    server = Server(first, ok({"next": None, "previous": None, "results": [{"id": 1}]}))
    rows = iter(server.client().jobs())
    assert [next(rows)["id"], next(rows)["id"]] == [3, 2]
    assert len(server.requests) == 1
    assert [row["id"] for row in rows] == [1]
    assert [str(request.url.raw_path, "ascii") for request in server.requests] == [
        "/api/v1/jobs/",
        "/api/v1/jobs/?cursor=b",
    ]


def test_a_list_without_pages_is_one_page():
    assert Server(ok([{"name": "films"}])).client().cohorts().first() == {"name": "films"}
    assert Server(ok([])).client().cohorts().first() is None


def test_a_page_of_another_server_does_not_get_the_token():
    server = Server(ok({"next": "https://elsewhere/api/v1/jobs/?page=2", "results": []}))
    with pytest.raises(StudyError, match="elsewhere"):
        server.client().jobs().list()
    assert len(server.requests) == 1


def test_the_rest_of_a_search_is_not_requested():
    server = Server(ok({"next": "/api/v1/jobs/?page=2", "results": [{"id": 3}, {"id": 2}]}))
    assert server.client().jobs().find(lambda job: job["id"] == 2) == {"id": 2}


# --- downloads --------------------------------------------------------------------------------------------------------
FILE = b"reader,session\n" * 5000


def digest(content: bytes) -> dict[str, str]:
    return {"Repr-Digest": f"sha-256=:{b64encode(hashlib.sha256(content).digest()).decode()}:"}


class Breaking(httpx.SyncByteStream):
    """A file whose connection breaks in the middle."""

    def __iter__(self):
        yield FILE[:100]
        raise httpx.ReadError("broken")


def test_a_download_is_checked_and_reported(tmp_path):
    server, steps = Server(httpx.Response(200, content=FILE, headers=digest(FILE))), []
    path = tmp_path / "bundle.zip"
    done = server.client().study("breast1").save_bundle(path, progress=lambda *step: steps.append(step))
    assert path.read_bytes() == FILE
    assert (done.bytes, done.sha256, done.is_verified) == (len(FILE), hashlib.sha256(FILE).hexdigest(), True)
    assert steps[-1] == (len(FILE), len(FILE))


def test_a_download_begins_again_when_its_connection_breaks(tmp_path):
    server = Server(httpx.Response(200, stream=Breaking()), httpx.Response(200, content=FILE))
    done = download(server.client(), "/file", tmp_path / "readings.csv")
    assert (tmp_path / "readings.csv").read_bytes() == FILE
    assert not done.is_verified
    assert [path.name for path in tmp_path.iterdir()] == ["readings.csv"]


def test_a_broken_download_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "readings.csv"
    path.write_text("earlier")
    server = Server(httpx.Response(200, stream=Breaking()))
    with pytest.raises(NoAnswer, match="broke off"):
        download(server.client(most=0), "/file", path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("readings.csv", "earlier")]


@pytest.mark.parametrize("where", ["header", "argument"])
def test_a_changed_download_is_refused(tmp_path, where):
    headers = digest(b"other") if where == "header" else {}
    expected = hashlib.sha256(b"other").hexdigest() if where == "argument" else ""
    server = Server(httpx.Response(200, content=FILE, headers=headers))
    with pytest.raises(Damaged, match="SHA-256"):
        download(server.client(), "/file", tmp_path / "bundle.zip", sha256=expected)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_download_writes_nothing(tmp_path):
    with pytest.raises(Refused):
        Server(problem(409)).client().study("breast1").readings().save(tmp_path / "readings.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_bar_is_shown_on_a_terminal_only(capsys, monkeypatch):
    with bar("readings.csv", is_bytes=True) as advance:
        advance(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with bar("readings.csv", is_bytes=True) as advance:
        advance(2, 2)
    assert "readings.csv" in capsys.readouterr().err


# --- waiting for a job ------------------------------------------------------------------------------------------------
def state(status: str, done: int) -> httpx.Response:
    return ok({"id": 4, "kind": "train", "status": status, "done": done, "total": 10, "note": "epoch 3"})


def test_a_job_is_waited_for(capsys):
    server, steps = Server(state("queued", 0), state("running", 4), problem(503), state("done", 10)), []
    job = server.client().wait_for_job(4, every=3, progress=lambda *step: steps.append(step))
    assert job["status"] == "done"
    assert steps == [(0, 10), (4, 10), (10, 10)]
    assert server.pauses == [3, 3, 0.5]


def test_a_failed_job_is_an_error():
    with pytest.raises(JobFailed, match="Job 4 \\(train\\) is failed: epoch 3") as caught:
        Server(state("failed", 4)).client().wait_for_job(4)
    assert caught.value.job["done"] == 4


def test_waiting_has_an_end():
    with pytest.raises(TimeoutError, match="still running"):
        Server(state("running", 4)).client().wait_for_job(4, at_most=0)


# --- connecting -------------------------------------------------------------------------------------------------------
def test_address_and_token_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("READERSTUDY_URL", "https://study.example.org")
    monkeypatch.setenv("READERSTUDY_TOKEN", "rst_secret")
    with InvestigatorClient.from_environment() as client:
        assert client.http.headers["Authorization"] == "Token rst_secret"
        assert client.http.base_url.host == "study.example.org"
    with InvestigatorClient.from_environment(token="rst_other") as client:
        assert client.http.headers["Authorization"] == "Token rst_other"


@pytest.mark.parametrize(
    ("address", "token", "sentence"),
    [
        ("", "rst_x", "address of the server is missing"),
        ("https://host", "", "token is missing"),
        ("http://study.example.org", "rst_x", "over https only"),
    ],
)
def test_a_client_that_would_not_work_is_refused(monkeypatch, address, token, sentence):
    for name in ("READERSTUDY_URL", "READERSTUDY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadInput, match=sentence):
        InvestigatorClient.from_environment(address, token=token)


def test_an_unexpected_answer_is_read_as_json():
    assert Pages(Server(httpx.Response(200, content=json.dumps([1]))).client(), "/list").list() == [1]
