"""Unsealing a study: once, for a recorded reason, by one person or by two, as its plan says.

With two, a researcher of the study requests it and another member confirms. A request expires.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.after_commit import after_commit
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.studies.access import require_researcher_of, role_in
from readerstudy.studies.actions import end_expired_requests
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import RequestOutcome, Study, UnsealingRequest, WrongStatus
from readerstudy.studies.models.unsealing import LASTS
from readerstudy.truth.models import Unsealing
from readerstudy.truth.seal import require_nothing_in_reading

# What packages above do with a study once its unsealing is committed.
_followers: list[Callable[[Study, datetime], None]] = []


def when_unsealed(follow: Callable[[Study, datetime], None]) -> None:
    """Have a function called with each study that was unsealed, after the commit. Its errors are logged only."""
    _followers.append(follow)


@transaction.atomic
def unseal_study(*, study: Study, actor: User | None, reason: str, at: datetime) -> Unsealing:
    """Unseal a closed study that one person may unseal. `actor` is None for a person at the server's terminal.

    Raises NotAllowed unless the actor is a researcher of the study, BadInput without a reason, WrongStatus unless it
    is closed, StudyError if it takes two persons, StillInReading while another study with its images is read.
    """
    if actor is not None:
        require_researcher_of(study, actor)
    if not reason.strip():
        raise BadInput(_("Say why the study is unsealed; the reason is kept with the study."))
    own = _closed(study)
    if own.persons_to_unseal > 1:
        text = _("By its plan, two persons unseal the study %(code)s: one requests it and another one confirms.")
        raise StudyError(text % {"code": own.code})
    require_nothing_in_reading(own, told_to=actor)
    unsealing = _unseal(own, by=actor, confirmed_by=None, reason=reason.strip(), at=at)
    study.refresh_from_db()
    record("study.unsealed", actor=actor, subject=study, at=at, reason=reason.strip())
    return unsealing


def request_unsealing(*, study: Study, actor: User, reason: str, at: datetime) -> UnsealingRequest:
    """Ask that a closed study is unsealed, which another member of the study has to confirm.

    Raises NotAllowed unless the actor is a researcher of the study, BadInput without a reason, WrongStatus unless it
    is closed, StudyError if one person unseals it or a request waits, StillInReading while another study with its
    images is read.
    """
    require_researcher_of(study, actor)
    reason = require_reason(reason)
    end_expired_requests(study=study, at=at)
    with transaction.atomic():
        own = _closed(study)
        if own.persons_to_unseal == 1:
            raise StudyError(_("One person unseals the study %(code)s; nobody has to confirm it.") % {"code": own.code})
        if UnsealingRequest.objects.filter(study=own, outcome="").exists():
            raise StudyError(_("The unsealing of %(code)s is requested already.") % {"code": own.code})
        require_nothing_in_reading(own, told_to=actor)
        request = UnsealingRequest.objects.create(study=own, by=actor, at=at, reason=reason, expires_at=at + LASTS)
        expires_at = request.expires_at.isoformat()
        record("unsealing.requested", actor=actor, subject=own, at=at, reason=reason, expires_at=expires_at)
    return request


def confirm_unsealing(*, study: Study, actor: User, at: datetime) -> Unsealing:
    """Unseal a closed study that another person asked to unseal.

    Raises NotAllowed for the person who asked and for people who take no part in the study, StudyError if no request
    waits, WrongStatus unless the study is closed, StillInReading while another study with its images is read.
    """
    _require_member(study, actor)
    end_expired_requests(study=study, at=at)
    with transaction.atomic():
        own = _closed(study)
        request = _waiting(own)
        if request.by_id == actor.pk:
            raise NotAllowed(_("You requested the unsealing yourself; another person has to confirm it."))
        require_nothing_in_reading(own, told_to=actor)
        request.end(RequestOutcome.CONFIRMED, by=actor, at=at)
        unsealing = _unseal(own, by=request.by, confirmed_by=actor, reason=request.reason, at=at)
        asked = {"requested_by": request.by_id, "requested_at": request.at.isoformat()}
        record("study.unsealed", actor=actor, subject=own, at=at, reason=request.reason, **asked)
    study.refresh_from_db()
    return unsealing


def withdraw_request(*, study: Study, actor: User, reason: str, at: datetime) -> None:
    """End a request that waits; the study stays sealed. Any member of the study may do it.

    Raises NotAllowed for others, BadInput without a reason, StudyError if no request waits.
    """
    _require_member(study, actor)
    reason = require_reason(reason)
    end_expired_requests(study=study, at=at)
    with transaction.atomic():
        own = _closed(study)
        request = _waiting(own)
        request.end(RequestOutcome.WITHDRAWN, by=actor, at=at)
        details = {"reason": reason, "requested_by": request.by_id}
        record("unsealing.withdrawn", actor=actor, subject=own, at=at, **details)


def _unseal(study: Study, *, by: User | None, confirmed_by: User | None, reason: str, at: datetime) -> Unsealing:
    study.mark_unsealed(at=at)
    for follow in _followers:
        after_commit(follow, study, at)
    return Unsealing.objects.create(study=study, by=by, confirmed_by=confirmed_by, at=at, reason=reason)


def _closed(study: Study) -> Study:
    """Return the study, locked in the database for this transaction. Raises WrongStatus unless it is closed."""
    own = Study.objects.select_for_update().get(pk=study.pk)
    if own.status != StudyStatus.CLOSED:
        values = {"code": own.code, "state": StudyStatus.CLOSED.phrase}
        raise WrongStatus(_("Study %(code)s is not %(state)s.") % values)
    return own


def _waiting(study: Study) -> UnsealingRequest:
    request = UnsealingRequest.objects.filter(study=study, outcome="").select_related("by").first()
    if request is None:
        raise StudyError(_no_request(study))
    return request


def _no_request(study: Study) -> str:
    last = UnsealingRequest.objects.filter(study=study, outcome=RequestOutcome.EXPIRED).last()
    if last is None:
        return _("Nobody has requested the unsealing of %(code)s.") % {"code": study.code}
    day = date_format(localtime(last.expires_at), "DATETIME_FORMAT")
    text = _("The request to unseal %(code)s expired on %(day)s; request it again.")
    return text % {"code": study.code, "day": day}


def _require_member(study: Study, person: User) -> None:
    if role_in(study, person) is None:
        text = _("Only coordinators and researchers of the study %(code)s may do this.")
        raise NotAllowed(text % {"code": study.code})
