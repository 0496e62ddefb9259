"""Starting a job: the one action for pages, API, administration and commands."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import NotAllowed
from readerstudy.experiments.catalogue import get_kind
from readerstudy.experiments.check import check_parameters
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import enqueue, new_job


@transaction.atomic
def start_job(
    *, kind: str, parameters: Mapping[str, Any], requested_by: User | None, at: datetime, here: bool = False
) -> Job:
    """Check the parameters against the catalogue, fill in defaults and queue the job. Return it.

    If a job with the same work is queued or running already, return that job. With `here` the caller runs the job.
    `requested_by` is None at the server's terminal. Raises NotAllowed for anybody but a researcher, InvalidParameter
    for a parameter that is missing, unknown or out of range; then nothing is queued.
    """
    if requested_by is not None and not requested_by.is_researcher:
        raise NotAllowed(_("Only a researcher may start jobs."))
    described = get_kind(kind)
    clean = check_parameters(described, parameters)
    job = new_job(described.key, clean, requested_by=requested_by, at=at, queue=described.queue)
    if job.queued_at == at:  # otherwise it is one that was there before
        record("job.started", actor=requested_by, subject=job, at=at, kind=job.kind)
    if not here:
        enqueue(job)
    return job
