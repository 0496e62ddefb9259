"""Writing every image's adversarial twin, as a job."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, product
from typing import Any

import numpy as np
from celery import shared_task
from django.utils.timezone import now
from numpy.typing import NDArray

from attacks.base import Attack as PictureAttack
from attacks.base import pixels_drawn
from attacks.constraints.post_processing import PostProcessing
from attacks.parallel import side_by_side
from attacks.quality import quality_of
from attacks.registry import Recipe, all_of, load_attack, prepare, version
from models_ml.errors import LabError
from models_ml.runtime.device import choose_device
from models_ml.runtime.progress import Report
from models_ml.tasks import folder_of
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.storage import MediaFile, write_media
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.experiments.parameters import AttackParameters, GenerateParameters
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.difference import signed_difference
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.imaging.resize import resize
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import perform
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.truth.actions import Provenance, register_twin
from readerstudy.truth.models import ImageTruth
from readerstudy.truth.queries import Picture, real_pictures, twins
from readerstudy.vocabulary import Direction, Split

AT_ONCE = 8  # pictures that a graphics card attacks together


@shared_task(name="generate")
def generate_task(job_id: int) -> None:
    """Make an adversarial image from every image with two generators, with `GenerateParameters`."""
    perform(job_id, partial(_generate, job_id))


@shared_task(name="attack")
def attack_task(job_id: int) -> None:
    """Make an adversarial image from every image with a classifier's gradient, with `AttackParameters`."""
    perform(job_id, partial(_attack, job_id))


@dataclass(frozen=True)
class _Maker:
    """What makes the twins of one label, and the row that they will point to."""

    attack: PictureAttack
    row: Attack
    direction: Direction


def _generate(job_id: int, parameters: GenerateParameters, report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    makers = {label: _by_generator(job_id, cohort, parameters, label) for label in (0, 1)}
    return _write_all(cohort, parameters, makers, report)


def _attack(job_id: int, parameters: AttackParameters, report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    return _write_all(cohort, parameters, _by_recipe(job_id, cohort, parameters, report), report)


def _write_all(
    cohort: Cohort, parameters: GenerateParameters | AttackParameters, makers: dict[int, _Maker], report: Report
) -> dict[str, Any]:
    # An interrupted run goes on, a finished one does nothing.
    lacking, known = _without_twins(cohort, parameters, makers)
    groups = _alike(lacking, AT_ONCE if choose_device().type == "cuda" else 1)
    lesions = _lesions(chain.from_iterable(groups))
    made, total = 0, sum(map(len, groups))
    drawn = max(pixels_drawn(maker.attack) for maker in makers.values())
    for written in side_by_side(partial(_write, makers, lesions), groups, drawn=drawn):
        for twin in written:
            _register(twin, makers[twin.parent.label])
            made += 1
            report(made, total, Activity(ActivityKind.GENERATING_IMAGES), {})
    return {"made": made, "known": known, "attacks": sorted({maker.row.name for maker in makers.values()})}


def _without_twins(
    cohort: Cohort, parameters: GenerateParameters | AttackParameters, makers: dict[int, _Maker]
) -> tuple[dict[str, list[Picture]], int]:
    """The pictures of the wanted splits that still lack their twin, by resolution, and how many have it."""
    lacking: dict[str, list[Picture]] = {}
    known = 0
    splits = parameters.get("splits") or tuple(Split)
    for resolution in parameters["resolutions"]:
        pictures = [picture for picture in real_pictures(cohort, resolution) if picture.split in splits]
        there = twins(cohort, resolution, [maker.row.name for maker in makers.values()], with_excluded=True)
        lacking[resolution] = [picture for picture in pictures if picture.image_id not in there]
        known += len(pictures) - len(lacking[resolution])
    return lacking, known


def _lesions(pictures: Iterable[Picture]) -> dict[int, list[dict[str, float]]]:
    """The known lesions of these pictures, by image."""
    rows = ImageTruth.objects.filter(image__in={picture.image_id for picture in pictures})
    return {row.image_id: row.lesions for row in rows if row.lesions}


@dataclass(frozen=True)
class _Twin:
    """One adversarial picture, written with its difference, and how like its parent it is."""

    parent: Picture
    picture: MediaFile
    difference: MediaFile
    quality: dict[str, float]


def _alike(pictures: Mapping[str, Sequence[Picture]], at_once: int) -> list[list[Picture]]:
    """Pictures of one label and resolution in groups of `at_once`: what a graphics card attacks together."""
    groups: list[list[Picture]] = []
    for label, of_resolution in product((0, 1), pictures.values()):
        alike = [picture for picture in of_resolution if picture.label == label]
        groups += [alike[start : start + at_once] for start in range(0, len(alike), at_once)]
    return groups


def _write(
    makers: dict[int, _Maker], lesions: Mapping[int, Sequence[Mapping[str, float]]], group: Sequence[Picture]
) -> list[_Twin]:
    """The twins of a few pictures of one label and size, as files."""
    reals = [decode_png(parent.path) for parent in group]
    twins_made = all_of(makers[group[0].label].attack, reals)
    return [
        _Twin(
            parent,
            write_media(encode_png(twin)),
            write_media(encode_png(signed_difference(real, twin))),
            quality_of(real, twin, lesions=lesions.get(parent.image_id, ()), breast=breast_weight(real) > 0),
        )
        for parent, real, twin in zip(group, reals, twins_made, strict=True)
    ]


def _register(twin: _Twin, maker: _Maker) -> None:
    register_twin(
        Stimulus.objects.get(pk=twin.parent.stimulus_id),
        picture=twin.picture,
        difference=twin.difference,
        provenance=Provenance(maker.direction, maker.row.name, maker.row.seed),
        attack=maker.row,
        quality=twin.quality,
    )


def _by_generator(job_id: int, cohort: Cohort, parameters: GenerateParameters, label: int) -> _Maker:
    """The generator that changes images of this label: removal for malignant ones, insertion for the rest."""
    direction = Direction.REMOVE if label else Direction.INSERT
    name = parameters["gan_remove"] if label else parameters["gan_insert"]
    run = Checkpoint.named(name, CheckpointKind.GENERATOR)
    if run.direction != direction:
        raise LabError(f"The run {run.name} was trained to {run.direction}, not to {direction.value}.")
    post_processing = PostProcessing.from_settings(parameters)
    method, attack = load_attack(folder_of(run.folder), post_processing=post_processing)
    row = _row(
        job_id,
        cohort,
        # Twins finished otherwise are another attack: they need a name of their own.
        name=run.name + parameters.get("suffix", ""),
        method=method,
        direction=direction.value,
        generator=run,
        classifier=run.made_from,
        settings={**asdict(post_processing), "weights": attack.weights},
        seed=run.seed,
    )
    return _Maker(attack, row, direction)


def _by_recipe(job_id: int, cohort: Cohort, parameters: AttackParameters, report: Report) -> dict[int, _Maker]:
    """An attack on a classifier, for both labels under one name."""
    rest: dict[str, Any] = {**asdict(PostProcessing.from_settings(parameters)), **parameters["attack"]}
    run = Checkpoint.named(rest.pop("classifier"), CheckpointKind.CLASSIFIER)
    name, seed = rest.pop("name"), int(rest.pop("seed", 1))
    made = prepare(
        Recipe.of(rest),
        folder_of(run.folder),
        seed=seed,
        textures=folder_of(f"attack-{name}"),
        training=partial(_training, cohort),
        report=report,
    )
    what = {"method": made.method, "direction": "", "generator": None, "classifier": run, "settings": made.settings}
    row = _row(job_id, cohort, name=name, seed=seed, **what)
    directions = {0: Direction.INSERT, 1: Direction.REMOVE}
    return {label: _Maker(attack, row, directions[label]) for label, attack in made.attacks.items()}


def _training(cohort: Cohort, label: int, size: tuple[int, int]) -> NDArray[np.uint16]:
    """The training split's images of a label at a network's size."""
    pictures = [one for one in real_pictures(cohort, cohort.resolutions[-1]) if one.split == "train"]
    chosen = [one for one in pictures if one.label == label]
    if not chosen:
        raise LabError(f"The cohort {cohort.name} has no training images with label {label}.")
    return np.stack(list(side_by_side(lambda one: resize(decode_png(one.path), size), chosen)))


def _row(job_id: int, cohort: Cohort, *, name: str, **what: Any) -> Attack:
    job = Job.objects.filter(pk=job_id).first()
    return Attack.get_or_make(name, job=job, code_version=version(), at=now(), cohort=cohort.name, **what)
