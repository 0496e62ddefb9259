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
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.modalities.words import ReadingWords
from readerstudy.protocol.questions import Question, check_questions, predefined_questions
from readerstudy.protocol.sessions import VERDICTS_BY_KIND, SessionKind, Verdict
from readerstudy.protocol.texts import OwnText, TextsUpTo
from readerstudy.protocol.values import WholeNumber, changed, read_value
from readerstudy.serialise import ADDED_LATER


class DisplayCheck(StrEnum):
    """Whether a session begins with a check of the display, and whether it must be passed."""

    OFF = "off"
    ADVISED = "advised"
    REQUIRED = "required"


class AskedVerdict(StrEnum):
    """What a blinded session asks about each image before its questions."""

    AUTHENTICITY = "authenticity"  # real, not real or unsure
    NONE = "none"  # nothing: readers need not know that images may be altered


class Aid(StrEnum):
    """What is shown beside each image of a blinded session."""

    NONE = "none"
    SCORE = "score"  # of the classifier that the attack was made for, on the file shown, with its threshold


@dataclass(frozen=True)
class VerdictLabels:
    """What the verdicts are called. None: the software's own words. What is stored stays the same."""

    real: Annotated[OwnText | None, TextsUpTo(40)] = None
    not_real: Annotated[OwnText | None, TextsUpTo(40)] = None
    unsure: Annotated[OwnText | None, TextsUpTo(40)] = None

    def label(self, verdict: Verdict) -> OwnText:
        """Return what a verdict is called; the software's own words are in English."""
        own = {Verdict.REAL: self.real, Verdict.NOT_REAL: self.not_real, Verdict.UNSURE: self.unsure}.get(verdict)
        return own or _VERDICTS[verdict]


_VERDICTS: Final = {
    Verdict.REAL: _("Real"),
    Verdict.NOT_REAL: _("Not real"),
    Verdict.UNSURE: _("Unsure"),
    Verdict.SEEN: _("Next"),
}
_OWN_WORDS: Final = VerdictLabels()


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
    # Minutes of reading until a break is offered, beside those by number; 0: none by time.
    break_minutes: Annotated[int, WholeNumber(0, 240)] = field(default=0, metadata=ADDED_LATER)
    # A session that is interrupted for longer waits for the coordinator; 0: no limit.
    rest_hours: Annotated[int, WholeNumber(0, 24 * 365)] = 0
    # A longer time between two verdicts is recorded and lowers the timing grade of the next reading.
    gap_minutes: Annotated[int, WholeNumber(1, 24 * 60)] = 30
    # The last answer can be taken back for so long, before it is sent; 0: final at once, as in the article.
    grace_ms: Annotated[int, WholeNumber(0, 2000)] = field(default=0, metadata=ADDED_LATER)
    # How long an image takes, for the minutes that readers see before their own pace is known.
    seconds_per_image: Annotated[int, WholeNumber(1, 3600)] = field(default=15, metadata=ADDED_LATER)
    questions: tuple[Question, ...] = ()
    # Asked once, after the last image.
    closing_questions: tuple[Question, ...] = field(default=(), metadata=ADDED_LATER)
    verdict: AskedVerdict = field(default=AskedVerdict.AUTHENTICITY, metadata=ADDED_LATER)
    verdict_labels: VerdictLabels = field(default=_OWN_WORDS, metadata=ADDED_LATER)
    aid: Aid = field(default=Aid.NONE, metadata=ADDED_LATER)
    # Readers see it before they begin. None: the words of the cohort's modality.
    not_real_means: Annotated[OwnText | None, TextsUpTo(400)] = field(default=None, metadata=ADDED_LATER)
    # Whether each triptych says in which direction its image was altered. The article's education explains nothing.
    names_direction: bool = field(default=False, metadata=ADDED_LATER)

    def as_data(self) -> dict[str, Any]:
        """Return the rules as JSON; the inverse of `from_data`."""
        return serialise.to_dict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "SessionRules":
        """Return stored rules; those that were not stored have their defaults, unknown ones are ignored."""
        known = {field.name for field in fields(cls)}
        return serialise.from_dict(cls, {name: value for name, value in data.items() if name in known})

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts that a blinded session with these rules asks for."""
        if self.verdict == AskedVerdict.NONE:
            return (Verdict.SEEN,)
        return VERDICTS_BY_KIND[SessionKind.BLINDED]

    def has_break_before(self, position: int) -> bool:
        """Whether the plan offers a break before the image at this position (from 1)."""
        return bool(self.break_every) and position > 1 and (position - 1) % self.break_every == 0


@dataclass(frozen=True)
class SessionChanges:
    """Everything that a plan file sets for one session. A text that is None is the template's."""

    rules: SessionRules = SessionRules()
    title: Annotated[OwnText | None, TextsUpTo(80)] = None
    instructions: Annotated[OwnText | None, TextsUpTo(4000)] = None
    washout_days: Annotated[int, WholeNumber(0, 3650)] = 0


_RULES: Final = tuple(field.name for field in fields(SessionRules))
_QUESTIONS: Final = ("questions", "closing_questions")
_OF_BLINDED: Final = ("practice", "verdict", "verdict_labels", "aid", "not_real_means", "grace_ms")  # besides questions
_OF_EDUCATION: Final = ("names_direction",)
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
    of_rules = {name: value for name, value in table.items() if name not in (*_BESIDE_RULES, *_QUESTIONS)}
    if unknown := next((name for name in of_rules if name not in _RULES), None):
        known = ", ".join(sorted((*_BESIDE_RULES, *_RULES)))
        raise BadInput(f"{location} {unknown}: there is no such rule; there are: {known}.")
    rules = changed(changes.rules, of_rules, location)
    for name in (name for name in _QUESTIONS if name in table):
        asked = _questions(table[name], f"{location} {name}", questions, about_images=name == "questions")
        rules = replace(rules, questions=asked) if name == "questions" else replace(rules, closing_questions=asked)
    if kind != SessionKind.BLINDED:
        # In [every] they apply to the blinded sessions; in the part of another session they are a mistake.
        for name in ("questions", *_OF_BLINDED):
            if part != "every" and name in table:
                raise BadInput(f"{location} {name}: " + gettext("only blinded sessions ask anything about images."))
        rules = replace(rules, questions=(), **{name: getattr(SessionRules, name) for name in _OF_BLINDED})
    if kind != SessionKind.EDUCATION:
        for name in _OF_EDUCATION:
            if part != "every" and name in table:
                raise BadInput(f"{location} {name}: " + gettext("only education sessions show triptychs."))
        rules = replace(rules, **{name: getattr(SessionRules, name) for name in _OF_EDUCATION})
    return replace(changed(changes, beside, location), rules=rules)


def _questions(value: Any, location: str, known: Mapping[str, Question], *, about_images: bool) -> tuple[Question, ...]:
    if not isinstance(value, list):
        raise BadInput(f"{location}: " + gettext("must be a list."))
    questions = tuple(_question(row, f"{location} {number}", known) for number, row in enumerate(value, start=1))
    check_questions(questions, location, about_images=about_images)
    return questions


def _question(row: Any, location: str, known: Mapping[str, Question]) -> Question:
    """A predefined question by its name, or one that the plan defines."""
    if isinstance(row, str):
        if row not in known:
            raise BadInput(f"{location}: there is no question {row!r}; there are: {', '.join(known)}.")
        return known[row]
    question: Question = read_value(Question, row, location)
    return question


def check_rules(rules: SessionRules, kind: SessionKind, location: str) -> None:
    """Raise BadInput, with the location, for rules that contradict each other or the kind of the session."""
    is_questionnaire = kind == SessionKind.QUESTIONNAIRE
    if kind != SessionKind.BLINDED:
        asks = rules.questions and not is_questionnaire
        if asks or any(getattr(rules, name) != getattr(SessionRules, name) for name in _OF_BLINDED):
            raise BadInput(f"{location}: " + gettext("only blinded sessions ask anything about images."))
    if kind != SessionKind.EDUCATION:
        for name in _OF_EDUCATION:
            if getattr(rules, name) != getattr(SessionRules, name):
                raise BadInput(f"{location} {name}: " + gettext("only education sessions show triptychs."))
    if is_questionnaire and (not rules.questions or rules.closing_questions):
        raise BadInput(
            f"{location} questions: " + gettext("a questionnaire has questions, and no closing questions besides.")
        )
    if rules.verdict == AskedVerdict.NONE:
        if not rules.questions:
            raise BadInput(f"{location} verdict: " + gettext("a session without verdicts has questions."))
        for name in ("verdict_labels", "not_real_means"):
            if getattr(rules, name) != getattr(SessionRules, name):
                raise BadInput(f"{location} {name}: " + gettext("the session asks for no verdict."))
        for number, question in enumerate(rules.questions, start=1):
            if question.after:
                raise BadInput(f"{location} questions {number} after: " + gettext("the session asks for no verdict."))
    check_questions(rules.questions, f"{location} questions", about_images=not is_questionnaire)
    check_questions(rules.closing_questions, f"{location} closing_questions", about_images=False)
