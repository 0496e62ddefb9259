"""What is wrong with a file that is no YAML, in the language of the request. The parser's own words are English."""

import re
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# By the words of PyYAML; the first that matches. A group of the pattern is "what".
_SENTENCES: Final[tuple[tuple[str, Promise], ...]] = (
    (r"found character '(?P<what>\\t)'", _("a line begins with a tab; indent it with blanks")),
    (r"found character (?P<what>'.*') that cannot", _("nothing begins with the character %(what)s; put it in quotes")),
    (r"could not find expected ':'", _("a colon is missing after a name")),
    (r"mapping values are not allowed", _("a colon does not fit here; put a text with a colon in quotes")),
    (r"(sequence entries|mapping keys) are not allowed", _("a list or a table cannot begin here")),
    (r"found unexpected (end of stream|document separator)", _("a quotation mark is not closed")),
    (r"found unknown escape|expected escape sequence", _("a backslash in double quotes has a meaning; double it")),
    (r"expected <block end>", _("the indentation does not fit the lines before")),
    (r"expected ',' or '(?P<what>[\]}])'", _("a bracket %(what)s or a comma is missing")),
    (r"expected the node content", _("a value is missing")),
    (r"but found another document", _("the file has more than one document")),
    (r"could not determine a constructor", _("could not determine a constructor for a tag; tags are not allowed")),
)  # fmt: skip


def problem_sentence(problem: str | None) -> str:
    """Return what the parser found as part of a sentence; of what is not listed above only that it is not YAML."""
    for pattern, text in _SENTENCES:
        if match := re.search(pattern, problem or ""):
            return str(text) % match.groupdict()
    return gettext("this is not YAML")
