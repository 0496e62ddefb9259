"""Cancel and retry jobs; return the jobs of lost workers to the queue."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import NotAllowed, StudyError
from readerstudy.jobs.heartbeat import is_lost
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import enqueue, new_job

# A job that crashes its worker (e.g. out of memory) must not be retried forever.
MAXIMUM_ATTEMPTS = 5
# When a worker starts, a job that has been queued for longer gets a new message.
FORGOTTEN_AFTER = timedelta(seconds=60)


@transaction.atomic
def cancel_job(*, job: Job, actor: User | None, at: datetime) -> Job:
    """Cancel a queued job at once, a running one at its next progress report. Saved work is kept.

    `actor` is None at the server's terminal. Raises NotAllowed for anybody but a researcher, StudyError if the job is
    over.
    """
    _require_researcher(actor)
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.is_over:
        state = {"number": job.pk, "state": job.get_status_display().lower()}
        raise StudyError(_("Job %(number)s is %(state)s; there is nothing to cancel.") % state)
    job.cancel_requested_at, job.cancel_requested_by = job.cancel_requested_at or at, job.cancel_requested_by or actor
    if job.status == JobStatus.QUEUED or is_lost(job, at=at):
        job.status, job.ended_at = JobStatus.CANCELLED, at
    job.save()
    record("job.cancelled", actor=actor, subject=job, at=at, kind=job.kind)
    return job


@transaction.atomic
def retry_job(*, job: Job, actor: User | None, at: datetime, here: bool = False) -> Job:
    """Return a new job with the same work, which resumes from what the old one saved. With `here` do not queue it.

    It is a new row because the old one is a record: its note, its log and its curves stay readable.
    Raises NotAllowed for anybody but a researcher, StudyError unless the old job has failed or was cancelled.
    """
    _require_researcher(actor)
    if not job.is_over or job.status == JobStatus.DONE:
        state = {"number": job.pk, "state": job.get_status_display().lower()}
        raise StudyError(_("Job %(number)s is %(state)s; only failed and cancelled jobs can be tried again.") % state)
    retry = new_job(job.kind, job.parameters, requested_by=actor, at=at, queue=job.queue, retried_from=job)
    record("job.retried", actor=actor, subject=retry, at=at, kind=job.kind, retried_from=job.pk)
    if not here:
        enqueue(retry)
    return retry


def _require_researcher(actor: User | None) -> None:
    if actor is not None and not actor.is_researcher:
        raise NotAllowed(_("Only a researcher may start or stop jobs."))


def requeue_lost_jobs(*, at: datetime) -> list[Job]:
    """Return the jobs of lost workers to the queue, where they resume from their last save. Return these jobs."""
    lost = [job for job in Job.objects.filter(status=JobStatus.RUNNING).order_by("pk") if is_lost(job, at=at)]
    return [job for job in lost if _requeue(job, at=at)]


@transaction.atomic
def _requeue(job: Job, *, at: datetime) -> bool:
    if job.cancel_requested_at:
        job.end_cancelled(at=at)
        return False
    if job.attempts >= MAXIMUM_ATTEMPTS:
        with override("en"):
            last = job_note(job) or "the start"
        job.fail(f"{job.attempts} workers died during this job, the last at: {last}. Is there enough memory?", at=at)
        return False
    if not job.put_back():
        return False
    record("job.requeued", actor=None, subject=job, at=at, kind=job.kind, attempts=job.attempts)
    enqueue(job)
    return True


def resend_forgotten_jobs(*, at: datetime) -> list[Job]:
    """Send the messages of jobs again that a dead worker or broker may have lost. An extra message has no effect."""
    waiting = list(Job.objects.filter(status=JobStatus.QUEUED, queued_at__lt=at - FORGOTTEN_AFTER).order_by("pk"))
    for job in waiting:
        enqueue(job)
    return waiting
