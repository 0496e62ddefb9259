"""A protocol as one YAML file, which people read, edit and exchange. Pure.

    template: zhou2021
    sessions:
      - kind: blinded
        title: Reading B
        real: 218
        adversarial: 218
        splits: [tuning, test]
        rules:
          break_every: 50
          questions: [confidence, mark]
    analysis:
      primary: auc

What is left out has its default. `docs/reference/protocol-file.md` lists everything that a file may say.
"""

import re
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

import yaml
from django.utils.translation import gettext

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.modalities.words import ReadingWords
from readerstudy.protocol.document import MOST_SESSIONS, Protocol
from readerstudy.protocol.questions import predefined_questions
from readerstudy.protocol.values import read_value
from readerstudy.protocol.yaml_problems import problem_sentence

MOST_BYTES: Final = 512 * 1024
MOST_DEPTH: Final = 12
FORMAT: Final = 1


class _Refusal(yaml.MarkedYAMLError):
    """YAML that a protocol may not use; the problem is in the language of the request."""


class _Loader(yaml.SafeLoader):
    """YAML's plain values only: no aliases, which can stand for more than memory holds, and no name twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise self._refusal(gettext("aliases are not allowed"))
        self.depth = getattr(self, "depth", 0) + 1
        if self.depth > MOST_DEPTH:
            raise self._refusal(gettext("more than %(most)s levels") % {"most": MOST_DEPTH})
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refusal(self, problem: str) -> "_Refusal":
        # The type information of PyYAML has no annotation for it.
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        return _Refusal(problem=problem, problem_mark=event.start_mark)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise _Refusal(problem=gettext("names must be texts"), problem_mark=key.start_mark)
            if name in names:
                problem = gettext("the name %(name)r occurs twice") % {"name": name}
                raise _Refusal(problem=problem, problem_mark=key.start_mark)
            names.add(name)
        return dict(super().construct_mapping(node, deep))


class _Dumper(yaml.SafeDumper):
    """Lists and texts as people write them: a text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# The plain values of YAML 1.2. YAML 1.1 also reads `off` and `no` as false, 1:30 as 90, and dates; texts that either
# version would read as something else are written in quotes.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
):
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # Outside of quotes YAML reads every kind of line break as \n.
    style = '"' if re.search("[\r\x85\u2028\u2029]", text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write_protocol(protocol: Protocol) -> str:
    """Return the protocol as the text of a file. Values that are the default are left out."""
    return write_table(sparse(protocol))


def write_table(table: Mapping[str, Any]) -> str:
    """Return the table of a protocol file as text, with the version of the format."""
    data = {"format": FORMAT, **table}
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def sparse(value: Any) -> Any:
    """Return a dataclass of a protocol as data without the fields that have their default."""
    if is_dataclass(value) and not isinstance(value, type):
        changed = [each for each in fields(value) if getattr(value, each.name) != each.default]
        return {each.name: sparse(getattr(value, each.name)) for each in changed}
    if isinstance(value, tuple):
        return [sparse(item) for item in value]
    if isinstance(value, Mapping):
        return dict(value)
    return value.value if isinstance(value, Enum) else value


def read_protocol(content: bytes, *, words: ReadingWords) -> Protocol:
    """Return the protocol of a file that has nothing else, checked. Raises BadInput with the location of an error.

    `words` are those of the cohort's modality, for the questions that a file names.
    """
    return protocol_of_table(read_table(content), words=words)


def read_table(content: bytes) -> dict[str, Any]:
    """Return the table of a file's content. Raises BadInput with the location of an error."""
    if len(content) > MOST_BYTES:
        raise BadInput("protocol: " + gettext("the file has more than %(most)s kB.") % {"most": MOST_BYTES // 1024})
    data = _load(content)
    if not isinstance(data, dict):
        raise BadInput("protocol: " + gettext("the file must be a table of: format, sessions, analysis, …"))
    if data.pop("format", FORMAT) != FORMAT:
        raise BadInput("protocol format: " + gettext("must be %(format)s.") % {"format": FORMAT})
    return data


def protocol_of_table(table: Mapping[str, Any], *, words: ReadingWords) -> Protocol:
    """Return the protocol of a file's table, checked. Raises BadInput with the location of an error."""
    sessions = table.get("sessions")
    if isinstance(sessions, list) and len(sessions) > MOST_SESSIONS:
        raise BadInput("protocol sessions: " + gettext("must be 1 to %(most)s sessions.") % {"most": MOST_SESSIONS})
    protocol: Protocol = read_value(Protocol, _with_questions(table, words), "protocol")
    protocol.check()
    return protocol


def _load(content: bytes) -> Any:
    try:
        return yaml.load(content.decode("utf-8"), Loader=_Loader)  # a subclass of the safe loader
    except UnicodeDecodeError as error:
        text = gettext("the file is not UTF-8 (byte %(byte)s).") % {"byte": error.start}
        raise BadInput(f"protocol: {text}") from error
    except yaml.MarkedYAMLError as error:
        problem = error.problem if isinstance(error, _Refusal) else problem_sentence(error.problem)
        raise BadInput(f"protocol{_place(error)}: {problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise BadInput("protocol: " + gettext("the file is not YAML.")) from error


def _place(error: yaml.MarkedYAMLError) -> str:
    """Return line and column of an error in words."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return ""
    return " " + gettext("line %(line)s, column %(column)s") % {"line": mark.line + 1, "column": mark.column + 1}


def _with_questions(data: Mapping[str, Any], words: ReadingWords) -> dict[str, Any]:
    """Return the data with each question that is only named replaced by the predefined question."""
    known = predefined_questions(words)
    sessions = data.get("sessions")
    if not isinstance(sessions, list):
        return dict(data)
    return {**data, "sessions": [_session(row, number, known) for number, row in enumerate(sessions, start=1)]}


def _session(row: Any, number: int, known: Mapping[str, Any]) -> Any:
    rules = row.get("rules") if isinstance(row, dict) else None
    if not isinstance(rules, dict):
        return row
    found = {
        name: [
            _question(item, f"protocol sessions {number} rules {name} {place}", known)
            for place, item in enumerate(rules[name], start=1)
        ]
        for name in ("questions", "closing_questions")
        if isinstance(rules.get(name), list)
    }
    return {**row, "rules": {**rules, **found}}


def _question(item: Any, location: str, known: Mapping[str, Any]) -> Any:
    if not isinstance(item, str):
        return item
    if item not in known:
        values = {"name": item, "known": ", ".join(known)}
        raise BadInput(f"{location}: " + gettext("there is no question %(name)r; there are: %(known)s.") % values)
    return serialise.to_dict(known[item])
