"""Real images of a cohort by their pixels, to which an import of adversarial images refers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.sealed_work import sealed_work
from readerstudy.truth.models import AdversarialImport, ImageTruth, Truth
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Pathology


@dataclass(frozen=True)
class RealVersions:
    """A real image with its stimuli by resolution, the largest first."""

    image_id: int
    patient: str
    pathology: Pathology
    stimuli: Mapping[str, Stimulus]
    lesions: Sequence[Mapping[str, float]] = ()

    @property
    def label(self) -> int:
        return int(self.pathology == Pathology.POSITIVE)


@sealed_work()
def real_versions_by_pixels(cohort: Cohort) -> dict[str, RealVersions]:
    """Return the real images of the cohort by the fingerprint of their pixels.

    Of images with the same pixels the one of the first patient.
    """
    real = Truth.objects.filter(authenticity=Authenticity.REAL, stimulus__image__exam__patient__cohort=cohort)
    stimuli = Stimulus.objects.filter(pk__in=real.values("stimulus")).select_related("image__exam__patient")
    by_image: dict[int, dict[str, Stimulus]] = {}
    for stimulus in stimuli:
        by_image.setdefault(stimulus.image_id, {})[stimulus.resolution] = stimulus
    truths = ImageTruth.objects.filter(image__in=by_image).order_by("-image__exam__patient__pseudonym")
    return {
        truth.image.fingerprint: RealVersions(
            truth.image_id,
            truth.image.exam.patient.pseudonym,
            Pathology(truth.pathology),
            {name: by_image[truth.image_id][name] for name in cohort.resolutions if name in by_image[truth.image_id]},
            tuple(truth.lesions or ()),
        )
        for truth in truths.select_related("image__exam__patient")
    }


@dataclass(frozen=True)
class RecordedImport:
    """Where the images of an imported attack come from, and what would give them away."""

    by: Any  # a person, None at the server's terminal
    pairs: int  # or synthetic images
    tells: Mapping[str, Any]  # `truth.tells.Tells` as data


@sealed_work()
def find_import(attack: str) -> RecordedImport | None:
    """Return the import of the attack with this name; None for an attack of this software. For researchers only."""
    row = AdversarialImport.objects.filter(attack__name=attack).select_related("by").first()
    return RecordedImport(row.by, len(row.pairs), row.tells) if row else None
