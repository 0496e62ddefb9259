"""Real and adversarial images, without those that a sealed study shows. For researchers.

The rules are those of the lab's gallery: `truth.queries` leaves out every image that a sealed study shows, whether
real or adversarial.
"""

from typing import Any, Final

from django.http import HttpResponse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.permissions import IsResearcher
from readerstudy.api.exchange.filters import Filters, YesNo, chosen, of_choices, refuse_unknown
from readerstudy.api.exchange.pages import Pages, page_after, page_size_of
from readerstudy.api.requests import UserRequest
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Stimulus
from readerstudy.errors import BadInput, NotFound, StudyError
from readerstudy.lab.panels import PANELS, panel_file, panels_of
from readerstudy.truth.queries import (
    GalleryFilter,
    GalleryImage,
    find_exclusion,
    find_gallery_image,
    find_pathology,
    gallery_page,
    scores_of,
)
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Direction, Pathology, Split

_WORDS: Final = ("authenticity", "cohort", "attack", "direction", "pathology", "split", "resolution", "classifier")
_PANEL: Final = OpenApiParameter("panel", str, OpenApiParameter.PATH, enum=list(PANELS))
_SIZE: Final = OpenApiParameter("size", str, enum=["small", "full"], description="full: at native pixels")


# --- shapes and filters -------------------------------------------------------------------------------------
class ImageLine(serializers.Serializer[Any]):
    """One image."""

    number = serializers.IntegerField()
    authenticity = serializers.ChoiceField(choices=Authenticity.choices)
    cohort = serializers.CharField(source="cohort.name")
    split = serializers.ChoiceField(
        source="stimulus.image.exam.patient.split", choices=[split.value for split in Split]
    )
    resolution = serializers.CharField(source="stimulus.resolution")
    rows = serializers.IntegerField(source="stimulus.rows")
    columns = serializers.IntegerField(source="stimulus.columns")
    frames = serializers.IntegerField(source="stimulus.frames")
    attributes = serializers.DictField(source="stimulus.image.attributes", help_text="of the source image")
    pathology = serializers.ChoiceField(
        choices=[*(word.value for word in Pathology), ""], help_text="of the source image; empty if unknown"
    )
    direction = serializers.ChoiceField(
        choices=[word.value for word in Direction], allow_null=True, help_text="null: real, or synthetic"
    )
    attack = serializers.CharField(source="generator", help_text="empty: real")
    seed = serializers.IntegerField(allow_null=True)
    has_source = serializers.SerializerMethodField(help_text="false: real, or synthetic: made from no other image")
    quality = serializers.DictField(help_text="figures by name")
    is_excluded = serializers.BooleanField(help_text="no study draws it")
    score_before = serializers.FloatField(allow_null=True, help_text="of the source image, by the filter's classifier")
    score_after = serializers.FloatField(allow_null=True, help_text="of the image itself")

    def get_has_source(self, image: GalleryImage) -> bool:
        return image.source is not None


class NetworkScore(serializers.Serializer[Any]):
    """The scores of one network."""

    classifier = serializers.CharField()
    before = serializers.FloatField(allow_null=True, help_text="of the source image; null: none was computed")
    after = serializers.FloatField(help_text="of the image itself")


class ImagePage(ImageLine):
    """One image with the scores of every network."""

    # DRF leaves out a field of the base that is None here; `scores` takes the place of both.
    score_before = None  # type: ignore[assignment]
    # As above.
    score_after = None  # type: ignore[assignment]
    scores = NetworkScore(many=True)
    exclusion_reason = serializers.CharField(help_text="empty: it is not excluded")
    panels = serializers.ListField(child=serializers.CharField(), help_text="that `images/{number}/{panel}/` has")


class ImageFilters(Filters):
    """Filters of images."""

    authenticity = of_choices(Authenticity.choices)
    cohort = filters.CharFilter()
    attack = filters.CharFilter()
    direction = of_choices([(word.value, word.value) for word in Direction])
    pathology = of_choices([(word.value, word.value) for word in Pathology])
    split = of_choices([(word.value, word.value) for word in Split])
    resolution = filters.CharFilter()
    classifier = filters.CharFilter(help_text="the run whose scores are returned")
    is_fooled = YesNo(help_text="whether the classifier calls the adversarial image otherwise")
    is_excluded = YesNo()


# --- views --------------------------------------------------------------------------------------------------
@extend_schema(tags=["lab"])
class Images(GenericAPIView[Stimulus]):
    """Real and adversarial images, the newest first, without those that a sealed study shows. For researchers."""

    permission_classes = [IsResearcher]
    queryset = Stimulus.objects.none()  # for the schema
    serializer_class = ImageLine
    filterset_class = ImageFilters

    @extend_schema(responses=ImageLine(many=True), operation_id="images_list")
    def get(self, request: UserRequest) -> Response:
        refuse_unknown(request, ImageFilters.base_filters)
        values = chosen(ImageFilters(request.query_params, queryset=self.queryset))
        if values["is_fooled"] is not None and not values["classifier"]:
            raise BadInput(_("is_fooled: name a classifier."))
        words: dict[str, Any] = {name: values[name] or "" for name in _WORDS}
        selected = GalleryFilter(**words, is_fooled=values["is_fooled"], is_excluded=values["is_excluded"])
        cursor, size = request.query_params.get("cursor", ""), page_size_of(request)
        images = gallery_page(selected, before=_number(cursor), most=size + 1)
        if not cursor:
            if selected.authenticity == Authenticity.REAL:
                record("real_images.viewed", actor=request.user, subject="", at=now())
            else:
                record("pairs.viewed", actor=request.user, subject="", at=now())
        lines = ImageLine(images[:size], many=True).data
        return page_after(request, lines, cursor=str(images[size - 1].number) if len(images) > size else None)


@extend_schema(tags=["lab"])
class ImageDetail(APIView):
    """One image with its scores, unless a sealed study shows it. For researchers."""

    permission_classes = [IsResearcher]

    @extend_schema(responses=ImagePage)
    def get(self, request: UserRequest, number: int) -> Response:
        refuse_unknown(request, ())
        image = _find(number)
        if image.authenticity == Authenticity.REAL:
            record("real_image.viewed", actor=request.user, subject=image.stimulus, at=now())
        else:
            record("pair.viewed", actor=request.user, subject=image.stimulus, at=now())
        before = scores_of(image.source.pk) if image.source else {}
        pathology, exclusion = find_pathology(image), find_exclusion(image.stimulus)
        line = ImageLine(image).data
        page = {
            **{name: line[name] for name in line if not name.startswith("score_")},
            "pathology": pathology.pathology.value if pathology else "",
            "is_excluded": exclusion is not None,
            "scores": [
                {"classifier": name, "before": before.get(name), "after": after}
                for name, after in scores_of(image.stimulus.pk).items()
            ],
            "exclusion_reason": exclusion.reason if exclusion else "",
            "panels": panels_of(image),
        }
        return Response(page)


@extend_schema(tags=["lab"])
class ImagePanel(APIView):
    """One panel of an image as JPEG, unless a sealed study shows it. For researchers."""

    permission_classes = [IsResearcher]

    @extend_schema(parameters=[_PANEL, _SIZE], responses={(200, "image/jpeg"): bytes}, operation_id="images_panel")
    def get(self, request: UserRequest, number: int, panel: str) -> HttpResponse:
        refuse_unknown(request, ["size"])
        image, size = _find(number), request.query_params.get("size", "small")
        if size not in ("small", "full"):
            raise BadInput(_("size: small or full."))
        if panel not in panels_of(image):
            raise NotFound(_("The image has no such panel."))
        try:
            path = panel_file(image, panel, is_small=size == "small")
        except (OSError, StudyError) as error:
            raise NotFound(_("A file of the image is missing or damaged.")) from error
        return HttpResponse(path.read_bytes(), content_type="image/jpeg")


def _find(number: int) -> GalleryImage:
    """Return the image. Raises NotFound if there is none or if a sealed study shows it."""
    image = find_gallery_image(number, is_adversarial=False) if number < 2**63 else None
    if image is None:
        raise NotFound(_("There is no such image, or a sealed study shows it."))
    return image


def _number(cursor: str) -> int | None:
    if not cursor:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise NotFound(str(Pages.invalid_cursor_message))
    return int(cursor)
