"""The report on paper: the page that stands alone, laid out by WeasyPrint."""

from pathlib import Path

from django.utils.translation import gettext as _
from PIL import ImageFile

from readerstudy.errors import StudyError


class NoPdfHere(StudyError):
    """This installation lacks the libraries that lay out text."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This installation cannot make PDF files: the library Pango is missing (Debian: apt-get install "
                "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0). Print the page from the browser instead."
            )
        )


def write_pdf(page: Path, target: Path) -> Path:
    """Lay out a page that stands alone; everything it shows is inside it, so nothing is fetched from anywhere."""
    try:
        # Loaded here: importing it needs Pango, and a site without it does everything else.
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise NoPdfHere from error
    # The import makes Pillow accept truncated images in the whole process; a damaged stimulus must stay refused.
    ImageFile.LOAD_TRUNCATED_IMAGES = False

    draft = target.with_suffix(".draft")
    fetcher = URLFetcher(allowed_protocols=["data"])
    HTML(string=page.read_text(encoding="utf-8"), url_fetcher=fetcher).write_pdf(str(draft))
    return draft.replace(target)
