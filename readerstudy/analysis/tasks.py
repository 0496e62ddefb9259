"""Making reports and laying out their PDF as Celery tasks. Running one again does nothing if its result is there."""

from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils.timezone import now
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.analysis.models import VersionReason
from readerstudy.analysis.report.build import Stage
from readerstudy.analysis.report.cache import cached_report, known_report, software_hash
from readerstudy.analysis.report.making import LAY_OUT_REPORT, MAKE_REPORT, reason_of
from readerstudy.analysis.report.paper import store_pdf
from readerstudy.analysis.report.versions import find_version, store_version, versions_of
from readerstudy.errors import StudyError
from readerstudy.jobs.queue import ReportProgress, perform
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.studies.models import Study

Parameters = dict[str, Any]
REHEARSAL_STAGES = 5  # readings, comparison, readers, drawing, files


@shared_task(name=MAKE_REPORT)
def make_report_task(job_id: int) -> None:
    """Compute and store a version of a report, or write the report of a rehearsal."""
    perform(job_id, _make)


@shared_task(name=LAY_OUT_REPORT)
def lay_out_report_task(job_id: int) -> None:
    """Lay out and store the PDF of a version, or write that of a rehearsal's report."""
    perform(job_id, _lay_out)


def _make(parameters: Parameters, report: ReportProgress) -> dict[str, Any]:
    study = Study.named(parameters["study"])
    if study.is_rehearsal:
        _require_same_software(parameters)
        with override(parameters["language"]):
            made = cached_report(study, at=now(), stage=_stages(report, REHEARSAL_STAGES))
        return {"readings": made.readings}
    number, actor = parameters["number"], parameters.get("by")
    if len(versions_of(study)) < number:
        store_version(
            study=study,
            actor=None if actor is None else User.objects.get(pk=actor),
            at=now(),
            reason=reason_of(parameters),
            stage=_stages(report, REHEARSAL_STAGES + len(settings.LANGUAGES) - 1),
        )
    if key := parameters.get("reason_key"):
        VersionReason.objects.filter(pk=key).delete()  # the version has it
    return {"number": number}


def _lay_out(parameters: Parameters, report: ReportProgress) -> dict[str, Any]:
    activity = Activity(ActivityKind.LAYING_OUT_PDF)
    report(0, 1, activity, {})
    study = Study.named(parameters["study"])
    if study.is_rehearsal:
        _require_same_software(parameters)
        with override(parameters["language"]):
            made = known_report(study, readings=parameters["readings"])
            if made is None:
                raise StudyError(f"The report of {study.code} was deleted. Open it again.")
            made.lay_out(at=now())
        return {"readings": made.readings}
    version = find_version(study, parameters["number"])
    if version is None:
        raise StudyError(f"The report of {study.code} has no version {parameters['number']}.")
    content = store_pdf(version, at=now(), language=parameters["language"])
    report(1, 1, activity, {})
    return {"bytes": len(content)}


def _require_same_software(parameters: Parameters) -> None:
    """Raise StudyError if the process that waits for the report would not find it."""
    if not software_hash().startswith(parameters["software"]):
        raise StudyError("The workers run another version of the software than the pages. Restart both.")


def _stages(report: ReportProgress, total: int) -> Stage:
    """Return a function that reports each stage when it begins."""
    begun = 0

    def stage(kind: ActivityKind) -> None:
        nonlocal begun
        report(min(begun, total - 1), total, Activity(kind), {})
        begun += 1

    return stage
