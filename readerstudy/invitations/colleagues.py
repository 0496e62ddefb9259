"""Accounts of coordinators and researchers: inviting them, new links, their role, and ending and reopening accounts.

Researchers look after everybody's account, coordinators after those of readers, as in the administration. Nobody gives
more rights than they have, and nobody changes their own account.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.links import revoke_links
from readerstudy.accounts.models import Role, User
from readerstudy.after_commit import after_commit
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed, NotFound
from readerstudy.invitations.actions import INVITATION_LOCK, make_account
from readerstudy.invitations.invitees import Invitee
from readerstudy.invitations.letters import Letter, Terms, write_letter
from readerstudy.invitations.models import MailKind
from readerstudy.invitations.sending import deliver
from readerstudy.studies.access import role_in, studies_of
from readerstudy.studies.actions import add_member
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.models import Enrollment, Study, StudyMember

ROLES: Final = (Role.COORDINATOR, Role.RESEARCHER)


def may_manage(actor: User, person: User) -> bool:
    """Return whether the actor may change the person's account."""
    if actor == person or not actor.is_active or person.erased_at:
        return False
    if person.is_superuser and not actor.is_superuser:
        return False
    return actor.is_researcher or (actor.is_coordinator and person.is_reader)


def sees_more(person: User, actor: User) -> bool:
    """Return whether the person has rights in a study that the actor lacks: then the actor must not hold their link."""
    for study in studies_of(person):
        own = role_in(study, actor)
        if own is None or (own != Role.RESEARCHER and role_in(study, person) == Role.RESEARCHER):
            return True
    return False


def may_copy(actor: User, person: User) -> bool:
    """Return whether the actor may have the copy of the person's data: one's own, those of readers of own studies.

    Superusers may have everybody's. A coordinator or researcher takes part in every study of the reader.
    """
    if actor == person or (actor.is_superuser and actor.is_active):
        return True
    if not person.is_reader or not may_manage(actor, person):
        return False
    read = Enrollment.objects.filter(reader=person)
    return read.exists() and not read.exclude(study__in=studies_of(actor)).exists()


def find_obstacle(*, address: str, role: Role, studies: Collection[Study], actor: User) -> str:
    """Return why this colleague cannot be invited; empty if they can. Raises NotAllowed unless the actor may invite."""
    if not actor.is_researcher or not actor.is_active:
        raise NotAllowed(_("Only researchers invite coordinators and researchers."))
    if role not in ROLES:
        return _("Readers are invited on the page of their study.")
    if hidden := set(studies) - set(studies_of(actor)):
        raise NotFound(_("There is no study %(code)s.") % {"code": min(study.code for study in hidden)})
    known = User.objects.filter(email__iexact=address).order_by("pk").first()
    if known is None:
        return ""
    values = {"person": known, "role": known.get_role_display()}
    if known.is_reader:
        return _("%(person)s has this address and reads studies; readers must not see their truth.") % values
    return _("%(person)s has this address and is a %(role)s already.") % values


def role_given(study: Study, *, role: Role, actor: User) -> Role:
    """Return the role of a new colleague in a study: that of the account, but never above the actor's own."""
    own = role_in(study, actor)
    return role if own == Role.RESEARCHER else Role.COORDINATOR


@transaction.atomic
def invite_colleague(
    *, invitee: Invitee, role: Role, studies: Sequence[Study], actor: User, at: datetime, terms: Terms
) -> Letter:
    """Make an account for a coordinator or researcher, add them to these studies, and write to them.

    The mail is sent after the commit. Raises NotAllowed unless the actor is a researcher, NotFound for a study that the
    actor takes no part in, BadInput for an address that somebody has.
    """
    with connection.cursor() as cursor:  # two requests at once must not make two accounts
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INVITATION_LOCK])
    if obstacle := find_obstacle(address=invitee.address, role=role, studies=studies, actor=actor):
        raise BadInput(obstacle)
    person = make_account(invitee, role=role, actor=actor, at=at)
    for study in studies:
        given = role_given(study, role=role, actor=actor)
        add_member(study=study, person=person, role=given, actor=actor, at=at)
    return _write(person, actor=actor, at=at, terms=terms)


@transaction.atomic
def send_account_link(*, person: User, actor: User, at: datetime, terms: Terms) -> Letter:
    """Write to a colleague with a new link, which revokes the earlier one; the mail is sent after the commit.

    Raises NotAllowed if the actor may not change the account, or if the actor would see the link of somebody with more
    rights: it signs in as that person.
    """
    _require_manager(actor, person)
    if person.is_reader:
        raise BadInput(_("Readers get their links on the page of their study."))
    is_by_hand = terms.by_hand or not settings.SENDS_MAIL or not person.email
    if is_by_hand and sees_more(person, actor):
        values = {"person": person}
        raise NotAllowed(_("%(person)s has rights in studies that you lack; their link can only be sent.") % values)
    return _write(person, actor=actor, at=at, terms=terms)


def _write(person: User, *, actor: User, at: datetime, terms: Terms) -> Letter:
    letter = write_letter(
        person=person, enrollment=None, kind=MailKind.ACCOUNT, sender=actor, actor=actor, at=at, terms=terms
    )
    record("account.written", actor=actor, subject=person, at=at, mail=letter.mail.pk)
    after_commit(deliver, [letter], at=at)
    return letter


@transaction.atomic
def change_role(*, person: User, role: Role, actor: User, reason: str, at: datetime) -> None:
    """Make a coordinator a researcher, or a researcher a coordinator, who then is one in every study.

    A coordinator who becomes a researcher stays a coordinator in the studies. Raises NotAllowed if the actor may not
    change the account, BadInput without a reason, for a reader, or if nothing would change.
    """
    reason = require_reason(reason)
    person = User.objects.select_for_update().get(pk=person.pk)
    _require_manager(actor, person)
    if person.is_reader or role not in ROLES:
        raise BadInput(_("A reader must not get a role that sees the truth, nor the other way round."))
    if person.role == role:
        raise BadInput(_("%(person)s has this role already.") % {"person": person})
    if role == Role.COORDINATOR:
        # Otherwise the next change would give back rights that its actor may lack.
        for member in StudyMember.objects.filter(person=person, role=Role.RESEARCHER, removed_at=None):
            add_member(study=member.study, person=person, role=Role.COORDINATOR, actor=actor, at=at)
    earlier, person.role = person.role, role
    person.save(update_fields=["role"])
    record("account.role_changed", actor=actor, subject=person, at=at, before=earlier, after=role.value, reason=reason)


@transaction.atomic
def deactivate_account(*, person: User, actor: User, reason: str, at: datetime) -> None:
    """End all access of an account at once; what the person did stays on record.

    Raises NotAllowed if the actor may not change the account, BadInput without a reason or if it is deactivated.
    """
    _set_active(person, actor=actor, reason=reason, at=at, is_active=False)


@transaction.atomic
def reactivate_account(*, person: User, rights: int, actor: User, reason: str, at: datetime) -> None:
    """Give an account its access back, and the rights of `rights_of`; `rights` is the number that the actor saw.

    Raises NotAllowed and BadInput as `deactivate_account`, BadInput if there is another number of rights by now.
    """
    if rights != len(rights_of(person)):
        raise BadInput(_("Confirm the rights that %(person)s gets back, as they are listed now.") % {"person": person})
    _set_active(person, actor=actor, reason=reason, at=at, is_active=True)


@dataclass(frozen=True)
class Right:
    """What somebody is in a study: its coordinator, its researcher, or a reader with this code."""

    study: str
    title: str
    role: str
    code: str = ""

    @property
    def label(self) -> str:
        return str(Role(self.role).label)


def rights_of(person: User) -> list[Right]:
    """Return the rights in studies that an account has, or gets back when it is reactivated."""
    members = StudyMember.objects.filter(person=person, removed_at=None).order_by("study__code")
    enrolled = Enrollment.objects.filter(reader=person, withdrawn_at=None).order_by("study__code")
    own = [Right(*values) for values in members.values_list("study__code", "study__title", "role")]
    for study, title, code in enrolled.values_list("study__code", "study__title", "code"):
        own.append(Right(study, title, Role.READER.value, code))
    return own


def _set_active(person: User, *, actor: User, reason: str, at: datetime, is_active: bool) -> None:
    reason = require_reason(reason)
    person = User.objects.select_for_update().get(pk=person.pk)
    _require_manager(actor, person)
    if person.is_active == is_active:
        state = _("%(person)s is active already.") if is_active else _("%(person)s is deactivated already.")
        raise BadInput(state % {"person": person})
    if not is_active:
        revoke_links(user=person, actor=actor, at=at)
    person.is_active = is_active
    person.save(update_fields=["is_active"])
    details = {"rights": len(rights_of(person))} if is_active else {}
    verb = "account.activated" if is_active else "account.deactivated"
    record(verb, actor=actor, subject=person, at=at, reason=reason, **details)


def _require_manager(actor: User, person: User) -> None:
    if not may_manage(actor, person):
        raise NotAllowed(_("You cannot change the account of %(person)s.") % {"person": person})
