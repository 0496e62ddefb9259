"""The only writer of the audit trail."""

from datetime import datetime
from typing import Any

from django.db import models

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event
from readerstudy.audit.origin import current_origin, software_version


def record(verb: str, *, actor: User | None, subject: models.Model | str, at: datetime, **data: Any) -> Event:
    """Append one event. `verb` is "what.happened", `subject` what it happened to, `data` JSON-able details.

    Every verb has its sentence in `audit.sentences`. A subject that belongs to a study has its code as the property
    `study_code`. Address, sign-in and API token are those of the request that is being answered.
    """
    label = subject if isinstance(subject, str) else f"{subject._meta.label_lower}:{subject.pk}"
    origin = current_origin()
    if origin.token:
        data["by_token"] = origin.token
    return Event.objects.create(
        at=at,
        actor=actor,
        verb=verb,
        subject=label,
        study=getattr(subject, "study_code", ""),
        data=data,
        address=origin.address,
        version=software_version(),
        sign_in_id=origin.sign_in,
    )
