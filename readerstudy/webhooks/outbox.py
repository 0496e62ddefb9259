"""What is delivered: a row for each webhook and fact, written in the transaction of the fact itself.

A message names its subject by codes and numbers that every coordinator of the study sees on the monitor at the same
time. It has no personal data, no verdict and no count. Receivers are called after the commit, by a worker.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.signals import post_save

from readerstudy.after_commit import after_commit
from readerstudy.audit.models import Event
from readerstudy.jobs.models import Job, job_ended
from readerstudy.studies.models import ReadingList
from readerstudy.webhooks.models import Delivery, Fact, Webhook
from readerstudy.webhooks.sending import hand_over

SUBJECT: Final = f"{ReadingList._meta.label_lower}:"


def connect() -> None:
    """Have the receivers called; once, when the application starts."""
    post_save.connect(_on_event, sender=Event)
    job_ended.connect(_on_job, sender=Job)


def _on_event(instance: Event, created: bool, **values: Any) -> None:
    """Tell of the two events that studies have webhooks for. Any other event costs no query."""
    if not created:
        return
    if instance.verb == Fact.SESSION_FINISHED:
        webhooks = _listening(Fact.SESSION_FINISHED, study__code=instance.study)
        if webhooks:
            tell(webhooks, Fact.SESSION_FINISHED, _finished(instance), source=f"event:{instance.pk}", at=instance.at)
    elif instance.verb == Fact.STUDY_CLOSED:
        webhooks = _listening(Fact.STUDY_CLOSED, study__code=instance.study)
        tell(webhooks, Fact.STUDY_CLOSED, {"study": instance.study}, source=f"event:{instance.pk}", at=instance.at)


def _finished(event: Event) -> dict[str, Any]:
    rows = ReadingList.objects.filter(pk=event.subject.removeprefix(SUBJECT))
    code = rows.values_list("enrollment__code", flat=True).get()
    return {"study": event.study, "reader": code, "session": event.data["session"]}


def _on_job(job: Job, **values: Any) -> None:
    """Tell the person who started a job that it is over."""
    if job.requested_by_id is None or job.ended_at is None:
        return
    webhooks = _listening(Fact.JOB_ENDED, study=None, owner=job.requested_by_id)
    # The kind and the status only: parameters, result and message of a job may depend on the truth.
    data = {"job": job.pk, "kind": job.kind, "status": str(job.status)}
    tell(webhooks, Fact.JOB_ENDED, data, source=f"job:{job.pk}", at=job.ended_at)


def _listening(fact: Fact, **of: Any) -> QuerySet[Webhook]:
    return Webhook.objects.live().filter(facts__contains=[fact], **of)


def tell(
    webhooks: Iterable[Webhook], fact: Fact, data: Mapping[str, Any], *, source: str, at: datetime
) -> list[Delivery]:
    """Write a message for each webhook, unless it has one of this source; they are sent after the commit."""
    body = json.dumps({"type": fact.value, "timestamp": at.isoformat(), "data": dict(data)})
    rows = [Delivery(webhook=each, fact=fact, source=source, body=body, made_at=at, due_at=at) for each in webhooks]
    if rows:
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        after_commit(hand_over, [row.pk for row in rows])
    return rows
