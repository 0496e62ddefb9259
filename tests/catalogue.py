"""The German catalogue as a value, and every text of the code and the templates that should be in it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "locale" / "de" / "LC_MESSAGES"
# Name of the function → which of its arguments are texts; a context comes first.
_PLAIN, _PLURAL, _CONTEXT = slice(0, 1), slice(0, 2), slice(1, 2)
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), _PLAIN),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), _PLURAL),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), _CONTEXT),
}


@dataclass
class Message:
    """One entry: the text in English, its plural, and the German for each number."""

    context: str | None = None
    text: str = ""
    plural: str | None = None
    german: list[str] = field(default_factory=list)
    flags: str = ""

    @property
    def is_same(self) -> bool:
        """Whether the word is one of both languages."""
        return self.german[0] == self.text


def messages(path: Path = FOLDER / "django.po") -> list[Message]:
    """Every entry but the header, which is the one without a text."""
    return [message for message in _entries(path) if message.text]


def _entries(path: Path) -> Iterator[Message]:
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        message, open_field = Message(), ""
        for line in filter(None, block.splitlines()):
            if line.startswith("#"):
                message.flags += line[1:] if line.startswith("#,") else ""
                continue
            name, _, value = line.partition(" ") if not line.startswith('"') else (open_field, "", line)
            is_more, open_field = name == open_field and line.startswith('"'), name
            _add(message, name, ast.literal_eval(value), is_more=is_more)
        yield message


def _add(message: Message, name: str, value: str, *, is_more: bool) -> None:
    if name.startswith("msgstr"):
        message.german = [*message.german[:-1], message.german[-1] + value] if is_more else [*message.german, value]
        return
    place = {"msgctxt": "context", "msgid": "text", "msgid_plural": "plural"}[name]
    setattr(message, place, (getattr(message, place) or "") + value)


def texts_in_code() -> set[str]:
    """What the Python files and the templates hand to gettext."""
    result = set()
    for path in (ROOT / "readerstudy").rglob("*.py"):
        result |= set(_called(path.read_text(encoding="utf-8")))
    for path in (path for kind in ("html", "txt") for path in (ROOT / "templates").rglob(f"*.{kind}")):
        # Django's own first step of extraction: calls to gettext between letters that stand for the markup.
        code = templatize(path.read_text(encoding="utf-8"))
        for call in re.findall(r"""(?:n?gettext|_)\((?:u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")(?:, ?)?)+""", code):
            result |= set(_called(call.rstrip(", ") + ")"))
    return result


def _called(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        for argument in node.args[CALLS[name]] if name in CALLS else ():
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value
