"""Erasing a person: nothing of the name remains, every verdict does, and the record still verifies."""

import io

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import ApiToken, Role, SignInLink, User
from readerstudy.accounts.tokens import make_token
from readerstudy.audit.models import Event
from readerstudy.desk.trail.queries import EventFilter, newest_events
from readerstudy.desk.trail.wording import rows_of
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.invitations.models import Mail, MailKind, MailState
from readerstudy.participation.models import Comment
from readerstudy.privacy.actions import erase_person
from readerstudy.privacy.queries import find_obstacles, holdings_of
from readerstudy.reading.models import Reading
from readerstudy.reading.receipts import session_receipt
from readerstudy.record.models import Entry, ErasedPart, Redaction
from readerstudy.studies.actions import add_member, enroll, withdraw_reader
from readerstudy.studies.models import Enrollment, ReadingList
from readerstudy.truth.verification import verify_record
from tests import make, walk
from tests.configuration.test_database_roles import refuses, run  # noqa: F401 (a fixture)
from tests.identity.people import give_app, sign_in
from tests.make import MONDAY
from tests.tamper import without_triggers

MAIL, IP = "o.quarz@clinic.example", "203.0.113.77"
TRACES = ("Ottilie", "Quarz", "ottilie", MAIL, IP)


def mail_to(person: User, state: str, **fields) -> Mail:
    sent = {"sent_at": MONDAY} if state == MailState.SENT else {"due_at": MONDAY}
    values = {"kind": MailKind.ACCOUNT, "subject": "For Ottilie Quarz", "body": "Dear Ottilie Quarz", **sent, **fields}
    return Mail.objects.create(person=person, address=person.email, state=state, created_at=MONDAY, **values)


@pytest.fixture
def ottilie(study) -> User:
    """A reader who has read a session, was written to and named in texts, and is withdrawn."""
    person = make.user("ottilie", first_name="Ottilie", last_name="Quarz", email=MAIL)
    enrollment = enroll(study=study, reader=person, at=MONDAY)
    browser = Client(REMOTE_ADDR=IP, headers={"User-Agent": "Ottilie's browser"})
    sign_in(browser, "ottilie", "wrong")
    sign_in(browser, "ottilie")
    walk.finish_session(walk.client_of(person), study.code, 1)
    Comment.objects.create(enrollment=enrollment, text="Call Ottilie  Quarz for more.", at=MONDAY)
    mail_to(person, MailState.SENT)
    mail_to(person, MailState.QUEUED)
    make_token(user=person, name="laptop", days=9, scopes=["reading"], at=now())
    give_app(person)
    make_link(user=person, actor=None, at=now())
    reason = "Quarz, Ottilie asked for it."
    withdraw_reader(enrollment=enrollment, actor=None, reason=reason, at=MONDAY)
    connection.check_constraints()
    return person


@pytest.fixture
def ruth(db) -> User:
    return make.overseer()


def erase(person: User, actor: User | None, **changes):
    values = {"typed": person.username, "reason": "Ottilie Quarz asked for it.", "at": now(), **changes}
    result = erase_person(person=person, actor=actor, **values)
    connection.check_constraints()
    return result


def dump() -> str:
    """Every row of every table of this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall()]
        assert len(tables) > 50
        text = io.StringIO()
        for table in tables:
            cursor.cursor.copy_expert(f'COPY "{table}" TO STDOUT', text)
    return text.getvalue()


def findings(code: str) -> list[str]:
    return [text for check in verify_record(code, at=now()).checks for text in check["findings"]]


def test_nothing_of_the_name_remains_and_the_record_verifies(study, ottilie, ruth):
    before = dump()
    assert [trace for trace in TRACES if trace not in before] == []
    assert findings(study.code) == findings("") == []
    counts = erase(ottilie, ruth)
    after = dump()
    assert [trace for trace in TRACES if trace in after] == []
    assert findings(study.code) == findings("") == []
    assert counts["addresses"] >= 2
    assert counts["mails"] == 2
    assert counts["entries"] >= 3  # the comment, the withdrawal and its event


def test_the_evidence_stays(study, ottilie, ruth):
    verdicts = list(Reading.objects.order_by("pk").values())
    events = list(Event.objects.order_by("pk").values_list("pk", "verb", "at", "actor", "subject"))
    receipt, _head = session_receipt(
        ReadingList.objects.get(enrollment__reader=ottilie, session__isnull=False), at=now()
    )
    erase(ottilie, ruth)
    assert len(verdicts) == 3
    assert list(Reading.objects.order_by("pk").values()) == verdicts
    assert (
        list(Event.objects.order_by("pk").values_list("pk", "verb", "at", "actor", "subject"))[: len(events)] == events
    )
    assert Enrollment.objects.get(reader=ottilie).code == "R1"
    checks = verify_record(study.code, at=now(), receipts=[receipt]).checks
    assert [check["findings"] for check in checks if check["name"] == "receipt"] == [()]


def test_every_way_in_is_gone_and_the_erasure_is_an_event(ottilie, ruth, settings):
    settings.SENDS_MAIL = True  # no notice of the change of the address
    assert Session.objects.exists()
    erase(ottilie, ruth)
    ottilie.refresh_from_db()
    assert ottilie.username.startswith("former-reader-")
    assert not ottilie.is_active
    assert not ottilie.has_usable_password()
    assert not Session.objects.exists()
    for model in (ApiToken, Authenticator):
        assert not model.objects.filter(user=ottilie).exists()
    assert all(link.token_hash.startswith("erased") for link in SignInLink.objects.filter(user=ottilie))
    assert set(Mail.objects.values_list("state", "address", "subject", "body")) == {
        ("sent", "", "", ""),
        ("failed", "", "", ""),
    }
    event = Event.objects.get(verb="account.erased")
    assert (event.actor, event.data["pseudonym"]) == (ruth, ottilie.username)
    assert event.data["reason"] == f"{ottilie.username} asked for it."


def test_who_erases_and_when(study, ottilie, rosa, ruth):
    with pytest.raises(NotAllowed):
        erase(ottilie, rosa)
    for changes in ({"typed": "otto"}, {"reason": " "}):
        with pytest.raises(BadInput):
            erase(ottilie, ruth, **changes)
    with pytest.raises(BadInput, match="their own account"):
        erase(ruth, ruth)
    with pytest.raises(BadInput, match="last superuser"):
        erase(ruth, None)
    reading = make.reader_in(study, "rita")
    with pytest.raises(BadInput, match="reader R2 of tiny"):
        erase(reading, ruth)
    erase(ottilie, ruth)
    assert find_obstacles(User.objects.get(pk=ottilie.pk), ruth) == ["This account is erased already."]


def test_a_colleague_s_name_leaves_mails_to_others_and_events_of_earlier_versions(study, rita, ruth):
    kim = make.user("kim", Role.COORDINATOR, first_name="Kim", last_name="Ō'Brien", email="kim@example.org")
    mail_to(rita, MailState.SENT, body="Yours, Kim Ō'Brien <kim@example.org>", reply_to="kim@example.org")
    old = Event.objects.create(
        at=MONDAY, verb="member.added", subject=f"studies.study:{study.pk}", study=study.code,
        data={"person": "kim", "role": "coordinator"}, version="earlier",
    )  # fmt: skip
    add_member(study=study, person=make.stranger("carl", Role.COORDINATOR), role=Role.COORDINATOR, actor=kim, at=MONDAY)
    connection.check_constraints()
    erase(kim, ruth)
    kim.refresh_from_db()
    text = dump()
    assert [trace for trace in ("Brien", "kim@example", '"kim"') if trace in text] == []
    assert Mail.objects.get(person=rita).body == f"Yours, {kim.username} <{kim.username}>"
    old.refresh_from_db()
    assert old.data == {"person": kim.username, "role": "coordinator"}
    assert findings(study.code) == []
    added = [row.sentence for row in rows_of(newest_events(ruth, EventFilter(), before=None, most=99), ruth)]
    assert f"{kim.username} added carl to tiny as Coordinator." in added


def test_the_last_name_alone_is_replaced_on_request(study, ottilie, ruth):
    Comment.objects.create(enrollment=Enrollment.objects.get(), text="Quarz was here, Quarzsand too.", at=MONDAY)
    connection.check_constraints()
    held = holdings_of(ottilie)
    assert held.texts_by_last_name == held.texts + 1
    erase(ottilie, ruth, with_last_name=True)
    last = Comment.objects.latest("pk").text
    assert last.startswith("former-reader-")
    assert last.endswith(" was here, Quarzsand too.")
    assert findings(study.code) == []


def test_what_is_erased_without_an_erasure_is_found(study, ottilie, ruth):
    erase(ottilie, ruth)
    whole = Entry.objects.filter(log=study.code, relation="audit_event").exclude(data="").first()
    erased = Entry.objects.get(
        log=study.code, index=Redaction.objects.get(log=study.code, part=ErasedPart.ALL).entries[0]
    )
    verdict = Entry.objects.filter(log=study.code, relation="reading_reading").first()
    with without_triggers():
        Entry.objects.filter(pk=whole.pk).update(data="")
        Entry.objects.filter(pk=erased.pk).update(data='{"op": "insert"}')
        Redaction.objects.create(log=study.code, at=now(), event=1, part=ErasedPart.ALL, entries=[verdict.index])
    found = "\n".join(findings(study.code))
    assert f"entry {whole.index}: its text is missing" in found
    assert f"entry {erased.index}: was erased and has a text" in found
    assert f"entry {verdict.index}: is said to be erased, which entries of reading_reading never are" in found


def test_only_sealed_work_can_erase_and_only_with_an_event(run):  # noqa: F811 (a fixture)
    person = make.user("ottilie")
    event = Event.objects.create(at=MONDAY, verb="account.made", subject=f"accounts.user:{person.pk}", version="x")
    calls = [
        f"SELECT privacy_erase({person.pk}, {event.pk}, 'x', false)",
        f"SELECT privacy_forget_addresses({event.pk}, ARRAY[{event.pk}])",
    ]
    refuses(run, "web", *calls, "SELECT privacy_note(1, 'all', ARRAY[1])", "DELETE FROM record_redaction")
    refuses(run, "sealed", "SELECT privacy_note(1, 'all', ARRAY[1])", "INSERT INTO record_redaction DEFAULT VALUES")
    refuses(run, "sealed", *calls, match="record")
    for role in ("web", "sealed"):
        change = f"SET readerstudy.erasing = 'on'; UPDATE audit_event SET verb = 'x' WHERE id = {event.pk}"
        refuses(run, role, change, match="Cannot update")
