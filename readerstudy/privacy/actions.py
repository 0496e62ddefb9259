"""Erasing a person: a pseudonym takes the place of name, address and user name; the evidence stays."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.links import revoke_links
from readerstudy.accounts.models import ApiToken, SignInLink, User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.privacy.queries import find_obstacles
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.actions import remove_member
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.models import StudyMember

PSEUDONYM_BYTES: Final = 4


@sealed_work()
@transaction.atomic
def erase_person(
    *, person: User, typed: str, reason: str, actor: User | None, at: datetime, with_last_name: bool = False
) -> Mapping[str, int]:
    """Put a pseudonym in the place of the person; return how much was erased.

    Password, factors, sessions and tokens are deleted, links end, texts and addresses of mails are emptied, IP
    addresses leave the audit trail, and texts that name the person name the pseudonym. `typed` is the user name, as a
    confirmation; `with_last_name`: the last name is also replaced where it stands alone. Raises NotAllowed unless the
    actor is a superuser (None: the server's terminal), BadInput for another user name, without a reason, and while
    something of `find_obstacles` holds.
    """
    if actor is not None and not (actor.is_superuser and actor.is_active):
        raise NotAllowed(_("Only superusers erase a person."))
    person = User.objects.select_for_update().get(pk=person.pk)
    if typed.strip() != person.username:
        raise BadInput(_("Type the user name of the person exactly as it is shown, as a confirmation."))
    reason = require_reason(reason)
    if obstacles := find_obstacles(person, actor):
        raise BadInput(" ".join(obstacles))
    pseudonym = _new_pseudonym(person)
    _end_access(person, actor=actor, at=at)
    event = record(
        "account.erased",
        actor=actor,
        subject=person,
        at=at,
        reason=_without_names(person, reason, pseudonym, with_last_name=with_last_name),
        pseudonym=pseudonym,
    )
    connection.check_constraints()  # what was written so far enters the record, from which it can be erased
    with connection.cursor() as cursor:
        cursor.execute("SELECT privacy_erase(%s, %s, %s, %s)", [person.pk, event.pk, pseudonym, with_last_name])
        [counts] = cursor.fetchone()
    _rename(person, pseudonym, at=at)
    return dict(json.loads(counts) if isinstance(counts, str) else counts)


def _new_pseudonym(person: User) -> str:
    while True:
        pseudonym = f"former-{person.role}-{secrets.token_hex(PSEUDONYM_BYTES)}"
        if not User.objects.filter(username=pseudonym).exists():
            return pseudonym


def _without_names(person: User, text: str, pseudonym: str, *, with_last_name: bool) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(regexp_replace(%s, privacy_pattern(%s, %s), %s, 'g'), %s)",
            [text, person.pk, with_last_name, pseudonym, text],
        )
        return str(cursor.fetchone()[0])


def _end_access(person: User, *, actor: User | None, at: datetime) -> None:
    """Delete every way in. The rows of links stay without their hashes: who made a link is evidence."""
    for member in StudyMember.objects.filter(person=person, removed_at=None).select_related("study"):
        remove_member(study=member.study, person=person, actor=actor, at=at)
    revoke_links(user=person, actor=actor, at=at)
    for link in SignInLink.objects.filter(user=person):
        SignInLink.objects.filter(pk=link.pk).update(token_hash=f"erased {secrets.token_hex(24)}")
    keys = list(UserSession.objects.filter(user=person).values_list("session_key", flat=True))
    for session in Session.objects.iterator():  # the list of sessions may lack one
        if session.get_decoded().get(SESSION_KEY) == str(person.pk):
            keys.append(session.session_key)
    Session.objects.filter(session_key__in=keys).delete()
    for model in (UserSession, Authenticator, EmailAddress, SocialAccount, ApiToken):
        model.objects.filter(user=person).delete()


def _rename(person: User, pseudonym: str, *, at: datetime) -> None:
    person.groups.clear()
    person.user_permissions.clear()
    person.set_unusable_password()
    person.username, person.first_name, person.last_name, person.email = pseudonym, "", "", ""
    person.is_active = person.is_staff = person.is_superuser = False
    person.last_login, person.language, person.erased_at = None, "", at
    person.reading_keys = {}
    person.save()
    kind = ContentType.objects.get_for_model(User)
    logged = LogEntry.objects.filter(content_type=kind, object_id=str(person.pk))
    logged.update(object_repr=pseudonym, change_message="")
