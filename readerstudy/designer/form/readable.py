"""A fixed protocol in words: its sessions as the columns of a table, with the labels of the form."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from readerstudy.designer.form.labels import row_of
from readerstudy.designer.form.row import SECTION_TITLES, Section
from readerstudy.designer.form.schema import Leaf, Rows, Table, protocol_form
from readerstudy.layout.markdown import markdown
from readerstudy.layout.numbers import localise
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import Question
from readerstudy.protocol.rules import SessionRules
from readerstudy.protocol.sizing import sizing_sentences
from readerstudy.protocol.texts import Translated, chosen, reader_says

# Fields that have a default but no effect unless another one is set.
_NEEDS: Final = {"repeat_distance": "repeat_share", "repeat_of": "repeat_share"}
# What a session that shows the images of another one does not decide.
_OF_THE_DRAW: Final = frozenset({"real", "adversarial", "splits", "positive_share", "attacks", "resolution"})
_SHOWN_APART: Final = frozenset({"title", "instructions"})
EMPTY: Final = "–"


@dataclass(frozen=True)
class Fact:
    """A field and its value in words."""

    label: str
    value: str


@dataclass(frozen=True)
class Line:
    """A field with its value in each session."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """The lines of one section of the form."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Item:
    """A question, or a family of tests: its text or name, and its fields."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class SessionText:
    """What a session says and asks. `instructions` by language; empty: the text for its kind."""

    number: int
    title: str
    instructions: tuple[tuple[str, SafeString], ...]
    questions: tuple[Item, ...]
    closing_questions: tuple[Item, ...]


@dataclass(frozen=True)
class ReadableProtocol:
    """A protocol in words."""

    facts: tuple[Fact, ...]
    titles: tuple[str, ...]
    groups: tuple[Group, ...]
    texts: tuple[SessionText, ...]
    analysis: tuple[Fact, ...]
    families: tuple[Item, ...]
    comparisons: tuple[Item, ...]
    sizing: tuple[str, ...]
    reporting: tuple[Fact, ...]


def readable(protocol: Protocol) -> ReadableProtocol:
    """Return the protocol in the words of the form and the active language."""
    form, analysis = protocol_form(), _analysis_table()
    first = protocol.first_language
    return ReadableProtocol(
        facts=tuple(_facts(protocol, form)),
        titles=tuple(reader_says(first)(session.title) for session in protocol.sessions),
        groups=tuple(_groups(protocol.sessions, _session_table())),
        texts=tuple(_text(session, number, first) for number, session in enumerate(protocol.sessions, start=1)),
        analysis=tuple(_facts(protocol.analysis, analysis)),
        families=tuple(_items(protocol.analysis.families, analysis, "families", lambda family: family.name)),
        comparisons=tuple(_comparisons(protocol.analysis)),
        sizing=sizing_sentences(
            protocol.analysis.sizing, alpha=protocol.analysis.alpha, margin=protocol.analysis.margin
        ),
        reporting=reporting_facts(protocol.analysis),
    )


def reporting_facts(plan: AnalysisPlan) -> tuple[Fact, ...]:
    """Return what the authors stated for the reporting checklists."""
    table = _analysis_table().field("reporting")
    assert isinstance(table, Table)
    return tuple(fact for fact in _facts(plan.reporting, table) if fact.value != EMPTY)


def analysis_facts(plan: AnalysisPlan) -> list[Fact]:
    """Return an analysis plan in words, with each family of tests and each further comparison as one fact."""
    table = _analysis_table()
    families = _items(plan.families, table, "families", lambda family: family.name)
    items = (*families, *_comparisons(plan))
    told = (Fact(item.title, "; ".join(fact.value for fact in item.facts)) for item in items)
    return [*_facts(plan, table), *told, *reporting_facts(plan)]


def _comparisons(plan: AnalysisPlan) -> Iterator[Item]:
    sentence = _("Session %(after)s against session %(before)s")

    def title(comparison: Comparison) -> str:
        return sentence % {"before": comparison.before, "after": comparison.after}

    for item in _items(plan.comparisons, _analysis_table(), "comparisons", title):
        # The two sessions are in the title.
        yield Item(item.title, item.facts[2:])


def rules_facts(rules: SessionRules) -> list[Fact]:
    """Return the rules of a drawn session in words, its questions by text and, as they are stored, by name."""
    table = _rules_table()
    shown = ((leaf, value, row_of(leaf.owner, leaf.name)) for leaf, (value,) in _leaves([rules], table))
    facts = [Fact(str(row.label), _words(value, leaf)) for leaf, value, row in shown if row.section != Section.HIDDEN]
    for name in ("questions", "closing_questions"):
        texts = [f"{_own_text(question.text)} ({question.name})" for question in getattr(rules, name)]
        facts.append(Fact(str(row_of(table.kind, name).label), "; ".join(texts) or EMPTY))
    return facts


def _facts(value: Any, table: Table, *, without: str = "") -> Iterator[Fact]:
    """Yield the fields of one value that are not hidden; lists of tables stand elsewhere."""
    for leaf in table.fields:
        if not isinstance(leaf, Leaf) or leaf.name == without:
            continue
        row = row_of(leaf.owner, leaf.name)
        if row.section != Section.HIDDEN:
            yield Fact(str(row.label), _words(getattr(value, leaf.name), leaf))


def _groups(sessions: Sequence[ProtocolSession], table: Table) -> Iterator[Group]:
    lines: dict[Section, list[Line]] = {section: [] for section in Section}
    for leaf, values in _leaves(sessions, table):
        row = row_of(leaf.owner, leaf.name)
        if row.section != Section.HIDDEN and leaf.name not in _SHOWN_APART and _has_effect(leaf, values, sessions):
            cells = (
                EMPTY if session.images_of and leaf.name in _OF_THE_DRAW else _words(value, leaf)
                for value, session in zip(values, sessions, strict=True)
            )
            lines[row.section].append(Line(str(row.label), tuple(cells)))
    for section, own in lines.items():
        if own:
            yield Group(str(SECTION_TITLES.get(section, "")), tuple(own))


def _leaves(values: Sequence[Any], table: Table) -> Iterator[tuple[Leaf, list[Any]]]:
    """Yield each leaf with its values, those of nested tables included."""
    for node in table.fields:
        match node:
            case Table():
                yield from _leaves([getattr(value, node.name) for value in values], node)
            case Leaf():
                yield node, [getattr(value, node.name, None) for value in values]


def _has_effect(leaf: Leaf, values: Sequence[Any], sessions: Sequence[ProtocolSession]) -> bool:
    if needed := _NEEDS.get(leaf.name):
        return any(getattr(session, needed) is not None for session in sessions)
    return any(value not in (leaf.default, None) for value in values) or bool(leaf.default)


def _text(session: ProtocolSession, number: int, first: str) -> SessionText:
    rules = _rules_table()
    texts: dict[str, str] = {}
    if isinstance(session.instructions, Translated):
        texts = dict(session.instructions)
    elif session.instructions:
        texts = {"": session.instructions}

    def say(question: Question) -> str:
        return chosen(question.text, first, fallback=first)

    return SessionText(
        number,
        reader_says(first)(session.title),
        tuple((code, markdown(text)) for code, text in texts.items()),
        tuple(_items(session.rules.questions, rules, "questions", say, without="text")),
        tuple(_items(session.rules.closing_questions, rules, "closing_questions", say, without="text")),
    )


def _analysis_table() -> Table:
    analysis = protocol_form().field("analysis")
    assert isinstance(analysis, Table)
    return analysis


def _session_table() -> Table:
    sessions = protocol_form().field("sessions")
    assert isinstance(sessions, Rows)
    return sessions.item


def _rules_table() -> Table:
    rules = _session_table().field("rules")
    assert isinstance(rules, Table)
    return rules


def _items(
    values: Sequence[Any], table: Table, name: str, title: Callable[[Any], str], *, without: str = "name"
) -> Iterator[Item]:
    rows = table.field(name)
    assert isinstance(rows, Rows)
    for value in values:
        facts = [fact for fact in _facts(value, rows.item, without=without) if fact.value != EMPTY]
        facts += [
            Fact(str(row_of(rows.item.kind, inner.name).label), _listed(getattr(value, inner.name)))
            for inner in rows.item.fields
            if isinstance(inner, Rows) and getattr(value, inner.name)
        ]
        yield Item(title(value), tuple(facts))


def _listed(choices: Sequence[Any]) -> str:
    """Return the choices of a question: what is shown, and as what it is stored."""
    return "; ".join(f"{_own_text(choice.text)} ({choice.value})" for choice in choices)


def _words(value: Any, leaf: Leaf) -> str:
    if leaf.name == "images_of" and not value:
        return EMPTY
    if leaf.name == "repeat_of" and not value:
        return _("This session")
    if leaf.limit is None:
        return _("Yes") if value else _("No")
    if leaf.is_many:
        return ", ".join(_word(each, leaf) for each in value) or EMPTY
    return EMPTY if value in (None, "") else _word(value, leaf)


def _word(value: Any, leaf: Leaf) -> str:
    labels = row_of(leaf.owner, leaf.name).choices
    key = str(getattr(value, "value", value))
    if key in labels:
        return str(labels[key])
    if isinstance(value, float):
        return localise(f"{value:.10g}")
    return _own_text(value)


def _own_text(value: Any) -> str:
    if isinstance(value, Translated):
        return " / ".join(f"{code}: {text}" for code, text in value.items())
    return str(value)
