"""Studies, their sessions and readers, with their progress. Changes go through the actions."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate, now
from django.utils.translation import gettext_lazy as _
from unfold import decorators

from readerstudy.accounts.admin import ReadOnlyInline, bar, is_investigator
from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.studies.access import studies_of
from readerstudy.studies.actions import enroll
from readerstudy.studies.admin.access import Evidence, OfStudies, own
from readerstudy.studies.admin.moves import StudyMoves
from readerstudy.studies.lifecycle import FINISHED
from readerstudy.studies.models import (
    Allocation,
    Arm,
    Draw,
    Enrollment,
    Presentation,
    ReadingList,
    SessionPlan,
    Study,
)

# The annotations of unfold do not allow lazy texts.
display: Any = decorators.display

DATES = (
    "created_at",
    "rehearsed_at",
    "locked_at",
    "locked_by",
    "opened_at",
    "paused_at",
    "resumed_at",
    "closed_at",
    "unsealed_at",
    "archived_at",
)
COLOURS = {"open": "success", "paused": "danger", "closed": "warning", "unsealed": "info"}
# Lists with the position of their reader. `reading` defines the session, so it appears here by name only.
LISTS = Prefetch("reading_lists", ReadingList.objects.select_related("session_plan", "session"))


class WithProgress:
    """A column that shows the annotations `answered` and `planned` as a bar."""

    @admin.display(description=_("progress"))
    def progress(self, row: Any) -> SafeString | str:
        return bar(row.answered, row.planned)


class SessionsOfStudy(WithProgress, ReadOnlyInline):
    """The sessions of a study, each over all readers."""

    model = SessionPlan
    verbose_name_plural = _("sessions")
    fields = ("number", "kind", "title", "total", "washout_days", "finished", "progress")
    readonly_fields = ("finished", "progress")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SessionPlan]:
        is_finished = Q(reading_lists__session__finished_at__isnull=False)
        plans: QuerySet[SessionPlan] = super().get_queryset(request)
        takes_part = Q(reading_lists__enrollment__withdrawn_at=None)
        return plans.annotate(
            answered=Sum("reading_lists__session__answered", filter=takes_part),
            planned=F("total") * Count("reading_lists", filter=takes_part),
            finished_count=Count("reading_lists", filter=is_finished),
        )

    @admin.display(description=_("readers done"))
    def finished(self, plan: Any) -> int:
        return int(plan.finished_count)


class ReadersOfStudy(ReadOnlyInline):
    """Enrolled readers with their progress in each session."""

    model = Enrollment
    verbose_name_plural = _("readers")
    fields = ("code", "person", "arm", "enrolled_at", "sessions")
    readonly_fields = ("person", "sessions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        enrollments: QuerySet[Enrollment] = super().get_queryset(request)
        return enrollments.select_related("reader", "study", "arm__study").prefetch_related(LISTS)

    @admin.display(description=_("person"))
    def person(self, enrollment: Enrollment) -> SafeString:
        address = reverse("admin:accounts_user_change", args=[enrollment.reader_id])
        return format_html('<a href="{}" class="text-primary-600 underline">{}</a>', address, enrollment.reader)

    @admin.display(description=_("answered in sessions 1, 2, …"))
    def sessions(self, enrollment: Enrollment) -> str:
        return in_each_session(enrollment)


def in_each_session(enrollment: Enrollment) -> str:
    """Return answered and total of each session: "3/3 · 2/14 · 0/14"."""
    lists = sorted(enrollment.reading_lists.all(), key=lambda row: row.session_plan.number)
    return " · ".join(f"{_answered(row)}/{row.session_plan.total}" for row in lists)


def _answered(reading_list: ReadingList) -> int:
    session = getattr(reading_list, "session", None)  # none before the reader opens it
    return session.answered if session else 0


class DrawsOfStudy(ReadOnlyInline):
    """Earlier draws, which were replaced after the study was unlocked. Their stimuli are not shown.

    `designer.admin` adds the seed, which needs the truth.
    """

    model = Draw
    verbose_name_plural = _("earlier draws")
    fields = ("drawn_at", "drawn_by", "replaced_at", "replaced_by", "reason", "shown_seed", "plan_sha256")
    readonly_fields = ("shown_seed",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Draw]:
        draws: QuerySet[Draw] = super().get_queryset(request)
        return draws.select_related("study", "drawn_by", "replaced_by")


@admin.register(Study)
class StudyAdmin(StudyMoves, WithProgress, OfStudies):
    """Studies: progress and moves. `designer.admin` adds seed, analysis plan in words, and the forms of drafts."""

    study_path = ""
    list_display = ("code", "title", "shown_status", "readers", "progress", "created_at")
    list_filter = ("status", "is_rehearsal", "template")
    search_fields = ("code", "title")
    list_select_related = ("cohort",)
    ordering = ("-created_at", "-id")
    inlines = (SessionsOfStudy, ReadersOfStudy, DrawsOfStudy)
    fieldsets = (
        (None, {"fields": ("code", "title", "status", "progress", "readers", "people", "enroll_reader")}),
        (_("Plan"), {"fields": ("template", "cohort", "is_rehearsal", "shown_seed")}),
        (_("Analysis plan"), {"fields": ("shown_analysis",)}),
        (_("Dates"), {"fields": DATES}),
    )
    readonly_fields = ("progress", "readers", "people", "enroll_reader", "shown_seed", "shown_analysis")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        studies: QuerySet[Study] = super().get_queryset(request)
        lists, takes_part = "enrollments__reading_lists__", Q(enrollments__withdrawn_at=None)
        return studies.annotate(
            reader_count=Count("enrollments", distinct=True, filter=takes_part),
            answered=Sum(f"{lists}session__answered", filter=takes_part),
            planned=Sum(f"{lists}session_plan__total", filter=takes_part),
        )

    @display(description=_("status"), label=COLOURS)
    def shown_status(self, study: Study) -> tuple[str, Any]:
        words = str(study.get_status_display())
        rehearsal = _("rehearsal")
        return study.status, f"{words} ({rehearsal})" if study.is_rehearsal else words

    @admin.display(description=_("readers"))
    def readers(self, study: Any) -> int:
        return int(study.reader_count)

    @admin.display(description=_("people"))
    def people(self, study: Study) -> SafeString:
        address = reverse("desk:people", args=[study.code])
        return format_html(
            '<a href="{}" class="text-primary-600 underline">{}</a>', address, _("Invitations and mails")
        )

    @admin.display(description=_("enroll"))
    def enroll_reader(self, study: Study) -> SafeString | str:
        if not study.takes_readers:
            return str(_("The study takes no more readers."))
        address = f"{reverse('admin:studies_enrollment_add')}?study={study.pk}"
        return format_html('<a href="{}" class="text-primary-600 underline">{}</a>', address, _("Enroll a reader"))


@admin.register(Enrollment)
class EnrollmentAdmin(WithProgress, OfStudies):
    """Enrolled readers. Enrolling creates their reading lists."""

    # Arm and sessions are on the page of each row: with them the list is wider than most windows.
    list_display = ("reader_code", "study_code", "person", "enrolled", "withdrawn", "progress")
    list_filter = (own("study"),)
    search_fields = ("code", "reader__username", "study__code")
    list_select_related = ("study", "reader", "arm__study")
    ordering = ("-id",)
    readonly_fields = ("sessions", "progress")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_investigator(request)

    def get_fields(self, request: HttpRequest, obj: Enrollment | None = None) -> tuple[str, ...]:
        life = ("replaces", "override_reason", "paused_at", "withdrawn_at", "withdrawal_cause", "withdrawal_reason")
        shown = ("study", "reader", "arm", "code", "enrolled_at", "sessions", *life)
        return shown if obj else ("study", "reader", "override_reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        enrollments: QuerySet[Enrollment] = super().get_queryset(request)
        return enrollments.prefetch_related(LISTS).annotate(
            answered=Sum("reading_lists__session__answered"), planned=Sum("reading_lists__session_plan__total")
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "study":
            kwargs["queryset"] = studies_of(signed_in_user(request)).exclude(status__in=FINISHED)
        if db_field.name == "reader":
            kwargs["queryset"] = User.objects.filter(role=Role.READER, is_active=True).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Enrollment, form: Any, change: bool) -> None:
        actor = signed_in_user(request)
        enrollment = enroll(
            study=obj.study, reader=obj.reader, at=now(), actor=actor, override_reason=obj.override_reason
        )
        obj.pk, obj.code, obj.arm, obj.enrolled_at = (
            enrollment.pk,
            enrollment.code,
            enrollment.arm,
            enrollment.enrolled_at,
        )

    @admin.display(description=_("code"), ordering="code")
    def reader_code(self, enrollment: Enrollment) -> str:
        return enrollment.code

    @admin.display(description=_("study"), ordering="study__code")
    def study_code(self, enrollment: Enrollment) -> str:
        return enrollment.study.code

    @admin.display(description=_("person"), ordering="reader__username")
    def person(self, enrollment: Enrollment) -> str:
        return str(enrollment.reader)

    @admin.display(description=_("enrolled on"), ordering="enrolled_at")
    def enrolled(self, enrollment: Enrollment) -> date:
        return localdate(enrollment.enrolled_at)

    @admin.display(description=_("withdrawn on"), ordering="withdrawn_at")
    def withdrawn(self, enrollment: Enrollment) -> date | None:
        return localdate(enrollment.withdrawn_at) if enrollment.withdrawn_at else None

    @admin.display(description=_("answered in sessions 1, 2, …"))
    def sessions(self, enrollment: Enrollment) -> str:
        return in_each_session(enrollment)


@admin.register(SessionPlan)
class SessionPlanAdmin(Evidence):
    """The sessions of every study, with the rules of their plan."""

    list_display = ("study", "number", "kind", "title", "total", "washout_days")
    list_filter = (own("study"), "kind")
    search_fields = ("study__code", "title")
    list_select_related = ("study",)
    fields = (*list_display, "instructions", "shown_rules")
    readonly_fields = ("shown_rules",)

    @admin.display(description=_("rules"))
    def shown_rules(self, plan: SessionPlan) -> SafeString | str:
        return str(plan.rules.as_data())  # `designer.admin` has them in words


@admin.register(Arm)
class ArmAdmin(Evidence):
    """Conditions that readers are allocated to."""

    list_display = ("study", "name", "resolution")
    list_filter = (own("study"), "resolution")
    search_fields = ("study__code", "name")
    list_select_related = ("study",)


@admin.register(ReadingList)
class ReadingListAdmin(Evidence):
    """One reader's list in one session."""

    study_path = "enrollment__study"
    list_display = ("enrollment", "session_plan", "progress")
    list_filter = (own("enrollment__study"), "session_plan__number")
    search_fields = ("enrollment__code", "enrollment__study__code")
    list_select_related = ("enrollment__study", "session_plan__study", "session")
    fields = list_display
    readonly_fields = ("progress",)

    @admin.display(description=_("progress"))
    def progress(self, reading_list: ReadingList) -> SafeString | str:
        return bar(_answered(reading_list), reading_list.session_plan.total)


@admin.register(Presentation)
class PresentationAdmin(Evidence):
    """Positions of the reading lists, without their stimuli, which could reveal the truth."""

    study_path = "reading_list__enrollment__study"
    list_display = ("reading_list", "position", "code")
    list_filter = (own("reading_list__enrollment__study"),)
    search_fields = ("code", "reading_list__enrollment__code")
    list_select_related = ("reading_list__enrollment__study", "reading_list__session_plan")
    fields = list_display
    readonly_fields = ("code",)


@admin.register(Allocation)
class AllocationAdmin(Evidence):
    """Positions of the draw, also without their stimuli."""

    study_path = "session_plan__study"
    list_display = ("session_plan", "arm", "position")
    list_filter = (own("session_plan__study"), own("arm"))
    search_fields = ("session_plan__study__code",)
    list_select_related = ("session_plan__study", "arm__study")
    fields = list_display
