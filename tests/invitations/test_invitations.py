"""Invitations in one step: accounts, enrolments, links and mails; sending again, revoking, reminding."""

import json
import re
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import find_link, make_link, use_link
from readerstudy.accounts.models import LinkState, Role, SignInLink, User
from readerstudy.accounts.renewal import renewal_of
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.invitations.actions import invite_readers, revoke_link, send_due_reminders, send_letter
from readerstudy.invitations.invitees import parse_invitees
from readerstudy.invitations.letters import PLACEHOLDER, Terms
from readerstudy.invitations.models import Invitation, Mail, MailKind
from readerstudy.invitations.queries import list_people
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import Enrollment
from tests import make, walk
from tests.invitations import failing_mail
from tests.invitations.conftest import TERMS
from tests.make import MONDAY

LIST = "Ruth Ott <ruth@example.org>\nPaul Pott; paul@example.org\npia@example.org"
TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def invite(study, clara, django_capture_on_commit_callbacks):
    def invite(text: str = LIST, *, at=MONDAY, terms: Terms = TERMS):
        with django_capture_on_commit_callbacks(execute=True):
            return invite_readers(study=study, invitees=parse_invitees(text).invitees, actor=clara, at=at, terms=terms)

    return invite


@pytest.fixture
def send(clara, django_capture_on_commit_callbacks):
    def send(enrollment, kind=MailKind.INVITATION, *, at=TUESDAY, terms=TERMS):
        with django_capture_on_commit_callbacks(execute=True):
            return send_letter(enrollment=enrollment, kind=kind, actor=clara, at=at, terms=terms)

    return send


@pytest.fixture
def remind(django_capture_on_commit_callbacks):
    def remind(at, *, days=7):
        with django_capture_on_commit_callbacks(execute=True):
            letters = send_due_reminders(at=at, days=days, base_url=TERMS.base_url)
        return [letter.mail.address for letter in letters]

    return remind


def token_in(text: str) -> str:
    return re.search(r"/account/sign-in/([\w-]+)/", text)[1]


def enrollment_of(username: str) -> Enrollment:
    return Enrollment.objects.get(reader__username=username)


def states(study, at=MONDAY) -> dict[str, str]:
    return {row.enrollment.reader.username: row.state.value for row in list_people(study, at=at)}


# --- one step -------------------------------------------------------------------------------------------------
def test_a_list_becomes_accounts_enrolments_links_and_mails(study, by_mail, invite):
    result = invite()
    assert [planned.outcome.value for planned in result.people] == ["new"] * 3
    readers = User.objects.filter(role=Role.READER).order_by("pk")
    assert [(person.username, person.get_full_name()) for person in readers] == [
        ("ruth.ott", "Ruth Ott"),
        ("paul.pott", "Paul Pott"),
        ("pia", ""),
    ]
    assert not any(person.has_usable_password() or person.is_staff for person in readers)
    assert Enrollment.objects.filter(study=study).count() == Invitation.objects.count() == 3
    assert [message.to for message in outbox.outbox] == [[person.email] for person in readers]
    assert set(states(study).values()) == {"sent"}


def test_the_mail_says_who_what_how_much_and_until_when(study, by_mail, invite):
    invite()
    message = outbox.outbox[0]
    assert message.subject == "Invitation to the reader study “A tiny study”"
    assert message.reply_to == ["clara@example.org"]
    for piece in ("Dear Ruth Ott,", "5 sessions with 37 images", "Clara Coe", "clara@example.org", "16 March 2026"):
        assert piece in message.body
    assert f"https://study.example.org/account/sign-in/{token_in(message.body)}/" in message.body
    assert use_link(token_in(message.body), at=TUESDAY).username == "ruth.ott"
    assert not re.search("adversarial|malignant|altered|cancer|real|truth", message.body, re.IGNORECASE)


def test_a_german_mail_is_german(by_mail, invite):
    invite(terms=Terms(base_url=TERMS.base_url, language="de"))
    message = outbox.outbox[0]
    assert message.subject == "Einladung zur Reader-Studie „A tiny study“"
    for piece in ("Guten Tag Ruth Ott,", "5 Sitzungen mit zusammen 37 Bildern", "16. März 2026"):
        assert piece in message.body
    assert not re.search(r"\b(you|link:|study is|Kind)\b", message.body)


def test_no_record_has_a_token(by_mail, invite):
    invite()
    tokens = [token_in(message.body) for message in outbox.outbox]
    rows = [*Mail.objects.values(), *Event.objects.values(), *SignInLink.objects.values()]
    stored = json.dumps(rows, default=str)
    assert len(tokens) == 3
    assert not [token for token in tokens if token in stored]
    assert all(PLACEHOLDER in body for body in Mail.objects.values_list("body", flat=True))


def test_the_same_list_again_changes_nothing_and_says_so(study, by_mail, invite):
    invite()
    events = Event.objects.count()
    again = invite(LIST.replace("ruth@", "RUTH@"), at=TUESDAY)
    assert [planned.outcome.value for planned in again.people] == ["already_in"] * 3
    assert again.people[0].reason == "ruth.ott is in the study already."
    assert (len(outbox.outbox), Mail.objects.count(), Event.objects.count()) == (3, 3, events)
    assert User.objects.filter(role=Role.READER).count() == 3


def test_known_readers_are_taken_and_investigators_refused(study, clara, by_mail, invite):
    make.user("rita", email="rita@example.org")
    make.user("gone", email="gone@example.org", is_active=False)
    for name in ("twice-a", "twice-b"):
        make.user(name, email="twice@example.org")
    text = "Rita@example.org\nclara@example.org\ngone@example.org\ntwice@example.org"
    result = invite(text)
    assert [planned.outcome.value for planned in result.people] == ["existing", "refused", "refused", "refused"]
    assert [planned.reason for planned in result.people[1:]] == [
        "clara is a Coordinator; only readers can be enrolled.",
        "The account gone is deactivated.",
        "Several accounts have this address: twice-a, twice-b.",
    ]
    assert [message.to for message in outbox.outbox] == [["rita@example.org"]]


def test_user_names_are_plain_and_unique(by_mail, invite):
    make.user("ruth.ott")
    invite("Ruth Ott <a@example.org>\nRuth Ott <b@example.org>\nJürgen Groß <c@example.org>\n李 <d@example.org>")
    names = User.objects.filter(email__gt="").exclude(role=Role.COORDINATOR).order_by("email")
    assert [person.username for person in names] == ["ruth.ott2", "ruth.ott3", "jurgen.gross", "reader"]


def test_a_closed_study_refuses_the_whole_list(study, clara, by_mail, invite):
    close_study(study=study, actor=clara, reason="All have read.", at=MONDAY)
    with pytest.raises(BadInput, match="nobody can be enrolled"), transaction.atomic():
        invite()
    assert not User.objects.filter(role=Role.READER).exists()
    assert outbox.outbox == []


# --- without a server, and with one that fails ----------------------------------------------------------------
def test_without_a_server_the_texts_are_kept_to_be_sent_by_hand(study, invite):
    letters = invite().letters
    assert outbox.outbox == []
    assert set(states(study).values()) == {"by_hand"}
    assert use_link(token_in(letters[0].text), at=TUESDAY).username == "ruth.ott"
    assert states(study)["ruth.ott"] == "used"


def test_an_unreachable_server_loses_no_invitation(study, by_mail, invite, send, settings):
    settings.EMAIL_BACKEND = "tests.invitations.failing_mail.Unreachable"
    invite()
    assert set(states(study).values()) == {"failed"}
    assert set(Mail.objects.values_list("error", flat=True)) == {"Connection refused by mail.example.org"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send(enrollment_of("ruth.ott"))
    assert states(study)["ruth.ott"] == "sent"
    assert [row.state for row in Mail.objects.filter(address="ruth@example.org")] == ["failed", "sent"]


def test_one_refused_mail_does_not_stop_the_others_or_show_its_link(study, by_mail, invite, settings):
    settings.EMAIL_BACKEND = "tests.invitations.failing_mail.RefusesRuth"
    failing_mail.RefusesRuth.refused.clear()
    invite()
    assert states(study) == {"ruth.ott": "failed", "paul.pott": "sent", "pia": "sent"}
    error = Mail.objects.get(state="failed").error
    assert error.startswith("554 Refused: ")
    (refused,) = failing_mail.RefusesRuth.refused
    assert token_in(refused) not in error
    assert PLACEHOLDER in error


def test_a_title_with_a_line_break_adds_no_header(study, by_mail, invite):
    study.title = "Study\nBcc: all@example.org"
    study.save()
    invite()
    assert outbox.outbox[0].message()["Subject"].count("\n") <= 1  # folded, never a header of its own
    assert outbox.outbox[0].message()["Bcc"] is None


# --- again, revoke, remind ------------------------------------------------------------------------------------
def test_a_new_link_replaces_the_earlier_one(study, by_mail, invite, send):
    invite("Ruth Ott <ruth@example.org>")
    send(enrollment_of("ruth.ott"))
    first, second = (token_in(message.body) for message in outbox.outbox)
    assert find_link(first).state(at=TUESDAY) == LinkState.REVOKED
    assert use_link(second, at=TUESDAY).username == "ruth.ott"


def test_a_revoked_link_is_refused_and_cannot_be_revoked_again(study, clara, by_mail, invite):
    invite()
    token = token_in(outbox.outbox[0].body)
    enrollment = enrollment_of("ruth.ott")
    revoke_link(enrollment=enrollment, actor=clara, at=TUESDAY)
    assert states(study)["ruth.ott"] == "revoked"
    with pytest.raises(NotAllowed, match="revoked"):
        use_link(token, at=TUESDAY)
    with pytest.raises(StudyError, match="has no unused link"):
        revoke_link(enrollment=enrollment, actor=clara, at=TUESDAY)


def test_readers_of_a_closed_study_get_no_mails(study, clara, by_mail, invite, send):
    invite()
    close_study(study=study, actor=clara, reason="All have read.", at=MONDAY)
    with pytest.raises(BadInput, match="its readers get no mails"):
        send(enrollment_of("ruth.ott"), MailKind.REMINDER)


def test_silent_readers_are_reminded_once_in_these_days(study, by_mail, invite, remind):
    invite()
    assert remind(MONDAY + timedelta(days=6)) == []
    week = MONDAY + timedelta(days=7)
    assert remind(week) == ["ruth@example.org", "paul@example.org", "pia@example.org"]
    assert remind(week) == remind(week + timedelta(days=6)) == []
    assert len(remind(week + timedelta(days=7))) == 3
    assert outbox.outbox[3].subject.startswith("Reminder: ")
    assert "Clara Coe" in outbox.outbox[3].body
    assert outbox.outbox[3].reply_to == ["clara@example.org"]
    assert {mail.created_by for mail in Mail.objects.filter(kind=MailKind.REMINDER)} == {None}


def test_who_has_read_lately_or_left_is_not_reminded(study, by_mail, invite, remind):
    invite(at=now() - timedelta(days=30))
    walk.finish_session(walk.client_of(enrollment_of("ruth.ott").reader), study.code, 1)
    User.objects.filter(username="pia").update(is_active=False)
    make.reader_in(study, "rita")  # never invited
    assert remind(now()) == ["paul@example.org"]
    assert set(remind(now() + timedelta(days=8))) == {"ruth@example.org", "paul@example.org"}


def test_readers_who_have_finished_are_not_reminded(study, by_mail, invite, remind):
    invite("ruth@example.org", at=now() - timedelta(days=30))
    client = walk.client_of(enrollment_of("ruth").reader)
    for number in range(1, 6):
        walk.finish_session(client, study.code, number)
    assert remind(now() + timedelta(days=30)) == []


def test_readers_of_a_closed_study_are_not_reminded(study, clara, by_mail, invite, remind):
    invite()
    close_study(study=study, actor=clara, reason="All have read.", at=MONDAY)
    assert remind(MONDAY + timedelta(days=30)) == []


def test_the_command_reminds_and_needs_an_address(study, clara, by_mail, invite, capsys, settings):
    invite(at=now() - timedelta(days=30))
    with pytest.raises(CommandError, match="PUBLIC_URL"):
        call_command("send_reminders")
    settings.PUBLIC_URL = "https://study.example.org"
    call_command("send_reminders", "--days", "7", "--json")
    assert [row["address"] for row in json.loads(capsys.readouterr().out)] == [
        "ruth@example.org",
        "paul@example.org",
        "pia@example.org",
    ]
    call_command("send_reminders")
    assert "No reminder is due." in capsys.readouterr().out


def test_without_a_server_nobody_is_reminded_and_no_link_replaced(study, invite, send, remind):
    token = token_in(invite("ruth@example.org").letters[0].text)
    with pytest.raises(BadInput, match="EMAIL_URL"):
        remind(MONDAY + timedelta(days=8))
    assert find_link(token).state(at=TUESDAY) == LinkState.NEW


# --- asking for a new link ------------------------------------------------------------------------------------
@pytest.fixture
def ask(client, django_capture_on_commit_callbacks):
    def ask(token: str):
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post(reverse("invitations:ask", args=[token]))
        text = re.sub(r"csrfmiddlewaretoken.*?>|value=\"/account[^\"]*\"", "", answer.content.decode())
        return answer.status_code, text

    return ask


def test_a_used_link_offers_a_new_one_that_works(study, by_mail, invite, ask, client):
    invite(at=now())
    token = token_in(outbox.outbox[0].body)
    use_link(token, at=now())
    page = client.get(reverse("accounts:sign_in_by_link", args=[token])).content.decode()
    assert reverse("invitations:ask", args=[token]) in page
    assert ask(token)[0] == 200
    fresh = token_in(outbox.outbox[-1].body)
    assert use_link(fresh, at=now()).username == "ruth.ott"


def test_the_answer_is_the_same_whether_or_not_a_link_is_sent(study, by_mail, invite, ask):
    invite(at=now())
    used, valid, inactive = (token_in(message.body) for message in outbox.outbox)
    use_link(used, at=now())
    use_link(inactive, at=now())
    User.objects.filter(username="pia").update(is_active=False)
    without_address = make_link(user=make.user("rita"), actor=None, at=now() - timedelta(days=30))
    answers = [ask(token) for token in (used, used, valid, inactive, without_address, "no-such-token")]
    assert len(set(answers)) == 1
    assert len(outbox.outbox) == 3 + 1
    assert find_link(valid).state(at=now()) == LinkState.NEW


def test_a_page_without_its_sign_in_gets_one_link_an_hour_for_its_person_only(study, by_mail, invite, client):
    invite(at=now())
    person = User.objects.get(username="ruth.ott")

    def renew(value: str) -> int:
        return client.post(reverse("invitations:renew"), {"renewal": value}).status_code

    for value in ("", "x", str(person.pk), signing.dumps(person.pk), renewal_of(person)[:-1]):
        assert renew(value) == 200
    assert not Mail.objects.filter(kind=MailKind.NEW_LINK).exists()
    for _ in range(2):
        assert renew(renewal_of(person)) == 200
    (mail,) = Mail.objects.filter(kind=MailKind.NEW_LINK)
    assert mail.person == person


def test_links_are_asked_for_by_post_and_with_protection(db):
    address = reverse("invitations:ask", args=["some-token"])
    assert Client().get(address).status_code == 405
    assert Client(enforce_csrf_checks=True).post(address).status_code == 403


# --- the record -----------------------------------------------------------------------------------------------
def test_every_act_is_audited(study, clara, by_mail, invite, send):
    invite("ruth@example.org")
    send(enrollment_of("ruth"), MailKind.REMINDER)
    revoke_link(enrollment=enrollment_of("ruth"), actor=clara, at=TUESDAY)
    verbs = Event.objects.filter(actor=clara).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == [
        "account.made",
        "reader.enrolled",
        "invitation.written",
        "link.made",
        "reminder.written",
        "link.revoked",
        "link.made",
        "link.revoked",
    ]


@pytest.mark.parametrize("change", ["body = ''", "state = 'failed', sent_at = NULL", "address = 'x@example.org'"])
def test_a_sent_mail_cannot_be_changed(by_mail, invite, change):
    invite()
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(f"UPDATE invitations_mail SET {change}")
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM invitations_mail")
