"""The only writer of the audit trail."""

from datetime import datetime
from typing import Any, Final

from django.db import models

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event
from readerstudy.audit.origin import current_origin, software_version
from readerstudy.record.heads import sign_on_commit

# After these the head of the study's log is signed: the moves of a study, and the end of a session.
SIGNED: Final = frozenset(
    {
        "report.stored",
        "session.finished",
        "study.archived",
        "study.closed",
        "study.locked",
        "study.opened",
        "study.paused",
        "study.resumed",
        "study.unlocked",
        "study.unsealed",
    }
)


def record(verb: str, *, actor: User | None, subject: models.Model | str, at: datetime, **data: Any) -> Event:
    """Append one event. `verb` is "what.happened", `subject` what it happened to, `data` JSON-able details.

    Every verb has its sentence in `audit.sentences`. A subject that belongs to a study has its code as the property
    `study_code`. Address, sign-in and API token are those of the request that is being answered.
    """
    label = subject if isinstance(subject, str) else f"{subject._meta.label_lower}:{subject.pk}"
    study = getattr(subject, "study_code", "")
    if verb in SIGNED:
        sign_on_commit(study, at=at)
    origin = current_origin()
    if origin.token:
        data["by_token"] = origin.token
    return Event.objects.create(
        at=at,
        actor=actor,
        verb=verb,
        subject=label,
        study=study,
        data=data,
        address=origin.address,
        version=software_version(),
        sign_in_id=origin.sign_in,
    )
