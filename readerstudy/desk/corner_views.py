"""The corners of all images of a study's cohort on contact sheets, for text that names somebody.

The page is the same before and after the draw. Of an image with adversarial versions any one is shown, and nothing says
which: the truth is not asked. Order and codes are random, because other names tell when an image was imported.
"""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.cohort.models import Stimulus
from readerstudy.errors import StudyError
from readerstudy.imaging.corners import contact_sheet, corners_block
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.thumbnails import encode_jpeg
from readerstudy.studies.access import study_for
from readerstudy.studies.actions import confirm_corners
from readerstudy.studies.corners import Square, last_look, squares_of
from readerstudy.studies.models import Study

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)
COLUMNS: Final = 6
PER_SHEET: Final = 8 * COLUMNS
_QUALITY: Final = 85


class LookedForm(forms.Form):
    """As many images as the page showed."""

    images = forms.IntegerField(min_value=1)


def _sheets(study: Study) -> "Paginator[Square]":
    return Paginator(squares_of(study), PER_SHEET)


@require_GET
@for_investigators
def corners(request: HttpRequest, code: str) -> HttpResponse:
    """Show one sheet, and whether somebody has looked at all of them."""
    study = study_for(signed_in_user(request), code)
    page = _sheets(study).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    lines = [shown[start : start + COLUMNS] for start in range(0, len(shown), COLUMNS)]
    context = {"study": study, "page": page, "lines": lines, "look": last_look(study)}
    return render(request, "desk/corners.html", context)


@require_GET
@for_investigators
def sheet(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Return the picture of one sheet."""
    study = study_for(signed_in_user(request), code)
    sheets = _sheets(study)
    if number not in sheets.page_range or not sheets.count or not study.cohort.resolutions:
        raise Http404
    images = [square.image for square in sheets.page(number).object_list]
    of_image = Stimulus.objects.filter(image__in=images, resolution=study.cohort.resolutions[-1])
    shown = of_image.values("image").annotate(first=Min("pk")).values("first")  # keys are random
    stimuli = {stimulus.image_id: stimulus for stimulus in Stimulus.objects.filter(pk__in=shown)}
    try:
        blocks = [corners_block(decode_png(stimuli[image].path)) for image in images]
    except (KeyError, FileNotFoundError) as error:
        raise Http404 from error
    content = encode_jpeg(contact_sheet(blocks, columns=COLUMNS), quality=_QUALITY)
    return HttpResponse(content, content_type="image/jpeg")


@require_POST
@for_investigators
def looked(request: HttpRequest, code: str) -> HttpResponse:
    """Record that the person has looked at all sheets."""
    actor = signed_in_user(request)
    study = study_for(actor, code)
    form = LookedForm(request.POST)
    images = form.cleaned_data["images"] if form.is_valid() else 0
    try:
        confirm_corners(study=study, images=images, actor=actor, at=now())
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It is recorded that you looked at the corners of all images."))
    return redirect("desk:corners", code)
