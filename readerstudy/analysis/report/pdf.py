"""The report as PDF: the standalone page, laid out by WeasyPrint."""

from pathlib import Path
from uuid import uuid4

from django.utils.translation import gettext as _
from PIL import ImageFile

from readerstudy.errors import StudyError


class PdfUnavailable(StudyError):
    """The libraries for PDF are not installed."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This installation cannot make PDF files: the library Pango is missing (Debian: apt-get install "
                "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0). Print the page from the browser instead."
            )
        )


def write_pdf(page: Path, target: Path) -> Path:
    """Write a standalone page as PDF and return `target`. Raises PdfUnavailable without Pango."""
    draft = target.with_suffix(f".{uuid4().hex}")
    draft.write_bytes(lay_out(page.read_text(encoding="utf-8")))
    return draft.replace(target)


def lay_out(page: str) -> bytes:
    """Return a standalone page as PDF. Raises PdfUnavailable without Pango.

    Nothing is fetched, because the page contains everything that it shows.
    """
    try:
        # Imported here, because it needs Pango; without Pango, all other functions work.
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise PdfUnavailable from error
    # The import makes Pillow accept truncated images in the whole process; a damaged stimulus must stay refused.
    ImageFile.LOAD_TRUNCATED_IMAGES = False

    content = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=["data"])).write_pdf()
    assert content is not None
    return bytes(content)
