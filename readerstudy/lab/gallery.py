"""The gallery's rows: twins by what was asked for, without those that a sealed study shows.

The seal holds here too: which images of a sealed study are adversarial nobody looks up, in whichever list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import RESOLUTION_LABELS, SPLIT_LABELS
from readerstudy.truth.models import (
    DIRECTION_LABELS,
    PATHOLOGY_LABELS,
    Authenticity,
    Exclusion,
    ImageTruth,
    Score,
    Truth,
)
from readerstudy.truth.seal import in_no_sealed_study
from readerstudy.vocabulary import choice_pairs

Words = str | Promise
SORTS: dict[str, tuple[Words, Any]] = {
    "new": (_("newest first"), F("pk").desc()),
    "bad": (_("lowest PSNR first"), F("quality__psnr_db").asc(nulls_last=True)),
    "strong": (_("largest score change first"), F("change").desc(nulls_last=True)),
}


@dataclass(frozen=True)
class Choice:
    """One filter of the gallery: its choices, and the one that is chosen."""

    name: str
    title: Words
    choices: list[tuple[str, Words]]
    chosen: str


@dataclass(frozen=True)
class Gallery:
    """What was asked for, as a query that pages can be cut from."""

    twins: "QuerySet[Truth]"
    filters: list[Choice]
    classifier: str
    sealed: int  # twins that are not shown, as a sealed study shows their image

    @property
    def is_filtered(self) -> bool:
        return any(choice.chosen for choice in self.filters if choice.name not in ("sort", "classifier"))


def gallery(asked: Mapping[str, str]) -> Gallery:
    """The twins that fit; what is asked of a filter that does not know it is passed over."""
    filters = _filters(asked)
    chosen = {choice.name: choice.chosen for choice in filters}
    every = Truth.objects.filter(authenticity=Authenticity.ADVERSARIAL)
    rows = _scored(open_twins(), chosen["classifier"])
    wanted = _wanted(rows, chosen).order_by(SORTS[chosen["sort"] or "new"][1], "-pk")
    return Gallery(
        twins=wanted.select_related("stimulus__image__exam__patient__cohort", "parent", "attack"),
        filters=filters,
        classifier=chosen["classifier"],
        sealed=every.count() - open_twins().count(),
    )


def open_twins() -> "QuerySet[Truth]":
    """Every twin of an image that no sealed study shows."""
    return Truth.objects.filter(in_no_sealed_study("stimulus__image"), authenticity=Authenticity.ADVERSARIAL)


def _scored(rows: Any, classifier: str) -> Any:
    """With what the classifier made of the real image and of the twin."""
    scores = Score.objects.filter(classifier=classifier)
    # An exclusion counts at both resolutions, at whichever it was said.
    excluded = Truth.objects.filter(
        Exists(Exclusion.objects.filter(stimulus=OuterRef("stimulus"))),
        stimulus__image=OuterRef("stimulus__image"),
        generator=OuterRef("generator"),
    )
    return rows.annotate(
        before=Subquery(scores.filter(stimulus=OuterRef("parent")).values("probability")[:1]),
        after=Subquery(scores.filter(stimulus=OuterRef("stimulus")).values("probability")[:1]),
        pathology=Subquery(ImageTruth.objects.filter(image=OuterRef("stimulus__image")).values("pathology")[:1]),
        is_excluded=Exists(excluded),
    ).annotate(change=(F("after") - F("before")) * (F("after") - F("before")))


def _wanted(rows: Any, chosen: Mapping[str, str]) -> Any:
    plain = {
        "attack": "generator",
        "direction": "direction",
        "pathology": "pathology",
        "split": "stimulus__image__exam__patient__split",
        "resolution": "stimulus__resolution",
        "cohort": "stimulus__image__exam__patient__cohort__name",
    }
    rows = rows.filter(**{column: chosen[name] for name, column in plain.items() if chosen[name]})
    if chosen["excluded"]:
        rows = rows.filter(is_excluded=chosen["excluded"] == "yes")
    fooled = Q(before__lt=0.5, after__gte=0.5) | Q(before__gte=0.5, after__lt=0.5)
    if chosen["fooled"]:
        rows = rows.filter(fooled) if chosen["fooled"] == "yes" else rows.filter(after__isnull=False).exclude(fooled)
    return rows


def _filters(asked: Mapping[str, str]) -> list[Choice]:
    names = open_twins().order_by("generator").values_list("generator", flat=True).distinct()
    cohorts = open_twins().values_list("stimulus__image__exam__patient__cohort__name", flat=True).distinct()
    classifiers = Score.objects.order_by("classifier").values_list("classifier", flat=True).distinct()
    table: list[tuple[str, Words, list[tuple[str, Words]]]] = [
        ("cohort", _("Cohort"), [(name, name) for name in sorted(cohorts)]),
        ("attack", _("Attack"), [(name, name) for name in names]),
        ("direction", _("Direction"), list(choice_pairs(DIRECTION_LABELS))),
        ("pathology", _("Pathology"), list(choice_pairs(PATHOLOGY_LABELS))),
        ("split", _("Split"), list(choice_pairs(SPLIT_LABELS))),
        ("resolution", _("Resolution"), list(choice_pairs(RESOLUTION_LABELS))),
        ("classifier", _("Scores by"), [(name, name) for name in classifiers]),
        ("fooled", _("Fools it"), [("yes", _("yes")), ("no", _("no"))]),
        ("excluded", _("Excluded"), [("no", _("no")), ("yes", _("yes"))]),
        ("sort", _("Order"), [(name, title) for name, (title, _order) in SORTS.items()]),
    ]
    return [Choice(name, title, choices, _chosen(name, choices, asked)) for name, title, choices in table]


def _chosen(name: str, choices: list[tuple[str, Words]], asked: Mapping[str, str]) -> str:
    said = asked.get(name, "")
    if said in (key for key, _title in choices):
        return said
    # Scores need a classifier, and an order is always one.
    return choices[0][0] if name in ("classifier", "sort") and choices else ""
