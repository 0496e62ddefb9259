"""Unplanned unblindings of a study: the record, corrections, and assessments (ICH E6(R3) 4.1.4)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localtime, now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.errors import StudyError
from readerstudy.studies.access import study_for
from readerstudy.studies.actions import assess_unblinding, correct_unblinding, record_unblinding
from readerstudy.studies.actions.unblinding import LONGEST_TEXT, UnblindingFacts
from readerstudy.studies.models import Consequence, Study
from readerstudy.studies.unblindings import UnblindingCase, unblindings_of

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)
WITHOUT_TRUTH = _("Do not write here which images are real: coordinators read this page while the study is blinded.")


def _area(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}), strip=True, **options
    )


class FactsForm(forms.Form):
    """Who learnt what, when and how, and which readers and sessions it concerns."""

    happened_at = forms.DateTimeField(
        label=_("When it happened"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    persons = _area(_("Who learnt it"))
    learnt = _area(_("What they learnt, about which images"))
    how = _area(_("How it happened"))
    readers = forms.MultipleChoiceField(
        label=_("Readers concerned (none: all)"), required=False, widget=forms.CheckboxSelectMultiple
    )
    sessions = forms.TypedMultipleChoiceField(
        label=_("Sessions concerned (none: all)"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = study.enrollments.order_by("pk").values_list("code", flat=True)
        numbers = study.session_plans.order_by("number").values_list("number", flat=True)
        for name, values in (("readers", codes), ("sessions", numbers)):
            # The stubs know these fields by their base class, which has no choices.
            self.fields[name].choices = [(value, str(value)) for value in values]  # type: ignore[attr-defined]

    @property
    def facts(self) -> UnblindingFacts:
        """The facts of a valid form."""
        values = self.cleaned_data
        lists = {"readers": tuple(values["readers"]), "sessions": tuple(values["sessions"])}
        return UnblindingFacts(**{**values, **lists})


class AssessmentForm(forms.Form):
    """What an unblinding means for the study."""

    consequence = forms.ChoiceField(label=_("Consequence"), choices=Consequence.choices)
    readings = forms.IntegerField(
        label=_("Readings that could be influenced, if known"), required=False, min_value=0, max_value=10_000_000
    )
    text = _area(_("Assessment: what it could change, and why this consequence"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def unblindings(request: HttpRequest, code: str) -> HttpResponse:
    """Show what was recorded, or record another unblinding."""
    study = study_for(signed_in_user(request), code)
    form = FactsForm(study, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            record_unblinding(study=study, facts=form.facts, actor=signed_in_user(request), at=now())
        except StudyError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("The unblinding is recorded. Now assess what it means."))
            return redirect("desk:unblindings", code)
    context = {"study": study, "cases": unblindings_of(study), "form": form, "warning": WITHOUT_TRUTH}
    return render(request, "desk/unblindings.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def unblinding(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show one unblinding with all its records and assessments; correct it or assess it."""
    study = study_for(signed_in_user(request), code)
    case = next((each for each in unblindings_of(study) if each.newest.number == number), None)
    if case is None:
        raise Http404
    is_assessing = request.POST.get("form") == "assess"
    facts = FactsForm(study, None if is_assessing else request.POST or None, initial=_initial(case))
    assessment = AssessmentForm(request.POST if is_assessing else None)
    chosen = assessment if is_assessing else facts
    if request.method == "POST" and chosen.is_valid():
        values: dict[str, Any] = {"study": study, "number": number, "actor": signed_in_user(request), "at": now()}
        try:
            if is_assessing:
                assess_unblinding(**values, **assessment.cleaned_data)
            else:
                correct_unblinding(**values, facts=facts.facts)
        except StudyError as error:
            chosen.add_error(None, str(error))
        else:
            messages.success(request, gettext("It is recorded. What was recorded before stays."))
            return redirect("desk:unblinding", code, number)
    context = {"study": study, "case": case, "form": facts, "assessment_form": assessment, "warning": WITHOUT_TRUTH}
    return render(request, "desk/unblinding.html", context, status=400 if chosen.errors else 200)


def _initial(case: UnblindingCase) -> dict[str, Any]:
    newest = case.newest
    names = ("persons", "learnt", "how", "readers", "sessions")
    return {"happened_at": localtime(newest.happened_at), **{name: getattr(newest, name) for name in names}}
