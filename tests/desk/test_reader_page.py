"""The page of one reader: every act with its reason, the replacement, and who may see it."""

import pytest
from django.urls import reverse
from django.utils import translation

from readerstudy.accounts.models import Role
from readerstudy.invitations.models import Mail
from readerstudy.studies.models import Enrollment, ReadingList
from tests import make, walk
from tests.invitations.conftest import by_mail, clara, drawn, quick_passwords, signed_in, study
from tests.test_german import left_in_english

__all__ = ["by_mail", "clara", "drawn", "quick_passwords", "signed_in", "study"]


@pytest.fixture
def rita(study):
    return make.reader_in(study, "rita")


@pytest.fixture
def enrollment(rita):
    return Enrollment.objects.get(reader=rita)


@pytest.fixture
def desk(clara, signed_in):
    return signed_in(clara)


def address(enrollment, name: str = "") -> str:
    more = [name] if name else []
    return reverse("desk:reader-act" if name else "desk:reader", args=[enrollment.study.code, enrollment.pk, *more])


def text_of(desk, enrollment) -> str:
    return desk.get(address(enrollment)).content.decode()


def test_a_reader_is_paused_resumed_and_withdrawn_on_the_page(desk, enrollment):
    assert "Takes part" in text_of(desk, enrollment)
    desk.post(address(enrollment, "pause"), {"reason": "She is ill."})
    assert "<strong>Paused</strong>" in text_of(desk, enrollment)
    desk.post(address(enrollment, "resume"))
    desk.post(address(enrollment, "withdraw"), {"reason": "She wrote so.", "cause": "consent"})
    page = text_of(desk, enrollment)
    assert all(word in page for word in ("consent withdrawn", "She wrote so.", "She is ill.", "is kept"))
    assert "Invite the replacement" in page
    people = desk.get(reverse("desk:people", args=[enrollment.study.code])).content.decode()
    assert "<strong>Withdrawn</strong>" in people
    assert "Text to copy" not in people


@pytest.mark.parametrize("name", ["pause", "withdraw", "early"])
def test_without_a_reason_nothing_changes(desk, enrollment, name):
    page = desk.post(address(enrollment, name), {"session": "2"}, follow=True).content.decode()
    assert "Enter a reason" in page
    enrollment.refresh_from_db()
    assert (enrollment.paused_at, enrollment.withdrawn_at) == (None, None)


@pytest.mark.parametrize("session", ["99", "x", "", "²"])
def test_an_early_session_that_does_not_exist_is_not_found(desk, enrollment, session):
    assert desk.post(address(enrollment, "early"), {"reason": "Leave.", "session": session}).status_code == 404


def test_an_unknown_act_is_not_found(desk, enrollment):
    assert desk.post(address(enrollment, "promote"), {"reason": "Why not."}).status_code == 404
    assert desk.get(address(enrollment, "pause")).status_code == 405


def test_a_washout_is_waived_on_the_page(desk, small):
    study = make.study(code="slow", changes={"every": {"washout_days": 7}})
    rita = make.reader_in(study, "ruth")
    enrollment = Enrollment.objects.get(reader=rita)
    walk.finish_session(walk.client_of(rita), study.code, 1)
    assert "Allow early" in text_of(desk, enrollment)
    desk.post(address(enrollment, "early"), {"session": "2", "reason": "She goes on leave."})
    assert ReadingList.objects.get(enrollment=enrollment, session_plan__number=2).washout_waived_at
    page = text_of(desk, enrollment)
    assert "Waived" in page
    assert "She goes on leave." in page


def test_a_withdrawn_reader_is_replaced_on_the_page(desk, enrollment):
    desk.post(address(enrollment, "withdraw"), {"reason": "She moved away."})
    form = {"name": "Tom Tau", "address": "tom@example.org", "language": "en", "override_reason": ""}
    url = reverse("desk:reader-replace", args=[enrollment.study.code, enrollment.pk])
    assert desk.post(url, {}).status_code == 400
    page = desk.post(url, form).content.decode()
    assert "Texts to send by hand" in page
    new = Enrollment.objects.get(replaces=enrollment)
    assert (new.reader.get_full_name(), new.code) == ("Tom Tau", "R2")
    assert "Replaced by" in text_of(desk, enrollment)
    assert "Takes the place of R1." in text_of(desk, new)
    again = desk.post(url, {**form, "address": "tim@example.org"})
    assert (again.status_code, "replaced already" in again.content.decode()) == (409, True)


def test_withdrawn_and_paused_readers_get_no_reminders(desk, enrollment, by_mail):
    enrollment.reader.email = "rita@example.org"
    enrollment.reader.save()
    remind = reverse("desk:people-act", args=[enrollment.study.code, enrollment.pk, "remind"])
    desk.post(address(enrollment, "pause"), {"reason": "She is ill."})
    assert "is paused and is not reminded" in desk.post(remind, follow=True).content.decode()
    desk.post(address(enrollment, "withdraw"), {"reason": "She moved away."})
    for act in ("remind", "link", "text"):
        url = reverse("desk:people-act", args=[enrollment.study.code, enrollment.pk, act])
        assert "gets no mails" in desk.post(url, follow=True).content.decode()
    assert not Mail.objects.exists()


@pytest.mark.parametrize("role", [None, Role.READER])
def test_nobody_else_sees_or_changes_a_reader(client, enrollment, role):
    if role:
        client.force_login(make.user("somebody", role))
    assert client.get(address(enrollment)).status_code in (302, 403)
    assert client.post(address(enrollment, "withdraw"), {"reason": "Why not."}).status_code in (302, 403)
    enrollment.refresh_from_db()
    assert enrollment.takes_part


def test_a_reader_of_another_study_is_not_found(desk, enrollment):
    assert desk.get(reverse("desk:reader", args=["elsewhere", enrollment.pk])).status_code == 404


def test_the_page_is_german_for_a_german_coordinator(desk, enrollment):
    desk.post(address(enrollment, "pause"), {"reason": "x"})
    with translation.override("en"):  # the request leaves its language behind
        assert left_in_english(desk, address(enrollment)) <= {"Clara Coe", "R1 – tiny"}
