"""The cohorts for the page of images: counts only, which coordinators may know."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from readerstudy.accounts.models import User
from readerstudy.cohort.models import SPLIT_LABELS, Cohort
from readerstudy.image_import.models import ImageImport, ImportKind
from readerstudy.modalities import layout_labels
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Study
from readerstudy.truth.queries import CohortCounts, count_cohorts
from readerstudy.vocabulary import Pathology, Split


@dataclass(frozen=True)
class PathologyLine:
    """The images of one pathology, in the order of the splits, and in all."""

    label: Any
    counts: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class CohortLine:
    """One cohort with its counts, attacks and studies."""

    cohort: Cohort
    patients: int
    images: int
    lines: tuple[PathologyLine, ...]
    totals: tuple[int, ...]
    resolutions: tuple[Any, ...]
    attacks: tuple[tuple[str, int], ...]
    studies: tuple[Study, ...]


SPLITS = tuple(SPLIT_LABELS[split] for split in Split)


def cohort_lines(person: User) -> list[CohortLine]:
    """Return every cohort by name, with the studies that the person takes part in."""
    counts = count_cohorts()
    studies: dict[int, list[Study]] = {}
    for study in studies_of(person).order_by("code"):
        studies.setdefault(study.cohort_id, []).append(study)
    nothing = CohortCounts({}, {})
    return [
        _line(cohort, counts.get(cohort.pk, nothing), studies.get(cohort.pk, []))
        for cohort in Cohort.objects.order_by("name")
    ]


def imports_of(user: User) -> Any:
    """Return the imports that a person may see and whose files are there, the newest first."""
    rows = ImageImport.objects.filter(removed_at=None).select_related("by", "check_job", "import_job")
    return rows if user.is_researcher else rows.filter(by=user, kind=ImportKind.COHORT)


def _line(cohort: Cohort, counts: CohortCounts, studies: list[Study]) -> CohortLine:
    totals: Counter[str] = Counter()
    lines = []
    for pathology in Pathology:
        own = tuple(counts.images.get((split.value, pathology.value), 0) for split in Split)
        totals.update({split.value: count for split, count in zip(Split, own, strict=True)})
        lines.append(PathologyLine(cohort.modality.findings[pathology].label, own, sum(own)))
    return CohortLine(
        cohort=cohort,
        patients=counts.patients,
        images=sum(totals.values()),
        lines=tuple(lines),
        totals=tuple(totals[split.value] for split in Split),
        resolutions=tuple(layout_labels().get(name, name) for name in cohort.resolutions),
        attacks=tuple(sorted(counts.attacks.items())),
        studies=tuple(studies),
    )
