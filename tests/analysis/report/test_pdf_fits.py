"""Every text of the PDF lies between the margins, in both languages: tables are laid out and their positions read."""

import re
from collections.abc import Iterator

import pytest
from django.utils.translation import override

from readerstudy.analysis.report.build import StudyReport, standalone
from readerstudy.analysis.report.pdf import PdfUnavailable, lay_out
from readerstudy.protocol.analysis_plan import ENDPOINTS, AnalysisPlan, Family
from readerstudy.protocol.comparisons import FIGURES, Comparison
from tests import make
from tests.analysis import incomplete

ROUNDING = 0.5  # CSS pixels
WIDEST = AnalysisPlan(
    families=(Family("Everything that the plan tests", ENDPOINTS),),
    comparisons=tuple(Comparison(3, 5, figure, "not_lower", 0.05, "Agreed.") for figure in FIGURES),
)


def beyond_the_margin(page: str) -> Iterator[str]:
    """Yield each text that ends right of its page's content, with the page's number."""
    from weasyprint import HTML

    for number, sheet in enumerate(HTML(string=page).render().pages, start=1):
        box = sheet._page_box
        right = box.content_box_x() + box.width
        for part in box.descendants():
            if text := getattr(part, "text", ""):
                over = part.position_x + part.width - right
                if over > ROUNDING:
                    yield f"page {number}: {text} is {over:.0f} px beyond the margin"


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_text_of_the_pdf_lies_beyond_the_margin(language: str) -> None:
    """The table of the sub-group tests has 24 columns; that of the planned tests the longest names."""
    try:
        lay_out("<p>")
    except PdfUnavailable as reason:
        pytest.skip(f"libraries of the system are missing: {reason}")
    report = StudyReport(incomplete.record(), at=make.MONDAY, plan=WIDEST)
    codes = report.codes
    with override(language):
        page = standalone(report.in_another_language(gallery=None, codes=codes))
    without_figures = re.sub(r"<img[^>]*>", "", page)  # which have their own width
    assert "widest" in without_figures
    assert list(beyond_the_margin(without_figures)) == []
