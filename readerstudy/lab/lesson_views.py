"""The pairs of a study's education, under which its researchers write what readers are to see in them."""

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.audit.actions import record
from readerstudy.errors import NotAllowed, StudyError
from readerstudy.lab.panels import PANELS, panel_file
from readerstudy.studies.access import study_for
from readerstudy.studies.lifecycle import UNDER_WAY
from readerstudy.studies.models import Study
from readerstudy.truth.actions import LineChange, write_lines
from readerstudy.truth.queries import TaughtPair, count_hidden_pairs, find_taught_pair, lessons_begun, taught_pairs
from readerstudy.truth.seal import may_write_lines
from readerstudy.truth.terms import LONGEST_LINE

PER_PAGE: Final = 12


@dataclass(frozen=True)
class LineField:
    """A pair with the text in its field: the stored line, or what was typed and not stored."""

    pair: TaughtPair
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.RESEARCHER)
def lessons(request: HttpRequest, code: str) -> HttpResponse:
    """Show the pairs page by page with the line under each, or store the lines of one page."""
    study = _study(request, code)
    page = Paginator(taught_pairs(study), PER_PAGE).get_page(request.GET.get("page"))
    if request.method == "POST":
        try:
            count = write_lines(study=study, changes=_changes(request, page), actor=signed_in_user(request), at=now())
        except StudyError as error:
            messages.error(request, str(error))
            return render(request, "lab/lessons.html", _context(study, page, request), status=400)
        done = ngettext("%(count)d line is saved.", "%(count)d lines are saved.", count) if count else _("No changes.")
        messages.success(request, done % {"count": count} if count else done)
        return redirect(f"{reverse('lab:lessons', args=[code])}?page={page.number}")
    if "page" not in request.GET:
        record("lessons.viewed", actor=signed_in_user(request), subject=study, at=now())
    return render(request, "lab/lessons.html", _context(study, page, request))


@require_GET
@role_required(Role.RESEARCHER)
def picture(request: HttpRequest, code: str, number: int, panel: str) -> HttpResponse:
    """Return a panel of a pair as a small JPEG, or with ?size=full at native pixels."""
    image = find_taught_pair(_study(request, code), number)
    if image is None or panel not in PANELS:
        raise Http404
    try:
        path = panel_file(image, panel, is_small=request.GET.get("size") != "full")
    except (OSError, StudyError) as error:
        raise Http404(str(error)) from error
    return HttpResponse(path.read_bytes(), content_type="image/jpeg")


def _study(request: HttpRequest, code: str) -> Study:
    """Return the study. Raises NotFound, or NotAllowed for those who do not write its lines."""
    person = signed_in_user(request)
    study = study_for(person, code)
    if not may_write_lines(study, person):
        raise NotAllowed(_("Only researchers of the study %(code)s may do this.") % {"code": code})
    return study


def _changes(request: HttpRequest, page: "Page[TaughtPair]") -> dict[int, LineChange]:
    """Return the lines of the page that were sent; a field that is missing changes nothing."""
    sent = request.POST
    numbers = (pair.image.number for pair in page)
    return {
        number: LineChange(before=sent.get(f"before-{number}", ""), after=sent[f"line-{number}"])
        for number in numbers
        if f"line-{number}" in sent
    }


def _context(study: Study, page: "Page[TaughtPair]", request: HttpRequest) -> dict[str, object]:
    typed = request.POST
    fields = [LineField(pair, typed.get(f"line-{pair.image.number}", pair.line)) for pair in page]
    begun = lessons_begun(study)
    return {
        "study": study,
        "page": page,
        "fields": fields,
        "hidden": count_hidden_pairs(study),
        "begun": begun,
        "is_open": study.status in UNDER_WAY and not begun,
        "longest": LONGEST_LINE,
    }
