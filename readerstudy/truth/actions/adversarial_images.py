"""Registering adversarial twins."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from readerstudy.cohort.models import Stimulus
from readerstudy.cohort.storage import MediaFile, register_stimulus
from readerstudy.experiments.models import Attack
from readerstudy.truth.models import Authenticity, Truth
from readerstudy.vocabulary import Direction


@dataclass(frozen=True)
class Provenance:
    """Where an adversarial picture comes from."""

    direction: Direction
    generator: str  # the attack's name; of a GAN the run's
    seed: int


@transaction.atomic
def register_twin(
    parent: Stimulus,
    *,
    picture: MediaFile,
    difference: MediaFile,
    provenance: Provenance,
    attack: Attack | None = None,
    quality: Mapping[str, float] | None = None,
) -> Truth | None:
    """Register the written twin of a real stimulus with its signed difference; None where it has one already.

    `attack` says how it was made, `quality` how like its parent it is (figures by name, as `attacks.quality`).
    """
    if Truth.objects.filter(parent=parent, generator=provenance.generator).exists():
        return None
    stimulus = register_stimulus(parent.image, resolution=parent.resolution, media=picture)
    return Truth.objects.create(
        stimulus=stimulus,
        authenticity=Authenticity.ADVERSARIAL,
        label=int(provenance.direction == Direction.INSERT),
        parent=parent,
        direction=provenance.direction,
        generator=provenance.generator,
        attack=attack,
        quality=None if quality is None else dict(quality),
        seed=provenance.seed,
        difference_file=difference.file,
        difference_bytes=difference.bytes,
    )
