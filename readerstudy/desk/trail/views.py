"""Pages of the audit trail: of one study for its members, of everything that somebody may see, and as CSV."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import make_aware, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.audit.actions import record
from readerstudy.audit.sentences import KINDS
from readerstudy.desk.trail.queries import PER_PAGE, EventFilter, Place, all_events, newest_events, reviews_of
from readerstudy.desk.trail.wording import COLUMNS, as_lines, rows_of
from readerstudy.errors import StudyError
from readerstudy.studies.access import studies_of, study_for
from readerstudy.studies.models import Study
from readerstudy.studies.trail import review_trail

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)


class FilterForm(forms.Form):
    """The filters of the trail."""

    study = forms.ChoiceField(label=gettext_lazy("Study"), required=False)
    person = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Person"), required=False, empty_label=gettext_lazy("all")
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def __init__(self, *args: Any, viewer: User, study: Study | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer, self.of_study = viewer, study
        fields: dict[str, Any] = self.fields
        everything = [("", _("all"))]
        fields["kind"].choices = [*everything, *sorted(KINDS.items(), key=lambda kind: str(kind[1]))]
        fields["person"].queryset = _people(study).order_by("last_name", "first_name", "username")
        fields["person"].label_from_instance = lambda person: person.get_full_name() or person.username
        if study:
            del fields["study"]
        else:
            codes = studies_of(viewer).order_by("code").values_list("code", flat=True)
            fields["study"].choices = [*everything, *((code, code) for code in codes)]

    @property
    def chosen(self) -> EventFilter:
        """The filter; values that are not understood are left out."""
        self.is_valid()
        values = self.cleaned_data
        code = values.get("study")
        until = values.get("until")
        return EventFilter(
            study=self.of_study or (study_for(self.viewer, code) if code else None),
            person=values.get("person"),
            kind=values.get("kind", ""),
            since=_midnight(values.get("since")),
            until=_midnight(until + timedelta(days=1) if until and until < date.max else None),
        )


def _people(study: Study | None) -> Any:
    if study is None:
        return User.objects.all()
    members, readers = study.members.values("person"), study.enrollments.values("reader")
    return User.objects.filter(Q(pk__in=members) | Q(pk__in=readers))


def _midnight(day: date | None) -> datetime | None:
    return make_aware(datetime.combine(day, time())) if day else None


@require_GET
@for_investigators
def trail(request: HttpRequest) -> HttpResponse:
    """Show the events that the person may see."""
    return render(request, "desk/trail.html", _context(request, None))


@require_GET
@for_investigators
def study_trail(request: HttpRequest, code: str) -> HttpResponse:
    """Show the events of one study, who may see it, and the reviews of its trail."""
    return _study_page(request, study_for(signed_in_user(request), code))


@require_POST
@for_investigators
def review(request: HttpRequest, code: str) -> HttpResponse:
    """Sign off a review of the study's trail."""
    actor = signed_in_user(request)
    study = study_for(actor, code)
    number, remark = request.POST.get("up_to", ""), request.POST.get("remark", "")
    up_to = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else 0
    try:
        review_trail(study=study, up_to=up_to, remark=remark, actor=actor, at=now())
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The review is signed off."))
    return redirect("desk:study-trail", code)


@require_GET
@for_investigators
def trail_csv(request: HttpRequest) -> Any:
    """Return the selected events as CSV."""
    return _export(request, None)


@require_GET
@for_investigators
def study_trail_csv(request: HttpRequest, code: str) -> Any:
    """Return the selected events of one study as CSV."""
    return _export(request, study_for(signed_in_user(request), code))


def _study_page(request: HttpRequest, study: Study) -> HttpResponse:
    context = _context(request, study)
    rights = study.members.select_related("person", "added_by", "removed_by").order_by("pk")
    superusers = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
    overseers = [person.get_full_name() or person.username for person in superusers]
    extra = {"study": study, "rights": rights, "overseers": overseers, "reviews": reviews_of(study)}
    return render(request, "desk/study_trail.html", {**context, **extra})


def _context(request: HttpRequest, study: Study | None) -> dict[str, Any]:
    viewer = signed_in_user(request)
    form = FilterForm(request.GET, auto_id="filter-%s", viewer=viewer, study=study)
    before = Place.parse(request.GET.get("before", ""))
    events = newest_events(viewer, form.chosen, before=before, most=PER_PAGE + 1)
    shown, query = events[:PER_PAGE], request.GET.copy()
    query.pop("before", None)
    return {
        "form": form,
        "rows": rows_of(shown, viewer),
        "older": Place(shown[-1].at, shown[-1].pk) if len(events) > PER_PAGE else None,
        "is_first": before is None,
        "query": query.urlencode(),
    }


def _export(request: HttpRequest, study: Study | None) -> StreamingHttpResponse:
    viewer = signed_in_user(request)
    chosen = FilterForm(request.GET, auto_id="filter-%s", viewer=viewer, study=study).chosen
    record("trail.exported", actor=viewer, subject=study or "", at=now())
    name = f"{study.code}-trail" if study else "trail"
    return StreamingHttpResponse(
        _lines(viewer, chosen),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _lines(viewer: User, chosen: EventFilter) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\n")
    yield writer.writerow(COLUMNS)
    for events in all_events(viewer, chosen):
        for line in as_lines(rows_of(events, viewer)):
            yield writer.writerow([_plain(cell) for cell in line])


def _plain(cell: str) -> str:
    """Return the cell so that a spreadsheet takes it as text: names and reasons are typed by people."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
