"""The rules of a session as data: what a plan sets besides the images. Pure.

A plan file (TOML) changes them for every session or for one:

    [every]
    break_every = 50

    [session.3]
    questions = ["confidence", "mark"]
    practice = true
    rest_hours = 72
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.modalities.words import ReadingWords
from readerstudy.studies.plan_values import OneOf, TextUpTo, WholeNumber, changed, read_value
from readerstudy.studies.protocol import SessionKind, Verdict

_MAXIMUM_CHOICES: Final = 9  # each has a digit key


class DisplayCheck(StrEnum):
    """Whether a session begins with a check of the display, and whether it must be passed."""

    OFF = "off"
    ADVISED = "advised"
    REQUIRED = "required"


class QuestionKind(StrEnum):
    """How a question is answered."""

    CHOICE = "choice"
    MARK = "mark"


@dataclass(frozen=True)
class Choice:
    """One answer to choose, as it is stored and as the reader sees it."""

    value: Annotated[str, TextUpTo(64)]
    text: Annotated[str, TextUpTo(200)]


@dataclass(frozen=True)
class Question:
    """A question that follows the verdict. A mark is answered by positions in the image, a choice by one value."""

    name: Annotated[str, TextUpTo(64)]
    kind: QuestionKind
    text: Annotated[str, TextUpTo(400)]
    choices: tuple[Choice, ...] = ()
    # The verdicts that it follows; empty: every verdict.
    after: tuple[Annotated[str, OneOf((Verdict.REAL, Verdict.NOT_REAL, Verdict.UNSURE))], ...] = ()
    required: bool = True
    most: Annotated[int, WholeNumber(1, 20)] = 5  # the largest number of marks

    def is_asked_after(self, verdict: str) -> bool:
        """Whether the question follows this verdict."""
        return not self.after or verdict in self.after


@dataclass(frozen=True)
class SessionRules:
    """What a session does besides showing its images. The defaults apply if a plan does not set a rule."""

    # Neutral grey between two images, against flicker comparison.
    frame_ms: Annotated[int, WholeNumber(0, 5000)] = 150
    # After so long without a movement or a key, time counts as idle.
    idle_s: Annotated[int, WholeNumber(5, 3600)] = 60
    pause_when_hidden: bool = True
    display_check: DisplayCheck = DisplayCheck.ADVISED
    practice: bool = False
    # Images between two offered breaks; 0: none.
    break_every: Annotated[int, WholeNumber(0, 1000)] = 100
    # A session that is interrupted for longer waits for the coordinator; 0: no limit.
    rest_hours: Annotated[int, WholeNumber(0, 24 * 365)] = 0
    # A longer time between two verdicts is recorded and lowers the timing grade of the next reading.
    gap_minutes: Annotated[int, WholeNumber(1, 24 * 60)] = 30
    questions: tuple[Question, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return the rules as JSON; the inverse of `from_data`."""
        return serialise.to_dict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "SessionRules":
        """Return stored rules; those that were not stored have their defaults, unknown ones are ignored."""
        known = {field.name for field in fields(cls)}
        return serialise.from_dict(cls, {name: value for name, value in data.items() if name in known})

    def has_break_before(self, position: int) -> bool:
        """Whether the plan offers a break before the image at this position (from 1)."""
        return bool(self.break_every) and position > 1 and (position - 1) % self.break_every == 0


@dataclass(frozen=True)
class SessionChanges:
    """Everything that a plan file sets for one session. A text that is None is the template's."""

    rules: SessionRules = SessionRules()
    title: Annotated[str | None, TextUpTo(80)] = None
    instructions: Annotated[str | None, TextUpTo(4000)] = None
    washout_days: Annotated[int, WholeNumber(0, 3650)] = 0


# Texts of questions are stored in English and translated when they are shown.
CONFIDENCE: Final = Question(
    "confidence",
    QuestionKind.CHOICE,
    _("How sure are you?"),
    (
        Choice("1", _("Guessing")),
        Choice("2", _("Leaning")),
        Choice("3", _("Fairly sure")),
        Choice("4", _("Sure")),
        Choice("5", _("Certain")),
    ),
    after=(Verdict.REAL.value, Verdict.NOT_REAL.value),
)
MARK: Final = Question(
    "mark",
    QuestionKind.MARK,
    _("Click where the image looks altered."),
    after=(Verdict.NOT_REAL.value,),
    required=False,
)


def diagnosis_question(words: ReadingWords) -> Question:
    """Return the question about the finding of a modality."""
    with override("en"):
        choices = (
            Choice("negative", str(words.diagnosis_negative)),
            Choice("positive", str(words.diagnosis_positive)),
        )
    return Question("diagnosis", QuestionKind.CHOICE, _("Your diagnosis of this image?"), choices)


def predefined_questions(words: ReadingWords) -> dict[str, Question]:
    """Return the questions that a plan may refer to by name."""
    return {question.name: question for question in (CONFIDENCE, diagnosis_question(words), MARK)}


_RULES: Final = tuple(field.name for field in fields(SessionRules))
_BESIDE_RULES: Final = tuple(field.name for field in fields(SessionChanges) if field.name != "rules")


def read_plan(path: Path) -> dict[str, Any]:
    """Return the plan file as plain data. Raises BadInput if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"The plan {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The plan {path} is not TOML: {error}.") from error


def session_changes(plan: Mapping[str, Any], number: int, kind: str, *, words: ReadingWords) -> SessionChanges:
    """Return what the plan sets for a session. Raises BadInput with the location of an error.

    `words` are those of the cohort's modality, for its predefined questions.
    """
    for name in plan:
        if name not in ("every", "session", "analysis"):
            raise BadInput(f"plan: there is no part [{name}]; there are [every], [session.NUMBER] and [analysis].")
    known = predefined_questions(words)
    changes = _changed(SessionChanges(), _table(plan, "every"), "every", kind, known)
    sessions = _table(plan, "session")
    return _changed(changes, _table(sessions, str(number)), f"session.{number}", kind, known)


def check_numbers(plan: Mapping[str, Any], numbers: set[int]) -> None:
    """Raise BadInput if the plan names a session that the template does not have."""
    for name in _table(plan, "session"):
        if name not in {str(number) for number in numbers}:
            raise BadInput(f"plan [session.{name}]: there is no such session.")


def check_answers(
    questions: tuple[Question, ...], verdict: str, answers: Mapping[str, Any], *, width: int, height: int
) -> dict[str, Any]:
    """Return the answers as they are stored. Raises BadInput if one is missing, unknown or impossible.

    Marks are [x, y] in pixels of the file, from its top left corner.
    """
    applicable = {question.name: question for question in questions if question.is_asked_after(verdict)}
    for name in answers:
        if name not in applicable:
            raise BadInput(f"answers: {name!r} is not asked after this verdict.")
    stored = {}
    for name, question in applicable.items():
        if answers.get(name) in (None, "", []):
            if question.required:
                raise BadInput(f"answers: {name!r} is missing.")
            continue
        stored[name] = _answer(question, answers[name], width=width, height=height)
    return stored


def _answer(question: Question, value: Any, *, width: int, height: int) -> Any:
    if question.kind == QuestionKind.CHOICE:
        values = [choice.value for choice in question.choices]
        if value not in values:
            raise BadInput(f"answers: {question.name!r} must be one of: {', '.join(values)}.")
        return value
    if not isinstance(value, list) or len(value) > question.most:
        raise BadInput(f"answers: {question.name!r} must be a list of at most {question.most} positions.")
    for position in value:
        inside = (
            isinstance(position, list)
            and len(position) == 2
            and all(isinstance(part, int) and not isinstance(part, bool) for part in position)
            and 0 <= position[0] < width
            and 0 <= position[1] < height
        )
        if not inside:
            raise BadInput(f"answers: {question.name!r} has a position that is not [x, y] inside the image.")
    return value


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise BadInput(f"plan: {name!r} must be a table.")
    return table


def _changed(
    changes: SessionChanges, table: Mapping[str, Any], part: str, kind: str, questions: Mapping[str, Question]
) -> SessionChanges:
    """Return the changes with those of one part of the plan, `every` or `session.NUMBER`.

    `questions` are those that the plan may refer to by name.
    """
    location = f"plan [{part}]"
    beside = {name: value for name, value in table.items() if name in _BESIDE_RULES}
    of_rules = {name: value for name, value in table.items() if name not in (*_BESIDE_RULES, "questions")}
    if unknown := next((name for name in of_rules if name not in _RULES), None):
        known = ", ".join(sorted((*_BESIDE_RULES, *_RULES)))
        raise BadInput(f"{location} {unknown}: there is no such rule; there are: {known}.")
    rules = changed(changes.rules, of_rules, location)
    if "questions" in table:
        rules = replace(rules, questions=_questions(table["questions"], f"{location} questions", questions))
    if kind != SessionKind.BLINDED:
        # In [every] they apply to the blinded sessions; in the part of another session they are a mistake.
        for name in ("questions", "practice"):
            if part != "every" and name in table:
                raise BadInput(f"{location} {name}: only blinded sessions ask anything.")
        rules = replace(rules, questions=(), practice=False)
    return replace(changed(changes, beside, location), rules=rules)


def _questions(value: Any, location: str, known: Mapping[str, Question]) -> tuple[Question, ...]:
    if not isinstance(value, list):
        raise BadInput(f"{location}: must be a list.")
    questions = tuple(_question(row, f"{location} {number}", known) for number, row in enumerate(value, start=1))
    check_questions(questions, location)
    return questions


def _question(row: Any, location: str, known: Mapping[str, Question]) -> Question:
    """A predefined question by its name, or one that the plan defines."""
    if isinstance(row, str):
        if row not in known:
            raise BadInput(f"{location}: there is no question {row!r}; there are: {', '.join(known)}.")
        return known[row]
    question: Question = read_value(Question, row, location)
    return question


def check_questions(questions: tuple[Question, ...], location: str) -> None:
    """Raise BadInput, with the location, for names or values that occur twice, and for too few or many choices."""
    for number, question in enumerate(questions, start=1):
        values = [choice.value for choice in question.choices]
        if len(set(values)) < len(values):
            raise BadInput(f"{location} {number} choices: two choices have one value.")
        if question.kind == QuestionKind.CHOICE and not 2 <= len(values) <= _MAXIMUM_CHOICES:
            raise BadInput(f"{location} {number}: a choice has 2 to {_MAXIMUM_CHOICES} choices.")
    if len({question.name for question in questions}) < len(questions):
        raise BadInput(f"{location}: two questions have one name.")
