"""The page on which researchers write lines under the triptychs of a study's education."""

import io

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from readerstudy.audit.models import Event
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.sessions import SessionKind
from readerstudy.record.models import Entry
from readerstudy.truth.queries import lines_of, taught_pairs
from tests import make, walk

pytestmark = pytest.mark.django_db
PAGE = "/lab/lessons/tiny/"


@pytest.fixture(autouse=True)
def signed_in(client, study, rosa):
    client.force_login(rosa)


def sent(study, *texts):
    """The fields of the page with these texts."""
    fields = {}
    for pair, text in zip(taught_pairs(study), texts, strict=True):
        fields |= {f"line-{pair.image.number}": text, f"before-{pair.image.number}": pair.line}
    return fields


def test_each_pair_has_its_panels_and_a_field(client, study):
    body = client.get(PAGE).content.decode()
    for pair in taught_pairs(study):
        assert f'name="line-{pair.image.number}"' in body
        for panel in ("real", "adversarial", "difference"):
            answer = client.get(f"{PAGE}{pair.image.number}/{panel}.jpg", {"size": "full"})
            with Image.open(io.BytesIO(answer.content)) as picture:
                assert picture.size == (52, 64)
    assert Event.objects.filter(verb="lessons.viewed", study="tiny").count() == 1


def test_lines_are_saved_and_shown_in_their_fields(client, study):
    answer = client.post(PAGE, sent(study, "Der Rand", "", 'a "quoted" <line>'), follow=True)
    assert "2 lines are saved." in answer.content.decode()
    assert [pair.line for pair in taught_pairs(study)] == ["Der Rand", "", 'a "quoted" <line>']
    assert ">a &quot;quoted&quot; &lt;line&gt;</textarea>" in answer.content.decode()
    again = client.post(PAGE, sent(study, "Der Rand", "", 'a "quoted" <line>'), follow=True)
    assert "No changes." in again.content.decode()


def test_what_was_typed_is_still_there_after_a_refusal(client, study):
    answer = client.post(PAGE, sent(study, "x" * 161, "kept", ""))
    assert answer.status_code == 400
    body = answer.content.decode()
    assert "position 1: a line has at most 160 characters" in body
    assert ">kept</textarea>" in body
    assert lines_of(study) == {}


def test_a_second_writer_sees_what_is_stored_now(client, study):
    stale = sent(study, "Mine.", "", "")
    client.post(PAGE, sent(study, "Hers.", "", ""))
    body = client.post(PAGE, stale).content.decode()
    assert "somebody else has changed the line" in body
    assert "Stored now: Hers." in body
    assert list(lines_of(study).values()) == ["Hers."]


def test_the_page_says_when_the_lines_are_final(client, study, rita):
    reader = walk.client_of(rita)
    for number in (1, 2, 3):
        walk.finish_session(reader, study.code, number)
    assert "Save the lines" in client.get(PAGE).content.decode()
    walk.open_session(reader, study.code, 4)
    body = client.get(PAGE).content.decode()
    assert "its lines are final" in body
    assert "Save the lines" not in body
    assert client.post(PAGE, sent(study, "late", "", "")).status_code == 400


def test_a_coordinator_reads_neither_lines_nor_pairs_anywhere(client, study):
    client.post(PAGE, sent(study, "a telling line", "", ""))
    clara = Client()
    clara.force_login(make.user("clara", "coordinator"))
    number = taught_pairs(study)[0].image.number
    assert clara.get(PAGE).status_code == 403
    assert clara.post(PAGE, sent(study, "x", "", "")).status_code == 403
    assert clara.get(reverse("lab:lesson-picture", args=["tiny", number, "real"])).status_code == 403
    pages = ["/desk/studies/tiny/", "/desk/studies/tiny/trail/", "/desk/trail/", "/desk/studies/tiny/record/"]
    for address in pages:
        answer = clara.get(address)
        assert answer.status_code == 200, address
        body = answer.content.decode()
        assert "telling" not in body
        assert "/lab/lessons/" not in body
    assert "changed lines under triptychs of" in clara.get("/desk/studies/tiny/trail/").content.decode()
    assert "telling" not in "".join(Entry.objects.values_list("data", flat=True))


def test_only_pictures_of_the_education_are_passed_on(client, study):
    for number, panel in ((10**9, "real"), (taught_pairs(study)[0].image.number, "else")):
        assert client.get(reverse("lab:lesson-picture", args=["tiny", number, panel])).status_code == 404


def test_a_study_without_education_says_so(client, study):
    make.study("plain", protocol=Protocol((ProtocolSession(SessionKind.BLINDED, "A", real=2, adversarial=2),)))
    assert "There are no pairs" in client.get("/lab/lessons/plain/").content.decode()
    assert "/lab/lessons/" not in client.get("/desk/studies/plain/").content.decode()
    assert PAGE in client.get("/desk/studies/tiny/").content.decode()
    assert client.get("/lab/lessons/none/").status_code == 404
