"""The rules of a session as data: what a plan sets beside the images. Pure.

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
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext_noop as _

from readerstudy.errors import BadInput
from readerstudy.studies.protocol import SessionKind, Verdict


class DisplayCheck(StrEnum):
    """Whether a session begins with a check of the display, and whether it must be passed."""

    OFF = "off"
    ADVISED = "advised"
    REQUIRED = "required"


class QuestionKind(StrEnum):
    CHOICE = "choice"
    MARK = "mark"


@dataclass(frozen=True)
class Choice:
    """One answer to choose, as it is stored and as the reader sees it."""

    value: str
    text: str


@dataclass(frozen=True)
class Question:
    """Something asked after the verdict. A mark is answered by places in the picture, a choice by one value."""

    name: str
    kind: QuestionKind
    text: str
    choices: tuple[Choice, ...] = ()
    after: tuple[str, ...] = ()  # the verdicts after which it is asked; empty: after each
    required: bool = True
    most: int = 5  # marks at the most

    def is_asked_after(self, verdict: str) -> bool:
        return not self.after or verdict in self.after


@dataclass(frozen=True)
class SessionRules:
    """What a session does beside showing its images. The defaults are those of a plan that says nothing."""

    frame_ms: int = 150  # neutral grey between two images, against flicker comparison
    idle_s: int = 60  # without a movement or key for so long, time counts as idle
    pause_when_hidden: bool = True
    display_check: DisplayCheck = DisplayCheck.ADVISED
    practice: bool = False
    break_every: int = 100  # images between two offered breaks; 0: none
    rest_hours: int = 0  # a session left for longer waits for the coordinator; 0: it may rest for ever
    gap_minutes: int = 30  # a longer time between two verdicts is logged and marks the reading after it
    questions: tuple[Question, ...] = field(default=())

    def as_data(self) -> dict[str, Any]:
        """As JSON; `from_data` gives the same rules back."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "SessionRules":
        """Rules as they were stored; what was not stored then has its default."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        if "display_check" in values:
            values["display_check"] = DisplayCheck(values["display_check"])
        values["questions"] = tuple(_stored_question(row) for row in values.get("questions", ()))
        return cls(**values)

    def has_break_before(self, position: int) -> bool:
        """Whether the plan offers a break before the image at this position (from 1)."""
        return bool(self.break_every) and position > 1 and (position - 1) % self.break_every == 0


@dataclass(frozen=True)
class SessionChanges:
    """What a plan file says of one session; None: as the template has it."""

    rules: SessionRules = field(default_factory=SessionRules)
    title: str | None = None
    instructions: str | None = None
    washout_days: int = 0


# The questions that a plan may ask for by name. The texts are translated where they are shown.
QUESTIONS: Final = {
    "confidence": Question(
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
    ),
    "diagnosis": Question(
        "diagnosis",
        QuestionKind.CHOICE,
        _("Your diagnosis of this image?"),
        (Choice("negative", _("No sign of cancer")), Choice("malignant", _("Signs of cancer"))),
    ),
    "mark": Question(
        "mark",
        QuestionKind.MARK,
        _("Click where the image looks altered."),
        after=(Verdict.NOT_REAL.value,),
        required=False,
    ),
}

_LIMITS: Final = {
    "frame_ms": (0, 5000),
    "idle_s": (5, 3600),
    "break_every": (0, 1000),
    "rest_hours": (0, 24 * 365),
    "gap_minutes": (1, 24 * 60),
    "washout_days": (0, 3650),
}
_FLAGS: Final = ("pause_when_hidden", "practice")
_WORDS: Final = {"title": 80, "instructions": 4000}
_QUESTION_FIELDS: Final = {f.name for f in fields(Question)}
_MOST_CHOICES: Final = 9  # a digit key for each


def read_plan(path: Path) -> dict[str, Any]:
    """The plan file as plain data; BadInput where it is not there or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"The plan {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The plan {path} is not TOML: {error}.") from error


def changes_of(plan: Mapping[str, Any], number: int, kind: str) -> SessionChanges:
    """What the plan says of this session. BadInput names the place and what is wrong there."""
    for name in plan:
        if name not in ("every", "session", "analysis"):
            raise BadInput(f"plan: there is no part [{name}]; there are [every], [session.NUMBER] and [analysis].")
    changes = _changed(SessionChanges(), _table(plan, "every"), "every", kind)
    sessions = _table(plan, "session")
    return _changed(changes, _table(sessions, str(number)), f"session.{number}", kind)


def check_numbers(plan: Mapping[str, Any], numbers: set[int]) -> None:
    """BadInput where the plan speaks of a session that the template does not have."""
    for name in _table(plan, "session"):
        if name not in {str(number) for number in numbers}:
            raise BadInput(f"plan [session.{name}]: there is no such session.")


def check_answers(
    questions: tuple[Question, ...], verdict: str, answers: Mapping[str, Any], *, width: int, height: int
) -> dict[str, Any]:
    """The answers as they are stored; BadInput where one is missing, unknown or impossible.

    Marks are [x, y] in pixels of the file, from its top left corner.
    """
    asked = {question.name: question for question in questions if question.is_asked_after(verdict)}
    for name in answers:
        if name not in asked:
            raise BadInput(f"answers: {name!r} is not asked after this verdict.")
    given = {}
    for name, question in asked.items():
        if answers.get(name) in (None, "", []):
            if question.required:
                raise BadInput(f"answers: {name!r} is missing.")
            continue
        given[name] = _answer(question, answers[name], width=width, height=height)
    return given


def _answer(question: Question, value: Any, *, width: int, height: int) -> Any:
    if question.kind == QuestionKind.CHOICE:
        values = [choice.value for choice in question.choices]
        if value not in values:
            raise BadInput(f"answers: {question.name!r} must be one of: {', '.join(values)}.")
        return value
    if not isinstance(value, list) or len(value) > question.most:
        raise BadInput(f"answers: {question.name!r} must be a list of at most {question.most} places.")
    for place in value:
        inside = (
            isinstance(place, list)
            and len(place) == 2
            and all(isinstance(part, int) and not isinstance(part, bool) for part in place)
            and 0 <= place[0] < width
            and 0 <= place[1] < height
        )
        if not inside:
            raise BadInput(f"answers: {question.name!r} has a place that is not [x, y] inside the image.")
    return value


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise BadInput(f"plan: {name!r} must be a table.")
    return found


def _changed(changes: SessionChanges, table: Mapping[str, Any], place: str, kind: str) -> SessionChanges:
    for name, value in table.items():
        where = f"plan [{place}] {name}"
        if name in _WORDS or name == "washout_days":
            changes = replace(changes, **{name: _value(name, value, where)})
        elif name in _LIMITS or name in _FLAGS or name in ("display_check", "questions"):
            changes = replace(changes, rules=replace(changes.rules, **{name: _value(name, value, where)}))
        else:
            known = (*_WORDS, *_LIMITS, *_FLAGS, "display_check", "questions")
            raise BadInput(f"{where}: there is no such rule; there are: {', '.join(sorted(known))}.")
    if kind != SessionKind.BLINDED:
        # Said for every session it means the blinded ones; said for this one it is a mistake.
        for name in ("questions", "practice"):
            if place != "every" and name in table:
                raise BadInput(f"plan [{place}] {name}: only blinded sessions ask anything.")
        changes = replace(changes, rules=replace(changes.rules, questions=(), practice=False))
    return changes


def _value(name: str, value: Any, where: str) -> Any:
    if name in _LIMITS:
        low, high = _LIMITS[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadInput(f"{where}: must be a whole number from {low} to {high}.")
        return value
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise BadInput(f"{where}: must be true or false.")
        return value
    if name in _WORDS:
        if not isinstance(value, str) or not 0 < len(value.strip()) <= _WORDS[name]:
            raise BadInput(f"{where}: must be a text of at most {_WORDS[name]} characters.")
        return value.strip()
    if name == "display_check":
        if value not in list(DisplayCheck):
            raise BadInput(f"{where}: must be one of: {', '.join(DisplayCheck)}.")
        return DisplayCheck(value)
    return _questions(value, where)


def _questions(value: Any, where: str) -> tuple[Question, ...]:
    if not isinstance(value, list):
        raise BadInput(f"{where}: must be a list.")
    asked = tuple(_question(row, f"{where} {number}") for number, row in enumerate(value, start=1))
    if len({question.name for question in asked}) < len(asked):
        raise BadInput(f"{where}: two questions have one name.")
    return asked


def _question(row: Any, where: str) -> Question:
    if isinstance(row, str):
        if row not in QUESTIONS:
            raise BadInput(f"{where}: there is no question {row!r}; there are: {', '.join(QUESTIONS)}.")
        return QUESTIONS[row]
    if not isinstance(row, dict) or not set(row) <= _QUESTION_FIELDS:
        raise BadInput(f"{where}: a question is a name, or a table of {', '.join(sorted(_QUESTION_FIELDS))}.")
    for name in ("name", "kind", "text"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise BadInput(f"{where}: {name} must be a text.")
    if row["kind"] not in list(QuestionKind):
        raise BadInput(f"{where}: kind must be one of: {', '.join(QuestionKind)}.")
    return _checked(row, where)


def _checked(row: dict[str, Any], where: str) -> Question:
    choices, after = row.get("choices", []), row.get("after", [])
    right = isinstance(choices, list) and all(
        isinstance(c, dict) and set(c) == {"value", "text"} and all(isinstance(t, str) and t for t in c.values())
        for c in choices
    )
    values = [c["value"] for c in choices] if right else []
    if not right or len(set(values)) < len(values):
        raise BadInput(f"{where}: choices must be tables of value and text, no value twice.")
    if row["kind"] == QuestionKind.CHOICE and not 2 <= len(choices) <= _MOST_CHOICES:
        raise BadInput(f"{where}: a choice has 2 to {_MOST_CHOICES} choices.")
    asked = [Verdict.REAL, Verdict.NOT_REAL, Verdict.UNSURE]
    if not isinstance(after, list) or any(verdict not in asked for verdict in after):
        raise BadInput(f"{where}: after must be a list of: {', '.join(asked)}.")
    if not isinstance(row.get("required", True), bool):
        raise BadInput(f"{where}: required must be true or false.")
    most = row.get("most", 5)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= 20:
        raise BadInput(f"{where}: most must be a whole number from 1 to 20.")
    return _stored_question(row)


def _stored_question(row: Mapping[str, Any]) -> Question:
    return Question(
        name=row["name"],
        kind=QuestionKind(row["kind"]),
        text=row["text"],
        choices=tuple(Choice(**choice) for choice in row.get("choices", ())),
        after=tuple(row.get("after", ())),
        required=row.get("required", True),
        most=row.get("most", 5),
    )
