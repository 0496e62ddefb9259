"""Pure: where a reader stands gives what comes next. The only place that knows the order."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Progress:
    """Where one reader stands in one session."""

    number: int
    total: int
    answered: int
    is_open: bool  # the reader has opened the session
    previous_finished_at: datetime | None  # None: not finished, or there is none before
    washout: timedelta = timedelta(0)
    teaches: bool = False
    practice_due: bool = False  # the plan has a practice image that has not been read
    is_held: bool = False  # it rested for longer than the plan allows

    @property
    def is_finished(self) -> bool:
        return self.is_open and self.answered >= self.total


@dataclass(frozen=True)
class Wait:
    """Not yet: the session before is unfinished (until is None), or the washout runs."""

    until: datetime | None


@dataclass(frozen=True)
class Ready:
    """It is this session's turn; the reader has not opened it."""


@dataclass(frozen=True)
class Held:
    """It rested for too long: a coordinator has to let it go on."""


@dataclass(frozen=True)
class Practise:
    """Give a verdict on the practice image; it is not kept."""


@dataclass(frozen=True)
class Read:
    """Give a verdict on the presentation at this position (from 1)."""

    position: int


@dataclass(frozen=True)
class Teach:
    """Look at the triptych at this position (from 1)."""

    position: int


@dataclass(frozen=True)
class Done:
    """The session is finished."""


Step = Wait | Ready | Held | Practise | Read | Teach | Done


def next_step(progress: Progress, *, now: datetime) -> Step:
    """What this reader does next in this session."""
    if progress.is_finished:
        return Done()
    if progress.is_open:
        if progress.is_held:
            return Held()
        if progress.practice_due:
            return Practise()
        position = progress.answered + 1
        return Teach(position) if progress.teaches else Read(position)
    if progress.number > 1:
        if progress.previous_finished_at is None:
            return Wait(until=None)
        opens = progress.previous_finished_at + progress.washout
        if now < opens:
            return Wait(until=opens)
    return Ready()
