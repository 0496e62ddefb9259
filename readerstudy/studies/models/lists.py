"""Sessions and drawn lists."""

import json
from datetime import timedelta
from functools import lru_cache
from typing import Final
from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.lookups import Range
from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import Stimulus
from readerstudy.protocol.document import ReadingOrder
from readerstudy.protocol.questions import Question
from readerstudy.protocol.rules import Aid, SessionRules
from readerstudy.protocol.sessions import VERDICTS_BY_KIND, SessionKind, Verdict
from readerstudy.protocol.texts import Say, Translated, reader_says
from readerstudy.record.triggers import ENROLLED, STUDY, LoggedList, logged, not_truncated
from readerstudy.studies.models.enrollment import Enrollment
from readerstudy.studies.models.study import Study

_OF_ALLOCATION: Final = (
    "(SELECT study.code FROM studies_allocation drawn JOIN studies_sessionplan plan ON plan.id = drawn.session_plan_id "
    "JOIN studies_study study ON study.id = plan.study_id WHERE drawn.id = me.allocation_id)"
)
# Unlocking removes the lists of a study, unless a reader has begun.
_KEPT_ONCE_BEGUN: Final = """
IF EXISTS (
    SELECT 1 FROM reading_readingsession begun JOIN studies_readinglist list ON list.id = begun.reading_list_id
    WHERE list.{column} = OLD.{name}
) THEN
    RAISE EXCEPTION 'Cannot delete rows from %: a reader has begun.', TG_TABLE_NAME;
END IF;
RETURN OLD;
"""


def _drawn_once(*, column: str, name: str) -> list[pgtrigger.Trigger]:
    """Return triggers of a table of the draw: no row changes, and none is deleted once a reader has begun."""
    return [
        pgtrigger.Protect(name="drawn_once", operation=pgtrigger.Update),
        pgtrigger.Trigger(
            name="kept_once_begun",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            func=_KEPT_ONCE_BEGUN.format(column=column, name=name),
        ),
        not_truncated(),
    ]


class Arm(models.Model):
    """A condition to which readers are allocated: the resolution at which they read."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="arms")
    name = models.SlugField(_("name"), max_length=16)
    resolution = models.CharField(_("resolution"), max_length=16)

    class Meta:
        verbose_name = _("arm")
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="arm_name_once")]
        triggers = logged(study=STUDY.format("me.study_id"))

    def __str__(self) -> str:
        return f"{self.study} {self.name}"


@lru_cache(maxsize=256)
def _rules(data: str) -> SessionRules:
    """Return stored rules, which never change. A verdict asks for them several times."""
    return SessionRules.from_data(json.loads(data))


class SessionPlan(models.Model):
    """One session of the protocol. `title` and `instructions` are in the study's first language."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="session_plans")
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=16, choices=SessionKind.choices)
    title = models.CharField(_("title"), max_length=80)
    instructions = models.TextField(_("instructions"))
    total = models.PositiveIntegerField(_("images"))
    washout_days = models.PositiveSmallIntegerField(_("least days after the session before"), default=0)
    rules_data = models.JSONField(_("rules"), default=dict)
    order = models.CharField(_("order of the images"), max_length=10, default=ReadingOrder.SAME.value)
    # Of the study's own texts, the first first; and the title and the instructions if they are in several languages.
    languages = models.JSONField(_("languages"), default=list)
    texts = models.JSONField(_("texts by language"), default=dict)
    # A real image that is in none of the study's lists. Its verdict is not stored.
    practice = models.ForeignKey(
        Stimulus, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("practice image")
    )

    class Meta:
        ordering = ["study", "number"]
        verbose_name = _("session plan")
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="session_number_once")]
        triggers = [
            pgtrigger.Protect(name="drawn_once", operation=pgtrigger.Update),
            *logged(study=STUDY.format("me.study_id"), sealed=("practice_id",)),
            LoggedList(
                study=STUDY.format("me.study_id"),
                items="studies_allocation",
                owner="session_plan_id",
                order="item.arm_id, item.position",
            ),
            LoggedList(
                name="aids_logged",
                study=STUDY.format("me.study_id"),
                items="studies_displayedaid",
                owner="session_plan_id",
                order="item.id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} session {self.number}"

    @property
    def rules(self) -> SessionRules:
        return _rules(json.dumps(self.rules_data))

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts that the session asks for."""
        kind = SessionKind(self.kind)
        return self.rules.verdicts if kind == SessionKind.BLINDED else VERDICTS_BY_KIND[kind]

    @property
    def has_aid(self) -> bool:
        """Whether an aid is shown beside each image."""
        return self.rules.aid != Aid.NONE

    @property
    def asks_verdict(self) -> bool:
        """Whether readers say of each image whether it is real."""
        return Verdict.REAL in self.verdicts

    @property
    def closing_questions(self) -> tuple[Question, ...]:
        """The questions that are asked once, at the end of the session."""
        rules = self.rules
        return rules.questions if self.kind == SessionKind.QUESTIONNAIRE else rules.closing_questions

    @property
    def say(self) -> Say:
        """The function that gives a text of the session in the reader's language."""
        return reader_says(self.languages[0] if self.languages else "en")

    @property
    def said_title(self) -> str:
        """The title in the reader's language."""
        return self._said("title")

    @property
    def said_instructions(self) -> str:
        """The instructions in the reader's language."""
        return self._said("instructions")

    def _said(self, name: str) -> str:
        return self.say(Translated(self.texts[name]) if name in self.texts else getattr(self, name))


class Allocation(models.Model):
    """One stimulus at one position of the draw. Drawn once from the study's seed."""

    session_plan = models.ForeignKey(SessionPlan, models.PROTECT, related_name="allocations")
    arm = models.ForeignKey(Arm, models.PROTECT, related_name="allocations")
    position = models.PositiveIntegerField(_("position"))
    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")
    # Shown a second time, here or in an earlier session: for the agreement of readers with themselves only.
    is_repeat = models.BooleanField(_("shown again"), default=False)

    class Meta:
        ordering = ["session_plan", "arm", "position"]
        verbose_name = _("allocation")
        constraints = [
            models.UniqueConstraint(fields=["session_plan", "arm", "position"], name="allocation_position_once"),
            models.UniqueConstraint(
                fields=["session_plan", "arm", "stimulus", "is_repeat"], name="allocation_stimulus_once"
            ),
        ]
        triggers = _drawn_once(column="session_plan_id", name="session_plan_id")

    def __str__(self) -> str:
        return f"{self.session_plan} {self.position}"

    @classmethod
    def analysed(cls) -> models.QuerySet["Allocation"]:
        """Return all allocations but repeats and those excluded from the analysis."""
        excluded = AnalysisExclusion.objects.filter(withdrawn_at=None).values("allocation")
        return cls.objects.filter(is_repeat=False).exclude(pk__in=excluded)


class ReadingList(models.Model):
    """The ordered presentations of one reader in one session."""

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="reading_lists")
    session_plan = models.ForeignKey(SessionPlan, models.PROTECT, related_name="reading_lists")
    # Its place among the reader's sessions, from 1: the session's number unless the study has a crossover.
    place = models.PositiveSmallIntegerField(_("place"))
    # After the session before. It belongs to the place, not to the session.
    washout_days = models.PositiveSmallIntegerField(_("least days after the session before"), default=0)
    # A coordinator let the reader begin before the end of the washout.
    washout_waived_at = models.DateTimeField(_("washout waived"), null=True)

    class Meta:
        ordering = ["place"]
        verbose_name = _("reading list")
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "session_plan"], name="reading_list_once"),
            models.UniqueConstraint(fields=["enrollment", "place"], name="reading_list_place_once"),
        ]
        triggers = [
            *logged(study=ENROLLED.format("me.enrollment_id")),
            LoggedList(
                study=ENROLLED.format("me.enrollment_id"),
                items="studies_presentation",
                owner="reading_list_id",
                order="item.position",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment} session {self.session_plan.number}"

    @property
    def study_code(self) -> str:
        """The study that events about the list belong to."""
        return self.enrollment.study.code

    @property
    def washout(self) -> timedelta:
        """The least time after the session before, which a coordinator can waive for one reader."""
        return timedelta(0) if self.washout_waived_at else timedelta(days=self.washout_days)


def new_code() -> str:
    """Return a random code. It must not be derived from the image or its position."""
    return uuid4().hex


class Presentation(models.Model):
    """One stimulus at one position of one reader's list, under the random code that the browser sees."""

    reading_list = models.ForeignKey(ReadingList, models.PROTECT, related_name="presentations")
    position = models.PositiveIntegerField(_("position"))
    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")
    code = models.CharField(_("code"), max_length=32, unique=True, default=new_code, editable=False)
    is_repeat = models.BooleanField(_("shown again"), default=False, editable=False)

    class Meta:
        ordering = ["reading_list", "position"]
        verbose_name = _("presentation")
        constraints = [models.UniqueConstraint(fields=["reading_list", "position"], name="presentation_position_once")]
        triggers = _drawn_once(column="id", name="reading_list_id")

    def __str__(self) -> str:
        return f"{self.reading_list} {self.position}"


class DisplayedAid(models.Model):
    """What the aid of a session says about one image, as readers see it: fixed by the draw, never changed.

    Scores by themselves are sealed with the truth; only what is displayed is stored here.
    """

    session_plan = models.ForeignKey(SessionPlan, models.PROTECT, related_name="aids")
    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")
    score = models.DecimalField(_("score"), max_digits=3, decimal_places=2)
    threshold = models.DecimalField(_("threshold"), max_digits=3, decimal_places=2)
    is_above = models.BooleanField(_("above the threshold"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("displayed aid")
        constraints = [
            models.UniqueConstraint(fields=["session_plan", "stimulus"], name="displayed_aid_once"),
            models.CheckConstraint(
                # As an expression: the lookup would have the name of a table of the truth.
                condition=models.Q(Range(models.F("score"), (0, 1)), threshold__range=(0, 1)),
                name="displayed_aid_within_range",
            ),
        ]
        triggers = _drawn_once(column="session_plan_id", name="session_plan_id")

    def __str__(self) -> str:
        return f"{self.session_plan} aid"


class AnalysisExclusion(models.Model):
    """An image of one session that the analysis leaves out for all readers. Withdrawn exclusions stay on record."""

    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="exclusions")
    reason = models.CharField(_("reason"), max_length=2000)
    at = models.DateTimeField(_("excluded"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("exclusion from the analysis")
        verbose_name_plural = _("exclusions from the analysis")
        constraints = [
            models.UniqueConstraint(
                fields=["allocation"],
                condition=models.Q(withdrawn_at=None),
                name="allocation_excluded_once",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="exclusion_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="exclusion_locked",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("allocation", "reason", "at", "by"),
            ),
            pgtrigger.Protect(
                name="exclusion_withdrawn_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            *logged(study=_OF_ALLOCATION),
        ]

    def __str__(self) -> str:
        return str(self.allocation)
