"""Locking and rehearsing a draft from its pages: at once, or as a job."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import enqueue, new_job
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.actions import ChangedMeanwhile
from readerstudy.studies.models import Study, WrongStatus
from readerstudy.truth.actions import lock_study

# Kinds of jobs; `experiments.job_view` has their titles.
LOCK_STUDY: Final = "lock-study"
REHEARSE_STUDY: Final = "rehearse-study"
# Files that are rewritten within the two seconds that a page may take: 2 ms each on a slow disk.
MOST_FILES_AT_ONCE: Final = 1000


@sealed_work()
@transaction.atomic
def lock_draft(
    *,
    study: Study,
    base: str,
    actor: User | None,
    at: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Lock the draft as it was checked: `base` is its `design_sha256`.

    Raises ChangedMeanwhile if it is another draft by now, and the errors of `truth.actions.lock_study`.
    """
    draft = Study.objects.select_for_update().get(pk=study.pk)
    if draft.is_editable and draft.design_sha256 != base:
        raise ChangedMeanwhile(
            _("The draft %(code)s was changed since you checked it. Check it again.") % {"code": draft.code}
        )
    lock_study(study=study, actor=actor, at=at, progress=progress)


@transaction.atomic
def start_locking(*, study: Study, base: str, actor: User, at: datetime) -> Job:
    """Queue a job that locks the draft, and return it; the one that is under way if there is one.

    Raises WrongStatus unless the study can be edited.
    """
    return _start(LOCK_STUDY, study, base, actor=actor, at=at)


@transaction.atomic
def start_rehearsal(*, study: Study, actor: User, at: datetime) -> Job:
    """Queue a job that rehearses the draft, and return it; the one that is under way if there is one.

    Raises WrongStatus unless the study can be edited.
    """
    return _start(REHEARSE_STUDY, study, study.design_sha256, actor=actor, at=at)


def _start(kind: str, study: Study, base: str, *, actor: User, at: datetime) -> Job:
    if not study.is_editable or study.is_rehearsal:
        raise WrongStatus(
            _("The study %(code)s is %(state)s; only a draft can be rehearsed and locked.")
            % {"code": study.code, "state": study.state}
        )
    job = new_job(kind, {"study": study.code, "design": base, "by": actor.pk}, requested_by=actor, at=at)
    if job.queued_at == at:  # otherwise it is one that was there before
        record("job.started", actor=actor, subject=job, at=at, kind=job.kind, study=study.code)
        enqueue(job)
    return job


def files_to_rewrite(cohort: Cohort) -> int:
    """Return how many image files a lock rewrites: none if the cohort has no new ones since the last time."""
    files = Stimulus.objects.filter(image__exam__patient__cohort=cohort).count()
    return 0 if files == cohort.rewritten_files else files
