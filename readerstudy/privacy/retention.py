"""Retention: personal data of operation that are older than their period are erased. Evidence of studies stays.

Each period is a setting in days, 0 for no end. Sessions that have expired are deleted whatever the settings are. Old
messages to webhooks hold no personal data; their addresses may hold a key, and their number grows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from readerstudy.accounts.models import SignInLink, User
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.invitations.models import Mail, MailState
from readerstudy.privacy.actions import erase_person
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Enrollment, StudyMember
from readerstudy.webhooks.models import Delivery, DeliveryState, Webhook

_ENDED = (MailState.SENT, MailState.FAILED, MailState.BY_HAND)


@dataclass(frozen=True)
class Due:
    """What is older than its period: how many sessions, messages, addresses, mails and links, and names of accounts."""

    sessions: int
    webhook_messages: int
    addresses: int
    mails: int
    links: int
    accounts: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """What an event about it says: only what the record had is counted there."""
        return {"addresses": self.addresses, "mails": self.mails, "links": self.links}


def find_due(*, at: datetime) -> Due:
    """Return what is older than its period; nothing is changed."""
    return Due(
        sessions=_sessions(at).count(),
        webhook_messages=_webhook_messages(at).count(),
        addresses=_events(at).count(),
        mails=_mails(at).count(),
        links=_links(at).count(),
        accounts=tuple(_accounts(at).values_list("username", flat=True)),
    )


def apply_retention(*, at: datetime) -> Due:
    """Erase what is older than its period, and return it. Running it again is harmless."""
    due = find_due(at=at)
    _delete_sessions(at)
    _delete_webhook_messages(at)
    if any(due.counts.values()):
        _forget(due, at=at)
    for name in due.accounts:
        reason = _("The account was in no study for %(days)d days.") % {"days": settings.RETAIN_ACCOUNTS_DAYS}
        erase_person(person=User.named(name), typed=name, reason=reason, actor=None, at=at)
    return due


@transaction.atomic
def _delete_sessions(at: datetime) -> None:
    _sessions(at).delete()
    Session.objects.filter(expire_date__lte=at).delete()


@transaction.atomic
def _delete_webhook_messages(at: datetime) -> None:
    _webhook_messages(at).delete()
    Webhook.objects.filter(_older_than(settings.RETAIN_WEBHOOK_MESSAGES_DAYS, at, "ended_at")).delete()


@sealed_work()
@transaction.atomic
def _forget(due: Due, *, at: datetime) -> None:
    event = record("retention.applied", actor=None, subject="", at=at, **due.counts)
    connection.check_constraints()  # what was written so far enters the record, from which it can be erased
    events, links = list(_events(at).values_list("pk", flat=True)), list(_links(at).values_list("pk", flat=True))
    mails = list(_mails(at).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT privacy_forget_addresses(%s, %s)", [event.pk, events])
        cursor.execute("SELECT privacy_forget_mails(%s, %s, %s)", [event.pk, mails, links])
    SignInLink.objects.filter(pk__in=links).delete()


def _sessions(at: datetime) -> QuerySet[UserSession]:
    """Sessions that are listed though they have expired or ended."""
    live = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=at)
    return UserSession.objects.filter(~Exists(live))


def _webhook_messages(at: datetime) -> QuerySet[Delivery]:
    """Messages that are not sent again by themselves."""
    days = settings.RETAIN_WEBHOOK_MESSAGES_DAYS
    is_over = Q(state__in=[DeliveryState.DELIVERED, DeliveryState.GIVEN_UP]) & _older_than(days, at, "made_at")
    return Delivery.objects.filter(is_over | _older_than(days, at, "webhook__ended_at"))


def _events(at: datetime) -> QuerySet[Event]:
    old = _older_than(settings.RETAIN_ADDRESSES_DAYS, at, "at")
    return Event.objects.filter(old).exclude(address=None)


def _mails(at: datetime) -> QuerySet[Mail]:
    old = _older_than(settings.RETAIN_MAILS_DAYS, at, "created_at")
    return Mail.objects.filter(old, state__in=_ENDED).exclude(address="", subject="", body="")


def _links(at: datetime) -> QuerySet[SignInLink]:
    """Links that ended without being used. Those that were used are evidence of who read by whose link."""
    days = settings.RETAIN_LINKS_DAYS
    waiting = Mail.objects.filter(link=OuterRef("pk")).exclude(state__in=_ENDED)
    ended = _older_than(days, at, "expires_at") | _older_than(days, at, "revoked_at")
    return SignInLink.objects.filter(ended, ~Exists(waiting), used_at=None)


def _accounts(at: datetime) -> QuerySet[User]:
    """Accounts that never had a part in a study and have not signed in for the period."""
    seen = Greatest("date_joined", Coalesce("last_login", "date_joined"))
    return (
        User.objects.annotate(seen=seen)
        .filter(
            _older_than(settings.RETAIN_ACCOUNTS_DAYS, at, "seen"),
            ~Exists(Enrollment.objects.filter(reader=OuterRef("pk"))),
            ~Exists(StudyMember.objects.filter(person=OuterRef("pk"))),
            erased_at=None,
            is_superuser=False,
        )
        .order_by("pk")
    )


def _older_than(days: int, at: datetime, column: str) -> Q:
    """Return the condition that a moment lies further back than the period; nothing for a period without an end."""
    return Q(**{f"{column}__lt": at - timedelta(days=days)}) if days else Q(pk__in=[])
