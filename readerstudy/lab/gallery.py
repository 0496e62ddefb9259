"""The gallery of adversarial images: its filters, and the images that they select.

Images that a sealed study shows are left out by `truth.queries`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import SPLIT_LABELS
from readerstudy.experiments.kinds import Text
from readerstudy.modalities import layout_labels
from readerstudy.truth.queries import (
    GalleryFilter,
    GalleryImages,
    GalleryOrder,
    count_sealed_images,
    gallery_attacks,
    gallery_cohorts,
    gallery_images,
    scoring_runs,
)
from readerstudy.truth.terms import DIRECTION_LABELS, PATHOLOGY_LABELS
from readerstudy.vocabulary import choice_pairs

ORDERS: dict[GalleryOrder, Text] = {
    GalleryOrder.NEWEST: _("newest first"),
    GalleryOrder.LOWEST_PSNR: _("lowest PSNR first"),
    GalleryOrder.LARGEST_SCORE_CHANGE: _("largest score change first"),
}


@dataclass(frozen=True)
class FilterField:
    """One filter of the gallery with its choices and the chosen one."""

    name: str
    title: Text
    choices: list[tuple[str, Text]]
    chosen: str


@dataclass(frozen=True)
class Gallery:
    """The selected images, with the filters that selected them."""

    images: GalleryImages
    filters: list[FilterField]
    classifier: str
    sealed: int  # the number of adversarial images that are hidden by the seal

    @property
    def is_filtered(self) -> bool:
        return any(choice.chosen for choice in self.filters if choice.name not in ("sort", "classifier"))


def gallery(query: Mapping[str, str]) -> Gallery:
    """Return the gallery that a page's query string selects. Unknown values are ignored."""
    filters = _filters(query)
    chosen = {choice.name: choice.chosen for choice in filters}
    selected = GalleryFilter(
        cohort=chosen["cohort"],
        attack=chosen["attack"],
        direction=chosen["direction"],
        pathology=chosen["pathology"],
        split=chosen["split"],
        resolution=chosen["resolution"],
        classifier=chosen["classifier"],
        is_fooled=_yes_no(chosen["fooled"]),
        is_excluded=_yes_no(chosen["excluded"]),
        order=GalleryOrder(chosen["sort"]),
    )
    return Gallery(
        images=gallery_images(selected),
        filters=filters,
        classifier=chosen["classifier"],
        sealed=count_sealed_images(),
    )


def _filters(query: Mapping[str, str]) -> list[FilterField]:
    table: list[tuple[str, Text, list[tuple[str, Text]]]] = [
        ("cohort", _("Cohort"), [(name, name) for name in gallery_cohorts()]),
        ("attack", _("Attack"), [(name, name) for name in gallery_attacks()]),
        ("direction", _("Direction"), list(choice_pairs(DIRECTION_LABELS))),
        ("pathology", _("Pathology"), list(choice_pairs(PATHOLOGY_LABELS))),
        ("split", _("Split"), list(choice_pairs(SPLIT_LABELS))),
        ("resolution", _("Resolution"), list(layout_labels().items())),
        ("classifier", _("Scores by"), [(name, name) for name in scoring_runs()]),
        ("fooled", _("Fools it"), [("yes", _("yes")), ("no", _("no"))]),
        ("excluded", _("Excluded"), [("no", _("no")), ("yes", _("yes"))]),
        ("sort", _("Order"), [(order.value, title) for order, title in ORDERS.items()]),
    ]
    return [FilterField(name, title, choices, _chosen(name, choices, query)) for name, title, choices in table]


def _chosen(name: str, choices: list[tuple[str, Text]], query: Mapping[str, str]) -> str:
    value = query.get(name, "")
    if value in (key for key, _title in choices):
        return value
    # Scores need a classifier, and there is always an order.
    return choices[0][0] if name in ("classifier", "sort") and choices else ""


def _yes_no(value: str) -> bool | None:
    return value == "yes" if value else None
