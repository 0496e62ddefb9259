"""The actions of a reader: check the display, open a session, get the current step, give a verdict,
report a problem with an image, answer the questions at the end, keep their own keys."""

from readerstudy.reading.actions.closing import StoredAnswers, SubmittedAnswers, record_closing_answers
from readerstudy.reading.actions.display import check_display
from readerstudy.reading.actions.keys import keep_keys
from readerstudy.reading.actions.problems import SubmittedProblem, report_problem
from readerstudy.reading.actions.sessions import (
    ReaderPaused,
    SessionHeld,
    StudyPaused,
    TakenOver,
    Withdrawn,
    allow_resume,
    current_step,
    hold_message,
    open_session,
    require_page,
    stop_for_changed_file,
)
from readerstudy.reading.actions.verdicts import NotCurrent, StoredVerdict, SubmittedVerdict, record_verdict

__all__ = [
    "NotCurrent",
    "ReaderPaused",
    "SessionHeld",
    "StoredAnswers",
    "StoredVerdict",
    "StudyPaused",
    "SubmittedAnswers",
    "SubmittedProblem",
    "SubmittedVerdict",
    "TakenOver",
    "Withdrawn",
    "allow_resume",
    "check_display",
    "current_step",
    "hold_message",
    "keep_keys",
    "open_session",
    "record_closing_answers",
    "record_verdict",
    "report_problem",
    "require_page",
    "stop_for_changed_file",
]
