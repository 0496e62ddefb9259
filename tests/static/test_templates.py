"""Templates are readable: short lines, and formatted by djade (see check-templates in the Makefile)."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_line_of_a_template_is_above_120_characters(path: Path) -> None:
    assert [line for line in path.read_text().splitlines() if len(line) > 120] == []


def test_templates_use_neither_inline_styles_nor_inline_scripts() -> None:
    """The content security policy forbids both. Two files that are no pages have their style inside."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        assert " style=" not in text, path
        assert " onclick=" not in text, path
        assert "<style" not in text or path.name in ("standalone.html", "comparison.html"), path
        assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", text)), path
