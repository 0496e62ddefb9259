"""Studies with their draws, and the members, sessions, enrolled readers and lists. No table here holds the truth."""

from readerstudy.studies.models.enrollment import Enrollment, WithdrawalCause, WrongReaderState
from readerstudy.studies.models.lists import (
    Allocation,
    AnalysisExclusion,
    Arm,
    DisplayedAid,
    Presentation,
    ReadingList,
    SessionPlan,
    new_code,
)
from readerstudy.studies.models.members import StudyMember
from readerstudy.studies.models.study import Draw, DrawnPlan, Study, WrongStatus
from readerstudy.studies.models.unblinding import Consequence, Unblinding, UnblindingAssessment
from readerstudy.studies.models.unsealing import RequestOutcome, UnsealingRequest

__all__ = [
    "Allocation",
    "AnalysisExclusion",
    "Arm",
    "Consequence",
    "DisplayedAid",
    "Draw",
    "DrawnPlan",
    "Enrollment",
    "Presentation",
    "ReadingList",
    "RequestOutcome",
    "SessionPlan",
    "Study",
    "StudyMember",
    "Unblinding",
    "UnblindingAssessment",
    "UnsealingRequest",
    "WithdrawalCause",
    "WrongReaderState",
    "WrongStatus",
    "new_code",
]
