"""Consent: versions of the text, what a reader agrees to, no session without it, and its withdrawal."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connections, transaction
from django.urls import reverse

from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, StudyError
from readerstudy.participation.actions import (
    ConsentChanged,
    give_consent,
    save_profile,
    save_rules,
    withdraw_consent,
    write_consent,
)
from readerstudy.participation.models import Consent, ConsentText, ReaderProfile, ReaderRules, text_hash
from readerstudy.participation.queries import ConsentState, consent_of, lacks_consent
from readerstudy.studies.actions import withdraw_reader
from readerstudy.studies.models import Enrollment
from tests import make, walk
from tests.analysis import rows

pytestmark = pytest.mark.django_db
AT = {"at": make.MONDAY}
TEXT = "You read **images**. Nobody learns your name."


@pytest.fixture
def enrollment(study, rita):
    return Enrollment.objects.get(reader=rita)


def write(study, clara, text=TEXT, **more):
    return write_consent(study=study, texts={"en": text, **more}, actor=clara, **AT)


def agree(enrollment, text=TEXT, language="en"):
    return give_consent(enrollment=enrollment, language=language, sha256=text_hash(text), **AT)


# --- the text -------------------------------------------------------------------------------------------------
def test_a_text_is_edited_until_somebody_agreed_and_then_gets_a_new_version(study, enrollment, clara):
    assert write(study, clara, "First.").version == 1
    assert write(study, clara).version == 1
    assert ConsentText.objects.get().texts == {"en": TEXT}
    agree(enrollment)
    assert write(study, clara).version == 1  # nothing changed
    assert write(study, clara, "Another.").version == 2
    assert consent_of(enrollment).state == ConsentState.OUTDATED
    assert [event.data["version"] for event in Event.objects.filter(verb="consent.written")] == [1, 1, 2]


def test_the_database_keeps_what_was_agreed_to(study, enrollment, clara):
    write(study, clara)
    agree(enrollment)
    for change in (
        lambda: ConsentText.objects.update(texts={"en": "Other."}),
        lambda: Consent.objects.update(sha256="0" * 64),
        Consent.objects.all().delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.parametrize("texts", [{}, {"en": "  "}, {"xx": "Hm."}, {"en": "x" * 40_001}, {"en": "nul\0"}])
def test_a_text_must_be_a_text_in_a_known_language(study, clara, texts):
    with pytest.raises(BadInput):
        write_consent(study=study, texts=texts, actor=clara, **AT)
    assert not ConsentText.objects.exists()


def test_the_text_of_a_closed_study_is_fixed(study, clara):
    with pytest.raises(BadInput, match="fixed"):
        write(rows.closed(study), clara)


# --- agreeing -------------------------------------------------------------------------------------------------
def test_what_was_agreed_to_is_recorded(study, enrollment, clara):
    write(study, clara, de="Auf Deutsch.")
    consent = agree(enrollment, "Auf Deutsch.", "de")
    assert (consent.text.version, consent.language, consent.at) == (1, "de", make.MONDAY)
    assert consent.sha256 == text_hash("Auf Deutsch.")
    agree(enrollment)  # again: nothing
    assert Consent.objects.count() == Event.objects.filter(verb="consent.given").count() == 1


def test_nobody_agrees_to_a_text_that_was_changed_meanwhile(study, enrollment, clara):
    write(study, clara)
    write(study, clara, "Another.")
    with pytest.raises(ConsentChanged):
        agree(enrollment)
    assert not Consent.objects.exists()


def test_a_withdrawn_reader_does_not_agree(study, enrollment, clara):
    write(study, clara)
    withdraw_reader(enrollment=enrollment, actor=clara, reason="She moved away.", **AT)
    with pytest.raises(StudyError, match="no longer take part"):
        agree(enrollment)


def test_no_session_opens_without_consent_unless_it_is_optional(study, rita, enrollment, clara, client):
    assert not lacks_consent(enrollment)  # there is no text
    write(study, clara)
    reader = walk.client_of(rita)
    refused = reader.post(walk.address(study.code, 1, "open"))
    assert (refused.status_code, "needs your consent" in refused.json()["detail"]) == (409, True)
    client.force_login(rita)
    assert client.get(reverse("reading:session", args=[study.code, 1])).url == f"/read/{study.code}/consent/"
    assert "Begin<" not in client.get("/").content.decode()
    save_rules(study=study, values={"consent_required": False}, actor=clara, **AT)
    walk.open_session(reader, study.code, 1)


def test_a_new_version_is_asked_for_before_the_next_session_opens(study, rita, enrollment, clara):
    write(study, clara)
    agree(enrollment)
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    write(study, clara, "Another.")
    assert walk.answer(client, study.code, 1, step, "seen").status_code == 201  # under way
    assert client.post(walk.address(study.code, 1, "open")).status_code == 409
    agree(enrollment, "Another.")
    walk.open_session(client, study.code, 1)


# --- on the page ----------------------------------------------------------------------------------------------
def test_a_reader_agrees_tells_and_withdraws_on_the_pages(study, rita, enrollment, clara, client):
    write(study, clara)
    save_rules(study=study, values={"asked": ["years", "sex"]}, actor=clara, **AT)
    client.force_login(rita)
    page = f"/read/{study.code}/consent/"
    assert "<strong>images</strong>" in client.get(page).content.decode()
    values = {"language": "en", "sha256": text_hash(TEXT)}
    assert "Tick the box" in client.post(page, values, follow=True).content.decode()
    told = client.post(page, {**values, "agrees": "yes"}, follow=True).content.decode()
    assert "About you" in told
    assert "Specialty" not in told
    assert client.post(f"/read/{study.code}/about/", {"years": "99"}).status_code == 400
    client.post(f"/read/{study.code}/about/", {"years": "12", "sex": ""})
    assert (enrollment.profile.years, enrollment.profile.sex) == (12, "")
    client.post(f"/read/{study.code}/consent/withdraw/", {"agrees": "yes"})
    enrollment.refresh_from_db()
    assert (enrollment.withdrawal_cause, enrollment.withdrawal_reason) == ("consent", "")
    assert "no longer take part" in client.get(page).content.decode()


def test_html_in_a_text_is_shown_as_typed(study, rita, clara, client):
    write(study, clara, "<script>alert(1)</script>")
    client.force_login(rita)
    assert "<script>alert" not in client.get(f"/read/{study.code}/consent/").content.decode()


@pytest.mark.parametrize("page", ["consent/", "consent/withdraw/", "about/", "end/", "comment/"])
def test_pages_of_a_study_are_for_its_readers(study, clara, client, page):
    client.force_login(make.user("tom"))
    assert client.post(f"/read/{study.code}/{page}").status_code in (404, 405)
    client.force_login(clara)
    assert client.get(f"/read/{study.code}/{page}").status_code in (403, 405)


# --- characteristics ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "values",
    [{"years": -1}, {"years": 81}, {"years": "x"}, {"position": "king"}, {"specialty": "x" * 81}, {"sex": "female"}],
)
def test_only_what_is_asked_and_possible_is_stored(study, enrollment, clara, values):
    save_rules(study=study, values={"asked": ["years", "position", "specialty"]}, actor=clara, **AT)
    with pytest.raises(BadInput):
        save_profile(enrollment=enrollment, values=values, **AT)
    assert not ReaderProfile.objects.exists()


def test_answers_can_be_changed_until_the_study_is_closed(study, enrollment, clara):
    save_rules(study=study, values={"asked": ["years"]}, actor=clara, **AT)
    save_profile(enrollment=enrollment, values={"years": 3}, **AT)
    save_profile(enrollment=enrollment, values={"years": 4}, **AT)
    assert ReaderProfile.objects.get().years == 4
    assert "4" not in str(Event.objects.filter(verb="profile.saved").last().data)
    rows.closed(study)
    with pytest.raises(StudyError, match="cannot be changed"):
        save_profile(enrollment=enrollment, values={"years": 5}, **AT)


# --- rules ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "values", [{"reminder_days": -1}, {"quick_ms": 10}, {"quick_run": True}, {"asked": ["shoe size"]}]
)
def test_rules_have_limits(study, clara, values):
    with pytest.raises(BadInput):
        save_rules(study=study, values=values, actor=clara, **AT)
    assert not ReaderRules.objects.exists()


def test_the_rules_of_a_closed_study_are_fixed_but_for_the_closing_text(study, clara):
    closed = rows.closed(study)
    with pytest.raises(BadInput, match="fixed"):
        save_rules(study=closed, values={"consent_required": False}, actor=clara, **AT)
    save_rules(study=closed, values={"closing_texts": {"en": "Thanks."}}, actor=clara, **AT)


def test_a_coordinator_who_records_a_withdrawal_of_consent_gives_a_reason(enrollment, clara):
    with pytest.raises(BadInput):
        withdraw_consent(enrollment=enrollment, actor=clara, **AT)
    withdraw_consent(enrollment=enrollment, actor=clara, reason="She wrote so.", **AT)


@pytest.mark.django_db(transaction=True)
def test_a_reader_and_a_coordinator_at_once_leave_no_consent_to_an_unseen_text(small):
    study = make.study()
    enrollment = Enrollment.objects.get(reader=make.reader_in(study))
    write_consent(study=study, texts={"en": TEXT}, actor=None, **AT)

    def act(number: int) -> None:
        try:
            if number % 2:
                write_consent(study=study, texts={"en": f"Text {number}."}, actor=None, **AT)
            else:
                agree(enrollment)
        except ConsentChanged:
            pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as people:
        list(people.map(act, range(4)))
    for consent in Consent.objects.select_related("text"):
        assert consent.sha256 == text_hash(consent.text.texts["en"])
