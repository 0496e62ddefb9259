"""Making adversarial images and judging them, as jobs."""

from dataclasses import asdict
from typing import Any

from celery import shared_task

from attacks.evaluation import Reading, Real, judge, size_of
from attacks.evaluation import Twin as Written
from attacks.finish import Finish
from attacks.gan import GanAttack
from attacks.side_by_side import side_by_side
from models_ml.attack_table import text_table
from models_ml.checkpoint import load_classifier
from models_ml.errors import LabError
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
from readerstudy.truth.models import Direction

READING = Reading(read=decode_png, downsample=resize)


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
    for twin in side_by_side(lambda picture: _Twin(picture, attacks[picture.label]), lacking):
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
        made = _made(cohort, resolution, generators)
        judged = judge(classifier, _reals(cohort, resolution), made, controls, READING, report)
        keep_scores(judged.scores, classifier=run.name, size=size_of(classifier))
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


def _reals(cohort: Cohort, resolution: str) -> list[Real]:
    return [
        Real(one.stimulus_id, one.image_id, one.path, one.label, one.patient, one.split)
        for one in real_pictures(cohort, resolution)
    ]


def _made(cohort: Cohort, resolution: str, generators: list[str]) -> dict[int, Written]:
    """The written twins by these generators, by image."""
    rows = twins(cohort, resolution, generators)
    return {image: Written(row.stimulus_id, row.stimulus.path) for image, row in rows.items()}
