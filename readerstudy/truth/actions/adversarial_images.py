"""Registering adversarial images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from readerstudy.cohort.models import Stimulus
from readerstudy.cohort.storage import MediaFile, StoredImage, register_stimulus
from readerstudy.experiments.models import Attack
from readerstudy.sealed_work import sealed_work
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import SYNTHETIC, Direction


@dataclass(frozen=True)
class AttackProvenance:
    """How an adversarial image was made."""

    direction: Direction
    generator: str  # the name of the attack; for a GAN that of its run
    seed: int | None  # None for an image that was made elsewhere


@sealed_work()
@transaction.atomic
def register_adversarial_image(
    source: Stimulus,
    *,
    picture: MediaFile,
    difference: MediaFile,
    provenance: AttackProvenance,
    attack: Attack | None = None,
    quality: Mapping[str, float] | None = None,
) -> Truth | None:
    """Register the written adversarial image of a real stimulus with its signed difference.

    `quality` compares it with its source image, numbers by name as in `imaging.quality`. Returns None if this attack
    has an adversarial image of the stimulus already.
    """
    if Truth.objects.filter(source_image=source, generator=provenance.generator).exists():
        return None
    stimulus = register_stimulus(source.image, resolution=source.resolution, media=picture)
    return Truth.objects.create(
        stimulus=stimulus,
        authenticity=Authenticity.ADVERSARIAL,
        label=int(provenance.direction == Direction.INSERT),
        source_image=source,
        direction=provenance.direction,
        generator=provenance.generator,
        attack=attack,
        quality=None if quality is None else dict(quality),
        seed=provenance.seed,
        difference_file=difference.file,
        difference_bytes=difference.bytes,
        difference_sha256=difference.sha256,
    )


@sealed_work()
@transaction.atomic
def register_synthetic_image(
    stored: StoredImage, *, attack: Attack, lesions: Sequence[Mapping[str, float]] | None, quality: Mapping[str, float]
) -> None:
    """Seal that a stored image is synthetic: adversarial at every resolution, with the pathology that it shows.

    `lesions` are as in `ImageTruth`; `quality` has numbers by name that need no source image.
    """
    source = stored.prepared.source
    truth = ImageTruth.objects.create(
        image=stored.image,
        pathology=source.pathology,
        source=SYNTHETIC,
        lesions=None if lesions is None else list(lesions),
        groups=dict(source.groups),
    )
    Truth.objects.bulk_create(
        Truth(
            stimulus=stimulus,
            authenticity=Authenticity.ADVERSARIAL,
            label=truth.label,
            generator=attack.name,
            attack=attack,
            quality=dict(quality),
        )
        for stimulus in stored.stimuli
    )
