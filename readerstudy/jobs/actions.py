"""What people do with jobs: cancel, try again, put back what a dead worker left."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import NotAllowed, StudyError
from readerstudy.jobs.heartbeat import is_lost
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.queue import enqueue, new_job

# A job that kills its workers (by its hunger for memory, say) would kill the next one too, for ever.
MOST_ATTEMPTS = 5
# So long a message may be under way; a job that waits longer when a worker starts gets a new one.
FORGOTTEN_AFTER = timedelta(seconds=60)


@transaction.atomic
def cancel_job(*, job: Job, actor: User | None, at: datetime) -> Job:
    """End a job that waits, at once; ask one that runs to stop at its next report. What was saved stays.

    `actor` is None at the server's terminal. Raises NotAllowed for anybody but a researcher,
    StudyError where the job is over.
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
    record("job.cancelled", actor=actor, subject=job, at=at, task=job.task)
    return job


@transaction.atomic
def retry_job(*, job: Job, actor: User | None, at: datetime, here: bool = False) -> Job:
    """A new job with the same work, which goes on from what the old one saved; `here`: not handed to a worker.

    A new row, since how the old one ended is a record: its sentence, its log and its curves stay readable.
    Raises NotAllowed for anybody but a researcher, StudyError where the old one is not over, or did its work.
    """
    _require_researcher(actor)
    if not job.is_over or job.status == JobStatus.DONE:
        state = {"number": job.pk, "state": job.get_status_display().lower()}
        raise StudyError(_("Job %(number)s is %(state)s; only failed and cancelled jobs can be tried again.") % state)
    again = new_job(job.task, job.parameters, requested_by=actor, at=at, queue=job.queue, retried_from=job)
    record("job.retried", actor=actor, subject=again, at=at, task=job.task, retried_from=job.pk)
    if not here:
        enqueue(again)
    return again


def _require_researcher(actor: User | None) -> None:
    if actor is not None and not actor.is_researcher:
        raise NotAllowed(_("Only a researcher may start or stop jobs."))


def requeue_lost_jobs(*, at: datetime) -> list[Job]:
    """Put what dead workers left back on the queue; they go on from their last save. Returns these jobs."""
    lost = [job for job in Job.objects.filter(status=JobStatus.RUNNING).order_by("pk") if is_lost(job, at=at)]
    return [job for job in lost if _back_on_the_queue(job, at=at)]


@transaction.atomic
def _back_on_the_queue(job: Job, *, at: datetime) -> bool:
    if job.cancel_requested_at:
        job.end_cancelled(at=at)
        return False
    if job.attempts >= MOST_ATTEMPTS:
        where = job.note or "its start"
        job.fail(f"{job.attempts} workers died over this job, the last at: {where}. Is there memory enough?", at=at)
        return False
    if not job.put_back():
        return False
    record("job.requeued", actor=None, subject=job, at=at, task=job.task, attempts=job.attempts)
    enqueue(job)
    return True


def resend_forgotten_jobs(*, at: datetime) -> list[Job]:
    """Send jobs again whose message may be lost with a dead worker or broker; one too many does no harm."""
    waiting = list(Job.objects.filter(status=JobStatus.QUEUED, queued_at__lt=at - FORGOTTEN_AFTER).order_by("pk"))
    for job in waiting:
        enqueue(job)
    return waiting
