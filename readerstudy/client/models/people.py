"""Readers of a study, their invitations and mails, and the monitor.

Made by `make reference` from the schema of the API: do not edit.
"""

from typing import Literal, NotRequired, TypedDict

CauseEnum = Literal["study_team", "consent"]

ConsentEnum = Literal["not_asked", "missing", "outdated", "given"]


class EnrollRequest(TypedDict):
    """The reader to enroll."""

    user: str
    override_reason: NotRequired[str]


PlannedLineOutcomeEnum = Literal["new", "existing", "already_in", "refused"]


class PlannedLine(TypedDict):
    """What happens to one person of a list."""

    line: int
    address: str
    outcome: PlannedLineOutcomeEnum
    reason: str
    may_override: bool


class ProblemLine(TypedDict):
    """One line that cannot be used."""

    line: int
    text: str
    message: str


MailKind = Literal["invitation", "reminder", "new_link", "message", "account", "password", "notice"]

MailState = Literal["queued", "sending", "sent", "failed", "by_hand"]


class LetterLine(TypedDict):
    """One mail that was just written."""

    number: int
    user: str
    address: str
    kind: MailKind
    state: MailState
    error: str
    attempts: int
    due_at: str | None
    was_interrupted: bool
    created_at: str
    sent_at: str | None
    subject: str
    text: str


class InviteAnswer(TypedDict):
    """What happened, or would happen, to each line of a list."""

    people: list[PlannedLine]
    problems: list[ProblemLine]
    letters: list[LetterLine]


LanguageEnum = Literal["en", "de"]


class InviteRequest(TypedDict):
    """A list of people to invite."""

    people: str
    language: NotRequired[LanguageEnum]
    days: NotRequired[int]
    overridden: NotRequired[list[str]]
    override_reason: NotRequired[str]
    only_check: NotRequired[bool]


LinkEnum = Literal["not_sent", "by_hand", "failed", "sent", "opened", "used", "expired", "revoked"]


class MailLine(TypedDict):
    """One mail, without its link."""

    number: int
    user: str
    address: str
    kind: MailKind
    state: MailState
    error: str
    attempts: int
    due_at: str | None
    was_interrupted: bool
    created_at: str
    sent_at: str | None
    subject: str


class InvitedLine(TypedDict):
    """One reader with their newest link and mail."""

    code: str
    user: str
    name: str
    address: str
    link: LinkEnum
    consent: ConsentEnum
    last_sign_in: str | None
    mail: MailLine | None


LinkRequestKindEnum = Literal["invitation", "reminder"]


class LinkRequest(TypedDict):
    """A new link for a reader, which replaces the earlier one."""

    kind: NotRequired[LinkRequestKindEnum]
    by_hand: NotRequired[bool]


MonitoredSessionStateEnum = Literal["locked", "washout", "ready", "reading", "held", "done"]


class MonitoredSession(TypedDict):
    """One reader in one session, without verdicts."""

    number: int
    state: MonitoredSessionStateEnum
    answered: int
    total: int
    finished_at: str | None
    opens_at: str | None
    pace_s: float | None
    is_too_quick: bool
    display_failed: bool
    waits: int
    breaks: int


class MonitoredReader(TypedDict):
    """One reader, as the monitor shows them."""

    code: str
    name: str
    sessions: list[MonitoredSession]
    answered: int
    total: int
    last_seen: str | None
    consent: ConsentEnum
    lacks_consent: bool
    paused_at: str | None
    withdrawn_at: str | None
    replaced_by: str


class MonitorAnswer(TypedDict):
    """The figures of the monitor at a moment."""

    at: str
    reports: int
    readers: list[MonitoredReader]


class ReaderActRequest(TypedDict):
    """What an act on a reader asks."""

    reason: NotRequired[str]
    session: NotRequired[int]
    cause: NotRequired[CauseEnum]


class ReasonRequest(TypedDict):
    """The reason for closing or unsealing; stored with the study."""

    reason: str


class ReplacementRequest(TypedDict):
    """Who takes the place of a withdrawn reader."""

    first_name: NotRequired[str]
    last_name: str
    address: str
    language: NotRequired[LanguageEnum]
    override_reason: NotRequired[str]


class ReportLine(TypedDict):
    """A reader's report of a problem, by the reader's own session and position; the image stays hidden."""

    number: int
    at: str
    reader: str
    session: int
    position: int
    text: str
    same_image: int
    exclusion_reason: str
