"""Making reports outside requests: a report that was not made yet is made by a job. Decision 62 has the reasons."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.analysis.models import VersionReason
from readerstudy.analysis.report.cache import CachedReport, known_report, software_hash
from readerstudy.analysis.report.versions import count_readings, variant_of, versions_of
from readerstudy.audit.actions import record
from readerstudy.errors import StudyError
from readerstudy.jobs.models import UNDER_WAY, Job, JobStatus
from readerstudy.jobs.own_process import hand_over, is_abandoned
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import new_job
from readerstudy.studies.access import require_researcher_of
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.models import Study
from readerstudy.truth.seal import require_unsealed

FAILURE_IS_SAID: Final = timedelta(minutes=1)
RETRY_AFTER: Final = 2  # seconds
# Kinds of jobs; `experiments.job_view` has their titles.
MAKE_REPORT: Final = "make-report"
LAY_OUT_REPORT: Final = "lay-out-report"


def report_or_job(
    study: Study,
    *,
    actor: User,
    at: datetime,
    number: int | None = None,
    readings: int | None = None,
    says_failure: bool = False,
) -> CachedReport | Job:
    """Return the report as `known_report` does, or the job that makes it, which is started if there is none.

    Everybody who asks meanwhile gets the same job. Raises what `known_report` raises, and StudyError if `says_failure`
    is true and the last job has just failed: a program that asks until there is a report would ask forever.
    """
    known = known_report(study, number=number, readings=readings)
    if known is not None:
        return known
    last = newest_making(study) if says_failure else None
    if last and last.status == JobStatus.FAILED and last.ended_at and at - last.ended_at < FAILURE_IS_SAID:
        raise StudyError(job_note(last))
    job = start_making(study, actor=actor, at=at)
    return known_report(study, number=number, readings=readings) or job


def start_making(study: Study, *, actor: User | None, at: datetime) -> Job:
    """Start the job that makes the first version of a study's report, or the report of a rehearsal as it is now."""
    require_unsealed(study)
    parameters: dict[str, Any] = {"study": study.code, "number": 1}
    if study.is_rehearsal:
        parameters = {
            "study": study.code,
            "language": _language(),
            "readings": count_readings(study),
            "software": software_hash()[:16],
        }
    return _start(MAKE_REPORT, parameters, study=study, actor=actor, at=at)


def start_new_version(*, study: Study, actor: User, reason: str, at: datetime) -> Job:
    """Start the job that computes the report again and stores it as the next version.

    Raises StudyError while another one is made, and what `store_version` raises for a wrong study, actor or reason.
    """
    require_unsealed(study)
    if study.is_rehearsal:
        raise StudyError(_("The report of a rehearsal has no versions."))
    require_researcher_of(study, actor)
    reason = require_reason(reason)
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)  # of two who start at once, one sees the other's job
        parameters = {"study": study.code, "number": len(versions_of(study)) + 1, "by": actor.pk}
        job = Job.objects.filter(kind=MAKE_REPORT, parameters__study=study.code, status__in=UNDER_WAY).first()
        if job is None:
            stored = VersionReason.objects.create(study=study, text=reason)
            job = _new_job(MAKE_REPORT, {**parameters, "reason_key": str(stored.pk)}, study=study, actor=actor, at=at)
        elif not (parameters.items() <= job.parameters.items() and reason_of(job.parameters) == reason):
            raise StudyError(_("A version of this report is being made. Store another one once it is there."))
    return _handed_over(job, at=at)


def reason_of(parameters: dict[str, Any]) -> str:
    """Return the reason for the version that a job makes; "" for the first one."""
    key = parameters.get("reason_key")
    return VersionReason.objects.get(pk=key).text if key else ""


def newest_making(study: Study) -> Job | None:
    """Return the newest job that makes a report of the study, of a rehearsal in the language of the request."""
    jobs = Job.objects.filter(kind=MAKE_REPORT, parameters__study=study.code)
    if study.is_rehearsal:
        jobs = jobs.filter(parameters__language=_language())
    return jobs.order_by("-pk").first()


def start_layout(study: Study, report: CachedReport, *, actor: User, at: datetime) -> Job:
    """Start the job that lays out the PDF in the language of the request; return the one under way if there is one."""
    return _start(LAY_OUT_REPORT, _of_layout(study, report), study=study, actor=actor, at=at)


def newest_layout(study: Study, report: CachedReport) -> Job | None:
    """Return the newest job that lays out the PDF in the language of the request."""
    jobs = Job.objects.filter(kind=LAY_OUT_REPORT, parameters=_of_layout(study, report))
    return jobs.order_by("-pk").first()


def _of_layout(study: Study, report: CachedReport) -> dict[str, Any]:
    if report.version is None:
        language, software = _language(), software_hash()[:16]
        return {"study": study.code, "readings": report.readings, "language": language, "software": software}
    language, _page = variant_of(report.version, "report.html", language=str(get_language()))
    return {"study": study.code, "number": report.version.number, "language": language}


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _start(kind: str, parameters: dict[str, Any], *, study: Study, actor: User | None, at: datetime) -> Job:
    """Start a job; return the one that is under way if there is one, started anew if it was abandoned."""
    with transaction.atomic():
        job = _new_job(kind, parameters, study=study, actor=actor, at=at)
    return _handed_over(job, at=at)


def _new_job(kind: str, parameters: dict[str, Any], *, study: Study, actor: User | None, at: datetime) -> Job:
    job = new_job(kind, parameters, requested_by=actor, at=at)
    if job.queued_at == at:  # otherwise it is one that was there before
        record("job.started", actor=actor, subject=job, at=at, kind=job.kind, study=study.code)
    return job


def _handed_over(job: Job, *, at: datetime) -> Job:
    if job.queued_at == at or is_abandoned(job, at=at):
        hand_over(job)
    return job
