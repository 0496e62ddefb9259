"""Everything that is known of the images of an unsealed study, for a bundle of its data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from readerstudy.cohort.models import Stimulus
from readerstudy.studies.models import Study
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.queries.studies import StimulusTruth, truth_of_study


@dataclass(frozen=True)
class ShownImage:
    """One stimulus of a study with its truth and its origin. `source_sha256`: of the file that it was made from."""

    stimulus: Stimulus
    truth: StimulusTruth
    label: int
    attack: str
    seed: int | None
    quality: dict[str, Any] | None
    source_sha256: str
    pathology_source: str
    lesions: list[dict[str, float]] | None
    groups: dict[str, str]


def shown_images(study: Study) -> Iterator[ShownImage]:
    """Yield the images that the study drew, in the order of cases. Raises StillSealed while the study is sealed."""
    known = truth_of_study(study)
    truths = Truth.objects.filter(stimulus__in=known).select_related("stimulus__image__exam__patient", "source_image")
    rows = {row.stimulus_id: row for row in truths}
    images = {row.stimulus.image_id for row in rows.values()}
    of_image = {row.image_id: row for row in ImageTruth.objects.filter(image__in=images)}
    for stimulus, truth in known.items():
        row = rows[stimulus]
        about = of_image[row.stimulus.image_id]
        yield ShownImage(
            stimulus=row.stimulus,
            truth=truth,
            label=row.label,
            attack=row.generator,
            seed=row.seed,
            quality=row.quality,
            source_sha256=row.source_image.sha256 if row.source_image else "",
            pathology_source=about.source,
            lesions=about.lesions,
            groups=about.groups,
        )
