"""Pure: the next step of a reader in a session. The order of steps is decided here only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from readerstudy.cohort.models import Stimulus


@dataclass(frozen=True)
class Practice:
    """The practice image of a session, under the random code that its reader gets."""

    code: str
    stimulus: "Stimulus"


@dataclass(frozen=True)
class Progress:
    """The progress of one reader in one session."""

    number: int
    place: int  # among the reader's sessions, from 1
    total: int
    answered: int
    is_open: bool  # the reader has opened the session
    previous_finished_at: datetime | None  # None: not finished, or there is none before
    washout: timedelta = timedelta(0)
    teaches: bool = False
    practice: Practice | None = None  # the practice image, until it has been read
    held_for: str = ""  # why the session is on hold (`HoldCause`); "": it is not
    asks_at_end: bool = False  # whether questions at the end are not answered yet

    @property
    def is_finished(self) -> bool:
        return self.is_open and self.answered >= self.total and not self.asks_at_end


@dataclass(frozen=True)
class Wait:
    """The session before is not finished (`until` is None), or the washout has not passed."""

    until: datetime | None


@dataclass(frozen=True)
class Ready:
    """The session can be opened; the reader has not opened it."""


@dataclass(frozen=True)
class Held:
    """The session is on hold; a coordinator has to resume it. `cause` is a `HoldCause`."""

    cause: str


@dataclass(frozen=True)
class Practise:
    """Give a verdict on the practice image; it is not stored."""

    practice: Practice


@dataclass(frozen=True)
class Read:
    """Give a verdict on the presentation at this position (from 1)."""

    position: int


@dataclass(frozen=True)
class Teach:
    """View the triptych at this position (from 1)."""

    position: int


@dataclass(frozen=True)
class Ask:
    """Answer the questions at the end of the session."""


@dataclass(frozen=True)
class Done:
    """The session is finished."""


SessionStep = Wait | Ready | Held | Practise | Read | Teach | Ask | Done


def next_step(progress: Progress, *, now: datetime) -> SessionStep:
    """Return what the reader does next in this session."""
    if progress.is_finished:
        return Done()
    if progress.is_open:
        if progress.held_for:
            return Held(progress.held_for)
        if progress.practice:
            return Practise(progress.practice)
        if progress.answered >= progress.total:
            return Ask()
        position = progress.answered + 1
        return Teach(position) if progress.teaches else Read(position)
    if progress.place > 1:
        if progress.previous_finished_at is None:
            return Wait(until=None)
        opens = progress.previous_finished_at + progress.washout
        if now < opens:
            return Wait(until=opens)
    return Ready()
