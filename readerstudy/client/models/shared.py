"""What several parts of the API use.

Made by `make reference` from the schema of the API: do not edit.
"""

from typing import Any, Literal, TypedDict

BlankEnum = Literal[""]

DirectionEnum = Literal["insert", "remove"]


class ReaderProgress(TypedDict):
    """One reader in one session: counts and times, no verdicts."""

    reader: str
    number: int
    answered: int
    total: int
    opened_at: str | None
    finished_at: str | None


class EnrolledReader(TypedDict):
    """One enrolled reader with their progress."""

    code: str
    user: str
    arm: str | None
    enrolled_at: str
    paused_at: str | None
    withdrawn_at: str | None
    replaces: str | None
    override_reason: str
    answered: int
    total: int
    sessions: list[ReaderProgress]


class EventLine(TypedDict):
    """One event of the audit trail."""

    event: int
    at: str
    name: str
    sentence: str
    by: str
    study: str
    reason: str
    address: str | None
    version: str
    sign_in: int | None
    sign_in_link: int | None
    link_made_by: str
    link_used_at_makers_address: bool | None


QueueEnum = Literal["cpu", "gpu"]

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]


class JobPage(TypedDict):
    """One job with its parameters and its result."""

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
    parameters: Any
    result: Any
    worker: str


PathologyEnum = Literal["positive", "other", "normal"]

SplitEnum = Literal["train", "tuning", "test"]
