"""The limit on requests: for everybody and every address of the application, and never for a fast reader."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.accounts.tokens import make_token
from readerstudy.identity import limits
from readerstudy.identity.limits import NO_LIMIT, RequestLimit
from tests import make
from tests.api.conftest import drawn, quick_passwords, study

__all__ = ["drawn", "quick_passwords", "study"]


@pytest.fixture
def clock(monkeypatch):
    """The time, which only the test moves."""
    times = [1_000_000_020.0]  # at the beginning of a minute
    monkeypatch.setattr(limits.time, "time", lambda: times[-1])
    return times


@pytest.fixture
def ten(settings, clock):
    settings.REQUESTS_PER_MINUTE = 10


def statuses(client: Client, address: str, count: int, **headers) -> list[int]:
    return [client.get(address, **headers).status_code for _ in range(count)]


@pytest.mark.parametrize("address", ["/account/sign-in/", "/desk/", "/api/v1/studies/", "/admin/", "/nowhere/"])
def test_a_visitor_is_limited_at_every_address(db, ten, clock, address):
    client = Client()
    assert 429 not in statuses(client, address, 5)
    answer = client.get(address)
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert b"Too many requests" in answer.content
    assert client.get(address, REMOTE_ADDR="10.0.0.9").status_code != 429
    clock.append(clock[-1] + 60)
    assert client.get(address).status_code != 429


@pytest.mark.parametrize("address", ["/desk/people/", "/api/v1/studies/"])
def test_a_person_is_limited_in_all_browsers_together(db, ten, address):
    clara = make.user("clara", Role.COORDINATOR)
    one, two, carl = Client(), Client(), Client()
    two.handler = carl.handler = one.handler  # of one web process
    one.force_login(clara), two.force_login(clara)
    assert statuses(one, address, 5) + statuses(two, address, 5) == [200] * 10
    assert [one.get(address).status_code, two.get(address).status_code] == [429, 429]
    carl.force_login(make.user("carl", Role.COORDINATOR))
    assert carl.get(address).status_code == 200, "from the same address"


def test_a_token_has_a_limit_of_its_own(db, ten):
    clara = make.user("clara", Role.COORDINATOR)
    for _ in range(2):
        _row, text = make_token(user=clara, name="notebook", at=now())
        found = statuses(Client(), "/api/v1/studies/", 11, headers={"Authorization": f"Token {text}"})
        assert found == [200] * 10 + [429]


def test_guessing_tokens_is_limited_by_the_address(db, ten):
    client = Client()
    found = [
        client.get("/api/v1/studies/", headers={"Authorization": f"Token guess-{number}"}).status_code
        for number in range(8)
    ]
    assert found == [401] * 6 + [429] * 2


def test_a_fast_reader_is_never_limited(study, settings, clock):
    """Ten images a second for three minutes, each with a verdict and a picture."""
    settings.REQUESTS_PER_MINUTE = 1200  # the default
    client = Client()
    client.force_login(make.reader_in(study, "ruth"))
    request, served = client.get("/").wsgi_request, HttpResponse()
    limit = RequestLimit(lambda request: served)
    for second in range(180):
        clock.append(1_000_000_020.0 + second)
        assert [limit(request) for _ in range(2 * 10)] == [served] * 20


def test_simulated_readers_of_this_server_have_no_limit(db, ten):
    client = Client()
    assert 429 not in [client.get("/account/sign-in/", **{NO_LIMIT: "1"}).status_code for _ in range(30)]
    assert client.get("/account/sign-in/", headers={NO_LIMIT: "1"}).status_code == 200, "counted, as the first"
    assert 429 in statuses(client, "/account/sign-in/", 8, headers={NO_LIMIT: "1"})


def test_zero_is_no_limit(db, settings, clock):
    settings.REQUESTS_PER_MINUTE = 0
    assert statuses(Client(), "/account/sign-in/", 30) == [200] * 30
