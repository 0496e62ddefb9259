"""Jobs that make an adversarial image from every image of a cohort."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, product
from typing import Any

import numpy as np
from celery import shared_task
from django.utils.timezone import now
from numpy.typing import NDArray

from attacks.base import ImageAttack, pixels_drawn
from attacks.constraints.post_processing import STEPS, PostProcessing
from attacks.generative.gan import GanAttack
from attacks.generative.inpainting import InpaintingAttack
from attacks.generative.strength import LimitedAttack, StrengthSettings
from attacks.parallel import parallel_map
from attacks.registry import Recipe, attack_images, load_attack, prepare, version
from models_ml.errors import LabError
from models_ml.runs.checkpoint import load_classifier
from models_ml.runtime.device import choose_device
from models_ml.runtime.progress import Report
from models_ml.tasks import folder_of
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.storage import MediaFile, write_media
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.experiments.parameters import AttackParameters, GenerateParameters
from readerstudy.imaging.difference import signed_difference
from readerstudy.imaging.image import Size
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.imaging.quality import measure_quality
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import perform
from readerstudy.modalities.modality import Modality
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.results.runs import ImagesGenerated
from readerstudy.truth.actions import AttackProvenance, register_adversarial_image
from readerstudy.truth.queries import RealImage, adversarial_images, lesions_by_image, real_images
from readerstudy.vocabulary import Direction, Split

BATCH_SIZE = 8  # images that a graphics card attacks together
Lesions = Mapping[int, Sequence[Mapping[str, float]]]  # boxes by image


@shared_task(name="generate")
def generate_task(job_id: int) -> None:
    """Make an adversarial image from every image with two generators, with `GenerateParameters`."""
    perform(job_id, partial(_generate, job_id))


@shared_task(name="attack")
def attack_task(job_id: int) -> None:
    """Make an adversarial image from every image with a classifier's gradient, with `AttackParameters`."""
    perform(job_id, partial(_attack, job_id))


@dataclass(frozen=True)
class _LabelAttack:
    """The attack on images of one label, and its row."""

    attack: ImageAttack
    row: Attack
    direction: Direction


@dataclass(frozen=True)
class _AdversarialImage:
    """One adversarial image and its difference on disk, not registered yet."""

    source: RealImage
    image: MediaFile
    difference: MediaFile
    quality: dict[str, float]


def _generate(job_id: int, parameters: GenerateParameters, report: Report) -> ImagesGenerated:
    cohort = Cohort.named(parameters["cohort"])
    attacks = {label: _generator_attack(job_id, cohort, parameters, label) for label in (0, 1)}
    return _attack_cohort(cohort, parameters, attacks, report)


def _attack(job_id: int, parameters: AttackParameters, report: Report) -> ImagesGenerated:
    cohort = Cohort.named(parameters["cohort"])
    return _attack_cohort(cohort, parameters, _gradient_attacks(job_id, cohort, parameters, report), report)


def _attack_cohort(
    cohort: Cohort, parameters: GenerateParameters | AttackParameters, attacks: dict[int, _LabelAttack], report: Report
) -> ImagesGenerated:
    """Write and register the missing adversarial images of a cohort; `attacks` are by label of the source image.

    An interrupted job therefore continues, and a finished one does nothing.
    """
    splits = parameters.get("splits") or tuple(Split)
    names = [attack.row.name for attack in attacks.values()]
    missing: list[list[RealImage]] = []
    known = 0
    for resolution in parameters["resolutions"]:
        chosen = _choose(real_images(cohort, resolution), splits, parameters.get("training_images"))
        existing = adversarial_images(cohort, resolution, names, with_excluded=True)
        missing.append([image for image in chosen if image.image_id not in existing])
        known += len(chosen) - len(missing[-1])
    groups = _make_groups(missing, BATCH_SIZE if choose_device().type == "cuda" else 1)
    lesions = lesions_by_image({image.image_id for image in chain.from_iterable(groups)})
    write = partial(_write_group, cohort.modality, attacks, lesions)
    made, total = 0, sum(map(len, groups))
    drawn = max(pixels_drawn(attack.attack) for attack in attacks.values())
    for written in parallel_map(write, groups, pixels_drawn=drawn):
        for image in written:
            _register(image, attacks[image.source.label])
            made += 1
            report(made, total, Activity(ActivityKind.GENERATING_IMAGES), {})
    return {"made": made, "known": known, "attacks": sorted(set(names))}


def _choose(images: Sequence[RealImage], splits: Sequence[str], training_images: int | None) -> list[RealImage]:
    """Return the images of the splits; of each label at most `training_images` of the training split."""
    if training_images is None:
        return [image for image in images if image.split in splits]
    left = dict.fromkeys((0, 1), training_images)
    chosen = []
    for image in images:
        if image.split == Split.TRAIN:
            left[image.label] -= 1
        if image.split in splits and (image.split != Split.TRAIN or left[image.label] >= 0):
            chosen.append(image)
    return chosen


def _make_groups(by_resolution: Sequence[Sequence[RealImage]], size: int) -> list[list[RealImage]]:
    """Return groups of at most `size` images of one label and resolution, which can be attacked together."""
    groups: list[list[RealImage]] = []
    for label, images in product((0, 1), by_resolution):
        of_label = [image for image in images if image.label == label]
        groups += [of_label[start : start + size] for start in range(0, len(of_label), size)]
    return groups


def _write_group(
    modality: Modality, attacks: Mapping[int, _LabelAttack], lesions: Lesions, group: Sequence[RealImage]
) -> list[_AdversarialImage]:
    """Attack images of one label and size, and write the adversarial images with their differences."""
    reals = [decode_png(source.path) for source in group]
    adversarials = attack_images(attacks[group[0].label].attack, reals)
    return [
        _AdversarialImage(
            source,
            write_media(encode_png(adversarial)),
            write_media(encode_png(signed_difference(real, adversarial))),
            measure_quality(
                real,
                adversarial,
                measures=modality.quality,
                lesions=lesions.get(source.image_id, ()),
                region=modality.geometry.region(real) > 0,
            ),
        )
        for source, real, adversarial in zip(group, reals, adversarials, strict=True)
    ]


def _register(image: _AdversarialImage, attack: _LabelAttack) -> None:
    register_adversarial_image(
        Stimulus.objects.get(pk=image.source.stimulus_id),
        picture=image.image,
        difference=image.difference,
        provenance=AttackProvenance(attack.direction, attack.row.name, attack.row.seed),
        attack=attack.row,
        quality=image.quality,
    )


def _generator_attack(job_id: int, cohort: Cohort, parameters: GenerateParameters, label: int) -> _LabelAttack:
    """Return the generator that changes images of this label: removal for positive ones, insertion for others."""
    direction = Direction.REMOVE if label else Direction.INSERT
    run = Checkpoint.named(parameters["gan_remove" if label else "gan_insert"], CheckpointKind.GENERATOR)
    if run.direction != direction:
        raise LabError(f"The run {run.name} was trained to {run.direction}, not to {direction.value}.")
    post_processing = PostProcessing.from_settings(parameters, cohort.modality.geometry)
    drawing = load_attack(folder_of(run.folder), post_processing=post_processing)
    limits = StrengthSettings.from_settings(parameters)
    row = _get_or_make_row(
        job_id,
        cohort,
        # Other settings make another attack, which needs its own name.
        name=run.name + parameters.get("suffix", ""),
        method=drawing.METHOD,
        direction=direction.value,
        generator=run,
        classifier=run.made_from,
        settings={**post_processing.settings(), "weights": drawing.weights, **limits.settings()},
        seed=run.seed,
    )
    return _LabelAttack(_limited(drawing, limits, run, is_removal=bool(label)), row, direction)


def _limited(
    drawing: GanAttack | InpaintingAttack, limits: StrengthSettings, run: Checkpoint, *, is_removal: bool
) -> ImageAttack:
    """Return the attack within its limits, which the classifier that the generator was trained against decides on."""
    if limits.is_whole:
        return drawing
    if run.made_from is None:
        raise LabError(f"The run {run.name} does not record its target classifier, which decides on the least change.")
    classifier = load_classifier(folder_of(run.made_from.folder)).requires_grad_(False).to(choose_device())
    return LimitedAttack(drawing, classifier, is_removal, limits)


def _gradient_attacks(
    job_id: int, cohort: Cohort, parameters: AttackParameters, report: Report
) -> dict[int, _LabelAttack]:
    """Return an attack on a classifier for both labels, under one name."""
    settings: dict[str, Any] = {**_steps(parameters), **parameters["attack"]}
    run = Checkpoint.named(settings.pop("classifier"), CheckpointKind.CLASSIFIER)
    name, seed = settings.pop("name"), int(settings.pop("seed", 1))
    prepared = prepare(
        Recipe.from_settings(settings, cohort.modality.geometry),
        folder_of(run.folder),
        seed=seed,
        textures=folder_of(f"attack-{name}"),
        training=partial(_training_images, cohort),
        report=report,
    )
    row = _get_or_make_row(
        job_id,
        cohort,
        name=name,
        method=prepared.method,
        direction="",
        generator=None,
        classifier=run,
        settings=prepared.settings,
        seed=seed,
    )
    directions = {0: Direction.INSERT, 1: Direction.REMOVE}
    return {label: _LabelAttack(attack, row, directions[label]) for label, attack in prepared.by_label.items()}


def _steps(parameters: AttackParameters) -> dict[str, bool]:
    """Return whether each step of post-processing is on."""
    return {step: bool(parameters.get(step, True)) for step in STEPS}


def _training_images(cohort: Cohort, label: int, size: Size) -> NDArray[np.uint16]:
    """Return the images of the training split with this label at a network's size, (N, rows, columns)."""
    images = [
        image
        for image in real_images(cohort, cohort.resolutions[-1])
        if image.split == Split.TRAIN and image.label == label
    ]
    if not images:
        raise LabError(f"The cohort {cohort.name} has no training images with label {label}.")
    return np.stack(
        list(parallel_map(lambda image: cohort.modality.geometry.resize(decode_png(image.path), size), images))
    )


def _get_or_make_row(
    job_id: int,
    cohort: Cohort,
    *,
    name: str,
    method: str,
    direction: str,
    generator: Checkpoint | None,
    classifier: Checkpoint | None,
    settings: dict[str, Any],
    seed: int,
) -> Attack:
    """Return the row of an attack. Raises StudyError if the name stands for another attack already."""
    return Attack.get_or_make(
        name,
        job=Job.objects.filter(pk=job_id).first(),
        code_version=version(),
        at=now(),
        cohort=cohort.name,
        method=method,
        direction=direction,
        generator=generator,
        classifier=classifier,
        settings=settings,
        seed=seed,
    )
