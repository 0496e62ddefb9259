"""Refused requests in the audit trail, without a flood."""

from django.test import Client

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.identity import refused
from tests import make
from tests.api.conftest import drawn, quick_passwords, study

__all__ = ["drawn", "quick_passwords", "study"]


def refusals() -> list[tuple]:
    events = Event.objects.filter(verb__startswith="access.").order_by("pk")
    return [(e.actor and e.actor.username, e.data["page"], e.data["status"]) for e in events]


def test_a_refused_page_is_one_event_for_a_person_and_a_quarter_of_an_hour(study, client, monkeypatch):
    client.force_login(make.user("ruth"))
    for _ in range(3):
        assert client.get("/desk/people/").status_code == 403
    assert client.get("/lab/").status_code == 403
    assert refusals() == [("ruth", "desk:directory", 403), ("ruth", "lab:jobs", 403)]
    assert Event.objects.filter(verb="access.refused").first().address == "127.0.0.1"
    monkeypatch.setattr(refused, "PERIOD", 7)  # as in another quarter of an hour
    client.get("/lab/")
    assert refusals()[2:] == [("ruth", "lab:jobs", 403)]


def test_a_stranger_s_study_is_a_refusal_that_names_no_study(study, client):
    client.force_login(make.stranger("carl", Role.COORDINATOR))
    for code in (study.code, "unknown"):
        assert client.get(f"/desk/studies/{code}/").status_code == 404
    (event,) = Event.objects.filter(verb="access.refused")
    assert (event.study, study.code in str(event.data)) == ("", False)


def test_an_address_that_does_not_exist_is_no_refusal(study, client):
    client.force_login(make.user("clara2", Role.COORDINATOR))
    assert client.get("/desk/nothing/").status_code == 404
    assert client.get("/desk/people/99999/").status_code == 404
    assert refusals() == []


def test_visitors_and_wrong_tokens_are_recorded_by_address_up_to_a_limit(study, monkeypatch):
    monkeypatch.setattr(refused, "MOST_BY_VISITORS", 2)
    for number in range(4):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}", headers={"Authorization": "Token guessed"})
        assert client.get("/api/v1/studies/").status_code == 401
        assert client.get("/api/v1/studies/").status_code == 401
    events = Event.objects.filter(verb="access.refused_to_visitor").order_by("pk")
    assert [event.address for event in events] == ["192.0.2.0", "192.0.2.1"]
    assert "guessed" not in str(list(events.values()))


def test_being_asked_for_a_fresh_sign_in_is_no_refusal(study, client, settings):
    settings.SIGN_IN_AGAIN_MINUTES = 15
    client.force_login(make.user("rosa", Role.RESEARCHER))
    assert client.get(f"/api/v1/studies/{study.code}/readings/").status_code == 403
    assert refusals() == []
