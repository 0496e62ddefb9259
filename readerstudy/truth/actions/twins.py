"""Registering adversarial twins."""

from dataclasses import dataclass

from django.db import transaction

from readerstudy.cohort.actions import store_stimulus, write_media
from readerstudy.cohort.models import Stimulus
from readerstudy.truth.models import Authenticity, Direction, Truth


@dataclass(frozen=True)
class Provenance:
    """Where an adversarial picture comes from."""

    direction: Direction
    generator: str  # the run's name
    seed: int


@transaction.atomic
def register_twin(parent: Stimulus, *, png: bytes, difference_png: bytes, provenance: Provenance) -> Truth | None:
    """Store the adversarial twin of a real stimulus with its signed difference; None where it is there already."""
    if Truth.objects.filter(parent=parent, generator=provenance.generator).exists():
        return None
    stimulus = store_stimulus(parent.image, resolution=parent.resolution, png=png)
    return Truth.objects.create(
        stimulus=stimulus,
        authenticity=Authenticity.ADVERSARIAL,
        label=int(provenance.direction == Direction.INSERT),
        parent=parent,
        direction=provenance.direction,
        generator=provenance.generator,
        seed=provenance.seed,
        difference_file=write_media(difference_png),
        difference_bytes=len(difference_png),
    )
