"""Messages until they are read, the end page with its comment, and the reader's own result after the unsealing."""

import pytest
from django.core import mail as outbox
from django.db import DatabaseError, transaction
from django.urls import reverse

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.tables.readers import readers_table
from readerstudy.errors import BadInput
from readerstudy.front.own_result import FEWEST_OTHERS, results_of
from readerstudy.invitations.message_actions import send_message
from readerstudy.invitations.models import Mail
from readerstudy.participation.actions import save_profile, save_rules
from readerstudy.participation.models import Comment, Message, MessageDelivery
from readerstudy.studies.actions import withdraw_reader
from readerstudy.studies.models import Enrollment
from readerstudy.truth.actions import unseal_study
from tests import make, walk
from tests.analysis import rows
from tests.invitations.conftest import TERMS

pytestmark = pytest.mark.django_db
AT = {"at": make.MONDAY}


@pytest.fixture
def enrollment(study, rita):
    rita.email = "rita@example.org"
    rita.save()
    return Enrollment.objects.get(reader=rita)


def send(study, enrollments, clara, text="Please read on."):
    return send_message(study=study, enrollments=enrollments, text=text, actor=clara, terms=TERMS, **AT)


def test_no_session_is_open_on_a_withdrawn_readers_start_page(study, rita, enrollment, clara, client):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    client.force_login(rita)
    assert ">Open<" in "".join(client.get(reverse("home")).content.decode().split())
    withdraw_reader(enrollment=enrollment, actor=clara, reason="Moved away.", **AT)
    page = "".join(client.get(reverse("home")).content.decode().split())
    assert ">Open<" not in page
    assert "is-now" not in page
    assert "Notread" in page
    client.force_login(clara)
    desk = client.get(reverse("desk:reader", args=[study.code, enrollment.pk])).content.decode()
    assert "Not read" in desk


# --- messages -------------------------------------------------------------------------------------------------
def test_a_message_stays_on_the_start_page_until_it_is_read(study, rita, enrollment, clara, client):
    send(study, [enrollment], clara)
    client.force_login(rita)
    assert "Please read on." in client.get("/").content.decode()
    delivery = MessageDelivery.objects.get()
    client.post(reverse("participation:message", args=[delivery.pk]))
    assert "Please read on." not in client.get("/").content.decode()
    delivery.refresh_from_db()
    first = delivery.read_at
    client.post(reverse("participation:message", args=[delivery.pk]))
    delivery.refresh_from_db()
    assert delivery.read_at == first


def test_a_message_goes_by_mail_without_a_link(study, enrollment, clara, settings, django_capture_on_commit_callbacks):
    settings.SENDS_MAIL = True
    with django_capture_on_commit_callbacks(execute=True):
        send(study, [enrollment], clara)
    (mail,) = outbox.outbox
    assert "Please read on." in mail.body
    assert "/account/sign-in/" not in mail.body
    assert (Mail.objects.get().state, Mail.objects.get().link) == ("sent", None)


def test_messages_need_a_text_and_readers_who_take_part(study, enrollment, clara):
    for enrollments, text in (([enrollment], " "), ([], "Hello."), ([enrollment], "x" * 4001)):
        with pytest.raises(BadInput):
            send(study, enrollments, clara, text)
    withdraw_reader(enrollment=enrollment, actor=clara, reason="She moved away.", **AT)
    with pytest.raises(BadInput, match="takes part"):
        send(study, [enrollment], clara)
    assert not Message.objects.exists()


def test_somebody_elses_message_is_not_found(study, enrollment, clara, client):
    send(study, [enrollment], clara)
    client.force_login(make.user("tom"))
    address = reverse("participation:message", args=[MessageDelivery.objects.get().pk])
    assert client.post(address).status_code == 404


def test_the_database_keeps_messages_and_comments(study, enrollment, clara):
    send(study, [enrollment], clara)
    Comment.objects.create(enrollment=enrollment, text="Thanks.", **AT)
    for change in (
        lambda: Message.objects.update(text="Other."),
        MessageDelivery.objects.all().delete,
        lambda: Comment.objects.update(text="Other."),
    ):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            change()


def test_messages_are_sent_and_followed_on_the_desk(study, enrollment, clara, client):
    client.force_login(clara)
    page = reverse("desk:messages", args=[study.code])
    assert client.post(page, {"text": "Hello.", "readers": ["0"]}).status_code == 400
    client.post(page, {"text": "Hello.", "readers": [str(enrollment.pk)]})
    text = client.get(page).content.decode()
    assert "Hello." in text
    assert "not read yet" in text


def test_consent_and_rules_are_stored_on_the_desk(study, clara, client):
    client.force_login(clara)
    page = reverse("desk:consent", args=[study.code])
    assert "No text is written yet" in client.get(page).content.decode()
    client.post(page, {"form": "text", "consent_en": "Read this.", "consent_de": ""})
    rules = {"asked": ["years"], "reminder_days": "3", "quick_run": "5", "quick_ms": "900", "closing_en": "Thanks."}
    client.post(page, {"form": "rules", **rules})
    text = client.get(page).content.decode()
    assert "Read this." in text
    stored = study.reader_rules
    assert (stored.asked, stored.reminder_days, stored.consent_required) == (["years"], 3, False)
    assert client.post(page, {"form": "rules", **rules, "quick_ms": "1"}).status_code == 400


# --- the end --------------------------------------------------------------------------------------------------
def test_the_end_page_thanks_and_takes_a_comment(study, rita, enrollment, clara, client):
    save_rules(study=study, values={"closing_texts": {"en": "The **results** come in May."}}, actor=clara, **AT)
    client.force_login(rita)
    end = f"/read/{study.code}/end/"
    assert client.get(end).status_code == 302  # not finished
    assert client.post(f"/read/{study.code}/comment/", {"text": "Early."}).status_code == 404
    walk.finish_study(walk.client_of(rita), study.code)
    assert "After the study" in client.get("/").content.decode()
    assert "<strong>results</strong>" in client.get(end).content.decode()
    client.post(f"/read/{study.code}/comment/", {"text": "It was dark."})
    assert "It was dark." in client.get(end).content.decode()
    client.force_login(clara)
    desk = reverse("desk:messages", args=[study.code])
    assert "It was dark." not in client.get(desk).content.decode()
    rows.closed(study)
    assert "It was dark." in client.get(desk).content.decode()


@pytest.fixture
def small_study(db):
    """R1 has read all; R2 a part."""
    return rows.study()


def test_own_results_are_shown_after_the_unsealing_if_the_protocol_says_so(db, rosa, clara, client):
    small_study = rows.study(shows_own_result=True)
    address = reverse("own_result", args=["small"])
    client.force_login(Enrollment.objects.get(code="R1").reader)
    assert client.get(address).status_code == 404  # sealed
    unseal_study(study=rows.closed(small_study), actor=rosa, reason="All have read.", **AT)
    page = client.get(address).content.decode()
    results = {each.number: each for each in results_of(Enrollment.objects.get(code="R1"))}
    assert (results[5].right, results[5].total) == (3, 5)  # all called real, three are
    assert "3 of 5" in page
    assert all(each.others == () for each in results.values())  # fewer than would be anonymous
    assert FEWEST_OTHERS == 3


def test_no_own_result_is_shown_unless_the_protocol_says_so(small_study, rosa, client):
    unseal_study(study=rows.closed(small_study), actor=rosa, reason="All have read.", **AT)
    client.force_login(Enrollment.objects.get(code="R1").reader)
    assert client.get(reverse("own_result", args=["small"])).status_code == 404


def test_characteristics_are_counted_one_by_one(small_study, rosa, clara):
    save_rules(study=small_study, values={"asked": ["years", "sex"]}, actor=clara, **AT)
    first = Enrollment.objects.get(code="R1")
    save_profile(enrollment=first, values={"years": 12, "sex": "female"}, **AT)
    unseal_study(study=rows.closed(small_study), actor=rosa, reason="All have read.", **AT)
    table = readers_table(study_record(small_study))
    assert table.rows == (
        ("Years of experience", "10–19", 1),
        ("Years of experience", "not answered", 1),
        ("Sex", "female", 1),
        ("Sex", "not answered", 1),
    )
