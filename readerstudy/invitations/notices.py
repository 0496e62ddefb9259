"""Notices to people about their own sign-in: what changed, when, and what to do if it was somebody else.

An event of the audit trail about an account gives a mail to its owner; nothing that is recorded is forgotten. A notice
has no link and no secret, and nothing about a study: it may be read by anybody at any time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_save, pre_save
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime, now
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from readerstudy.accounts.models import ApiToken, User
from readerstudy.after_commit import after_commit
from readerstudy.audit.models import Event
from readerstudy.invitations.letters import MAXIMUM_SUBJECT, Letter, one_line
from readerstudy.invitations.models import Invitation, Mail, MailKind, MailState
from readerstudy.invitations.sending import deliver

# By the name of the event, or by its name and the factor that it is about.
NOTICES: Final[Mapping[str, str | Promise]] = {
    "account.linked": gettext_lazy("Single sign-on was connected to your account."),
    "password.changed": gettext_lazy("The password of your account was set or changed. Your API tokens ended with it."),
    "second_factor.added totp": gettext_lazy("An authenticator app was set up for your account."),
    "second_factor.added webauthn": gettext_lazy("A passkey was added to your account."),
    "second_factor.added recovery_codes": gettext_lazy("Recovery codes were made for your account."),
    "second_factor.removed totp": gettext_lazy("The authenticator app of your account was removed."),
    "second_factor.removed webauthn": gettext_lazy("A passkey of your account was removed."),
    "second_factor.removed recovery_codes": gettext_lazy("The recovery codes of your account were removed."),
    "second_factor.renewed recovery_codes": gettext_lazy(
        "New recovery codes were made for your account. The old ones are void."
    ),
    "second_factor.reset": gettext_lazy(
        "All second factors of your account were removed by those who run this server, and all browsers signed out."
    ),
    "second_factor.used recovery_codes": gettext_lazy("A recovery code was used to sign in to your account."),
    "second_factor.blocked": gettext_lazy(
        "Too many wrong codes were given for your account, after its right password or for a passkey. Codes are "
        "refused for a quarter of an hour."
    ),
    "second_factor.repeated": gettext_lazy(
        "A code of your authenticator app was given a second time and refused. Somebody may have seen it."
    ),
    "sign_in.blocked": gettext_lazy(
        "Too many wrong passwords were given for your account. Passwords are refused until the quarter of an hour ends."
    ),
    "token.made": gettext_lazy("An API token was made for your account."),
}
ADDRESS: Final = gettext_lazy("The mail address of your account was changed.")
EXPIRES: Final = gettext_lazy("Your API token “%(name)s” expires on %(day)s. Make a new one in time.")
# Others can cause these again and again: one notice in this time.
SELDOM: Final = ("sign_in.blocked", "second_factor.blocked", "second_factor.repeated")
ONCE_IN: Final = 24 * 3600  # seconds
WARNED_BEFORE: Final = timedelta(days=7)
BEFORE: Final = "address_before"  # attribute of a person while another mail address is stored
SUBJECT: Final = f"{User._meta.label_lower}:"


def connect() -> None:
    """Have the receivers called; once, when the application starts."""
    post_save.connect(_on_event, sender=Event)
    pre_save.connect(_keep_address, sender=User)
    post_save.connect(_on_address, sender=User)


def _on_event(instance: Event, created: bool, **values: Any) -> None:
    """Write to the person whom an event of the table is about."""
    names = (instance.verb, f"{instance.verb} {instance.data.get('factor', '')}")
    sentence = next((NOTICES[name] for name in names if name in NOTICES), None)
    if sentence is None or not created or not settings.SENDS_MAIL or not instance.subject.startswith(SUBJECT):
        return
    person = User.objects.get(pk=instance.subject.removeprefix(SUBJECT))
    if instance.verb in SELDOM and not cache.add(f"notice-{instance.verb}-{person.pk}", 1, timeout=ONCE_IN):
        return
    write_notice(person=person, sentence=sentence, at=instance.at, is_own_act=instance.actor_id == person.pk)


def _keep_address(instance: User, update_fields: Sequence[str] | None = None, **values: Any) -> None:
    """Remember the stored mail address while another one is being stored."""
    before = ""
    if settings.SENDS_MAIL and not instance._state.adding and (update_fields is None or "email" in update_fields):
        before = User.objects.filter(pk=instance.pk).values_list("email", flat=True).first() or ""
    setattr(instance, BEFORE, before if before.lower() != instance.email.lower() else "")


def _on_address(instance: User, **values: Any) -> None:
    """Write to the old address and to the new one: who took the account over may own the new one."""
    if before := getattr(instance, BEFORE):
        for address in (before, instance.email):
            write_notice(person=instance, sentence=ADDRESS, at=now(), address=address)


def write_notice(
    *,
    person: User,
    sentence: str | Promise,
    at: datetime,
    is_own_act: bool = False,
    address: str | None = None,
    **values: str,
) -> Letter | None:
    """Write a notice and hand it over for sending after this transaction; None if no mail can reach the person."""
    address = person.email if address is None else address
    if not (settings.SENDS_MAIL and address and person.is_active):
        return None
    with override(_language_of(person, is_own_act=is_own_act)):
        context = {
            "name": one_line(person.get_full_name()),
            "username": person.username,
            "sentence": str(sentence) % values if values else str(sentence),
            "at": at,
        }
        mail = Mail.objects.create(
            person=person,
            address=address,
            kind=MailKind.NOTICE,
            subject=_("A change of your sign-in")[:MAXIMUM_SUBJECT],
            body=render_to_string("invitations/notice.txt", context).strip() + "\n",
            state=MailState.QUEUED,
            due_at=at,
            created_at=at,
        )
    letter = Letter(mail)
    after_commit(deliver, [letter], at=at)
    return letter


def _language_of(person: User, *, is_own_act: bool) -> str:
    """Return the language of the page that the person has open, else that of their last sign-in or invitation."""
    if is_own_act:
        return get_language() or settings.LANGUAGE_CODE
    invited = Invitation.objects.filter(enrollment__reader=person).order_by("-invited_at")
    return person.language or invited.values_list("language", flat=True).first() or settings.LANGUAGE_CODE


def warn_of_expiring_tokens(*, at: datetime) -> list[Letter]:
    """Write once to the owner of each API token that expires within `WARNED_BEFORE`; return the letters.

    A token that was made for no longer than that needs no warning.
    """
    soon = ApiToken.objects.filter(revoked_at=None, warned_at=None, expires_at__gt=at)
    soon = soon.filter(expires_at__lte=at + WARNED_BEFORE, expires_at__gt=F("created_at") + WARNED_BEFORE)
    return [letter for token in soon.select_related("user").order_by("pk") if (letter := _warn(token, at=at))]


@transaction.atomic
def _warn(token: ApiToken, *, at: datetime) -> Letter | None:
    if not settings.SENDS_MAIL or not ApiToken.objects.filter(pk=token.pk, warned_at=None).update(warned_at=at):
        return None
    with override(_language_of(token.user, is_own_act=False)):
        day = date_format(localtime(token.expires_at), "DATE_FORMAT")
    return write_notice(person=token.user, sentence=EXPIRES, at=at, name=one_line(token.name), day=day)
