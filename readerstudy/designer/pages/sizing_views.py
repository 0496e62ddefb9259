"""The page of the size of a study: assumptions, power by formula and simulation, and keeping them in the plan."""

from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from readerstudy.accounts.permissions import signed_in_user
from readerstudy.designer.checklist.power import FIGURES
from readerstudy.designer.form.sizing_labels import SIZING
from readerstudy.designer.pages.access import find_study, for_investigators
from readerstudy.designer.sizing.actions import (
    USUAL_RUNS,
    first_sizing,
    keep_sizing,
    start_simulation,
    with_simulation,
)
from readerstudy.designer.sizing.computed import compute
from readerstudy.designer.sizing.curves import power_picture
from readerstudy.errors import BadInput, StudyError
from readerstudy.protocol.comparisons import DIFFERENCE
from readerstudy.protocol.sizing import ASSUMPTIONS, MOST_READERS, MOST_SIMULATIONS, Sizing, sizing_sentences
from readerstudy.studies.models import Study

_WHOLE: Final = ("readers",)
_EDITED: Final = (*ASSUMPTIONS, "source")


class SizingForm(forms.Form):
    """The assumptions of a sizing, and how many studies to simulate."""

    runs = forms.IntegerField(
        label=gettext_lazy("Studies to simulate"),
        help_text=gettext_lazy("1000 take some seconds; the powers are then exact to 3 points."),
        min_value=1,
        max_value=MOST_SIMULATIONS,
        initial=USUAL_RUNS,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ASSUMPTIONS:
            values: dict[str, Any] = {"label": SIZING[name].label, "help_text": SIZING[name].help, "min_value": 0}
            if name in _WHOLE:
                self.fields[name] = forms.IntegerField(max_value=MOST_READERS, **values)
            else:
                self.fields[name] = forms.DecimalField(localize=True, max_value=1000, **values)
        self.fields["source"] = forms.CharField(
            label=str(SIZING["source"].label), help_text=str(SIZING["source"].help), max_length=500, required=False
        )
        self.order_fields([*_EDITED, "runs"])

    def sizing(self) -> Sizing:
        """Return the assumptions of a valid form."""
        values = {name: self.cleaned_data[name] for name in ASSUMPTIONS}
        numbers: dict[str, Any] = {name: value if name in _WHOLE else float(value) for name, value in values.items()}
        return Sizing(**numbers, source=self.cleaned_data["source"].strip() or None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def sizing(request: HttpRequest, code: str) -> HttpResponse:
    """Show the power under assumptions; simulate the plan, or keep the sizing in it."""
    study = find_study(request, code)
    if request.method == "POST":
        return _act(request, study)
    asked = any(name in request.GET for name in ASSUMPTIONS)
    if asked and study.is_editable:
        return _page(request, study, SizingForm(request.GET))
    return _page(request, study, None)


def _act(request: HttpRequest, study: Study) -> HttpResponse:
    form = SizingForm(request.POST)
    if not form.is_valid():
        return _page(request, study, form)
    actor, at = signed_in_user(request), now()
    try:
        if request.POST.get("act") == "keep":
            keep_sizing(study=study, sizing=form.sizing(), base=request.POST.get("base") or None, actor=actor, at=at)
            messages.success(request, _("The size and its reasons are kept in the plan; they are locked with it."))
            return redirect("designer:sizing", study.code)
        if request.POST.get("act") == "simulate":
            runs = form.cleaned_data["runs"] or USUAL_RUNS
            job = start_simulation(study=study, sizing=form.sizing(), runs=runs, actor=actor, at=at)
            url = reverse("designer:job", args=[study.code, job.pk])
            return redirect(f"{url}?{urlencode({'sizing': _query(form)})}")
    except StudyError as error:
        return _page(request, study, form, error=str(error))
    return redirect(f"{reverse('designer:sizing', args=[study.code])}?{_query(form)}")


def _query(form: SizingForm) -> str:
    """Return the assumptions as the query of this page's address."""
    return urlencode({name: form.data.get(name, "") for name in (*_EDITED, "runs")})


def _page(request: HttpRequest, study: Study, form: SizingForm | None, *, error: str = "") -> HttpResponse:
    """Show the page for what the form says; without a form, for what the plan keeps or usual assumptions."""
    shown, protocol = first_sizing(study), study.protocol
    if form is None:
        initial = {name: getattr(shown, name) for name in _EDITED}
        form = SizingForm(initial=initial | {"runs": USUAL_RUNS})
    elif form.is_valid():
        shown = form.sizing()
    elif not error:
        error = _("Nothing was computed. See the messages at the fields.")
    found = picture = None
    if not error:
        try:
            is_fixed = protocol.analysis.sizing.is_kept and not study.is_editable
            found = protocol.analysis.sizing if is_fixed else with_simulation(study, shown)
            picture = power_picture(compute(protocol, found), protocol.analysis, found)
        except (BadInput, ValueError) as problem:
            error = str(problem).partition(": ")[2] or str(problem)
    analysis = protocol.analysis
    context = {
        "study": study,
        "form": form,
        "error": error,
        "found": found,
        "picture": picture,
        "is_kept": found is not None and found == analysis.sizing,
        "kept": sizing_sentences(analysis.sizing, alpha=analysis.alpha, margin=analysis.margin),
        "analysis": analysis,
        "claims": analysis.claim != DIFFERENCE,
        "one_sided": analysis.alpha / 2,
        "figure": FIGURES[analysis.primary](),
        "base": study.design_sha256 if study.is_editable else "",
    }
    return render(request, "designer/sizing.html", context, status=400 if error and request.method == "POST" else 200)
