"""The JSON of the reader's API as typed dictionaries. The OpenAPI schema of the server describes every field."""

from typing import Any, Literal, NotRequired, TypedDict


class SessionData(TypedDict):
    """One session in the reader's list."""

    number: int
    title: str
    kind: Literal["familiarisation", "blinded", "education", "questionnaire"]
    state: Literal["waiting", "open", "under_way", "done"]
    answered: int
    total: int


class StudyData(TypedDict):
    """One study in the reader's list."""

    study: str
    state: Literal["not_begun", "open", "paused", "closed"]
    sessions: list[SessionData]


class ChoiceData(TypedDict):
    """One answer to choose."""

    value: str
    text: str


class QuestionData(TypedDict):
    """A question that follows the verdict, or that is asked once at the end of a session."""

    name: str
    kind: Literal["choice", "choices", "scale", "number", "text", "mark"]
    text: str
    choices: list[ChoiceData]
    after: list[str]
    required: bool
    most: int
    minimum: float | None
    maximum: float | None
    minimum_label: str | None
    maximum_label: str | None
    whole: bool
    longest: int


class AidData(TypedDict):
    """The score of a classifier for the image and its threshold, as texts with two decimals."""

    score: str
    threshold: str
    above: bool


class StimulusData(TypedDict):
    """A presentation. `image` is the address of its file; a triptych in a step has none.

    `aid` is there in a session with an aid only, and not for the practice image.
    """

    code: str
    width: int
    height: int
    bits: int
    flip: bool
    image: NotRequired[str]
    aid: NotRequired[AidData]
    lesson: NotRequired[str]
    line: NotRequired[str]


class StepData(TypedDict):
    """The current step. `kind` decides which of the other fields there are."""

    kind: Literal["practise", "read", "teach", "ask", "wait", "done"]
    position: NotRequired[int]
    total: NotRequired[int]
    verdicts: NotRequired[list[str]]
    verdict_labels: NotRequired[dict[str, str]]
    questions: NotRequired[list[QuestionData]]
    stimulus: NotRequired[StimulusData]
    images: NotRequired[dict[str, str]]
    next: NotRequired[dict[str, Any] | None]
    after_next: NotRequired[dict[str, Any] | None]
    until: NotRequired[str | None]
    reason: NotRequired[str]


class ReceiptData(TypedDict):
    """The receipt of a stored verdict or of answers, None after practice, and the step after it."""

    receipt: str | None
    step: StepData


class DisplayData(TypedDict):
    """Whether the display passed the check, and the reasons why it did not."""

    passed: bool
    failures: list[str]
