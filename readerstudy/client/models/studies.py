"""Studies, their protocols and moves.

Made by `make reference` from the schema of the API: do not edit.
"""

from typing import Any, Literal, NotRequired, TypedDict

from readerstudy.client.models.shared import BlankEnum, EnrolledReader, ReaderProgress


class ChecklistLine(TypedDict):
    """One sentence of the checklist, and where its subject is mended."""

    place: str
    label: str
    sentence: str


class SessionTimeLine(TypedDict):
    """The expected length of a session."""

    number: int
    title: str
    minutes: int


class ChecklistAnswer(TypedDict):
    """What keeps the draft from being locked, advice, and expected times."""

    can_be_locked: bool
    design_sha256: str
    obstacles: list[ChecklistLine]
    advice: list[ChecklistLine]
    times: list[SessionTimeLine]
    time_sentence: str
    files: int


class JobStarted(TypedDict):
    """The job that carries it out."""

    job: int


class MoveLine(TypedDict):
    """One move that the person may make now."""

    name: str
    title: str
    consequence: str
    asks_reason: bool


class MoveRequest(TypedDict):
    """What a move asks."""

    reason: NotRequired[str]
    base: NotRequired[str]


class NewStudy(TypedDict):
    """A study to create as a draft."""

    code: str
    title: str
    cohort: str
    protocol: str


OrderEnum = Literal["same", "per_reader", "blocks"]

SessionKind = Literal["familiarisation", "blinded", "education", "questionnaire"]


class PlannedSession(TypedDict):
    """The plan of one session: numbers of images of each kind, and their splits."""

    number: int
    kind: SessionKind
    real: int
    adversarial: int
    splits: list[str]
    title: Any
    instructions: Any
    positive_share: float | None
    attacks: list[str]
    generators: list[str]
    resolution: str
    order: OrderEnum
    block_size: int
    washout_days: int
    rules: dict[str, Any]
    repeat_share: NotRequired[float]
    repeat_of: NotRequired[int]
    repeat_distance: NotRequired[int]
    images_of: NotRequired[int]
    shown_score: NotRequired[dict[str, Any]]


class Plan(TypedDict):
    """The plan as it was drawn."""

    scale: float
    resolution: str
    generators: list[str]
    sessions: list[PlannedSession]
    analysis: NotRequired[dict[str, Any]]
    persons_to_unseal: NotRequired[int]
    crossover: NotRequired[list[int]]
    languages: NotRequired[list[str]]
    shows_own_result: NotRequired[bool]


class PlansOfStudy(TypedDict):
    """The plan of a study as it was drawn, and its analysis plan."""

    is_locked: bool
    plan: Plan | None
    plan_sha256: str
    analysis: dict[str, Any]
    analysis_sha256: str


class ProtocolRequest(TypedDict):
    """A protocol that replaces that of a draft."""

    protocol: str
    base: NotRequired[str]


class ProtocolText(TypedDict):
    """The protocol of a study as a file."""

    protocol: str
    design_sha256: str


RequestToUnsealOutcomeEnum = Literal["confirmed", "withdrawn", "expired"]


class RequestToUnseal(TypedDict):
    """One request to unseal a study, and how it ended."""

    at: str
    by: str
    reason: str
    expires_at: str
    outcome: RequestToUnsealOutcomeEnum | BlankEnum
    ended_at: str | None
    ended_by: str | None


StudyStatus = Literal["draft", "rehearsed", "locked", "open", "paused", "closed", "unsealed", "archived"]


class StudyLine(TypedDict):
    """One study in the list: counts only."""

    code: str
    title: str
    template: str
    cohort: str
    modality: str
    status: StudyStatus
    is_rehearsal: bool
    created_at: str
    rehearsed_at: str | None
    locked_at: str | None
    opened_at: str | None
    paused_at: str | None
    closed_at: str | None
    unsealed_at: str | None
    archived_at: str | None
    readers: int
    answered: int
    total: int
    withdrawn: int


class StudySession(TypedDict):
    """One session of the study over all its readers."""

    number: int
    kind: SessionKind
    title: str
    instructions: str
    images: int
    washout_days: int
    answered: int
    total: int
    finished: int
    readers: list[ReaderProgress]


class StudyPage(TypedDict):
    """One study with its plan, its sessions, and its readers with their progress."""

    code: str
    title: str
    template: str
    cohort: str
    modality: str
    status: StudyStatus
    is_rehearsal: bool
    created_at: str
    rehearsed_at: str | None
    locked_at: str | None
    opened_at: str | None
    paused_at: str | None
    closed_at: str | None
    unsealed_at: str | None
    archived_at: str | None
    readers: int
    answered: int
    total: int
    withdrawn: int
    seed: int | None
    plan: Plan | None
    plan_sha256: str
    analysis_sha256: str
    protocol: dict[str, Any]
    persons_to_unseal: int
    unsealing_requests: list[RequestToUnseal]
    sessions: list[StudySession]
    enrolled: list[EnrolledReader]
