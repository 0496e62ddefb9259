"""The PDF of a version: laid out once, stored with its SHA-256, and served unchanged from then on.

Laying out takes seconds, so that a worker does it where there is one. Decision 53 has the reasons.
"""

from datetime import datetime
from hashlib import sha256
from importlib.metadata import version as version_of
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import get_language

from readerstudy.accounts.models import User
from readerstudy.analysis.models import ReportFile, ReportPdf, ReportVersion
from readerstudy.analysis.report.pdf import lay_out
from readerstudy.analysis.report.versions import WITH_IMAGES, DamagedVersion, exact_file, file_bytes, variant_of
from readerstudy.audit.actions import record
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import enqueue, new_job

PDF: Final = "report.pdf"
LAY_OUT_REPORT: Final = "lay-out-report"  # `experiments.job_view` has its title
_PAGE: Final = "report.html"


def stored_pdf(version: ReportVersion, *, language: str | None = None) -> bytes | None:
    """Return the PDF in a language, that of the request if none is given; None if it was not laid out yet.

    It has images only while they may be shown. Raises DamagedVersion if it does not have the SHA-256 that was stored.
    """
    language, page = variant_of(version, _PAGE, language=language)
    return _stored(version, language, is_with_images=page.startswith(WITH_IMAGES))


def store_pdf(version: ReportVersion, *, at: datetime, language: str | None = None) -> bytes:
    """Return the PDF; lay it out and store it if that was not done yet. Raises PdfUnavailable without Pango."""
    language, page = variant_of(version, _PAGE, language=language)
    is_with_images = page.startswith(WITH_IMAGES)
    if (known := _stored(version, language, is_with_images=is_with_images)) is not None:
        return known
    # The very page whose variant was chosen above: what may be shown can change meanwhile.
    content = lay_out(exact_file(version, page, language=language))
    try:
        with transaction.atomic():
            ReportPdf.objects.create(
                version=version,
                language=language,
                with_images=is_with_images,
                at=at,
                bytes=len(content),
                software=f"WeasyPrint {version_of('weasyprint')}",
                sha256=sha256(content).hexdigest(),
            )
            name = _name(is_with_images=is_with_images)
            ReportFile.objects.create(version=version, language=language, name=name, content=content)
    except IntegrityError:  # somebody else stored it meanwhile, and that one counts
        known = _stored(version, language, is_with_images=is_with_images)
        assert known is not None
        return known
    return content


def start_layout(*, version: ReportVersion, actor: User, at: datetime) -> Job:
    """Queue a job that lays out the PDF in the language of the request; return the one under way if there is one."""
    job = new_job(LAY_OUT_REPORT, _parameters(version), requested_by=actor, at=at)
    if job.queued_at == at:  # otherwise it is one that was there before
        record("job.started", actor=actor, subject=job, at=at, kind=job.kind, study=version.study.code)
        enqueue(job)
    return job


def newest_layout(version: ReportVersion) -> Job | None:
    """Return the newest job that lays out the PDF in the language of the request."""
    return Job.objects.filter(kind=LAY_OUT_REPORT, parameters=_parameters(version)).order_by("-pk").first()


def _parameters(version: ReportVersion) -> dict[str, object]:
    language, _page = variant_of(version, _PAGE, language=str(get_language()))
    return {"study": version.study.code, "number": version.number, "language": language}


def _name(*, is_with_images: bool) -> str:
    return f"{WITH_IMAGES}{PDF}" if is_with_images else PDF


def _stored(version: ReportVersion, language: str, *, is_with_images: bool) -> bytes | None:
    pdf = ReportPdf.objects.filter(version=version, language=language, with_images=is_with_images).first()
    if pdf is None:
        return None
    content = file_bytes(version, _name(is_with_images=is_with_images), language=language)
    if content is None or sha256(content).hexdigest() != pdf.sha256:
        raise DamagedVersion.of(version, PDF)
    return content
