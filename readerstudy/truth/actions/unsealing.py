"""Unsealing a study: once, by a researcher, for a recorded reason."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.studies.access import require_researcher_of
from readerstudy.studies.models import Study
from readerstudy.truth.models import Unsealing


@transaction.atomic
def unseal_study(*, study: Study, actor: User | None, reason: str, at: datetime) -> Unsealing:
    """Unseal a closed study. `actor` is None for a person at the server's terminal.

    Raises NotAllowed unless the actor is a researcher of the study, BadInput without a reason, WrongStatus unless it
    is closed.
    """
    if actor is not None:
        require_researcher_of(study, actor)
    if not reason.strip():
        raise BadInput(_("Say why the study is unsealed; the reason is kept with the study."))
    study.mark_unsealed(at=at)
    unsealing = Unsealing.objects.create(study=study, by=actor, at=at, reason=reason.strip())
    record("study.unsealed", actor=actor, subject=study, at=at, reason=reason.strip())
    return unsealing
