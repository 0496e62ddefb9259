"""Cohorts, jobs, runs, attacks, evaluations and tokens.

Made by `make reference` from the schema of the API: do not edit.
"""

from typing import Any, Literal, NotRequired, TypedDict

from readerstudy.client.models.shared import BlankEnum, DirectionEnum, JobStatus, PathologyEnum, QueueEnum, SplitEnum

ActivityObjectKindEnum = Literal[
    "reading-images",
    "finding-regions",
    "starting-from-scratch",
    "training-classifier",
    "training-gan",
    "training-inpainter",
    "optimising-patch",
    "generating-images",
    "scoring-images",
    "importing-images",
    "rewriting-files",
    "rehearsing",
    "simulating-studies",
    "writing-bundle",
    "checking-bundle",
    "laying-out-pdf",
    "adding-up-readings",
    "comparing-sessions",
    "testing-readers",
    "drawing-report",
    "writing-report",
]


class ActivityObject(TypedDict):
    """What the job was doing at a point."""

    kind: ActivityObjectKindEnum
    stage: int
    stages: int
    fold: int


class AttackCount(TypedDict):
    """Adversarial images of one attack."""

    attack: str
    images: int


class AttackLine(TypedDict):
    """How adversarial images were made."""

    name: str
    method: str
    direction: NotRequired[str]
    generator: str
    classifier: str
    settings: dict[str, Any]
    seed: NotRequired[int | None]
    cohort: str
    job: NotRequired[int | None]
    code_version: str
    made_at: str
    tells: dict[str, Any] | None


class AttemptLine(TypedDict):
    """One request to the receiver."""

    at: str
    status: int | None
    error: str
    milliseconds: int


Authenticity = Literal["real", "adversarial"]


class PathologyCounts(TypedDict):
    """Images of one pathology, by split."""

    pathology: PathologyEnum
    splits: dict[str, int]
    total: int


class CohortAnswer(TypedDict):
    """One cohort: counts only."""

    name: str
    modality: str
    resolutions: list[str]
    is_drawn: bool
    created_at: str
    patients: int
    images: int
    splits: dict[str, int]
    pathologies: list[PathologyCounts]
    attacks: list[AttackCount]
    studies: list[str]


FactEnum = Literal["session.finished", "study.closed", "job.ended", "test"]

DeliveryLineStateEnum = Literal["waiting", "sending", "delivered", "given_up"]


class DeliveryLine(TypedDict):
    """One message with its attempts."""

    id: str
    message_id: str
    fact: FactEnum
    body: str
    state: DeliveryLineStateEnum
    made_at: str
    due_at: str | None
    attempts: list[AttemptLine]


class EvaluationLine(TypedDict):
    """One evaluation of a classifier on adversarial images."""

    id: int
    name: str
    cohort: str
    resolution: str
    classifier: str
    attacks: list[str]
    job: NotRequired[int | None]
    made_at: str


class EvaluationPage(TypedDict):
    """An evaluation with its figures (`readerstudy.results.evaluation`)."""

    id: int
    name: str
    cohort: str
    resolution: str
    classifier: str
    attacks: list[str]
    job: NotRequired[int | None]
    made_at: str
    result: dict[str, Any]


FactsEnum = Literal["session.finished", "study.closed", "job.ended"]

NullEnum = Literal[None]


class ImageLine(TypedDict):
    """One image."""

    number: int
    authenticity: Authenticity
    cohort: str
    split: SplitEnum
    resolution: str
    rows: int
    columns: int
    frames: int
    attributes: dict[str, Any]
    pathology: PathologyEnum | BlankEnum
    direction: DirectionEnum | NullEnum | None
    attack: str
    seed: int | None
    has_source: bool
    quality: dict[str, Any]
    is_excluded: bool
    score_before: float | None
    score_after: float | None


class NetworkScore(TypedDict):
    """The scores of one network."""

    classifier: str
    before: float | None
    after: float


class ImagePage(TypedDict):
    """One image with the scores of every network."""

    number: int
    authenticity: Authenticity
    cohort: str
    split: SplitEnum
    resolution: str
    rows: int
    columns: int
    frames: int
    attributes: dict[str, Any]
    pathology: PathologyEnum | BlankEnum
    direction: DirectionEnum | NullEnum | None
    attack: str
    seed: int | None
    has_source: bool
    quality: dict[str, Any]
    is_excluded: bool
    scores: list[NetworkScore]
    exclusion_reason: str
    panels: list[str]


class JobLine(TypedDict):
    """One job with its progress, remaining time and message."""

    id: int
    kind: str
    queue: QueueEnum
    status: JobStatus
    is_lost: bool
    done: int
    total: int
    note: str
    seconds_left: float
    attempts: int
    retried_from: int | None
    requested_by: str
    queued_at: str
    started_at: str | None
    ended_at: str | None
    cancel_requested_at: str | None


class MadeWebhook(TypedDict):
    """A new webhook with the secret that signs its messages."""

    number: int
    study: NotRequired[str | None]
    url: str
    facts: list[FactsEnum]
    owner: str
    made_at: str
    secret: str


class NewWebhook(TypedDict):
    """A webhook to make."""

    study: NotRequired[str]
    url: str
    facts: list[FactsEnum]


class PointLine(TypedDict):
    """One point of the job's curves."""

    done: int
    total: int
    activity: ActivityObject
    text: str
    at: float
    values: dict[str, float | None]


RunLineKindEnum = Literal["classifier", "generator", "detector"]


class RunLine(TypedDict):
    """Weights with all they come from; the files lie in the run's folder."""

    name: str
    kind: RunLineKindEnum
    cohort: str
    preset: str
    direction: NotRequired[str]
    seed: int
    made_from: str
    job: NotRequired[int | None]
    config: dict[str, Any]
    metrics: dict[str, Any]
    weights: NotRequired[str]
    data_hash: NotRequired[str]
    split_hash: str
    code_version: str
    made_at: str


ScopesEnum = Literal["read", "studies", "jobs", "reading"]

StartRequestKindEnum = Literal[
    "train-classifier",
    "train-gan",
    "train-inpainting",
    "generate",
    "attack",
    "evaluate",
    "train-detector",
    "cross-validate",
]


class StartRequest(TypedDict):
    """The kind of job and its parameters, as in the forms at /lab/."""

    kind: StartRequestKindEnum
    parameters: dict[str, Any]


class TokenAnswer(TypedDict):
    """A token to send as `Authorization: Token …`."""

    token: str
    expires_at: str
    scopes: list[ScopesEnum]


class TokenRequest(TypedDict):
    """A user name with its password, and what the token is for."""

    username: str
    password: str
    name: NotRequired[str]
    days: NotRequired[int]
    scopes: NotRequired[list[ScopesEnum]]


class WebhookLine(TypedDict):
    """One webhook, without its secret."""

    number: int
    study: NotRequired[str | None]
    url: str
    facts: list[FactsEnum]
    owner: str
    made_at: str
