"""The only writer of the audit trail."""

from datetime import datetime
from typing import Any

from django.db import models

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event


def record(verb: str, *, actor: User | None, subject: models.Model | str, at: datetime, **data: Any) -> Event:
    """Append one event. `verb` is "what.happened", `subject` what it happened to, `data` JSON-able details.

    A subject that belongs to a study has its code as the property `study_code`.
    """
    label = subject if isinstance(subject, str) else f"{subject._meta.label_lower}:{subject.pk}"
    study = getattr(subject, "study_code", "")
    return Event.objects.create(at=at, actor=actor, verb=verb, subject=label, study=study, data=data)
