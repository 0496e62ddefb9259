"""Acts that ask for a fresh sign-in: every row of the table, for pages, the administration and the API."""

import re
import time
from pathlib import Path

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils.timezone import now

from readerstudy.accounts.models import Role, SignInLink
from readerstudy.accounts.tokens import make_token
from readerstudy.audit.models import Event
from readerstudy.identity.acts import ACTS, FINAL_MOVES, Act
from readerstudy.studies.transitions import MOVES_BY_NAME
from tests import make
from tests.api.conftest import drawn, quick_passwords, study
from tests.identity.people import code_of, give_app, sign_in

__all__ = ["drawn", "quick_passwords", "study"]

AGAIN = "/account/again/"


@pytest.fixture(autouse=True)
def fifteen_minutes(settings):
    settings.SIGN_IN_AGAIN_MINUTES = 15


@pytest.fixture
def rosa(study):
    return make.user("rosa", Role.RESEARCHER)


@pytest.fixture
def reader(study):
    return make.reader_in(study, "ruth")


def address_of(act: Act, study, reader) -> str:
    enrollment = study.enrollments.get(reader=reader)
    values = {
        "code": study.code,
        "study": study.code,
        "number": enrollment.pk if act.view.startswith("desk:") and "account" not in act.view else reader.pk,
        "reader": enrollment.code,
        "id": reader.pk,
        "key": "table1",
        **{name: wanted[0] for name, wanted in act.where.items()},
    }
    if act.view == "admin:auth_user_password_change":
        return reverse(act.view, args=[reader.pk])
    for names in (
        (),
        ("code",),
        ("code", "name"),
        ("code", "key"),
        ("code", "number"),
        ("code", "number", "key"),
        ("code", "number", "name"),
        ("number", "name"),
        ("number",),
        ("study",),
        ("study", "move"),
        ("study", "reader"),
        ("number",),
    ):
        try:
            return reverse(act.view, kwargs={name: values[name] for name in names})
        except (KeyError, NoReverseMatch):
            continue
    raise AssertionError(f"The address of {act.view} is not known.")


def ask(client: Client, act: Act, study, reader):
    form = {name: wanted[0] for name, wanted in act.where.items()}
    return client.generic(
        act.methods[0],
        address_of(act, study, reader),
        "&".join(f"{name}={value}" for name, value in form.items()),
        content_type="application/x-www-form-urlencoded",
    )


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.view)
def test_every_act_of_the_table_asks_for_a_fresh_sign_in(act, study, rosa, reader, client):
    client.force_login(rosa)
    events, links = Event.objects.count(), SignInLink.objects.count()
    answer = ask(client, act, study, reader)
    if act.view.startswith("studies:"):
        assert answer.status_code == 403
        assert answer.json()["detail"] == "Sign in again, or use a token of the API."
    else:
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, AGAIN)
    study.refresh_from_db()
    assert (Event.objects.count(), SignInLink.objects.count(), study.status) == (events, links, "open")


@pytest.mark.parametrize("move", FINAL_MOVES)
def test_every_final_move_is_one_of_the_lifecycle_and_asks(study, rosa, client, move):
    client.force_login(rosa)
    assert move in MOVES_BY_NAME
    assert client.post(f"/desk/studies/{study.code}/moves/{move}/").url.startswith(AGAIN)
    assert client.post(f"/api/v1/studies/{study.code}/{move}/").status_code == 403


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.view)
def test_after_a_fresh_sign_in_no_act_asks(act, study, rosa, reader, client):
    sign_in(client, "rosa")
    answer = ask(client, act, study, reader)
    assert AGAIN not in getattr(answer, "url", "")
    assert b"Sign in again" not in getattr(answer, "content", b"")


def test_every_module_that_records_an_export_has_acts_in_the_table():
    """A new export needs its view in the table, and its module here."""
    exports = {
        path.relative_to("readerstudy").as_posix()
        for path in Path("readerstudy").rglob("*.py")
        if re.search(r'record\("(export\.made|trail\.exported)"', path.read_text())
    }
    views = {act.view.partition(":")[0] for act in ACTS}
    known = {
        "analysis/views.py": "report",
        "api/outcome/readings.py": "studies",
        "bundle/actions.py": "bundle",
        "desk/trail/views.py": "desk",
    }
    assert exports == set(known)
    assert set(known.values()) <= views


def test_a_sign_in_is_fresh_for_fifteen_minutes(study, rosa, client):
    sign_in(client, "rosa")
    address = f"/desk/studies/{study.code}/trail.csv"
    assert client.get(address).status_code == 200
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY][0]["at"] = time.time() - 15 * 60
    session.save()
    assert client.get(address).url.startswith(AGAIN)


def test_looking_at_pages_and_other_moves_asks_nothing(study, rosa, client):
    client.force_login(rosa)
    for address in (f"/desk/studies/{study.code}/moves/close/", f"/desk/studies/{study.code}/people/"):
        assert client.get(address).status_code == 200
    assert client.post(f"/desk/studies/{study.code}/moves/pause/", {"reason": "holiday"}).url.startswith("/desk/")


def test_a_form_waits_while_its_person_signs_in_again(study, rosa, client):
    client.force_login(rosa)
    form = {"reason": "All have read; “enough” & more.", "code": study.code}
    answer = client.post(f"/desk/studies/{study.code}/moves/close/", form)
    assert client.post(answer.url, {"password": "guess"}).status_code == 200
    next_page = client.post(answer.url, {"password": "rosa-secret-1"}).url
    assert next_page == "/account/go-on/"
    page = client.get(next_page)
    assert page.context["address"] == f"/desk/studies/{study.code}/moves/close/"
    assert dict(page.context["fields"]) == form
    study.refresh_from_db()
    assert study.status == "open", "nothing happens before the person sends it"
    client.post(page.context["address"], dict(page.context["fields"]))
    study.refresh_from_db()
    assert (study.status, Event.objects.get(verb="study.closed").data["reason"]) == ("closed", form["reason"])
    assert Event.objects.get(verb="sign_in.confirmed").actor == rosa


def test_a_second_factor_confirms_as_a_password_does(study, rosa, client):
    secret = give_app(rosa)
    client.force_login(rosa)
    address = f"/desk/studies/{study.code}/trail.csv"
    asked = client.get(address)
    assert b"Use a code" in client.get(asked.url).content
    assert client.post(f"/account/second-factor/again/?next={address}", {"code": code_of(secret)}).url == address
    assert client.get(address).status_code == 200


def test_a_waiting_form_is_for_its_person_only(study, rosa, client):
    client.force_login(rosa)
    client.post(f"/desk/studies/{study.code}/moves/close/", {"reason": "enough"})
    session = client.session
    session["waiting_request"] = {**session["waiting_request"], "person": rosa.pk + 1}
    session.save()
    assert client.get("/account/go-on/").url == "/"


def test_a_password_typed_for_somebody_does_not_wait_in_the_session(rosa, reader, client):
    client.force_login(rosa)
    address = reverse("admin:auth_user_password_change", args=[reader.pk])
    answer = client.post(address, {"password1": "a-long-new-word", "password2": "a-long-new-word"})
    assert re.search(r"next=(.+)", answer.url)[1] == address.replace("/", "%2F")
    assert "waiting_request" not in client.session


def test_a_person_without_a_password_sees_what_to_do(study, rosa, client):
    rosa.set_unusable_password()
    rosa.save()
    client.force_login(rosa)
    answer = client.get(f"/desk/studies/{study.code}/trail.csv")
    assert answer.status_code == 403
    assert b"Choose a password or set up a second factor" in answer.content


def test_a_dialog_of_the_administration_is_led_away_as_a_whole_page(rosa, reader, client):
    client.force_login(rosa)
    form = {"action": "sign_in_links", "_selected_action": [reader.pk]}
    answer = client.post(reverse("admin:accounts_user_changelist"), form, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith(AGAIN)


def test_a_token_of_the_api_has_scopes_instead(study, rosa, client):
    client.force_login(rosa)
    address, act = f"/api/v1/studies/{study.code}/close/", {"reason": "enough"}
    wrong = client.post(address, act, "application/json", headers={"Authorization": "Token no-such"})
    assert wrong.status_code == 401, "a header alone opens nothing"
    other = client.post(address, act, "application/json", headers={"Authorization": "Basic x"})
    assert other.status_code == 403
    _row, text = make_token(user=rosa, name="notebook", at=now())
    headers = {"Authorization": f"Token {text}"}
    assert Client().post(address, act, "application/json", headers=headers).status_code == 200


def test_without_the_setting_nothing_asks(study, rosa, client, settings):
    settings.SIGN_IN_AGAIN_MINUTES = 0
    client.force_login(rosa)
    assert client.get(f"/desk/studies/{study.code}/trail.csv").status_code == 200


def test_every_file_of_verdicts_asks_for_a_fresh_sign_in():
    """By the modules of the views, so that a new format is not forgotten."""
    modules = {f"readerstudy.api.outcome.{name}" for name in ("ratings", "readings", "results")}
    exported = {
        f"studies:{pattern.name}"
        for pattern in get_resolver("readerstudy.api.urls").url_patterns
        for pattern in getattr(pattern, "url_patterns", [pattern])
        if getattr(pattern.callback, "view_class", object).__module__ in modules
    }
    assert {"studies:readings_file", "studies:readings_parquet", "studies:ratings_imrmc"} <= exported
    assert exported - {act.view for act in ACTS if "GET" in act.methods} == set()
