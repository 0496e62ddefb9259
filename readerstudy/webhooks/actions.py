"""Making, testing and ending webhooks, and sending messages again; each is recorded in the audit trail."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.after_commit import after_commit
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotFound, StudyError
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Study
from readerstudy.webhooks.addresses import check_url
from readerstudy.webhooks.models import OF_ACCOUNT, OF_STUDY, Delivery, Fact, Webhook
from readerstudy.webhooks.outbox import tell
from readerstudy.webhooks.sending import hand_over

MOST: Final = 20  # of a study, and of an account


def webhooks_for(person: User) -> QuerySet[Webhook]:
    """Return the webhooks that the person may see: of their studies, and of their own jobs. Ended ones are gone."""
    own = Q(study__in=studies_of(person)) | Q(study=None, owner=person)
    return Webhook.objects.filter(own, ended_at=None).select_related("study", "owner").order_by("pk")


def webhook_for(person: User, number: int) -> Webhook:
    """Return one of `webhooks_for`. Raises NotFound."""
    webhook = webhooks_for(person).filter(pk=number).first()
    if webhook is None:
        raise NotFound(_("There is no webhook %(number)s.") % {"number": number})
    return webhook


@transaction.atomic
def make_webhook(*, study: Study | None, url: str, facts: Collection[str], actor: User, at: datetime) -> Webhook:
    """Make a webhook of a study, or of the actor's jobs without one. Raises BadInput for what it may not be."""
    possible = OF_STUDY if study else OF_ACCOUNT
    unknown = set(facts) - set(possible)
    if unknown or not facts:
        values = {"facts": ", ".join(fact.value for fact in possible)}
        raise BadInput(_("facts: choose at least one of %(facts)s.") % values)
    check_url(url)
    of = {"study": study} if study else {"study": None, "owner": actor}
    if Webhook.objects.filter(ended_at=None, **of).count() >= MOST:
        raise BadInput(_("There are %(count)d webhooks already; end one first.") % {"count": MOST})
    webhook = Webhook.objects.create(study=study, owner=actor, url=url, facts=sorted(set(facts)), made_at=at)
    record("webhook.made", actor=actor, subject=_subject(webhook), at=at, host=_host(url), number=webhook.pk)
    return webhook


@transaction.atomic
def end_webhook(*, webhook: Webhook, actor: User, at: datetime) -> None:
    """Send nothing more to a webhook. Raises StudyError if it had ended."""
    if not webhook.end(at=at):
        raise StudyError(_("The webhook has ended."))
    subject = _subject(webhook)
    record("webhook.ended", actor=actor, subject=subject, at=at, host=_host(webhook.url), number=webhook.pk)


@transaction.atomic
def send_test(*, webhook: Webhook, actor: User, at: datetime) -> Delivery:
    """Send a message that says only that it is a test."""
    data = {"study": webhook.study.code} if webhook.study else {}
    (delivery,) = tell([webhook], Fact.TEST, data, source=f"test:{uuid4()}", at=at)
    return delivery


@transaction.atomic
def send_again(*, delivery: Delivery, actor: User, at: datetime) -> None:
    """Put a message that was delivered or given up into the queue again. Raises StudyError for any other."""
    if not delivery.send_again(at=at):
        raise StudyError(_("This message is still waiting, or its webhook has ended."))
    after_commit(hand_over, [delivery.pk])


def _subject(webhook: Webhook) -> models.Model:
    return webhook.study or webhook.owner


def _host(url: str) -> str:
    """Return the host alone: the rest of an address may hold a key."""
    return urlsplit(url).hostname or ""
