"""The questions that a session asks, and what counts as an answer. Pure."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Final

from django.utils.translation import gettext, override
from django.utils.translation import gettext_noop as _

from readerstudy.errors import BadInput
from readerstudy.modalities.words import ReadingWords
from readerstudy.protocol.sessions import Verdict
from readerstudy.protocol.texts import OwnText, Say, TextsUpTo
from readerstudy.protocol.values import AnyNumber, OneOf, TextUpTo, WholeNumber, can_be_stored
from readerstudy.serialise import ADDED_LATER

MOST_CHOICES: Final = 9  # each has a digit key
MOST_POINTS: Final = 11  # of a scale: 0 to 10
MOST_CHARACTERS: Final = 2000
LARGEST: Final = 1e9


class QuestionKind(StrEnum):
    """How a question is answered."""

    CHOICE = "choice"
    CHOICES = "choices"
    SCALE = "scale"
    NUMBER = "number"
    TEXT = "text"
    MARK = "mark"


@dataclass(frozen=True)
class Choice:
    """One answer to choose, as it is stored and as the reader sees it."""

    value: Annotated[str, TextUpTo(64)]
    text: Annotated[OwnText, TextsUpTo(200)]


@dataclass(frozen=True)
class Question:
    """A question that follows the verdict, or that is asked once. `kind` decides which of the other fields it uses.

    Answers: a choice is one value, several choices are a list of values, a point of a scale is a whole number, marks
    are positions in the image.
    """

    name: Annotated[str, TextUpTo(64)]
    kind: QuestionKind
    text: Annotated[OwnText, TextsUpTo(400)]
    choices: tuple[Choice, ...] = ()
    # The verdicts that it follows; empty: every verdict.
    after: tuple[Annotated[str, OneOf((Verdict.REAL, Verdict.NOT_REAL, Verdict.UNSURE))], ...] = ()
    required: bool = True
    most: Annotated[int, WholeNumber(1, 20)] = 5  # the largest number of marks
    # The ends of a scale, and the bounds of a number; None: no bound.
    minimum: Annotated[float | None, AnyNumber(LARGEST)] = field(default=None, metadata=ADDED_LATER)
    maximum: Annotated[float | None, AnyNumber(LARGEST)] = field(default=None, metadata=ADDED_LATER)
    minimum_label: Annotated[OwnText | None, TextsUpTo(80)] = field(default=None, metadata=ADDED_LATER)
    maximum_label: Annotated[OwnText | None, TextsUpTo(80)] = field(default=None, metadata=ADDED_LATER)
    whole: bool = field(default=False, metadata=ADDED_LATER)  # whole numbers only
    longest: Annotated[int, WholeNumber(1, MOST_CHARACTERS)] = field(default=500, metadata=ADDED_LATER)

    def is_asked_after(self, verdict: str) -> bool:
        """Whether the question follows this verdict."""
        return not self.after or verdict in self.after

    def said(self, say: Say) -> "Question":
        """Return the question with its texts in one language."""
        low, high = self.minimum_label, self.maximum_label
        return replace(
            self,
            text=say(self.text),
            choices=tuple(replace(choice, text=say(choice.text)) for choice in self.choices),
            minimum_label=None if low is None else say(low),
            maximum_label=None if high is None else say(high),
        )


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


# --- what a plan may ask --------------------------------------------------------------------------------------
def check_questions(questions: tuple[Question, ...], location: str, *, about_images: bool = True) -> None:
    """Raise BadInput, with the location, for a question that cannot be asked, and for names that occur twice.

    `about_images`: whether each is asked after the verdict on an image, not once.
    """
    for number, question in enumerate(questions, start=1):
        _check_question(question, f"{location} {number}")
        if not about_images and (question.kind == QuestionKind.MARK or question.after):
            raise BadInput(
                f"{location} {number}: " + gettext("only a question about an image has marks, or follows a verdict.")
            )
    if len({question.name for question in questions}) < len(questions):
        raise BadInput(f"{location}: " + gettext("two questions have one name."))


def _check_question(question: Question, location: str) -> None:
    values = [choice.value for choice in question.choices]
    has_choices = question.kind in (QuestionKind.CHOICE, QuestionKind.CHOICES)
    if len(set(values)) < len(values):
        raise BadInput(f"{location} choices: " + gettext("two choices have one value."))
    if has_choices and not 2 <= len(values) <= MOST_CHOICES:
        raise BadInput(f"{location}: " + gettext("a choice has 2 to %(most)s choices.") % {"most": MOST_CHOICES})
    if values and not has_choices:
        raise BadInput(f"{location} choices: " + gettext("only the kinds choice and choices have them."))
    low, high = question.minimum, question.maximum
    if question.kind == QuestionKind.SCALE:
        is_whole = all(bound is not None and float(bound).is_integer() for bound in (low, high))
        if not is_whole or low is None or high is None or not 1 <= high - low < MOST_POINTS:
            raise BadInput(
                f"{location}: "
                + gettext("a scale has a minimum and a maximum, whole numbers, and 2 to %(most)s points.")
                % {"most": MOST_POINTS}
            )
    elif question.kind == QuestionKind.NUMBER:
        least = math.ceil(low) if low is not None and question.whole else low
        if least is not None and high is not None and (least > high or low == high):
            raise BadInput(
                f"{location} minimum: " + gettext("must be less than the maximum, with a possible answer between.")
            )
    elif any(value is not None for value in (low, high, question.minimum_label, question.maximum_label)):
        raise BadInput(
            f"{location} minimum: " + gettext("only scales and numbers have a minimum, a maximum and their labels.")
        )


# --- answers --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ImageSize:
    """The size in pixels of the image that marks are set in."""

    width: int
    height: int


def check_answers(
    questions: tuple[Question, ...], verdict: str, answers: Mapping[str, Any], *, image: ImageSize | None = None
) -> dict[str, Any]:
    """Return the answers as they are stored. Raises BadInput if one is missing, unknown or impossible.

    Marks are [x, y] in pixels of the file, from its top left corner; without `image` there can be none.
    """
    applicable = {question.name: question for question in questions if question.is_asked_after(verdict)}
    for name in answers:
        if name not in applicable:
            raise BadInput(f"answers: {name!r} is not asked after this verdict.")
    stored = {}
    for name, question in applicable.items():
        value = answers.get(name)
        value = value.strip() if question.kind == QuestionKind.TEXT and isinstance(value, str) else value
        if value is None or value in ("", []):
            if question.required:
                raise BadInput(f"answers: {name!r} is missing.")
            continue
        stored[name] = (
            _marks(question, value, image) if question.kind == QuestionKind.MARK else _answer(question, value)
        )
    return stored


def _answer(question: Question, value: Any) -> Any:
    return _READERS[question.kind](question, value)


def _choice(question: Question, value: Any) -> str:
    values = [choice.value for choice in question.choices]
    if value not in values:
        raise BadInput(f"answers: {question.name!r} must be one of: {', '.join(values)}.")
    return str(value)


def _choices(question: Question, value: Any) -> list[str]:
    """Return the chosen values in the order of the question."""
    values = [choice.value for choice in question.choices]
    is_list = isinstance(value, list) and all(isinstance(part, str) for part in value)
    if not is_list or len(set(value)) < len(value) or not set(value) <= set(values):
        raise BadInput(f"answers: {question.name!r} must be a list of some of: {', '.join(values)}; each once.")
    return [each for each in values if each in value]


def _number(question: Question, value: Any) -> int | float:
    """Return the number; a whole number as such."""
    low, high = question.minimum, question.maximum
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    must_be_whole = question.whole or question.kind == QuestionKind.SCALE
    if (
        not is_number
        or math.isnan(value)
        or (must_be_whole and not float(value).is_integer())
        or (low is not None and value < low)
        or (high is not None and value > high)
    ):
        bounds = [f"{word} {bound:g}" for word, bound in (("from", low), ("to", high)) if bound is not None]
        what = " ".join(["a whole number" if must_be_whole else "a number", *bounds])
        raise BadInput(f"answers: {question.name!r} must be {what}.")
    return int(value) if float(value).is_integer() else float(value)


def _text(question: Question, value: Any) -> str:
    if not isinstance(value, str) or len(value) > question.longest or not can_be_stored(value):
        raise BadInput(f"answers: {question.name!r} must be a text of at most {question.longest} characters.")
    return value


_READERS: Final[Mapping[QuestionKind, Callable[[Question, Any], Any]]] = {
    QuestionKind.CHOICE: _choice,
    QuestionKind.CHOICES: _choices,
    QuestionKind.SCALE: _number,
    QuestionKind.NUMBER: _number,
    QuestionKind.TEXT: _text,
}


def _marks(question: Question, value: Any, image: ImageSize | None) -> list[list[int]]:
    if not isinstance(value, list) or len(value) > question.most:
        raise BadInput(f"answers: {question.name!r} must be a list of at most {question.most} positions.")
    for position in value:
        inside = (
            image is not None
            and isinstance(position, list)
            and len(position) == 2
            and all(isinstance(part, int) and not isinstance(part, bool) for part in position)
            and 0 <= position[0] < image.width
            and 0 <= position[1] < image.height
        )
        if not inside:
            raise BadInput(f"answers: {question.name!r} has a position that is not [x, y] inside the image.")
    return value
