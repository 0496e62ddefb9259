"""The statuses of a study, the moves between them, and the database rules that agree with both.

    draft → rehearsed → locked → open ⇄ paused → closed → unsealed → archived

A draft can be locked without a rehearsal. Editing returns a rehearsed study to draft. A locked, open or paused study
returns to draft until its first reading session has been opened. An open or paused study can be closed.
"""

from functools import reduce
from operator import or_
from typing import Final

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


class StudyStatus(models.TextChoices):
    DRAFT = "draft", _("In draft")
    REHEARSED = "rehearsed", _("Rehearsed")
    LOCKED = "locked", _("Locked")
    OPEN = "open", _("Open")
    PAUSED = "paused", _("Paused")
    CLOSED = "closed", _("Closed")
    UNSEALED = "unsealed", _("Unsealed")
    ARCHIVED = "archived", _("Archived")

    @property
    def phrase(self) -> str:
        """The label inside a sentence. Only its first letter changes: German writes nouns with a capital."""
        label = str(self.label)
        return label[:1].lower() + label[1:]


# Without a draw; everything can be edited.
EDITABLE: Final = (StudyStatus.DRAFT, StudyStatus.REHEARSED)
# Drawn, and no reading is final: verdicts are hidden.
UNDER_WAY: Final = (StudyStatus.LOCKED, StudyStatus.OPEN, StudyStatus.PAUSED)
# Readings are over: verdicts may be shown.
FINISHED: Final = (StudyStatus.CLOSED, StudyStatus.UNSEALED, StudyStatus.ARCHIVED)
# The truth may be shown.
REVEALED: Final = (StudyStatus.UNSEALED, StudyStatus.ARCHIVED)

# The statuses from which each status is reached.
SOURCES: Final = {
    StudyStatus.DRAFT: (StudyStatus.REHEARSED, *UNDER_WAY),
    StudyStatus.REHEARSED: (StudyStatus.DRAFT,),
    StudyStatus.LOCKED: EDITABLE,
    StudyStatus.OPEN: (StudyStatus.LOCKED, StudyStatus.PAUSED),
    StudyStatus.PAUSED: (StudyStatus.OPEN,),
    StudyStatus.CLOSED: (StudyStatus.OPEN, StudyStatus.PAUSED),
    StudyStatus.UNSEALED: (StudyStatus.CLOSED,),
    StudyStatus.ARCHIVED: (StudyStatus.UNSEALED,),
}

# Which statuses have which value; all others have none.
_STAMPS: Final = {
    "rehearsed_at": None,
    "locked_at": (*UNDER_WAY, *FINISHED),
    "image_bytes": (*UNDER_WAY, *FINISHED),
    "opened_at": (StudyStatus.OPEN, StudyStatus.PAUSED, *FINISHED),
    "paused_at": (StudyStatus.PAUSED,),
    "closed_at": FINISHED,
    "unsealed_at": REVEALED,
    "archived_at": (StudyStatus.ARCHIVED,),
}


def status_constraints() -> list[models.BaseConstraint]:
    """Return check constraints: each date, and what the draw stores, is there exactly in the statuses that have it."""
    agree: list[models.BaseConstraint] = [
        models.CheckConstraint(
            condition=models.Q(status__in=[status.value for status in statuses], **{f"{name}__isnull": False})
            | ~models.Q(status__in=[status.value for status in statuses]) & models.Q(**{f"{name}__isnull": True}),
            name=f"study_{name}_agrees",
        )
        for name, statuses in _STAMPS.items()
        if statuses is not None
    ]
    # A study that was locked keeps the time of its rehearsal.
    rehearsed = models.Q(status="rehearsed", rehearsed_at__isnull=False)
    others = models.Q(status="draft", rehearsed_at__isnull=True) | ~models.Q(status__in=["draft", "rehearsed"])
    return [*agree, models.CheckConstraint(condition=rehearsed | others, name="study_rehearsed_at_agrees")]


_PAIRS: Final = ", ".join(
    f"('{source.value}', '{target.value}')" for target, sources in SOURCES.items() for source in sources
)
_KNOWN_MOVE: Final = f"""
IF (OLD.status, NEW.status) NOT IN ({_PAIRS}) THEN
    RAISE EXCEPTION 'Cannot move the study % from % to %.', OLD.code, OLD.status, NEW.status;
END IF;
IF NEW.locked_at IS NULL AND EXISTS (SELECT 1 FROM studies_sessionplan plan WHERE plan.study_id = NEW.id) THEN
    RAISE EXCEPTION 'Cannot unlock the study %: its lists are still drawn.', OLD.code;
END IF;
IF NEW.status = '{StudyStatus.UNSEALED.value}' AND NOT NEW.is_rehearsal
    AND COALESCE((NEW.plan->>'persons_to_unseal')::int, 1) > 1
    AND NOT EXISTS (
        SELECT 1 FROM studies_unsealingrequest request WHERE request.study_id = NEW.id AND request.outcome = 'confirmed'
    )
THEN
    RAISE EXCEPTION 'Cannot unseal the study %: nobody has confirmed it.', OLD.code;
END IF;
RETURN NEW;
"""


_DRAWN: Final = (
    "plan",
    "protocol_data",
    "image_bytes",
    "plan_sha256",
    "analysis_sha256",
    "template",
    "cohort",
    "is_rehearsal",
    "locked_at",
    "locked_by",
)


def status_triggers() -> list[pgtrigger.Trigger]:
    """Return triggers: only known moves, and nothing of what was drawn changes while the study stays locked."""
    changes = reduce(or_, (pgtrigger.Q(**{f"old__{name}__df": pgtrigger.F(f"new__{name}")}) for name in _DRAWN))
    stays_locked = pgtrigger.Q(old__locked_at__isnull=False, new__locked_at__isnull=False)
    return [
        pgtrigger.Protect(name="plan_locked", operation=pgtrigger.Update, condition=stays_locked & changes),
        pgtrigger.Trigger(
            name="known_move",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=pgtrigger.AnyChange("status"),
            func=_KNOWN_MOVE,
        ),
    ]
