"""Images for the lab's gallery and the API, without the images that a sealed study shows.

Every function here applies `seal.in_no_sealed_study`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, overload

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.experiments.models import Attack
from readerstudy.modalities.modality import Modality, Subgroup
from readerstudy.sealed_work import each_sealed, sealed_work
from readerstudy.truth.models import Exclusion, ImageTruth, Score, Truth
from readerstudy.truth.seal import in_no_sealed_study
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Direction, Pathology

CHANCE: Final = 0.5  # a classifier is fooled if its score crosses this


class GalleryOrder(StrEnum):
    """The order of the gallery; ties are in the order of storing, the newest first."""

    NEWEST = "new"
    LOWEST_PSNR = "bad"
    LARGEST_SCORE_CHANGE = "strong"


@dataclass(frozen=True)
class GalleryFilter:
    """What the gallery shows; "" and None do not restrict. `classifier` is the run whose scores are shown."""

    authenticity: str = Authenticity.ADVERSARIAL
    cohort: str = ""
    attack: str = ""
    direction: str = ""
    pathology: str = ""
    split: str = ""
    resolution: str = ""
    classifier: str = ""
    is_fooled: bool | None = None
    is_excluded: bool | None = None
    order: GalleryOrder = GalleryOrder.NEWEST


@dataclass(frozen=True)
class GalleryImage:
    """An adversarial image with its source image and how it was made, or a real one. Pages name it by `number`."""

    number: int
    stimulus: Stimulus
    authenticity: Authenticity
    source: Stimulus | None  # None: real, or synthetic; without a direction either
    direction: Direction | None
    generator: str
    attack: Attack | None
    seed: int | None
    quality: Mapping[str, Any] = field(default_factory=dict)
    # Scores by the filter's classifier, None without one. A real image has its own in `score_after`.
    score_before: float | None = None
    score_after: float | None = None
    is_excluded: bool = False
    pathology: str = ""  # of a list; `find_pathology` has it for one image

    @property
    def cohort(self) -> Cohort:
        return self.stimulus.image.exam.patient.cohort

    @property
    def modality(self) -> Modality:
        return self.cohort.modality

    @property
    def direction_label(self) -> Any:
        return self.modality.words.lab.direction(self.direction) if self.direction else _("Synthetic")

    @property
    def view(self) -> str:
        """The attributes of the image in one word, such as a side and a view."""
        attributes = self.stimulus.image.attributes
        return "".join(attributes.get(part.name, "") for part in self.modality.attributes if part.is_exported)


class GalleryImages(Sequence[GalleryImage]):
    """The images that a filter selects. A slice reads only its rows from the database, for Django's Paginator."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    @sealed_work()
    def __len__(self) -> int:
        return int(self._rows.count())

    def __iter__(self) -> Iterator[GalleryImage]:
        return each_sealed(map(gallery_image_of, self._rows.iterator(chunk_size=2000)))

    @overload
    def __getitem__(self, key: int) -> GalleryImage: ...

    @overload
    def __getitem__(self, key: slice) -> list[GalleryImage]: ...

    @sealed_work()
    def __getitem__(self, key: int | slice) -> GalleryImage | list[GalleryImage]:
        if isinstance(key, int):
            return gallery_image_of(self._rows[key])
        return [gallery_image_of(row) for row in self._rows[key]]


def gallery_images(chosen: GalleryFilter) -> GalleryImages:
    """Return the adversarial images that the filter selects, in its order."""
    rows = _filtered(_with_scores(_visible(), chosen.classifier), chosen)
    return GalleryImages(rows.order_by(_ORDERS[chosen.order], "-pk"))


@sealed_work()
def gallery_page(chosen: GalleryFilter, *, before: int | None, most: int) -> list[GalleryImage]:
    """Return at most `most` of the images that the filter selects, the newest first, with numbers below `before`."""
    rows = _filtered(_with_scores(_in_no_sealed_study(), chosen.classifier), chosen).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [gallery_image_of(row) for row in rows[:most]]


@sealed_work()
def find_gallery_image(number: int, *, is_adversarial: bool = True) -> GalleryImage | None:
    """Return the image with this number, None if there is none or if a sealed study shows it.

    Real ones only if `is_adversarial` is false.
    """
    rows = _visible() if is_adversarial else _in_no_sealed_study()
    rows = rows.select_related("attack__generator", "attack__classifier")
    row = rows.filter(pk=number).first()
    return gallery_image_of(row) if row else None


@sealed_work()
def count_sealed_images() -> int:
    """Return the number of adversarial images that are hidden because a sealed study shows their image."""
    every = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL)
    return every.count() - int(_visible().count())


@sealed_work()
def gallery_attacks() -> list[str]:
    """Return the names of the attacks with visible images, in order."""
    return list(_visible().order_by("generator").values_list("generator", flat=True).distinct())


@sealed_work()
def gallery_cohorts() -> list[str]:
    """Return the names of the cohorts with visible images, in order."""
    return sorted(_visible().values_list("stimulus__image__exam__patient__cohort__name", flat=True).distinct())


# --- details of one image -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class ImagePathology:
    """The pathology of an image as its source gave it; "" if unknown."""

    pathology: Pathology
    groups: Mapping[str, str]
    modality: Modality

    @property
    def label(self) -> Any:
        return self.modality.findings[self.pathology].label

    @property
    def subgroups(self) -> list[tuple[Subgroup, str]]:
        """The subgroups of the image that are known, each with its value."""
        known = ((part, self.groups.get(part.key, "")) for part in self.modality.subgroups)
        return [(part, value) for part, value in known if value]


@dataclass(frozen=True)
class RecordedExclusion:
    """Who excluded an adversarial image, when and why; nobody for the server's terminal."""

    by: User | None
    at: datetime
    reason: str


@sealed_work()
def find_pathology(image: GalleryImage) -> ImagePathology | None:
    """Return the pathology of the image, or None."""
    row = ImageTruth.objects.filter(image=image.stimulus.image_id).first()
    return ImagePathology(Pathology(row.pathology), row.groups, image.modality) if row else None


@sealed_work()
def find_exclusion(stimulus: Stimulus) -> RecordedExclusion | None:
    """Return the exclusion of an adversarial image, at whichever resolution it was recorded, or None."""
    row = Exclusion.objects.filter(stimulus__in=_versions(stimulus)).select_related("by").first()
    return RecordedExclusion(row.by, row.at, row.reason) if row else None


def _versions(stimulus: Stimulus) -> Any:
    """Return the stimuli by the same attack from the same image, at all resolutions."""
    generator = Truth.objects.filter(stimulus=stimulus).values("generator")
    return Truth.objects.filter(stimulus__image=stimulus.image_id, generator__in=generator).values("stimulus")


# --- rows ---------------------------------------------------------------------------------------------------
_ORDERS: Final[dict[GalleryOrder, Any]] = {
    GalleryOrder.NEWEST: F("pk").desc(),
    GalleryOrder.LOWEST_PSNR: F("quality__psnr_db").asc(nulls_last=True),
    GalleryOrder.LARGEST_SCORE_CHANGE: F("change").desc(nulls_last=True),
}
_COLUMNS: Final = {
    "authenticity": "authenticity",
    "attack": "generator",
    "direction": "direction",
    "pathology": "pathology",
    "split": "stimulus__image__exam__patient__split",
    "resolution": "stimulus__resolution",
    "cohort": "stimulus__image__exam__patient__cohort__name",
}


def _visible() -> Any:
    return _in_no_sealed_study().filter(authenticity=Authenticity.ADVERSARIAL)


def _in_no_sealed_study() -> Any:
    rows = Truth.objects.filter(in_no_sealed_study("stimulus__image"))
    return rows.select_related("stimulus__image__exam__patient__cohort", "source_image", "attack")


def _with_scores(rows: Any, classifier: str) -> Any:
    """Annotate rows with the classifier's scores of both images, the pathology and whether they are excluded."""
    scores = Score.objects.filter(classifier=classifier)
    # An exclusion counts at every resolution, whichever it was recorded for.
    excluded = Truth.objects.filter(
        Exists(Exclusion.objects.filter(stimulus=OuterRef("stimulus"))),
        stimulus__image=OuterRef("stimulus__image"),
        generator=OuterRef("generator"),
    )
    return rows.annotate(
        before=Subquery(scores.filter(stimulus=OuterRef("source_image")).values("probability")[:1]),
        after=Subquery(scores.filter(stimulus=OuterRef("stimulus")).values("probability")[:1]),
        pathology=Subquery(ImageTruth.objects.filter(image=OuterRef("stimulus__image")).values("pathology")[:1]),
        is_excluded=Exists(excluded),
    ).annotate(change=(F("after") - F("before")) * (F("after") - F("before")))


def _filtered(rows: Any, chosen: GalleryFilter) -> Any:
    values = {column: getattr(chosen, name) for name, column in _COLUMNS.items()}
    rows = rows.filter(**{column: value for column, value in values.items() if value})
    if chosen.is_excluded is not None:
        rows = rows.filter(is_excluded=chosen.is_excluded)
    if chosen.is_fooled is not None:
        rows = rows.filter(authenticity=Authenticity.ADVERSARIAL)
    crossed = Q(before__lt=CHANCE, after__gte=CHANCE) | Q(before__gte=CHANCE, after__lt=CHANCE)
    match chosen.is_fooled:
        case True:
            rows = rows.filter(crossed)
        case False:
            rows = rows.filter(after__isnull=False).exclude(crossed)
        case None:
            pass
    return rows


def gallery_image_of(row: Any) -> GalleryImage:
    """Return the image of a row of the truth, with the figures that the query added to it."""
    return GalleryImage(
        number=row.pk,
        stimulus=row.stimulus,
        authenticity=Authenticity(row.authenticity),
        source=row.source_image,
        direction=Direction(row.direction) if row.direction else None,
        generator=row.generator,
        attack=row.attack,
        seed=row.seed,
        quality=row.quality or {},
        score_before=getattr(row, "before", None),
        score_after=getattr(row, "after", None),
        is_excluded=getattr(row, "is_excluded", False),
        pathology=getattr(row, "pathology", None) or "",
    )
