"""A small part of Markdown as HTML, for texts that coordinators write: paragraphs, lists, headings, bold, italic, code.

Everything else, HTML and links included, is shown as it was typed.
"""

import re
from collections.abc import Iterable
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_INLINE: Final = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*(?=\S)([^*]+?)(?<=\S)\*"), r"<em>\1</em>"),
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
)
_BULLET: Final = re.compile(r"[-*] +(.+)")
_NUMBER: Final = re.compile(r"[0-9]{1,3}[.)] +(.+)")
_HEADING: Final = re.compile(r"#{1,6} +(.+)")


def markdown(text: str) -> SafeString:
    """Return the text as HTML. A line break inside a paragraph is kept, as in a plain text."""
    blocks = re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n").strip())
    return mark_safe("\n".join(part for block in blocks if block.strip() for part in _block(block.splitlines())))


def _block(lines: list[str]) -> Iterable[str]:
    """Yield the elements of a block: lines of one kind in a row are one element."""
    kind = ""
    rows: list[str] = []
    for line in lines:
        own, content = _line(line.strip())
        if own != kind or own == "h2":
            if rows:
                yield _element(kind, rows)
            rows = []
        kind = own
        rows.append(content)
    if rows:
        yield _element(kind, rows)


def _line(line: str) -> tuple[str, str]:
    for pattern, element in ((_BULLET, "ul"), (_NUMBER, "ol"), (_HEADING, "h2")):
        if match := pattern.fullmatch(line):
            return element, _inline(match[1])
    return "p", _inline(line)


def _inline(text: str) -> str:
    html = str(escape(text))
    for pattern, replacement in _INLINE:
        html = pattern.sub(replacement, html)
    return html


def _element(kind: str, rows: list[str]) -> str:
    if kind in ("ul", "ol"):
        items = "".join(f"<li>{row}</li>" for row in rows)
        return f"<{kind}>{items}</{kind}>"
    return f"<{kind}>{'<br>'.join(rows)}</{kind}>"
