"""Studies, their sessions, enrolled readers and drawn lists. No table here holds the truth."""

from datetime import datetime
from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.errors import StudyError
from readerstudy.names import MAXIMUM_LENGTH, name_constraint
from readerstudy.studies.analysis_plan import AnalysisPlan
from readerstudy.studies.protocol import SessionKind
from readerstudy.studies.rules import SessionRules


class WrongStatus(StudyError):
    """The study is not in the state that this transition starts from."""


class StudyStatus(models.TextChoices):
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    UNSEALED = "unsealed", _("Unsealed")


class Study(models.Model):
    """A reader study. Its lists are drawn when it is created, so it is open from the start."""

    code = models.SlugField(_("code"), max_length=MAXIMUM_LENGTH, unique=True)
    title = models.CharField(_("title"), max_length=160)
    template = models.CharField(_("template"), max_length=32)
    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="+", verbose_name=_("cohort"))
    seed = models.BigIntegerField(_("seed of the draw"))
    plan = models.JSONField(_("plan as drawn"), default=dict)
    # Every image response of the study has this many bytes, so that the size reveals nothing.
    image_bytes = models.PositiveIntegerField(_("bytes of an image answer"))
    is_rehearsal = models.BooleanField(_("rehearsal"), default=False)
    status = models.CharField(_("status"), max_length=8, choices=StudyStatus.choices, default=StudyStatus.OPEN)
    created_at = models.DateTimeField(_("created"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    unsealed_at = models.DateTimeField(_("unsealed"), null=True, blank=True)

    class Meta:
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        constraints = [
            name_constraint("code", name="study_code_follows_rule"),
            models.CheckConstraint(
                condition=models.Q(status="open", closed_at=None)
                | ~models.Q(status="open") & ~models.Q(closed_at=None),
                name="study_closed_at_agrees",
            ),
            models.CheckConstraint(
                condition=models.Q(status="unsealed") & ~models.Q(unsealed_at=None)
                | ~models.Q(status="unsealed") & models.Q(unsealed_at=None),
                name="study_unsealed_at_agrees",
            ),
        ]
        # The plan, including the analysis, is fixed when the study is created.
        triggers = [
            pgtrigger.Protect(
                name="plan_locked",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("plan", "seed", "template", "cohort", "is_rehearsal"),
            ),
        ]

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
    def analysis(self) -> AnalysisPlan:
        """The analysis plan as it was locked with the study; the default plan if none was."""
        return AnalysisPlan.from_data(self.plan.get("analysis", {}))

    @property
    def has_declared_analysis(self) -> bool:
        """Whether an analysis plan was locked with the study. Studies of earlier versions have none."""
        return "analysis" in self.plan

    # What may be shown of a study. `truth.seal` has the rules that need more than the study.
    @property
    def is_sealed(self) -> bool:
        """Whether the truth of the study is hidden from everyone. A rehearsal has no truth to hide."""
        return self.status != StudyStatus.UNSEALED and not self.is_rehearsal

    @property
    def shows_verdicts(self) -> bool:
        """Whether verdicts may be shown to coordinators and researchers: not while readers may still read."""
        return self.status != StudyStatus.OPEN

    @property
    def revealed_seed(self) -> int | None:
        """The seed of the draw, None while it is hidden: with it the plan can be drawn again, in the same order.

        It stays hidden until every study of the same draw (the other resolution) is unsealed. Unlike the report,
        it is hidden for a rehearsal as well, until that is unsealed.
        """
        same_draw = Study.objects.filter(seed=self.seed, cohort=self.cohort_id, is_rehearsal=False)
        is_hidden = self.status != StudyStatus.UNSEALED or same_draw.exclude(status=StudyStatus.UNSEALED).exists()
        return None if is_hidden else self.seed

    def close(self, *, at: datetime) -> None:
        """Stop accepting readings. The truth stays sealed."""
        self._move(StudyStatus.OPEN, StudyStatus.CLOSED, closed_at=at)

    def mark_unsealed(self, *, at: datetime) -> None:
        """Mark the study as unsealed. Called by `truth.actions.unseal_study` only."""
        self._move(StudyStatus.CLOSED, StudyStatus.UNSEALED, unsealed_at=at)

    def _move(self, source: StudyStatus, target: StudyStatus, **stamps: datetime) -> None:
        if not Study.objects.filter(pk=self.pk, status=source).update(status=target, **stamps):
            raise WrongStatus(
                gettext("Study %(code)s is not %(state)s.") % {"code": self.code, "state": source.label.lower()}
            )
        self.refresh_from_db()


class Arm(models.Model):
    """A condition to which readers are allocated: the resolution at which they read."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="arms")
    name = models.SlugField(_("name"), max_length=16)
    resolution = models.CharField(_("resolution"), max_length=16)

    class Meta:
        verbose_name = _("arm")
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="arm_name_once")]

    def __str__(self) -> str:
        return f"{self.study} {self.name}"


class SessionPlan(models.Model):
    """One of the protocol's sessions 1 to 5."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="session_plans")
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=16, choices=SessionKind.choices)
    title = models.CharField(_("title"), max_length=80)
    instructions = models.TextField(_("instructions"))
    total = models.PositiveIntegerField(_("images"))
    washout_days = models.PositiveSmallIntegerField(_("least days after the session before"), default=0)
    rules_data = models.JSONField(_("rules"), default=dict)
    # A real image that is in none of the study's lists. Its verdict is not stored.
    practice = models.ForeignKey(
        Stimulus, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("practice image")
    )

    class Meta:
        ordering = ["study", "number"]
        verbose_name = _("session plan")
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="session_number_once")]

    def __str__(self) -> str:
        return f"{self.study} session {self.number}"

    @property
    def rules(self) -> SessionRules:
        return SessionRules.from_data(self.rules_data)


class Allocation(models.Model):
    """One stimulus at one position of the draw. Drawn once from the study's seed."""

    session_plan = models.ForeignKey(SessionPlan, models.PROTECT, related_name="allocations")
    arm = models.ForeignKey(Arm, models.PROTECT, related_name="allocations")
    position = models.PositiveIntegerField(_("position"))
    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["session_plan", "arm", "position"]
        verbose_name = _("allocation")
        constraints = [
            models.UniqueConstraint(fields=["session_plan", "arm", "position"], name="allocation_position_once"),
            models.UniqueConstraint(fields=["session_plan", "arm", "stimulus"], name="allocation_stimulus_once"),
        ]

    def __str__(self) -> str:
        return f"{self.session_plan} {self.position}"


class Enrollment(models.Model):
    """One reader in one study, under a code for this study."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="enrollments")
    arm = models.ForeignKey(Arm, models.PROTECT, related_name="enrollments")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="enrollments")
    code = models.CharField(_("reader code"), max_length=16)
    enrolled_at = models.DateTimeField(_("enrolled"))

    class Meta:
        verbose_name = _("enrollment")
        constraints = [
            models.UniqueConstraint(fields=["study", "reader"], name="reader_enrolled_once"),
            models.UniqueConstraint(fields=["study", "code"], name="reader_code_once"),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.code}"


class ReadingList(models.Model):
    """The ordered presentations of one reader in one session."""

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="reading_lists")
    session_plan = models.ForeignKey(SessionPlan, models.PROTECT, related_name="reading_lists")

    class Meta:
        ordering = ["session_plan__number"]
        verbose_name = _("reading list")
        constraints = [models.UniqueConstraint(fields=["enrollment", "session_plan"], name="reading_list_once")]

    def __str__(self) -> str:
        return f"{self.enrollment} session {self.session_plan.number}"


def new_code() -> str:
    """Return a random code. It must not be derived from the image or its position."""
    return uuid4().hex


class Presentation(models.Model):
    """One stimulus at one position of one reader's list, under the random code that the browser sees."""

    reading_list = models.ForeignKey(ReadingList, models.PROTECT, related_name="presentations")
    position = models.PositiveIntegerField(_("position"))
    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")
    code = models.CharField(_("code"), max_length=32, unique=True, default=new_code, editable=False)

    class Meta:
        ordering = ["reading_list", "position"]
        verbose_name = _("presentation")
        constraints = [models.UniqueConstraint(fields=["reading_list", "position"], name="presentation_position_once")]

    def __str__(self) -> str:
        return f"{self.reading_list} {self.position}"
