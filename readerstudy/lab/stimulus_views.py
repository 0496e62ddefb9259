"""The gallery of adversarial images, for researchers, who exclude unsuitable ones before a study draws them."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.audit.actions import record
from readerstudy.errors import StudyError
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.lab.gallery import gallery
from readerstudy.lab.key_values import facts
from readerstudy.lab.panels import difference_scale, panel_file, panels_of
from readerstudy.layout.numbers import localise
from readerstudy.truth.actions import exclude_image
from readerstudy.truth.queries import GalleryImage, find_exclusion, find_gallery_image, find_pathology, scores_of

PER_PAGE = 12


@dataclass(frozen=True)
class NetworkScores:
    """The score of one network on the source image, if it has one, and on the adversarial image."""

    classifier: str
    before: float | None
    after: float
    is_detector: bool


@require_GET
@role_required(Role.RESEARCHER)
def stimuli(request: HttpRequest) -> HttpResponse:
    """Show the adversarial images that the filters select."""
    selected = gallery(request.GET.dict())
    if "page" not in request.GET:
        record("pairs.viewed", actor=signed_in_user(request), subject="", at=now())
    page = Paginator(selected.images, PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {"gallery": selected, "page": page, "query": query.urlencode()}
    return render(request, "lab/stimuli.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def stimulus(request: HttpRequest, number: int) -> HttpResponse:
    """Show one adversarial image beside its source image, with provenance, scores and quality."""
    image = _find(number)
    record("pair.viewed", actor=signed_in_user(request), subject=image.stimulus, at=now())
    context = {
        "image": image,
        "pathology": find_pathology(image),
        "scores": _scores(image),
        "words": image.modality.words.lab,
        "quality": facts(image.quality, words=image.modality.words.lab),
        "exclusion": find_exclusion(image.stimulus),
        "scale": _percent(image, is_small=True),
    }
    return render(request, "lab/stimulus.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def full_size(request: HttpRequest, number: int, panel: str) -> HttpResponse:
    """Show one panel at native pixels: a pixel of the file is a pixel of the screen."""
    image = _find(number)
    if panel not in panels_of(image):
        raise Http404
    scale = _percent(image, is_small=False) if panel == "difference" else ""
    return render(request, "lab/full_size.html", {"image": image, "panel": panel, "scale": scale})


def _percent(image: GalleryImage, *, is_small: bool) -> str:
    """Return the scale of the difference in percent; empty without one, or if a file is missing or damaged."""
    try:
        scale = difference_scale(image, is_small=is_small)
    except (OSError, StudyError):
        return ""
    return "" if scale is None else localise(f"{100 * scale:.1f}")


@require_GET
@role_required(Role.RESEARCHER)
def picture(request: HttpRequest, number: int, panel: str) -> HttpResponse:
    """Return a panel as a small JPEG, or with ?size=full at native pixels."""
    image = _find(number)
    if panel not in panels_of(image):
        raise Http404
    try:
        path = panel_file(image, panel, is_small=request.GET.get("size") != "full")
    except (OSError, StudyError) as error:
        raise Http404(str(error)) from error
    return HttpResponse(path.read_bytes(), content_type="image/jpeg")


@require_POST
@role_required(Role.RESEARCHER)
def exclude(request: HttpRequest, number: int) -> HttpResponse:
    """Exclude the image from all future studies. It cannot be undone."""
    assert isinstance(request.user, User)  # by the decorator above
    stimulus = _find(number).stimulus
    exclude_image(stimulus=stimulus, actor=request.user, reason=request.POST.get("reason", ""), at=now())
    messages.success(request, _("The image is excluded: no study will draw it."))
    return redirect("lab:stimulus", number)


def _find(number: int) -> GalleryImage:
    """Return the adversarial image. Raises Http404 if there is none or if a sealed study shows its image."""
    image = find_gallery_image(number)
    if image is None:
        raise Http404(_("There is no such adversarial image, or a sealed study shows it."))
    return image


def _scores(image: GalleryImage) -> list[NetworkScores]:
    """Return the scores of the source image and of the adversarial image by each network that scored the latter."""
    before = scores_of(image.source.pk) if image.source else {}
    detectors = set(Checkpoint.objects.filter(kind=CheckpointKind.DETECTOR).values_list("name", flat=True))
    return [
        NetworkScores(name, before.get(name), after, is_detector=name in detectors)
        for name, after in scores_of(image.stimulus.pk).items()
    ]
