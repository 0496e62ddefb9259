"""Making the moves of a study: the table of `studies.transitions` with the actions that need the truth."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.designer.actions import MOST_FILES_AT_ONCE, files_to_rewrite, lock_draft, start_locking
from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.studies.access import require_researcher_of
from readerstudy.studies.models import Study
from readerstudy.studies.transitions import (
    CONFIRM_UNSEALING,
    LOCK,
    REQUEST_UNSEALING,
    UNSEAL,
    WITHDRAW_UNSEALING,
    Move,
)
from readerstudy.truth.actions import confirm_unsealing, request_unsealing, unseal_study, withdraw_request

_OF_THE_SEAL: Final[dict[str, Callable[..., object]]] = {
    UNSEAL.name: unseal_study,
    REQUEST_UNSEALING.name: request_unsealing,
    CONFIRM_UNSEALING.name: confirm_unsealing,
    WITHDRAW_UNSEALING.name: withdraw_request,
}


def make_move(*, study: Study, move: Move, actor: User, at: datetime, reason: str = "", base: str = "") -> Job | None:
    """Move the study; return the job that does it if it takes longer than a page may.

    `base` is the `design_sha256` of the draft that is locked. Raises NotAllowed if the move is for researchers of the
    study, StudyError for a rehearsal, and the errors of the move's action.
    """
    if move.is_for_researchers:
        require_researcher_of(study, actor)
    if study.is_rehearsal:
        raise StudyError(_("The rehearsal %(code)s ends by itself.") % {"code": study.code})
    if move == LOCK and files_to_rewrite(study.cohort) > MOST_FILES_AT_ONCE:
        return start_locking(study=study, base=base, actor=actor, at=at)
    values: dict[str, Any] = {"reason": reason} if move.asks_reason else {}
    _action_of(move, base)(study=study, actor=actor, at=at, **values)
    return None


def _action_of(move: Move, base: str) -> Callable[..., object]:
    if move == LOCK:
        return partial(lock_draft, base=base)
    if move.name in _OF_THE_SEAL:
        return _OF_THE_SEAL[move.name]
    assert move.act is not None
    return move.act
