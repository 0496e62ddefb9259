"""A study: its protocol, its status, and the draws that were replaced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import Cohort
from readerstudy.errors import StudyError
from readerstudy.names import MAXIMUM_LENGTH, name_constraint
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, data_hash
from readerstudy.record.triggers import STUDY, logged
from readerstudy.studies.lifecycle import (
    EDITABLE,
    FINISHED,
    REVEALED,
    SOURCES,
    UNDER_WAY,
    StudyStatus,
    status_constraints,
    status_triggers,
)


class WrongStatus(StudyError):
    """The study is not in the state that this transition starts from."""


class Study(models.Model):
    """A reader study: a draft until its lists are drawn and locked. `lifecycle` has its statuses and their rules."""

    code = models.SlugField(_("code"), max_length=MAXIMUM_LENGTH, unique=True)
    title = models.CharField(_("title"), max_length=160)
    template = models.CharField(_("template"), max_length=32)
    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="+", verbose_name=_("cohort"))
    # What was designed; the plan is made from it, once, by the draw.
    protocol_data = models.JSONField(_("protocol"), default=dict)
    plan = models.JSONField(_("plan as drawn"), default=dict)
    plan_sha256 = models.CharField(_("SHA-256 of the plan"), max_length=64, blank=True)
    analysis_sha256 = models.CharField(_("SHA-256 of the analysis plan"), max_length=64, blank=True)
    # Every image response of the study has this many bytes, so that the size reveals nothing.
    image_bytes = models.PositiveIntegerField(_("bytes of an image answer"), null=True, blank=True)
    is_rehearsal = models.BooleanField(_("rehearsal"), default=False)
    status = models.CharField(_("status"), max_length=9, choices=StudyStatus.choices, default=StudyStatus.DRAFT)
    created_at = models.DateTimeField(_("created"))
    rehearsed_at = models.DateTimeField(_("rehearsed"), null=True, blank=True)
    locked_at = models.DateTimeField(_("locked"), null=True, blank=True)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("locked by")
    )
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    resumed_at = models.DateTimeField(_("last resumed"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    unsealed_at = models.DateTimeField(_("unsealed"), null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)

    class Meta:
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        constraints = [name_constraint("code", name="study_code_follows_rule"), *status_constraints()]
        triggers = [*status_triggers(), *logged(study="me.code")]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def named(cls, code: str) -> "Study":
        """Return the study. Raises StudyError with the known codes if there is none."""
        study = cls.objects.filter(code=code).first()
        if study is None:
            known = ", ".join(cls.objects.values_list("code", flat=True)) or "none yet"
            raise StudyError(f"There is no study with the code {code!r}; there are: {known}.")
        return study

    @property
    def study_code(self) -> str:
        """The study that events about it belong to."""
        return self.code

    @property
    def protocol(self) -> Protocol:
        """The protocol as it was designed. It can be edited until the study is locked."""
        return Protocol.from_data(self.protocol_data)

    @property
    def design_sha256(self) -> str:
        """The SHA-256 of everything that can be edited in a draft, by which two versions are compared."""
        return data_hash({"title": self.title, "cohort": self.cohort_id, "protocol": self.protocol.as_data()})

    @property
    def analysis(self) -> AnalysisPlan:
        """The analysis plan: as it was locked with the study, of the protocol before; the default if there is none."""
        return AnalysisPlan.from_data((self.plan or self.protocol_data).get("analysis", {}))

    @property
    def has_declared_analysis(self) -> bool:
        """Whether an analysis plan was locked with the study. Studies of earlier versions have none."""
        return "analysis" in self.plan

    @property
    def persons_to_unseal(self) -> int:
        """How many persons it takes to unseal the study, as it was locked; one in studies of earlier versions.

        A rehearsal is unsealed by its own end.
        """
        return 1 if self.is_rehearsal else int(self.plan.get("persons_to_unseal", 1))

    @property
    def state(self) -> str:
        """The status as it is written inside a sentence, in the language of the request."""
        return StudyStatus(self.status).phrase

    @property
    def is_editable(self) -> bool:
        """Whether the protocol can be changed: until the lists are drawn."""
        return self.status in EDITABLE

    @property
    def takes_readers(self) -> bool:
        """Whether readers can be enrolled: until the study is closed."""
        return self.status not in FINISHED

    @property
    def response_bytes(self) -> int:
        """The length of every image response of a locked study."""
        assert self.image_bytes is not None, "nothing is shown of a study that is not drawn"
        return self.image_bytes

    # What may be shown of a study. `truth.seal` has the rules that need more than the study.
    @property
    def is_unsealed(self) -> bool:
        """Whether the study was unsealed; it stays so in the archive."""
        return self.status in REVEALED

    @property
    def is_sealed(self) -> bool:
        """Whether the truth of the study is hidden from everyone. A rehearsal has no truth to hide."""
        return not self.is_unsealed and not self.is_rehearsal

    @property
    def shows_verdicts(self) -> bool:
        """Whether verdicts may be shown to coordinators and researchers: not while readers may still read."""
        return self.status in FINISHED

    def studies_in_reading(self) -> models.QuerySet["Study"]:
        """Return the other studies that were drawn, are not closed, and show images or patients of this one.

        The same image can be in two cohorts: its pixels have one fingerprint. Rehearsals do not count.
        """
        drawn = "session_plans__allocations__stimulus__image"
        own = Study.objects.filter(pk=self.pk)
        shares = models.Q(**{f"{drawn}__exam__patient__in": own.values(f"{drawn}__exam__patient")})
        shares |= models.Q(**{f"{drawn}__fingerprint__in": own.values(f"{drawn}__fingerprint")})
        others = Study.objects.filter(shares, status__in=UNDER_WAY, is_rehearsal=False).exclude(pk=self.pk)
        return others.distinct().order_by("code")

    def mark_rehearsed(self, *, at: datetime) -> None:
        """Note that simulated readers completed a rehearsal of the draft."""
        self._move(StudyStatus.REHEARSED, rehearsed_at=at, sources=(StudyStatus.DRAFT,))

    def return_to_draft(self) -> None:
        """Let a rehearsed study be a draft again, because it was edited."""
        self._move(StudyStatus.DRAFT, rehearsed_at=None, sources=(StudyStatus.REHEARSED,))

    def lock(self, drawn: "DrawnPlan", *, by: Any, at: datetime) -> None:
        """Fix what was drawn. Called by `truth.actions.lock_study` only."""
        self._move(StudyStatus.LOCKED, locked_at=at, locked_by=by, **vars(drawn))

    def unlock(self) -> None:
        """Remove what was drawn from the study. Called by `studies.actions.unlock_study` only, which keeps it."""
        nothing = dict.fromkeys(("locked_at", "locked_by", "opened_at", "paused_at", "resumed_at", "rehearsed_at"))
        drawn = DrawnPlan(image_bytes=None, plan={}, plan_sha256="", analysis_sha256="")
        self._move(StudyStatus.DRAFT, sources=UNDER_WAY, **nothing, **vars(drawn))

    def open(self, *, at: datetime) -> None:
        """Let readers read."""
        self._move(StudyStatus.OPEN, sources=(StudyStatus.LOCKED,), opened_at=at)

    def pause(self, *, at: datetime) -> None:
        """Accept no readings for a time."""
        self._move(StudyStatus.PAUSED, paused_at=at)

    def resume(self, *, at: datetime) -> None:
        """Accept readings again after a pause."""
        self._move(StudyStatus.OPEN, sources=(StudyStatus.PAUSED,), paused_at=None, resumed_at=at)

    def close(self, *, at: datetime) -> None:
        """Stop accepting readings. The truth stays sealed."""
        self._move(StudyStatus.CLOSED, closed_at=at, paused_at=None)

    def mark_unsealed(self, *, at: datetime) -> None:
        """Mark the study as unsealed. Called by `truth.actions.unseal_study` only."""
        self._move(StudyStatus.UNSEALED, unsealed_at=at)

    def archive(self, *, at: datetime) -> None:
        """Put an unsealed study away. Nothing else about it changes."""
        self._move(StudyStatus.ARCHIVED, archived_at=at)

    def _move(self, target: StudyStatus, *, sources: Sequence[StudyStatus] = (), **values: Any) -> None:
        sources = sources or SOURCES[target]
        if not Study.objects.filter(pk=self.pk, status__in=sources).update(status=target, **values):
            state = gettext(" or ").join(source.phrase for source in sources)
            raise WrongStatus(gettext("Study %(code)s is not %(state)s.") % {"code": self.code, "state": state})
        self.refresh_from_db()


@dataclass(frozen=True)
class DrawnPlan:
    """What the draw stores with its study. `truth` keeps its seed."""

    image_bytes: int | None
    plan: dict[str, Any]
    plan_sha256: str
    analysis_sha256: str


class Draw(models.Model):
    """A draw that was replaced when its study was unlocked. It cannot be changed or deleted."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="draws", verbose_name=_("study"))
    plan = models.JSONField(_("plan as drawn"))
    # Stimuli in reading order, by the number of the session and the arm; practice images by session.
    lists = models.JSONField(_("lists"))
    plan_sha256 = models.CharField(_("SHA-256 of the plan"), max_length=64)
    analysis_sha256 = models.CharField(_("SHA-256 of the analysis plan"), max_length=64)
    drawn_at = models.DateTimeField(_("drawn"))
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("drawn by")
    )
    replaced_at = models.DateTimeField(_("unlocked"))
    replaced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("unlocked by")
    )
    reason = models.TextField(_("reason"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("earlier draw")
        verbose_name_plural = _("earlier draws")
        triggers = [
            pgtrigger.Protect(name="draw_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=STUDY.format("me.study_id"), sealed=("lists",)),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.drawn_at:%Y-%m-%d %H:%M}"
