"""Making adversarial images and judging them, as jobs."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from celery import shared_task

from attacks.finish import Finish
from attacks.gan import GanAttack
from attacks.quality import psnr, ssim
from models_ml.attack_table import AttackTable, attack_table, text_table
from models_ml.checkpoint import load_classifier
from models_ml.errors import LabError
from models_ml.evaluate import Floats, scores, youden_threshold
from models_ml.networks.classifier import Classifier
from models_ml.tasks import folder_of
from readerstudy.cohort.actions import write_media
from readerstudy.cohort.grid import keep_grid
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.pixels import decode_png, encode_png, resize, signed_difference
from readerstudy.cohort.tissue import breast_weight
from readerstudy.jobs.models import Checkpoint, CheckpointKind
from readerstudy.jobs.queue import Report, perform
from readerstudy.truth.actions import Provenance, keep_scores, register_twin
from readerstudy.truth.dataset import Picture, real_pictures, twins
from readerstudy.truth.models import Direction, Truth

BOOTSTRAP_SEED = 20210007
S = TypeVar("S")
T = TypeVar("T")


@shared_task(name="attacks.generate_stimuli")
def generate_stimuli_task(job_id: int) -> None:
    """Write every image's twin.

    Parameters: cohort, gan_remove, gan_insert (run names), resolutions; keep_background, keep_grid and keep_range
    (true where nothing is said) each turn off a step of `Finish`.
    """
    perform(job_id, _generate)


@shared_task(name="attacks.evaluate_attack")
def evaluate_attack_task(job_id: int) -> None:
    """The article's Table 1; parameters: cohort, classifier, gan_remove, gan_insert, resolutions.

    Keeps the score of every picture of the tuning and test splits and of its twin: the report sets it beside the
    readers' verdicts on the same pictures.
    """
    perform(job_id, _evaluate)


def _generate(parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    attacks = {label: _attack(parameters, label) for label in (0, 1)}
    # An interrupted run goes on, a finished one does nothing.
    lacking, known = _without_twins(cohort, parameters)
    made = 0
    for twin in _side_by_side(lambda picture: _Twin(picture, attacks[picture.label]), lacking):
        register_twin(
            Stimulus.objects.get(pk=twin.parent.stimulus_id),
            picture=twin.picture,
            difference=twin.difference,
            provenance=_provenance(parameters, attacks[twin.parent.label], twin.parent.label),
        )
        made += 1
        report(made, len(lacking), "", {})
    return {"made": made, "known": known}


def _without_twins(cohort: Cohort, parameters: dict[str, Any]) -> tuple[list[Picture], int]:
    """The pictures of all wanted resolutions that still lack their twin, and how many have it."""
    lacking: list[Picture] = []
    known = 0
    for resolution in parameters["resolutions"]:
        pictures = real_pictures(cohort, resolution)
        there = twins(cohort, resolution, [parameters["gan_insert"], parameters["gan_remove"]])
        lacking += [picture for picture in pictures if picture.image_id not in there]
        known += sum(picture.image_id in there for picture in pictures)
    return lacking, known


class _Twin:
    """One adversarial picture, written with its difference."""

    def __init__(self, parent: Picture, attack: GanAttack) -> None:
        real = decode_png(parent.path)
        adversarial = attack(real)
        self.parent = parent
        self.picture = write_media(encode_png(adversarial))
        self.difference = write_media(encode_png(signed_difference(real, adversarial)))


def _side_by_side(work: Callable[[S], T], things: Sequence[S]) -> Iterator[T]:
    """Results in order, a few at a time: decoding, the networks and encoding run outside the interpreter's lock."""
    workers = torch.get_num_threads()
    torch.set_num_threads(1)  # one image a thread is faster than one image on all threads
    try:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for start in range(0, len(things), 32):
                yield from pool.map(work, things[start : start + 32])
    finally:
        torch.set_num_threads(workers)


def _attack(parameters: dict[str, Any], label: int, *, control: bool = False) -> GanAttack:
    """The generator that changes images of this label: removal for malignant ones, insertion for the rest."""
    direction = Direction.REMOVE if label else Direction.INSERT
    run = Checkpoint.named(parameters[f"gan_{direction.value}"], CheckpointKind.GENERATOR)
    if run.direction != direction:
        raise LabError(f"The run {run.name} was trained to {run.direction}, not to {direction.value}.")
    return GanAttack.load(folder_of(run.folder), downsample=resize, control=control, finish=_finish(parameters))


def _finish(parameters: dict[str, Any]) -> Finish:
    return Finish(
        keep_background=breast_weight if parameters.get("keep_background", True) else None,
        keep_grid=keep_grid if parameters.get("keep_grid", True) else None,
        keep_range=parameters.get("keep_range", True),
    )


def _provenance(parameters: dict[str, Any], attack: GanAttack, label: int) -> Provenance:
    direction = Direction.REMOVE if label else Direction.INSERT
    return Provenance(direction=direction, generator=parameters[f"gan_{direction.value}"], seed=attack.seed)


def _evaluate(parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    run = Checkpoint.named(parameters["classifier"], CheckpointKind.CLASSIFIER)
    classifier = load_classifier(folder_of(run.folder))
    controls = {label: _attack(parameters, label, control=True) for label in (0, 1)}
    generators = [parameters["gan_insert"], parameters["gan_remove"]]
    tables: dict[str, dict[str, Any]] = {}
    texts: list[str] = []
    for resolution in parameters["resolutions"]:
        made = twins(cohort, resolution, generators)
        judged = _judge(classifier, real_pictures(cohort, resolution), made, controls, report)
        keep_scores(judged.scores, classifier=run.name, size=_size(classifier))
        tables[resolution] = {
            "attack": asdict(judged.attack),
            "control": asdict(judged.control),
            "quality": judged.quality,
        }
        texts.append(f"{resolution} resolution\n" + text_table([judged.attack, judged.control]))
    return {
        "cohort": cohort.name,
        "classifier": run.name,
        "generators": generators,
        "tables": tables,
        "text": "\n\n".join(texts),
    }


class _Look:
    """One test image with its written twin and its control, at the classifier's size; and how like they are."""

    def __init__(self, picture: Picture, twin: Truth, controls: dict[int, GanAttack], size: tuple[int, int]) -> None:
        real, adversarial = decode_png(picture.path), decode_png(twin.stimulus.path)
        self.real = resize(real, size)
        self.attack = resize(adversarial, size)
        self.control = resize(controls[picture.label](real), size)
        self.psnr, self.ssim = psnr(real, adversarial), ssim(real, adversarial)


@dataclass(frozen=True)
class _Judged:
    """Table 1 of one resolution; `scores` has the probability of malignancy of each judged stimulus."""

    attack: AttackTable
    control: AttackTable
    quality: dict[str, float]
    scores: dict[int, float]


def _judge(
    classifier: Classifier,
    pictures: list[Picture],
    made: dict[int, Truth],
    controls: dict[int, GanAttack],
    report: Report,
) -> _Judged:
    """Score the written files in float32: reading a file again gives the same table."""
    tuning = [picture for picture in pictures if picture.split == "tuning"]
    test = [picture for picture in pictures if picture.split == "test"]
    if missing := [p for p in test if p.image_id not in made]:
        raise LabError(f"{len(missing)} of {len(test)} test images have no twin by these generators; make them first.")
    size = _size(classifier)
    of_tuning, of_twins = _scores_of_tuning(classifier, tuning, made)
    threshold = youden_threshold(of_tuning, np.array([p.label for p in tuning]))
    looks = _side_by_side(lambda picture: _Look(picture, made[picture.image_id], controls, size), test)
    seen: list[_Look] = []
    for look in looks:
        seen.append(look)
        report(len(seen), len(test), "judging test images", {})
    small = {kind: [getattr(look, kind) for look in seen] for kind in ("real", "attack", "control")}
    score = {kind: scores(classifier, np.stack(values)) for kind, values in small.items()}
    common: dict[str, Any] = {
        "labels": np.array([picture.label for picture in test]),
        "patients": np.array([picture.patient for picture in test]),
        "score_real": score["real"],
        "tuning_threshold": threshold,
    }
    return _Judged(
        attack=attack_table(
            name="GAN", score_adversarial=score["attack"], rng=np.random.default_rng(BOOTSTRAP_SEED), **common
        ),
        control=attack_table(
            name="control (stage 1)",
            score_adversarial=score["control"],
            rng=np.random.default_rng(BOOTSTRAP_SEED),
            **common,
        ),
        quality={
            "psnr_median_db": float(np.median([look.psnr for look in seen])),
            "ssim_median": float(np.median([look.ssim for look in seen])),
        },
        scores={
            **_by_stimulus([*tuning, *test], np.concatenate([of_tuning, score["real"]])),
            **of_twins,
            **{made[p.image_id].stimulus_id: float(value) for p, value in zip(test, score["attack"], strict=True)},
        },
    )


def _scores_of_tuning(
    classifier: Classifier, tuning: list[Picture], made: dict[int, Truth]
) -> tuple[Floats, dict[int, float]]:
    """The scores of the tuning pictures, in order, and of those of their twins that there are, by stimulus."""
    size = _size(classifier)
    twins_made = [made[picture.image_id].stimulus for picture in tuning if picture.image_id in made]
    paths = [picture.path for picture in tuning] + [stimulus.path for stimulus in twins_made]
    small = list(_side_by_side(lambda path: resize(decode_png(path), size), paths))
    # An empty split has no array to stack; the threshold says so in a sentence.
    found = scores(classifier, np.stack(small)) if small else np.zeros(0)
    of_twins = zip(twins_made, found[len(tuning) :], strict=True)
    return found[: len(tuning)], {stimulus.pk: float(value) for stimulus, value in of_twins}


def _by_stimulus(pictures: Sequence[Picture], found: Floats) -> dict[int, float]:
    return {picture.stimulus_id: float(value) for picture, value in zip(pictures, found, strict=True)}


def _size(classifier: Classifier) -> tuple[int, int]:
    return classifier.config.rows, classifier.config.columns
