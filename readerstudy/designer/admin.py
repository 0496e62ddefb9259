"""Studies in the administration with what the designer adds: making a study, editing a draft, rules in words."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold import decorators

from readerstudy.accounts.admin import is_investigator
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.designer.form.readable import analysis_facts, rules_facts
from readerstudy.designer.pages.views import Frame, design_page, new_page
from readerstudy.studies.access import studies_of
from readerstudy.studies.admin.pages import DrawsOfStudy, ReadersOfStudy, SessionPlanAdmin, SessionsOfStudy, StudyAdmin
from readerstudy.studies.models import Draw, SessionPlan, Study
from readerstudy.truth.seal import revealed_seed

# The annotations of unfold do not allow lazy texts.
action_of_page: Any = decorators.action

admin.site.unregister(Study)


class DrawsWithSeed(DrawsOfStudy):
    """Earlier draws, each with its seed once that may be shown."""

    @admin.display(description=_("seed of the draw"))
    def shown_seed(self, draw: Draw) -> str:
        return _shown_seed(draw)


@admin.register(Study)
class DesignedStudyAdmin(StudyAdmin):
    """Studies. Adding one and editing a draft show the forms of the designer, which save through the same actions."""

    inlines = (SessionsOfStudy, ReadersOfStudy, DrawsWithSeed)
    actions_detail: Sequence[str] = ("edit_design", *StudyAdmin.actions_detail)

    @admin.display(description=_("what will be tested"))
    def shown_analysis(self, study: Study) -> SafeString | str:
        """Return the plan in the words of the designer's form."""
        if not (study.is_editable or study.has_declared_analysis):
            return str(_("None was locked with this study: nothing in its report is confirmatory."))
        facts = [(fact.label, fact.value) for fact in analysis_facts(study.analysis)]
        return format_html_join(mark_safe("<br>"), "{}: {}", [*facts, ("SHA-256", study.analysis.hash)])

    @admin.display(description=_("seed of the draw"))
    def shown_seed(self, study: Study) -> str:
        return str(_("none yet")) if study.is_editable else _shown_seed(study)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_investigator(request)

    def has_edit_design_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        if pk is None or not is_investigator(request):
            return is_investigator(request)
        return any(study.is_editable for study in studies_of(signed_in_user(request)).filter(pk=pk))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.design_view)
        own = path("<int:number>/design/", view, name="studies_study_design")
        urls: list[URLPattern] = [own, *super().get_urls()]
        return urls

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form of a new study, or create the draft."""
        return new_page(request, self._frame(request, _("New study")))

    def design_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show the form of a draft, save it, or carry out what one of its buttons asks."""
        study = get_object_or_404(studies_of(signed_in_user(request)).select_related("cohort"), pk=number)
        if not study.is_editable:
            return redirect(_change_url(study))
        return design_page(request, study, self._frame(request, _("Design")))

    @action_of_page(description=_("Edit the design"), url_path="edit-design", permissions=["edit_design"], icon="edit")
    def edit_design(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the form of the draft."""
        return redirect("admin:studies_study_design", object_id)

    def _frame(self, request: HttpRequest, title: Any) -> Frame:
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return Frame("designer/admin_new.html", "designer/admin_design.html", _design_url, _change_url, context)


admin.site.unregister(SessionPlan)


@admin.register(SessionPlan)
class DesignedSessionAdmin(SessionPlanAdmin):
    """Sessions of the studies, with their rules in words."""

    @admin.display(description=_("rules"))
    def shown_rules(self, plan: SessionPlan) -> SafeString:
        """Return the rules in the words of the designer's form."""
        facts = ((fact.label, fact.value) for fact in rules_facts(plan.rules))
        return format_html_join(mark_safe("<br>"), "{}: {}", facts)


def _shown_seed(drawn: Study | Draw) -> str:
    seed = revealed_seed(drawn)
    return str(_("sealed") if seed is None else seed)


def _design_url(study: Study) -> str:
    return reverse("admin:studies_study_design", args=[study.pk])


def _change_url(study: Study) -> str:
    return reverse("admin:studies_study_change", args=[study.pk])
