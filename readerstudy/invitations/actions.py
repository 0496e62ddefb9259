"""Inviting readers, sending new links, revoking them, and reminding, each recorded in the audit trail."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from readerstudy.accounts.actions import record_new_account
from readerstudy.accounts.links import find_link, revoke_links
from readerstudy.accounts.models import Role, User
from readerstudy.after_commit import after_commit
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, StudyError
from readerstudy.invitations.invitees import Invitee
from readerstudy.invitations.letters import Letter, Terms, write_letter
from readerstudy.invitations.models import Invitation, Mail, MailKind
from readerstudy.invitations.sending import deliver
from readerstudy.participation.models import ReaderRules
from readerstudy.reading.queries import list_studies
from readerstudy.studies.actions import enroll
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.exposure import exposure_sentence, images_shown_elsewhere
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Enrollment, Study

INVITATION_LOCK: Final = 4_207_713  # any number that no other advisory lock of this database has
BETWEEN_REQUESTS: Final = timedelta(hours=1)
LONGEST_USERNAME: Final = 60


class Outcome(StrEnum):
    """What an invitation does for one person of a list."""

    NEW = "new"  # makes an account
    EXISTING = "existing"  # takes the reader's account
    ALREADY_IN = "already_in"  # changes nothing
    REFUSED = "refused"


@dataclass(frozen=True)
class Planned:
    """What would happen to one person of a list, and why nothing would, if so."""

    invitee: Invitee
    outcome: Outcome
    reason: str = ""
    user: User | None = None
    may_override: bool = False  # refused only because other studies show the person images of this one

    @property
    def is_invited(self) -> bool:
        return self.outcome in (Outcome.NEW, Outcome.EXISTING)


@dataclass(frozen=True)
class Invited:
    """The result of an invitation: what happened to each person, and the letters in the order of the list."""

    people: tuple[Planned, ...]
    letters: tuple[Letter, ...]


def plan_invitations(
    *, study: Study, invitees: Sequence[Invitee], overridden: Collection[str] = (), actor: User | None = None
) -> tuple[Planned, ...]:
    """Return what inviting these people would do. Changes nothing.

    `overridden`: the addresses of people who may see images again that other studies show them.
    """
    overridden = {address.lower() for address in overridden}
    addresses = {invitee.address.lower() for invitee in invitees}
    users: dict[str, list[User]] = {}
    for user in User.objects.annotate(address=Lower("email")).filter(address__in=addresses).order_by("pk"):
        users.setdefault(user.email.lower(), []).append(user)
    enrolled = set(Enrollment.objects.filter(study=study).values_list("reader_id", flat=True))
    planned = (_plan(invitee, users.get(invitee.address.lower(), []), enrolled) for invitee in invitees)
    return tuple(
        row if row.invitee.address.lower() in overridden else _without_repeated_images(row, study, actor)
        for row in planned
    )


def _without_repeated_images(planned: Planned, study: Study, actor: User | None) -> Planned:
    """Refuse an existing reader whom other studies show images of this one."""
    if planned.outcome != Outcome.EXISTING or planned.user is None:
        return planned
    exposures = images_shown_elsewhere(study, planned.user)
    if not exposures:
        return planned
    reason = exposure_sentence(planned.user, exposures, told_to=actor)
    return Planned(planned.invitee, Outcome.REFUSED, reason, planned.user, may_override=True)


def _plan(invitee: Invitee, users: list[User], enrolled: set[int]) -> Planned:
    if not users:
        return Planned(invitee, Outcome.NEW)
    if len(users) > 1:
        names = ", ".join(user.username for user in users)
        return Planned(invitee, Outcome.REFUSED, _("Several accounts have this address: %(names)s.") % {"names": names})
    (user,) = users
    if not user.is_reader:
        values = {"person": user, "role": user.get_role_display()}
        return Planned(invitee, Outcome.REFUSED, _("%(person)s is a %(role)s; only readers can be enrolled.") % values)
    if not user.is_active:
        return Planned(invitee, Outcome.REFUSED, _("The account %(person)s is deactivated.") % {"person": user})
    if user.pk in enrolled:
        return Planned(invitee, Outcome.ALREADY_IN, _("%(person)s is in the study already.") % {"person": user}, user)
    return Planned(invitee, Outcome.EXISTING, user=user)


@transaction.atomic
def invite_readers(
    *,
    study: Study,
    invitees: Sequence[Invitee],
    actor: User,
    at: datetime,
    terms: Terms,
    overridden: Collection[str] = (),
    override_reason: str = "",
) -> Invited:
    """Make accounts, enrolments, links and mails for these people; the mails are sent after the commit.

    People who are in the study already, and addresses that are refused, change nothing and are named in the result;
    those whom other studies show images of this one are refused unless their address is in `overridden`, with a reason.
    Raises BadInput if nobody can be enrolled in the study, or without that reason; then nothing is changed.
    """
    override_reason = require_reason(override_reason) if overridden else ""
    # Two coordinators with the same list at once must not make two accounts for an address.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INVITATION_LOCK])
    people = plan_invitations(study=study, invitees=invitees, overridden=overridden, actor=actor)
    again = {address.lower() for address in overridden}
    letters = []
    for planned in people:
        if planned.is_invited:
            reason = override_reason if planned.invitee.address.lower() in again else ""
            letters.append(_invite(planned, study, actor=actor, at=at, terms=terms, override_reason=reason))
    after_commit(deliver, letters, at=at)
    return Invited(people, tuple(letters))


@transaction.atomic
def replace_reader(
    *, withdrawn: Enrollment, invitee: Invitee, actor: User, at: datetime, terms: Terms, override_reason: str = ""
) -> Letter:
    """Invite somebody who takes the place of a withdrawn reader, with lists of the same arm.

    Raises BadInput if the person cannot be invited, or if the reader is not withdrawn or was replaced before.
    """
    study = withdrawn.study
    overridden = [invitee.address] if override_reason.strip() else []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INVITATION_LOCK])
    (planned,) = plan_invitations(study=study, invitees=[invitee], overridden=overridden, actor=actor)
    if not planned.is_invited:
        raise BadInput(planned.reason)
    letter = _invite(
        planned, study, actor=actor, at=at, terms=terms, override_reason=override_reason, replaces=withdrawn
    )
    after_commit(deliver, [letter], at=at)
    return letter


def _invite(
    planned: Planned,
    study: Study,
    *,
    actor: User,
    at: datetime,
    terms: Terms,
    override_reason: str,
    replaces: Enrollment | None = None,
) -> Letter:
    reader = planned.user or make_account(planned.invitee, role=Role.READER, actor=actor, at=at)
    enrollment = enroll(
        study=study, reader=reader, at=at, actor=actor, override_reason=override_reason, replaces=replaces
    )
    Invitation.objects.create(enrollment=enrollment, language=terms.language, invited_at=at, invited_by=actor)
    return _write(enrollment, MailKind.INVITATION, sender=actor, actor=actor, at=at, terms=terms)


def make_account(invitee: Invitee, *, role: Role, actor: User, at: datetime) -> User:
    """Return a new account that signs in by links only."""
    user = User(
        username=_free_username(invitee),
        first_name=invitee.first_name,
        last_name=invitee.last_name,
        email=invitee.address,
        role=role,
        is_staff=role != Role.READER,
    )
    user.set_unusable_password()
    user.save()
    record_new_account(person=user, actor=actor, at=at)
    return user


def _free_username(invitee: Invitee) -> str:
    """Return "ruth.ott" for Ruth Ott, with a number if the name is taken; the address serves if there is no name."""
    plain = unicodedata.normalize("NFKD", invitee.name.replace("ß", "ss") or invitee.address.partition("@")[0])
    letters = plain.encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", ".", letters).strip(".")[:LONGEST_USERNAME] or "reader"
    taken = set(User.objects.filter(username__startswith=base).values_list("username", flat=True))
    number = 1
    name = base
    while name in taken:
        number += 1
        name = f"{base}{number}"
    return name


@transaction.atomic
def send_letter(*, enrollment: Enrollment, kind: MailKind, actor: User | None, at: datetime, terms: Terms) -> Letter:
    """Write to one reader with a new link, which revokes the earlier ones. The mail is sent after the commit.

    Serves for inviting again, for reminding, and for a text to copy (`terms.by_hand`). Raises StudyError if the study
    is not open, the reader is withdrawn, or paused and reminded, NotAllowed if the account is deactivated.
    """
    _require_open(enrollment.study)
    _require_reachable(enrollment, kind)
    invitation, _is_new = Invitation.objects.get_or_create(
        enrollment=enrollment, defaults={"language": terms.language, "invited_at": at, "invited_by": actor}
    )
    letter = _write(enrollment, kind, sender=actor or invitation.invited_by, actor=actor, at=at, terms=terms)
    after_commit(deliver, [letter], at=at)
    return letter


def _write(
    enrollment: Enrollment, kind: MailKind, *, sender: User | None, actor: User | None, at: datetime, terms: Terms
) -> Letter:
    letter = write_letter(
        person=enrollment.reader, enrollment=enrollment, kind=kind, sender=sender, actor=actor, at=at, terms=terms
    )
    record(f"{kind.value}.written", actor=actor, subject=enrollment, at=at, mail=letter.mail.pk)
    return letter


def _require_open(study: Study) -> None:
    study.refresh_from_db(fields=["status"])
    if not study.takes_readers:
        values = {"study": study.code, "state": study.state}
        raise BadInput(_("The study %(study)s is %(state)s; its readers get no mails.") % values)


def _require_reachable(enrollment: Enrollment, kind: MailKind) -> None:
    enrollment.refresh_from_db(fields=["withdrawn_at", "paused_at"])
    if enrollment.withdrawn_at:
        raise StudyError(_("%(reader)s has been withdrawn and gets no mails.") % {"reader": enrollment.code})
    if enrollment.paused_at and kind == MailKind.REMINDER:
        raise StudyError(_("%(reader)s is paused and is not reminded.") % {"reader": enrollment.code})


@transaction.atomic
def revoke_link(*, enrollment: Enrollment, actor: User, at: datetime) -> None:
    """Revoke the reader's unused link. Raises StudyError if there is none."""
    if not revoke_links(user=enrollment.reader, actor=actor, at=at):
        raise StudyError(_("%(person)s has no unused link.") % {"person": enrollment.reader})


def send_due_reminders(*, at: datetime, base_url: str, days: int | None = None) -> list[Letter]:
    """Remind the invited readers of open studies who could read and have not for some days.

    The days are those of each study's rules for readers unless `days` is given. Nobody is written to twice within them.
    Rehearsals have simulated readers and are left out, as are paused and withdrawn readers.
    Raises BadInput if `days` is not positive, or without a mail server: nobody would see the texts, and their links
    would replace those that readers have.
    """
    if not settings.SENDS_MAIL:
        raise BadInput(_("Reminders need a mail server; set EMAIL_URL."))
    if days is not None and days < 1:
        raise BadInput(_("Readers can be reminded after one day at the earliest."))
    letters: list[Letter | None] = []
    for study in Study.objects.filter(status=StudyStatus.OPEN, is_rehearsal=False).order_by("pk"):
        if after := ReaderRules.of(study).reminder_days if days is None else days:
            letters += _due_reminders(study, at=at, since=at - timedelta(days=after), base_url=base_url)
    return [letter for letter in letters if letter]


def _due_reminders(study: Study, *, at: datetime, since: datetime, base_url: str) -> list[Letter | None]:
    letters = []
    for enrollment in _silent_readers(study, since=since):
        studies = {study.code: study for study in list_studies(enrollment.reader, at=at)}
        sessions = studies[enrollment.study.code].sessions
        if any(session.state in ("open", "under_way") for session in sessions):
            terms = Terms(base_url=base_url, language=enrollment.invitation.language)
            letters.append(_remind(enrollment, at=at, terms=terms, since=since))
    return letters


def _silent_readers(study: Study, *, since: datetime) -> list[Enrollment]:
    lists = "reading_lists__presentations__reading__answered_at"
    recent = Enrollment.objects.filter(**{f"{lists}__gt": since}).values("pk")
    written = Mail.objects.filter(created_at__gt=since, enrollment__isnull=False).values("enrollment")
    return list(
        Enrollment.objects.filter(
            study=study,
            reader__is_active=True,
            enrolled_at__lte=since,
            paused_at=None,
            withdrawn_at=None,
            invitation__isnull=False,
        )
        .exclude(pk__in=recent)
        .exclude(pk__in=written)
        .select_related("study", "reader", "invitation__invited_by")
        .order_by("pk")
    )


@transaction.atomic
def _remind(enrollment: Enrollment, *, at: datetime, terms: Terms, since: datetime) -> Letter | None:
    """Write one reminder, unless another run of the command has written since."""
    Enrollment.objects.select_for_update().get(pk=enrollment.pk)
    if Mail.objects.filter(enrollment=enrollment, created_at__gt=since).exists():
        return None
    return send_letter(enrollment=enrollment, kind=MailKind.REMINDER, actor=None, at=at, terms=terms)


def ask_for_new_link(*, token: str, at: datetime, terms: Terms) -> Letter | None:
    """Send a new link to the person of an old one, as renew_link() does; not for an unknown or still valid link."""
    link = find_link(token)
    if link is None or link.is_usable(at=at):
        return None
    return renew_link(person_id=link.user_id, at=at, terms=terms)


@transaction.atomic
def renew_link(*, person_id: int, at: datetime, terms: Terms) -> Letter | None:
    """Send a person a new link, at most one an hour; return None if nothing is sent.

    Nothing is sent to an unknown or deactivated account or to one without an address. The caller must not show the
    difference.
    """
    person = User.objects.select_for_update().filter(pk=person_id, is_active=True).exclude(email="").first()
    if person is None:
        return None
    recent = Mail.objects.filter(person=person, kind=MailKind.NEW_LINK, created_at__gt=at - BETWEEN_REQUESTS)
    if recent.exists():
        return None
    enrollment = Enrollment.objects.filter(reader=person).select_related("study").order_by("-pk").first()
    invitation = Invitation.objects.filter(enrollment=enrollment).first() if enrollment else None
    letter = write_letter(
        person=person,
        enrollment=enrollment,
        kind=MailKind.NEW_LINK,
        sender=invitation.invited_by if invitation else None,
        actor=None,
        at=at,
        terms=Terms(terms.base_url, invitation.language) if invitation else terms,
    )
    record("new_link.written", actor=None, subject=person, at=at, mail=letter.mail.pk)
    after_commit(deliver, [letter], at=at)
    return letter
