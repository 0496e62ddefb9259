"""Administration of sessions and readings; read only, except for resuming. Verdicts are hidden until closing."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from unfold import decorators

from readerstudy.accounts.admin import ReasonForm, carry_out, is_investigator
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.reading.actions import allow_resume
from readerstudy.reading.models import CheckedDisplay, Claim, Reading, ReadingSession, Showing
from readerstudy.studies.admin.access import Evidence, OfStudies, own
from readerstudy.studies.models import Presentation

# The annotations of unfold do not allow lazy texts.
action: Any = decorators.action

PLACE = "presentation__reading_list"
STUDY = f"{PLACE}__enrollment__study"
WHERE = (STUDY, f"{PLACE}__session_plan__study", "presentation__reading_list")


class OnHold(admin.EmptyFieldListFilter):
    """Whether a session waits for the study team, in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("state")

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the choices of the base class: all, empty, not empty."""
        for choice, words in zip(super().choices(changelist), (_("All"), _("Not on hold"), _("On hold")), strict=True):
            yield {**choice, "display": words}


@admin.register(ReadingSession)
class ReadingSessionAdmin(OfStudies):
    """Reading sessions: who opened which session when, and the number of images read."""

    study_path = "reading_list__enrollment__study"
    list_display = ("reading_list", "opened_at", "answered", "finished_at", "held_at")
    list_filter = (
        own("reading_list__enrollment__study"),
        "reading_list__session_plan__number",
        ("held_at", OnHold),
    )
    search_fields = ("reading_list__enrollment__code", "reading_list__enrollment__study__code")
    list_select_related = ("reading_list__enrollment__study", "reading_list__session_plan")
    ordering = ("-opened_at",)
    fields = (*list_display, "practised_at", "allowed_at")
    actions_detail = ("allow",)

    def has_allow_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        is_held = pk is None or ReadingSession.objects.filter(pk=pk, held_at__isnull=False).exists()
        return is_investigator(request) and is_held

    @action(
        description=_("Resume session"),
        url_path="allow",
        icon="play_arrow",
        permissions=["allow"],
        dialog={
            "title": _("Resume this session?"),
            "description": _("Nothing was read for longer than the plan allows. The reason is stored with the study."),
            "form_submit_text": _("Resume session"),
            "form_class": ReasonForm,
        },
    )
    def allow(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        session = get_object_or_404(self.get_queryset(request), pk=object_id)
        actor, reason = signed_in_user(request), form.cleaned_data["reason"]
        work = partial(allow_resume, session=session, actor=actor, reason=reason, at=now())
        return carry_out(self, request, work, _("%(session)s was resumed.") % {"session": session}, object_id)


@admin.register(Claim)
class ClaimAdmin(Evidence):
    """The browser pages that took over a session, and the time since the last verdict."""

    study_path = "session__reading_list__enrollment__study"
    list_display = ("session", "at", "rested_s", "page")
    list_filter = (own("session__reading_list__enrollment__study"),)
    search_fields = ("session__reading_list__enrollment__code", "session__reading_list__enrollment__study__code")
    list_select_related = (
        "session__reading_list__enrollment__study",
        "session__reading_list__session_plan__study",
    )
    ordering = ("-id",)
    fields = list_display


@admin.register(CheckedDisplay)
class CheckedDisplayAdmin(OfStudies):
    """Display checks before the sessions, with the reasons for failing."""

    study_path = "reading_list__enrollment__study"
    list_display = ("reading_list", "at", "passed", "shown_failures")
    list_filter = ("passed", own("reading_list__enrollment__study"))
    search_fields = ("reading_list__enrollment__code", "reading_list__enrollment__study__code")
    list_select_related = ("reading_list__enrollment__study", "reading_list__session_plan__study")
    ordering = ("-id",)
    fields = (*list_display, "results")
    readonly_fields = ("shown_failures",)

    @admin.display(description=_("reasons for failing"))
    def shown_failures(self, checked: CheckedDisplay) -> str:
        return " ".join(checked.failures) or "–"


@admin.register(Showing)
class ShowingAdmin(Evidence):
    """The time at which each presentation was first shown."""

    study_path = STUDY
    list_display = ("presentation", "at")
    list_filter = (own(STUDY),)
    search_fields = ("presentation__code", f"{PLACE}__enrollment__code")
    list_select_related = WHERE
    ordering = ("-id",)
    fields = list_display


@admin.register(Reading)
class ReadingAdmin(Evidence):
    """Readings with their times; with their verdicts after the study is closed."""

    study_path = STUDY
    list_display = ("presentation", "shown_verdict", "elapsed_ms", "quality", "shown_at", "answered_at", "receipt")
    list_filter = (own(STUDY), f"{PLACE}__session_plan__number", "quality")
    search_fields = ("presentation__code", "receipt", f"{PLACE}__enrollment__code")
    list_select_related = WHERE
    ordering = ("-id",)
    fields = (*list_display, "quality_reasons", "shown_answers", "shown_paradata")
    readonly_fields = ("shown_verdict", "shown_answers", "shown_paradata", "receipt")

    @admin.display(description=_("verdict"))
    def shown_verdict(self, reading: Reading) -> str:
        return _hidden(reading.presentation) or str(reading.get_verdict_display())

    @admin.display(description=_("answers"))
    def shown_answers(self, reading: Reading) -> str:
        return _hidden(reading.presentation) or str(reading.answers or "–")

    @admin.display(description=_("paradata"))
    def shown_paradata(self, reading: Reading) -> str:
        # The paradata contain the key that was pressed.
        return _hidden(reading.presentation) or str(reading.paradata)


def _hidden(presentation: Presentation) -> str:
    study = presentation.reading_list.enrollment.study
    return "" if study.shows_verdicts else str(_("hidden until closed"))
