"""The moves of a study as the desk and the administration offer them: one table of questions, consequences and actions.

Locking and unsealing need the truth, so their actions are added by `designer.moves`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import User
from readerstudy.studies.access import is_researcher_of
from readerstudy.studies.actions import (
    archive_study,
    close_study,
    delete_draft,
    has_begun,
    open_study,
    pause_study,
    resume_study,
    unlock_study,
)
from readerstudy.studies.lifecycle import EDITABLE, UNDER_WAY, StudyStatus
from readerstudy.studies.models import Study, UnsealingRequest

Act = Callable[..., object]  # takes study, actor and at; with `asks_reason` a reason as well


def _reader_has_begun(study: Study) -> Promise | None:
    is_final = has_begun(study)
    return (
        _("A reader has begun, so the study cannot be unlocked: its draw and its plan are final.") if is_final else None
    )


def _was_locked(study: Study) -> Promise | None:
    is_kept = study.draws.exists()
    return (
        _("The study was locked before; its earlier draws stay on record, so it cannot be deleted.")
        if is_kept
        else None
    )


def _request(study: Study) -> UnsealingRequest | None:
    return UnsealingRequest.waiting(study, at=now())


@dataclass(frozen=True)
class Move:
    """One move: where it starts, what it asks, what it changes, and the action that carries it out.

    `act` None: the action needs the truth. `icon` is that of the administration's button. `hindrance` returns why the
    action would refuse a study of the right status, or None. `applies`: whether a study of the right status has it.
    """

    name: str
    sources: tuple[StudyStatus, ...]
    button: Promise
    question: Promise
    consequence: Promise
    done: Promise
    icon: str
    act: Act | None
    asks_reason: bool = False
    asks_code: bool = False  # typed, so that nobody closes the wrong study
    is_for_researchers: bool = False
    hindrance: Callable[[Study], Promise | None] = lambda study: None
    applies: Callable[[Study, User], bool] = lambda study, person: True

    def is_offered(self, study: Study, person: User) -> bool:
        """Whether the person may move the study now. A rehearsal ends by itself."""
        if study.is_rehearsal or study.status not in self.sources:
            return False
        may = is_researcher_of(study, person) if self.is_for_researchers else True
        return may and self.applies(study, person) and self.hindrance(study) is None


LOCK: Final = Move(
    "lock",
    EDITABLE,
    _("Lock the study"),
    _("Lock this study?"),
    _(
        "The images of every session are drawn now, by chance, and the protocol and the analysis plan are fixed. "
        "Enrolled readers get their lists. You can unlock the study until a reader has begun; each draw stays on "
        "record."
    ),
    _("%(study)s is locked."),
    "lock",
    None,
)
UNSEAL: Final = Move(
    "unseal",
    (StudyStatus.CLOSED,),
    _("Unseal the study"),
    _("Unseal this study?"),
    _(
        "The truth of every image becomes known to researchers, and the report is made by the locked analysis plan. "
        "Images can no longer be excluded. It is recorded with your name and your reason, and cannot be undone."
    ),
    _("%(study)s is unsealed."),
    "visibility",
    None,
    asks_reason=True,
    is_for_researchers=True,
    applies=lambda study, person: study.persons_to_unseal == 1,
)
REQUEST_UNSEALING: Final = Move(
    "request-unsealing",
    (StudyStatus.CLOSED,),
    _("Request the unsealing"),
    _("Request that this study is unsealed?"),
    _(
        "By its plan, two persons unseal this study. Your request is recorded with your name and your reason. Another "
        "coordinator or researcher of the study has seven days to confirm it; you can withdraw it until then."
    ),
    _("The unsealing of %(study)s is requested. Another person has to confirm it."),
    "visibility",
    None,
    asks_reason=True,
    is_for_researchers=True,
    applies=lambda study, person: study.persons_to_unseal > 1 and _request(study) is None,
)
CONFIRM_UNSEALING: Final = Move(
    "confirm-unsealing",
    (StudyStatus.CLOSED,),
    _("Confirm the unsealing"),
    _("Confirm the request and unseal this study?"),
    _(
        "The truth of every image becomes known to researchers, and the report is made by the locked analysis plan. "
        "Images can no longer be excluded. It is recorded with both names, and cannot be undone."
    ),
    _("%(study)s is unsealed."),
    "visibility",
    None,
    asks_code=True,
    applies=lambda study, person: (request := _request(study)) is not None and request.by_id != person.pk,
)
WITHDRAW_UNSEALING: Final = Move(
    "withdraw-unsealing",
    (StudyStatus.CLOSED,),
    _("Withdraw the request"),
    _("Withdraw the request to unseal this study?"),
    _("The study stays closed and sealed. The request and its withdrawal stay on record."),
    _("The request to unseal %(study)s is withdrawn."),
    "undo",
    None,
    asks_reason=True,
    applies=lambda study, person: _request(study) is not None,
)

MOVES: Final = (
    LOCK,
    Move(
        "open",
        (StudyStatus.LOCKED,),
        _("Open the study"),
        _("Open this study?"),
        _("The enrolled readers can read from now on. Once a reader has begun, the plan is final."),
        _("%(study)s is open."),
        "play_arrow",
        open_study,
    ),
    Move(
        "pause",
        (StudyStatus.OPEN,),
        _("Pause the study"),
        _("Pause this study?"),
        _("Readers can give no verdicts until the study is resumed. Nothing that was read is lost."),
        _("%(study)s is paused."),
        "pause",
        pause_study,
        asks_reason=True,
    ),
    Move(
        "resume",
        (StudyStatus.PAUSED,),
        _("Resume the study"),
        _("Resume this study?"),
        _("Readers continue at the image at which they stopped."),
        _("%(study)s is open."),
        "play_arrow",
        resume_study,
    ),
    Move(
        "unlock",
        UNDER_WAY,
        _("Unlock the study"),
        _("Unlock this study?"),
        _(
            "The study returns to draft, and nobody can read it. Its draw stays on record with your reason, and the "
            "next lock draws other lists. This is possible until a reader has begun."
        ),
        _("%(study)s is in draft."),
        "lock_open",
        unlock_study,
        asks_reason=True,
        hindrance=_reader_has_begun,
    ),
    Move(
        "close",
        (StudyStatus.OPEN, StudyStatus.PAUSED),
        _("Close the study"),
        _("Close this study?"),
        _("Readers can give no more verdicts. It cannot be opened again; the truth stays sealed."),
        _("%(study)s is closed."),
        "lock",
        close_study,
        asks_reason=True,
        asks_code=True,
    ),
    UNSEAL,
    REQUEST_UNSEALING,
    CONFIRM_UNSEALING,
    WITHDRAW_UNSEALING,
    Move(
        "archive",
        (StudyStatus.UNSEALED,),
        _("Archive the study"),
        _("Archive this study?"),
        _("Its report stays available. It cannot leave the archive."),
        _("%(study)s is archived."),
        "archive",
        archive_study,
        asks_reason=True,
    ),
    Move(
        "delete",
        EDITABLE,
        _("Delete the draft"),
        _("Delete this draft?"),
        _(
            "Its protocol and its enrolments are deleted and cannot be restored. The readers keep their accounts. "
            "A study that was locked before cannot be deleted."
        ),
        _("%(study)s is deleted."),
        "delete",
        delete_draft,
        hindrance=_was_locked,
    ),
)
MOVES_BY_NAME: Final = {move.name: move for move in MOVES}


def offered_moves(study: Study, person: User) -> list[Move]:
    """Return the moves that the person may make now, in the order of a study's life."""
    return [move for move in MOVES if move.is_offered(study, person)]


def hindrances(study: Study) -> list[Promise]:
    """Return why moves are not offered although the study has the status that they start from."""
    if study.is_rehearsal:
        return []
    found = (move.hindrance(study) for move in MOVES if study.status in move.sources)
    return [sentence for sentence in found if sentence is not None]
