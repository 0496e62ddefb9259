"""Cancel and retry jobs; return the jobs of lost workers to the queue."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import NotAllowed, StudyError
from readerstudy.jobs.heartbeat import is_lost, is_lost_now
from readerstudy.jobs.models import Job, JobStatus, Queue, job_ended
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import count_messages, enqueue, new_job, send

# A job that crashes its worker (e.g. out of memory) at one step must not be retried forever.
MAXIMUM_DEATHS = 5


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
    if job.status == JobStatus.QUEUED or is_lost_now(job):
        job.status, job.ended_at = JobStatus.CANCELLED, at
    job.save()
    if job.is_over:
        job_ended.send(Job, job=job)
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


def requeue_lost_jobs(*, at: datetime, since: datetime | None = None) -> list[Job]:
    """Return the jobs of lost workers to the queue, where they resume from their last save. Return all lost jobs.

    One that killed too many workers fails, one that was to be cancelled is cancelled. `at` and `since` as in `is_lost`.
    """
    running = Job.objects.filter(status=JobStatus.RUNNING).order_by("pk")
    lost = [job for job in running if is_lost(job, at=at, since=since)]
    return [job for job in lost if _requeue(job, at=at)]


@transaction.atomic
def _requeue(job: Job, *, at: datetime) -> bool:
    if job.cancel_requested_at:
        return job.end_cancelled(at=at)
    if job.deaths + 1 >= MAXIMUM_DEATHS and job.done <= job.furthest:
        with override("en"):
            last = job_note(job) or "the start"
        note = f"{job.deaths + 1} workers died at the same step of this job, the last at: {last}. "
        return job.fail(note + "Is there enough memory?", at=at)
    if not job.put_back(deaths=1):
        return False
    record("job.requeued", actor=None, subject=job, at=at, kind=job.kind, attempts=job.attempts)
    enqueue(job)
    return True


def resend_forgotten_jobs() -> list[Job]:
    """Send the messages of queued jobs again if their queue holds fewer messages than jobs. Return the jobs sent.

    A dead worker or broker has lost the others. An extra message has no effect, and there are never many, because the
    next call counts them. Stops at a broker that does not answer.
    """
    sent: list[Job] = []
    for queue in Queue.values:
        waiting = list(Job.objects.filter(status=JobStatus.QUEUED, queue=queue).order_by("pk"))
        if not waiting or count_messages(queue) >= len(waiting):
            continue
        for job in waiting:
            if not send(job):
                return sent
            sent.append(job)
    return sent
