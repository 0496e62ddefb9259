"""Drafts, readers and their participation, exclusions from the analysis, and the moves of a study without the truth."""

from readerstudy.studies.actions.corners import confirm_corners
from readerstudy.studies.actions.drafts import ChangedMeanwhile, delete_draft, draft_study, edit_draft, mark_rehearsed
from readerstudy.studies.actions.enrolment import enroll, give_lists
from readerstudy.studies.actions.exclusions import exclude_from_analysis, include_in_analysis
from readerstudy.studies.actions.members import add_member, copy_members, remove_member
from readerstudy.studies.actions.moves import (
    StudyBegun,
    archive_study,
    close_study,
    has_begun,
    open_study,
    pause_study,
    resume_study,
    unlock_study,
)
from readerstudy.studies.actions.participation import (
    allow_early,
    allow_repeated_images,
    pause_reader,
    resume_reader,
    withdraw_reader,
)
from readerstudy.studies.actions.unblinding import assess_unblinding, correct_unblinding, record_unblinding
from readerstudy.studies.actions.unsealing_requests import end_expired_requests

__all__ = [
    "ChangedMeanwhile",
    "StudyBegun",
    "add_member",
    "allow_early",
    "allow_repeated_images",
    "archive_study",
    "assess_unblinding",
    "close_study",
    "confirm_corners",
    "copy_members",
    "correct_unblinding",
    "delete_draft",
    "draft_study",
    "edit_draft",
    "end_expired_requests",
    "enroll",
    "exclude_from_analysis",
    "give_lists",
    "has_begun",
    "include_in_analysis",
    "mark_rehearsed",
    "open_study",
    "pause_reader",
    "pause_study",
    "record_unblinding",
    "remove_member",
    "resume_reader",
    "resume_study",
    "unlock_study",
    "withdraw_reader",
]
