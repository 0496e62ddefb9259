"""Requests to unseal a study that nobody confirmed in time."""

from datetime import datetime

from django.db import transaction

from readerstudy.audit.actions import record
from readerstudy.studies.models import RequestOutcome, Study, UnsealingRequest


@transaction.atomic
def end_expired_requests(*, study: Study | None = None, at: datetime) -> int:
    """End the requests whose time is over, of one study or of all, record each, and return how many there were.

    The schedule calls it each minute, and so do the pages and the actions that concern a request: it does not depend
    on a worker. Call it in a transaction of its own: the action that follows may be refused.
    """
    expired = UnsealingRequest.objects.filter(outcome="", expires_at__lt=at)
    if study is not None:
        expired = expired.filter(study=study)
    requests = list(expired.select_for_update(of=("self",)).select_related("study"))
    for request in requests:
        request.end(RequestOutcome.EXPIRED, by=None, at=request.expires_at)
        details = {"requested_by": request.by_id, "expires_at": request.expires_at.isoformat()}
        record("unsealing.expired", actor=None, subject=request.study, at=at, **details)
    return len(requests)
