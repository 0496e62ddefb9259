"""The audit trail's pages: sentences with links, rights, filters, paging, reviews, and whose link was used where."""

import csv
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.desk.trail.queries import EventFilter, Place, newest_events
from readerstudy.errors import BadInput
from readerstudy.reading.actions import open_session
from readerstudy.studies.actions import add_member, remove_member
from readerstudy.studies.trail import review_trail
from tests import make
from tests.make import MONDAY

TRAIL, OF_STUDY = "/desk/trail/", "/desk/studies/tiny/trail/"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def sentences(answer) -> list[str]:
    return [row.sentence for row in answer.context["rows"]]


@pytest.fixture
def anna(study):
    anna = make.reader_in(study, "anna")
    anna.first_name, anna.last_name = "Anna", "Müller"
    anna.save()
    return anna


def test_an_event_is_a_sentence_with_links(study, anna, clara):
    open_session(reader=anna, study="tiny", number=1, at=MONDAY)
    page = signed_in(clara).get(OF_STUDY)
    assert "Anna Müller opened session 1 of tiny." in sentences(page)
    row = next(row for row in page.context["rows"] if row.event.verb == "session.opened")
    assert [word.url for word in row.words if word.url] == [
        f"/admin/accounts/user/{anna.pk}/change/",
        "/desk/studies/tiny/",
    ]
    german = signed_in(clara).get(OF_STUDY, headers={"Accept-Language": "de"})
    assert "Anna Müller hat Sitzung 1 von tiny geöffnet." in sentences(german)


def test_what_people_type_is_shown_as_text(study, clara):
    record("study.paused", actor=clara, subject=study, at=MONDAY, reason="<b>Holidays</b>")
    clara.first_name = "<i>Clara</i>"
    clara.save()
    page = signed_in(clara).get(OF_STUDY).content.decode()
    assert "&lt;b&gt;Holidays&lt;/b&gt;" in page
    assert "<i>Clara" not in page


# --- rights ---------------------------------------------------------------------------------------------------
def test_each_person_sees_the_events_that_concern_them(study, anna, clara, rosa):
    carl, ralph = make.stranger("carl", Role.COORDINATOR), make.stranger("ralph", Role.RESEARCHER)
    record("sign_in.by_password", actor=anna, subject=anna, at=MONDAY)
    record("sign_in.by_password", actor=carl, subject=carl, at=MONDAY)
    record("stimulus.excluded", actor=ralph, subject="cohort.stimulus:1", at=MONDAY)
    seen = {
        person.username: {
            (event.verb, event.study, event.actor and event.actor.username)
            for event in newest_events(person, EventFilter(), before=None, most=500)
        }
        for person in (clara, carl, rosa, ralph, make.overseer())
    }
    everything = seen["overseer"]
    assert seen["rosa"] == everything
    assert seen["ralph"] == {event for event in everything if event[1] == ""}
    assert seen["carl"] == {("sign_in.by_password", "", "carl")}
    assert seen["clara"] == {event for event in everything if event[1] == "tiny"} | {
        ("sign_in.by_password", "", "anna")
    }


def test_the_administration_shows_the_same_events(study, anna, clara):
    carl = make.stranger("carl", Role.COORDINATOR)
    hidden = record("sign_in.by_password", actor=carl, subject=carl, at=MONDAY)
    shown = record("study.paused", actor=clara, subject=study, at=MONDAY)
    client = signed_in(clara)
    assert client.get(f"/admin/audit/event/{shown.pk}/change/").status_code == 200
    assert client.get(f"/admin/audit/event/{hidden.pk}/change/").status_code == 302


def test_the_page_says_who_could_see_the_study_and_when(study, clara, rosa):
    carl = make.stranger("carl", Role.COORDINATOR)
    add_member(study=study, person=carl, role=Role.COORDINATOR, actor=rosa, at=MONDAY)
    remove_member(study=study, person=carl, actor=clara, at=MONDAY + timedelta(days=3))
    page = signed_in(clara).get(OF_STUDY)
    ended = next(right for right in page.context["rights"] if right.person == carl)
    assert (ended.added_by, ended.removed_by) == (rosa, clara)
    assert "carl" in page.content.decode()


# --- filters and pages ----------------------------------------------------------------------------------------
def test_filters_select_by_person_kind_and_dates(study, anna, clara):
    open_session(reader=anna, study="tiny", number=1, at=MONDAY)
    record("study.paused", actor=clara, subject=study, at=MONDAY + timedelta(days=1))
    client = signed_in(clara)
    by_anna = sentences(client.get(OF_STUDY, {"person": anna.pk}))
    assert by_anna == ["Anna Müller opened session 1 of tiny."]
    assert sentences(client.get(OF_STUDY, {"kind": "study", "since": "2026-03-03"})) == ["clara paused tiny."]
    assert not sentences(client.get(OF_STUDY, {"kind": "study", "since": "2026-03-04"}))
    assert "clara paused tiny." not in sentences(client.get(OF_STUDY, {"until": "2026-03-02"}))
    assert "clara paused tiny." in sentences(client.get(TRAIL, {"study": "tiny", "until": "2026-03-03"}))


def test_another_study_in_the_filter_shows_nothing_of_it(study):
    carl = make.stranger("carl", Role.COORDINATOR)
    assert not sentences(signed_in(carl).get(TRAIL, {"study": "tiny"}))


def test_pages_show_each_event_once_also_of_one_moment(study, clara):
    for number in range(120):
        record("study.edited", actor=clara, subject=study, at=MONDAY + timedelta(seconds=number // 50))
    wanted = set(Event.objects.filter(study="tiny").values_list("pk", flat=True))
    client, query, found = signed_in(clara), {}, []
    while True:
        page = client.get(OF_STUDY, query)
        found += [row.event.pk for row in page.context["rows"]]
        if page.context["older"] is None:
            break
        query = {"before": str(page.context["older"])}
    assert len(found) == len(set(found))
    assert set(found) == wanted


@pytest.mark.parametrize("text", ["x", "1-", "-1", "1-2-3", "9" * 18 + "-1"])
def test_a_place_that_is_none_is_refused(text):
    with pytest.raises(BadInput):
        Place.parse(text)


def test_the_export_has_the_same_sentences_and_is_recorded(study, anna, clara):
    anna.first_name = "=cmd"
    anna.save()
    open_session(reader=anna, study="tiny", number=1, at=MONDAY)
    answer = signed_in(clara).get("/desk/studies/tiny/trail.csv", {"kind": "session"})
    (line,) = csv.DictReader(answer.getvalue().decode().splitlines())
    assert line["name"] == "session.opened"
    assert line["sentence"] == "'=cmd Müller opened session 1 of tiny."
    assert line["at"] == "2026-03-02T09:00:00+00:00"
    assert Event.objects.get(verb="trail.exported").actor == clara


# --- reviews --------------------------------------------------------------------------------------------------
def test_a_review_is_signed_off_up_to_an_event(study, clara):
    client, last = signed_in(clara), Event.objects.filter(study="tiny").latest("pk")
    client.post(f"{OF_STUDY}review/", {"up_to": last.pk, "remark": "All as planned."})
    page = client.get(OF_STUDY)
    assert [review.data["up_to"] for review in page.context["reviews"]] == [last.pk]
    assert f"clara reviewed the audit trail of tiny up to event {last.pk}." in sentences(page)
    assert "All as planned." in page.content.decode()


def test_a_review_needs_a_remark_and_moves_forward(study, clara):
    newer, older = Event.objects.filter(study="tiny").order_by("-pk")[:2]
    foreign = record("sign_in.unknown", actor=None, subject="", at=MONDAY)
    values = {"study": study, "actor": clara, "at": MONDAY}
    for up_to, remark in ((newer.pk, " "), (foreign.pk, "Read."), (0, "Read.")):
        with pytest.raises(BadInput):
            review_trail(**values, up_to=up_to, remark=remark)
    review_trail(**values, up_to=newer.pk, remark="Read.")
    with pytest.raises(BadInput, match=f"up to event {newer.pk} before"):
        review_trail(**values, up_to=older.pk, remark="Read.")


# --- whose link, from where -----------------------------------------------------------------------------------
def read_by_link(anna, maker, address: str) -> Client:
    """Sign anna in by a link that somebody made, and open her first session, from this address."""
    client = Client(REMOTE_ADDR=address)
    client.post(reverse("accounts:sign_in_by_link", args=[make_link(user=anna, actor=maker, at=now())]))
    assert client.post("/api/v1/reading/tiny/sessions/1/open/", content_type="application/json").status_code == 200
    return client


def signed_in_at(client_of: User, address: str) -> None:
    password = {"username": client_of.username, "password": f"{client_of.username}-secret-1"}
    assert Client(REMOTE_ADDR=address).post("/account/sign-in/", password).status_code == 302


@pytest.mark.parametrize(("clara_at", "is_flagged"), [("10.0.0.1", True), ("10.0.0.2", False)])
def test_a_link_used_where_its_maker_works_is_flagged(study, anna, clara, clara_at, is_flagged):
    signed_in_at(clara, clara_at)
    read_by_link(anna, clara, "10.0.0.1")
    page = signed_in(clara).get(OF_STUDY, {"kind": "session"})
    (row,) = page.context["rows"]
    assert (row.sign_in.made_by, row.sign_in.address, row.sign_in.link) == (
        clara,
        "10.0.0.1",
        anna.sign_in_links.get().pk,
    )
    assert row.sign_in.is_makers_address is is_flagged
    assert ("has worked from the same address" in page.content.decode()) is is_flagged


def test_a_session_read_under_a_password_has_no_link(study, anna, clara):
    client = Client(REMOTE_ADDR="10.0.0.1")
    client.post("/account/sign-in/", {"username": "anna", "password": "anna-secret-1"})
    client.post("/api/v1/reading/tiny/sessions/1/open/", content_type="application/json")
    (row,) = signed_in(clara).get(OF_STUDY, {"kind": "session"}).context["rows"]
    assert (row.sign_in.link, row.sign_in.address, row.sign_in.is_makers_address) == (None, "10.0.0.1", False)
