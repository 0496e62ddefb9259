"""The PDF of a version: laid out once, stored with its SHA-256, and served unchanged from then on.

Laying out takes seconds, so a job does it (`making`). Decision 53 has the reasons.
"""

from datetime import datetime
from hashlib import sha256
from importlib.metadata import version as version_of
from typing import Final

from django.db import IntegrityError, transaction

from readerstudy.analysis.models import ReportFile, ReportPdf, ReportVersion
from readerstudy.analysis.report.pdf import lay_out
from readerstudy.analysis.report.versions import WITH_IMAGES, DamagedVersion, exact_file, file_bytes, variant_of

PDF: Final = "report.pdf"
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
