"""The gallery of twins, for researchers: look at them, and exclude bad ones before a study draws them."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required
from readerstudy.errors import StudyError
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.lab.gallery import gallery, open_twins
from readerstudy.lab.key_values import facts
from readerstudy.lab.panels import PANELS, panel_file
from readerstudy.truth.actions import exclude_twin, exclusion_of
from readerstudy.truth.models import ImageTruth, Score, Truth

PER_PAGE = 12


@require_GET
@role_required(Role.RESEARCHER)
def stimuli(request: HttpRequest) -> HttpResponse:
    """The twins that fit what was asked for."""
    found = gallery(request.GET.dict())
    page = Paginator(found.twins, PER_PAGE).get_page(request.GET.get("page"))
    asked = request.GET.copy()
    asked.pop("page", None)
    context = {"gallery": found, "page": page, "asked": asked.urlencode()}
    return render(request, "lab/stimuli.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def stimulus(request: HttpRequest, number: int) -> HttpResponse:
    """One twin beside its real image: where it comes from, what classifiers made of it, how like they are."""
    truth = _twin(number)
    context = {
        "truth": truth,
        "pathology": ImageTruth.objects.filter(image=truth.stimulus.image_id).first(),
        "scores": _scores(truth),
        "quality": facts(truth.quality or {}),
        "exclusion": exclusion_of(truth),
    }
    return render(request, "lab/stimulus.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def full_size(request: HttpRequest, number: int, panel: str) -> HttpResponse:
    """One panel at native pixels: a pixel of the file is a pixel of the screen."""
    if panel not in PANELS:
        raise Http404
    return render(request, "lab/full_size.html", {"truth": _twin(number), "panel": panel, "panels": PANELS})


@require_GET
@role_required(Role.RESEARCHER)
def picture(request: HttpRequest, number: int, panel: str) -> HttpResponse:
    """A panel as a JPEG: small, or with ?size=full at native pixels."""
    if panel not in PANELS:
        raise Http404
    try:
        path = panel_file(_twin(number), panel, is_small=request.GET.get("size") != "full")
    except (OSError, StudyError) as error:
        raise Http404(str(error)) from error
    return HttpResponse(path.read_bytes(), content_type="image/jpeg")


@require_POST
@role_required(Role.RESEARCHER)
def exclude(request: HttpRequest, number: int) -> HttpResponse:
    """Keep the twin out of every study to come, for good."""
    assert isinstance(request.user, User)  # by the decorator above
    exclude_twin(truth=_twin(number), actor=request.user, reason=request.POST.get("reason", ""), at=now())
    messages.success(request, _("The image is excluded: no study will draw it."))
    return redirect("lab:stimulus", number)


def _twin(number: int) -> Truth:
    """The twin by the key of its truth; none of an image that a sealed study shows."""
    rows = open_twins().select_related(
        "stimulus__image__exam__patient__cohort", "parent", "attack__generator", "attack__classifier"
    )
    found = rows.filter(pk=number).first()
    if found is None:
        raise Http404(_("There is no such adversarial image, or a sealed study shows it."))
    return found


def _scores(truth: Truth) -> list[dict[str, Any]]:
    """What each network made of the real image and of the twin, where it judged the twin; and what it looks for."""
    after = Score.objects.filter(stimulus=truth.stimulus_id).order_by("classifier")
    before = dict(Score.objects.filter(stimulus=truth.parent_id).values_list("classifier", "probability"))
    detectors = set(Checkpoint.objects.filter(kind=CheckpointKind.DETECTOR).values_list("name", flat=True))
    return [
        {
            "classifier": row.classifier,
            "before": before.get(row.classifier),
            "after": row.probability,
            "is_detector": row.classifier in detectors,
        }
        for row in after
    ]
