"""A copy of everything that is stored of one person: JSON, tables as CSV, and a page to read.

It has nothing that tells real from altered, no correctness, no secret, and of verdicts what the person or the one who
asks may see anyway: a reader those of finished sessions, as in the receipts; others those of closed studies.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import models
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import ApiToken, SignInLink, User
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.errors import NotAllowed
from readerstudy.invitations.colleagues import may_copy
from readerstudy.invitations.models import Mail
from readerstudy.participation.models import Comment, Consent, MessageDelivery, ReaderProfile
from readerstudy.reading.models import CheckedDisplay, ClosingAnswers, ImageProblem, Reading, ReadingSession
from readerstudy.studies.lifecycle import FINISHED
from readerstudy.studies.models import Enrollment, ReadingList, StudyMember
from readerstudy.webhooks.models import Webhook

Text = str | Promise
Row = tuple[Any, ...]
Columns = tuple[tuple[str, Text], ...]
STUDY, CODE, SESSION = ("study", _("study")), ("reader", _("reader")), ("session", _("session"))


@dataclass(frozen=True)
class Section:
    """One table: the name of its file, a title, its columns by name with a label, and its rows."""

    name: str
    title: Text
    columns: Columns
    rows: tuple[Row, ...]

    @property
    def data(self) -> list[dict[str, Any]]:
        """The rows by the names of columns."""
        names = [name for name, _label in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    @property
    def shown(self) -> Iterator[list[str]]:
        """The rows as texts for people."""
        for row in self.rows:
            yield [_shown(value) for value in row]


def make_copy(*, person: User, actor: User | None, at: datetime) -> bytes:
    """Return the copy of a person's data as a zip file, and record that it was made.

    `actor`: None at the server's terminal. Raises NotAllowed for people who may not have it.
    """
    if actor is not None and not may_copy(actor, person):
        raise NotAllowed(
            str(
                _("Only superusers, and coordinators of all studies of a reader, may have the copy of somebody's data.")
            )
        )
    record("account.copied", actor=actor, subject=person, at=at)
    sections = list(sections_of(person, is_own=actor == person))
    data = {"format": "readerstudy personal data 1", "made_at": at, **{each.name: each.data for each in sections}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(data, indent=2, default=_plain, ensure_ascii=False))
        archive.writestr("read-me.html", render_to_string("privacy/copy.html", {"sections": sections, "at": at}))
        for section in sections:
            archive.writestr(f"{section.name}.csv", _as_csv(section))
    return file.getvalue()


def sections_of(person: User, *, is_own: bool) -> Iterator[Section]:
    """Yield all tables. `is_own`: the person asks, who may have their verdicts of finished sessions."""
    yield from _account(person)
    yield from _ways_in(person)
    yield from _participation(person)
    yield from _words(person)
    yield from _reading(person, is_own=is_own)
    yield _mails(person)
    yield _webhooks(person)
    yield _events(person)


def _account(person: User) -> Iterator[Section]:
    columns: Columns = (
        ("user_name", _("User name")),
        ("first_name", _("First name")),
        ("last_name", _("Last name")),
        ("mail_address", _("Mail address")),
        ("role", _("role")),
        ("language", _("language")),
        ("reading_keys", _("keys of the reading room")),
        ("is_active", _("Active")),
        ("made_at", _("created")),
        ("last_sign_in", _("Last sign-in")),
    )
    names: tuple[str, ...] = (
        "username",
        "first_name",
        "last_name",
        "email",
        "role",
        "language",
        "reading_keys",
        "is_active",
        "date_joined",
        "last_login",
    )
    yield Section("account", _("Account"), columns, (tuple(getattr(person, name) for name in names),))
    linked = SocialAccount.objects.filter(user=person).values_list("provider", "uid", "date_joined")
    columns = (("provider", _("Provider")), ("name_there", _("Name there")), ("linked_at", _("Linked")))
    yield Section("single_sign_on", _("Single sign-on"), columns, tuple(linked))
    addresses = EmailAddress.objects.filter(user=person).values_list("email")
    yield Section("addresses", _("Further mail addresses"), (("mail_address", _("Mail address")),), tuple(addresses))


def _ways_in(person: User) -> Iterator[Section]:
    columns: Columns = (
        ("browser", _("Browser")),
        ("address", _("IP address")),
        ("since", _("Since")),
        ("last_used", _("Last used")),
    )
    rows = UserSession.objects.filter(user=person).order_by("pk")
    yield Section(
        "sessions",
        _("Where you are signed in"),
        columns,
        tuple(rows.values_list("user_agent", "ip", "created_at", "last_seen_at")),
    )
    factors = Authenticator.objects.filter(user=person).order_by("pk").values_list("type", "created_at", "last_used_at")
    columns = (("factor", _("Second factor")), ("made_at", _("created")), ("last_used", _("Last used")))
    yield Section("second_factors", _("Second factors"), columns, tuple(factors))
    columns = (
        ("name", _("name")),
        ("begins_with", _("begins with")),
        ("scopes", _("scopes")),
        ("made_at", _("created")),
        ("expires_at", _("expires")),
        ("last_used", _("Last used")),
        ("revoked_at", _("revoked")),
    )
    names: tuple[str, ...] = ("name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    tokens = ApiToken.objects.filter(user=person).order_by("pk").values_list(*names)
    yield Section("tokens", _("API tokens"), columns, tuple(tokens))
    columns = (
        ("link", _("number")),
        ("made_at", _("created")),
        ("expires_at", _("expires")),
        ("opened_at", _("first opened")),
        ("used_at", _("used")),
        ("revoked_at", _("revoked")),
    )
    names = ("pk", "created_at", "expires_at", "opened_at", "used_at", "revoked_at")
    links = SignInLink.objects.filter(user=person).order_by("pk").values_list(*names)
    yield Section("links", _("Sign-in links"), columns, tuple(links))


def _participation(person: User) -> Iterator[Section]:
    columns: Columns = (STUDY, ("role", _("role")), ("since", _("Since")), ("until", _("Until")))
    members = StudyMember.objects.filter(person=person).order_by("pk")
    parts = members.values_list("study__code", "role", "added_at", "removed_at")
    yield Section("memberships", _("Part in studies"), columns, tuple(parts))
    columns = (
        STUDY,
        ("title", _("title")),
        CODE,
        ("enrolled_at", _("enrolled")),
        ("paused_at", _("paused")),
        ("withdrawn_at", _("withdrawn")),
        ("cause", _("cause of the withdrawal")),
        ("reason", _("reason of the withdrawal")),
        ("language", _("language")),
    )
    names: tuple[str, ...] = (
        "study__code",
        "study__title",
        "code",
        "enrolled_at",
        "paused_at",
        "withdrawn_at",
        "withdrawal_cause",
    )
    rows = Enrollment.objects.filter(reader=person).order_by("pk")
    enrolled = rows.values_list(*names, "withdrawal_reason", "invitation__language")
    yield Section("enrolments", _("Studies that you read"), columns, tuple(enrolled))


def _words(person: User) -> Iterator[Section]:
    """Yield what the person agreed to and said, and messages to them."""
    columns: Columns = (
        STUDY,
        ("version", _("version")),
        ("language", _("language")),
        ("sha256", _("SHA-256 of the text")),
        ("at", _("given")),
    )
    consents = _of(Consent, person, "enrollment").values_list(
        "enrollment__study__code", "text__version", "language", "sha256", "at"
    )
    yield Section("consents", _("Consent"), columns, tuple(consents))
    names: tuple[str, ...] = ("years", "specialty", "position", "age_band", "sex", "saved_at")
    labels = {field.name: field.verbose_name for field in ReaderProfile._meta.fields}
    columns = (STUDY, *((name, labels[name]) for name in names))
    told = _of(ReaderProfile, person, "enrollment").values_list("enrollment__study__code", *names)
    yield Section("about_you", _("What you said about yourself"), columns, tuple(told))
    columns = (STUDY, ("text", _("text")), ("sent_at", _("sent")), ("read_at", _("read")))
    messages = _of(MessageDelivery, person, "enrollment").values_list(
        "enrollment__study__code", "message__text", "message__sent_at", "read_at"
    )
    yield Section("messages", _("Messages"), columns, tuple(messages))
    columns = (STUDY, ("text", _("text")), ("at", _("written")))
    comments = _of(Comment, person, "enrollment").values_list("enrollment__study__code", "text", "at")
    yield Section("comments", _("Comments"), columns, tuple(comments))


def _reading(person: User, *, is_own: bool) -> Iterator[Section]:
    of_list, of_presentation = "reading_list__enrollment", "presentation__reading_list__enrollment"
    place = (f"{of_list}__study__code", "reading_list__session_plan__number")
    columns: Columns = (
        *(STUDY, SESSION, ("opened_at", _("opened")), ("finished_at", _("finished"))),
        ("answered", _("answered")),
    )
    sessions = _of(ReadingSession, person, of_list).values_list(*place, "opened_at", "finished_at", "answered")
    yield Section("reading_sessions", _("Reading sessions"), columns, tuple(sessions))
    columns = (
        *(STUDY, SESSION, ("at", _("checked")), ("passed", _("passed")), ("failures", _("reasons for failing"))),
        ("results", _("results")),
    )
    checks = _of(CheckedDisplay, person, of_list).values_list(*place, "at", "passed", "failures", "results")
    yield Section("display_checks", _("Display checks"), columns, tuple(checks))
    place = (f"{of_presentation}__study__code", "presentation__reading_list__session_plan__number")
    columns = (
        *(
            STUDY,
            SESSION,
            ("position", _("position")),
            ("verdict", _("verdict")),
            ("elapsed_ms", _("reading time, ms")),
        ),
        *(("shown_at", _("shown")), ("answered_at", _("answered")), ("answers", _("answers"))),
        *(("paradata", _("paradata")), ("quality", _("timing grade")), ("receipt", _("receipt"))),
    )
    names: tuple[str, ...] = (
        "verdict",
        "elapsed_ms",
        "shown_at",
        "answered_at",
        "answers",
        "paradata",
        "quality",
        "receipt",
    )
    shown = _shown_verdicts("presentation__reading_list", is_own=is_own)
    verdicts = _of(Reading, person, of_presentation).filter(shown)
    rows = verdicts.values_list(*place, "presentation__position", *names)
    yield Section("verdicts", _("Your verdicts"), columns, tuple(rows))
    columns = (STUDY, SESSION, ("answers", _("answers")), ("elapsed_ms", _("time, ms")), ("at", _("answered")))
    closing = _of(ClosingAnswers, person, f"session__{of_list}").filter(
        _shown_verdicts("session__reading_list", is_own=is_own)
    )
    names = ("answers", "elapsed_ms", "answered_at")
    of_session = (f"session__{of_list}__study__code", "session__reading_list__session_plan__number")
    yield Section("closing_answers", _("Answers at the end"), columns, tuple(closing.values_list(*of_session, *names)))
    columns = (STUDY, SESSION, ("position", _("position")), ("text", _("text")), ("at", _("reported")))
    problems = _of(ImageProblem, person, of_presentation)
    rows = problems.values_list(*place, "presentation__position", "text", "at")
    yield Section("reported_images", _("Reported images"), columns, tuple(rows))


def _shown_verdicts(to_list: str, *, is_own: bool) -> Q:
    is_closed = Q(**{f"{to_list}__enrollment__study__status__in": FINISHED})
    return is_closed | Q(**{f"{to_list}__session__finished_at__isnull": False}) if is_own else is_closed


def _of(model: type[models.Model], person: User, path: str) -> Any:
    """Return the rows of a model that belong to the person, oldest first; `path` leads to the enrolment."""
    return model._default_manager.filter(**{f"{path}__reader": person}).order_by("pk")


def _mails(person: User) -> Section:
    columns: Columns = (
        ("kind", _("kind")),
        ("address", _("Mail address")),
        ("subject", _("subject")),
        ("text", _("text")),
        ("state", _("state")),
        ("made_at", _("created")),
        ("sent_at", _("sent")),
    )
    names: tuple[str, ...] = ("kind", "address", "subject", "body", "state", "created_at", "sent_at")
    return Section("mails", _("Mails"), columns, tuple(Mail.objects.filter(person=person).values_list(*names)))


def _webhooks(person: User) -> Section:
    columns: Columns = (STUDY, ("address", _("Address")), ("made_at", _("created")), ("ended_at", _("ended")))
    rows = Webhook.objects.filter(owner=person).values_list("study__code", "url", "made_at", "ended_at")
    return Section("webhooks", _("Webhooks"), columns, tuple(rows))


def _events(person: User) -> Section:
    """Return events by and about the person. Who else did something is not named, and their address is not told."""
    columns: Columns = (
        ("event", _("number")),
        ("at", _("at")),
        ("name", _("what")),
        ("by", _("by")),
        STUDY,
        ("session", _("session")),
        ("reason", _("reason")),
        ("address", _("IP address")),
        ("software", _("software version")),
    )
    about = {
        f"{model._meta.label_lower}:{key}"
        for model, keys in (
            (User, [person.pk]),
            (Enrollment, Enrollment.objects.filter(reader=person).values_list("pk", flat=True)),
            (ReadingList, ReadingList.objects.filter(enrollment__reader=person).values_list("pk", flat=True)),
        )
        for key in keys
    }
    events = Event.objects.filter(Q(actor=person) | Q(subject__in=about)).order_by("pk")
    return Section("events", _("Events"), columns, tuple(_event(event, person, about) for event in events))


def _event(event: Event, person: User, about: Iterable[str]) -> Row:
    by = "you" if event.actor_id == person.pk else "another person" if event.actor_id else "the server"
    reason = event.data.get("reason", "") if event.subject in about or by == "you" else ""
    address = None if by == "another person" else event.address
    session = event.data.get("session", "")
    return event.pk, event.at, event.verb, by, event.study, session, reason, address, event.version


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return f"{localtime(value):%Y-%m-%d %H:%M:%S}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _as_csv(section: Section) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([name for name, _label in section.columns])
    for row in section.rows:
        writer.writerow([_cell(value) for value in row])
    return file.getvalue()


def _cell(value: Any) -> str:
    """Return the cell so that a spreadsheet takes it as text: names and remarks are typed by people."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else _plain(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
