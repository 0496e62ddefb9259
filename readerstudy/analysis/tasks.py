"""The layout of a report's PDF as a Celery task. Running it again does nothing if the PDF is stored."""

from typing import Any

from celery import shared_task
from django.utils.timezone import now

from readerstudy.analysis.report.paper import LAY_OUT_REPORT, store_pdf
from readerstudy.analysis.report.versions import find_version
from readerstudy.errors import StudyError
from readerstudy.jobs.queue import ReportProgress, perform
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.studies.models import Study


@shared_task(name=LAY_OUT_REPORT)
def lay_out_report_task(job_id: int) -> None:
    """Lay out and store the PDF of a version."""
    perform(job_id, _lay_out)


def _lay_out(parameters: dict[str, Any], report: ReportProgress) -> dict[str, Any]:
    activity = Activity(ActivityKind.LAYING_OUT_PDF)
    report(0, 1, activity, {})
    version = find_version(Study.named(parameters["study"]), parameters["number"])
    if version is None:
        raise StudyError(f"The report of {parameters['study']} has no version {parameters['number']}.")
    content = store_pdf(version, at=now(), language=parameters["language"])
    report(1, 1, activity, {})
    return {"bytes": len(content)}
