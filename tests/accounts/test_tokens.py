"""API tokens: hashed, named, limited in time and scope, shown once, and revoked."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now
from rest_framework.test import APIClient

from readerstudy.accounts.attempts import PER_ACCOUNT
from readerstudy.accounts.models import ApiToken, Role
from readerstudy.accounts.tokens import make_token, use_token
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput
from tests import make

STUDIES, JOBS = "/api/v1/studies/", "/api/v1/jobs/"


@pytest.fixture
def rosa(db):
    return make.user("rosa", Role.RESEARCHER)


def with_token(text: str, keyword: str = "Token") -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{keyword} {text}")
    return client


def token_of(user, **changes) -> str:
    return make_token(user=user, name="notebook", at=now(), **changes)[1]


def test_only_the_hash_of_a_token_is_stored(rosa):
    text = token_of(rosa)
    stored = json.dumps([list(ApiToken.objects.values()), list(Event.objects.values())], default=str)
    assert text not in stored
    assert ApiToken.objects.get().prefix == text[:8]


@pytest.mark.parametrize("keyword", ["Token", "Bearer"])
def test_a_token_signs_in_and_its_use_is_noted(rosa, keyword):
    client = with_token(token_of(rosa), keyword)
    assert client.get(STUDIES).status_code == 200
    first = ApiToken.objects.get().last_used_at
    assert client.get(STUDIES).status_code == 200
    assert ApiToken.objects.get().last_used_at == first, "not with each request"


@pytest.mark.parametrize("text", ["nonsense", "", "two words", "ä" * 43])
def test_a_wrong_token_is_answered_with_401(rosa, text):
    answer = with_token(text.encode().decode("latin-1")).get(STUDIES)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
    assert list(answer.json()) == ["title", "status", "detail"]


def test_a_token_expires(rosa):
    row, text = make_token(user=rosa, name="old", at=now() - timedelta(days=3), days=3)
    assert with_token(text).get(STUDIES).status_code == 401
    assert use_token(text, at=row.expires_at - timedelta(seconds=1)) == row


@pytest.mark.parametrize(
    "changes", [{"days": 0}, {"days": 366}, {"scopes": ["reading"]}, {"scopes": []}, {"name": " "}]
)
def test_a_token_that_breaks_a_rule_is_not_made(rosa, changes):
    with pytest.raises(BadInput):
        make_token(**{"user": rosa, "name": "notebook", "at": now(), **changes})
    assert not ApiToken.objects.exists()


def test_a_token_does_what_its_scopes_say(rosa):
    reads, works = with_token(token_of(rosa, scopes=["read"])), with_token(token_of(rosa, scopes=["jobs"]))
    assert [reads.get(STUDIES).status_code, works.get(STUDIES).status_code] == [200, 403]
    start = {"kind": "no such", "parameters": {}}
    assert [reads.post(JOBS, start).status_code, works.post(JOBS, start).status_code] == [403, 400]
    assert reads.post("/api/v1/studies/tiny/close/", {"reason": "x"}).status_code == 403
    assert works.post("/api/v1/studies/tiny/close/", {"reason": "x"}).status_code == 403


def test_a_readers_token_is_for_reading_only(db):
    ruth = make.user("ruth")
    client = with_token(token_of(ruth))
    assert ApiToken.objects.get().scopes == ["reading"]
    assert client.get("/api/v1/reading/").status_code == 200
    assert client.get(STUDIES).status_code == 403
    with pytest.raises(BadInput):
        token_of(ruth, scopes=["read"])


@pytest.mark.parametrize("how", ["password", "deactivated"])
def test_a_new_password_or_a_deactivation_revokes_all_tokens(rosa, how):
    client = with_token(token_of(rosa))
    if how == "password":
        rosa.set_password("a-long-new-word")
    else:
        rosa.is_active = False
    rosa.save()
    assert client.get(STUDIES).status_code == 401
    rosa.is_active = True
    rosa.save()
    assert client.get(STUDIES).status_code == 401, "they stay revoked"


def test_an_event_names_the_token_it_was_done_by(rosa, study):
    row, text = make_token(user=rosa, name="notebook", at=now())
    assert with_token(text).post(f"{STUDIES}{study.code}/close/", {"reason": "enough"}).status_code == 200
    assert Event.objects.get(verb="study.closed").data["by_token"] == row.pk


# --- the page -------------------------------------------------------------------------------------------------
def test_a_token_is_made_on_a_page_shown_once_and_revoked(rosa, client):
    client.force_login(rosa)
    page = client.post("/account/tokens/", {"name": "notebook", "days": 30, "scopes": ["read"]})
    text = page.context["made"]
    assert text in page.content.decode()
    assert text not in client.get("/account/tokens/").content.decode()
    assert with_token(text).get(STUDIES).status_code == 200
    row = ApiToken.objects.get()
    others = APIClient()
    others.force_login(make.user("carl", Role.RESEARCHER))
    assert others.post(f"/account/tokens/{row.pk}/revoke/").status_code == 404
    client.post(f"/account/tokens/{row.pk}/revoke/")
    assert with_token(text).get(STUDIES).status_code == 401
    assert list(Event.objects.values_list("verb", flat=True)) == [
        "token.made",
        "token.revoked",
        "access.refused_to_visitor",
    ]


def test_the_page_of_tokens_is_for_people_who_signed_in(client, db):
    assert "/account/sign-in/" in client.get("/account/tokens/")["Location"]
    assert "/account/sign-in/" in client.post("/account/tokens/1/revoke/")["Location"]


# --- a token for a password -----------------------------------------------------------------------------------
def test_a_password_gives_a_token_with_the_wanted_scopes(rosa):
    ask = {"username": "rosa", "password": "rosa-secret-1", "name": "R", "days": 7, "scopes": ["read"]}
    answer = APIClient().post("/api/v1/token/", ask)
    assert answer.json()["scopes"] == ["read"]
    row = ApiToken.objects.get()
    assert (row.name, row.expires_at - row.created_at) == ("R", timedelta(days=7))


def test_wrong_passwords_at_the_api_are_limited_and_told_as_detail(rosa):
    ask = {"username": "rosa", "password": "guess"}
    answers = [APIClient().post("/api/v1/token/", ask) for _ in range(PER_ACCOUNT + 1)]
    assert [answer.status_code for answer in answers] == [400] * PER_ACCOUNT + [429]
    assert all(list(answer.json()) == ["title", "status", "detail"] for answer in answers)
    assert int(answers[-1]["Retry-After"]) > 0
    assert Event.objects.filter(verb="sign_in.failed").count() == PER_ACCOUNT
