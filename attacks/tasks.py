"""Making adversarial images and judging them, as jobs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, product
from typing import Any

import numpy as np
from celery import shared_task
from django.utils.timezone import now
from numpy.typing import NDArray

from attacks.base import Attack as PictureAttack
from attacks.evaluation import Attacked, Judge, Reading, Real, score_all
from attacks.evaluation import Twin as File
from attacks.evaluation_story import Kind, Story, paired, summary, tell
from attacks.evaluation_tables import Settings
from attacks.finish import Finish
from attacks.gan import GanAttack
from attacks.quality import quality_of
from attacks.registry import STEPS_OF_FINISH, Recipe, all_of, load_attack, prepare, version
from attacks.side_by_side import side_by_side
from models_ml.checkpoint import CONTROL, WEIGHTS, load_classifier, read_provenance, sha256
from models_ml.config import PRESETS
from models_ml.data import SPLITS
from models_ml.device import choose_device
from models_ml.errors import LabError
from models_ml.subgroup_table import OF_LESIONS
from models_ml.tasks import folder_of
from readerstudy.analysis.stats import delong
from readerstudy.cohort.actions import Written, write_media
from readerstudy.cohort.grid import keep_grid, levels_of
from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.pixels import decode_png, encode_png, resize, signed_difference
from readerstudy.cohort.tissue import breast_weight
from readerstudy.jobs.models import Attack, Checkpoint, CheckpointKind, Evaluation, Job
from readerstudy.jobs.queue import Report, perform
from readerstudy.truth.actions import Provenance, keep_scores, register_twin
from readerstudy.truth.dataset import Picture, real_pictures, twins
from readerstudy.truth.models import Direction, ImageTruth

AT_ONCE = 8  # pictures that a graphics card attacks together
READING = Reading(read=decode_png, downsample=resize)
# The labels of the real images that a direction changes; one that is not named changes both.
ACTS_ON = {Direction.REMOVE.value: (1,), Direction.INSERT.value: (0,), "": (0, 1)}


@shared_task(name="attacks.generate_stimuli")
def generate_stimuli_task(job_id: int) -> None:
    """Write every image's twin.

    Parameters: cohort, resolutions, splits (all where nothing is said), and either gan_remove and gan_insert (names of
    generator runs, with a `suffix` to their names where the twins are to be told from others of the same runs) or
    attack: {name, method, classifier (a run; for a transfer the surrogate), seed, and the method's own settings, see
    attacks.registry}. keep_background, keep_grid and keep_range (true where nothing is said) each turn off a step of
    `Finish`: what an adversarial picture keeps of its parent beside what the attack changed.
    """
    perform(job_id, partial(_generate, job_id))


@shared_task(name="attacks.evaluate_attack")
def evaluate_attack_task(job_id: int) -> None:
    """The article's Table 1 and its companions, for classifiers and attacks side by side.

    Parameters: cohort, resolutions, classifiers (run names; or one as classifier), attacks (names; or gan_remove and
    gan_insert, the runs), recalibration ("none", "temperature" or "platt", fitted on the tuning split).

    Keeps the score of every picture of the tuning and test splits and of its twins by every classifier: the report
    sets the first one's beside the readers' verdicts on the same pictures.
    """
    perform(job_id, partial(_evaluate, job_id))


@dataclass(frozen=True)
class _Maker:
    """What makes the twins of one label, and the row that they will point to."""

    attack: PictureAttack
    row: Attack
    direction: Direction


def _generate(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    if asked := parameters.get("attack"):
        makers = _by_recipe(job_id, cohort, asked, parameters, report)
    else:
        makers = {label: _by_generator(job_id, cohort, parameters, label) for label in (0, 1)}
    # An interrupted run goes on, a finished one does nothing.
    lacking, known = _without_twins(cohort, parameters, makers)
    groups = _alike(lacking, AT_ONCE if choose_device().type == "cuda" else 1)
    lesions = _lesions(chain.from_iterable(groups))
    made, total = 0, sum(map(len, groups))
    for written in side_by_side(partial(_write, makers, lesions), groups):
        for twin in written:
            _register(twin, makers[twin.parent.label])
            made += 1
            report(made, total, "", {})
    return {"made": made, "known": known, "attacks": sorted({maker.row.name for maker in makers.values()})}


def _without_twins(
    cohort: Cohort, parameters: dict[str, Any], makers: dict[int, _Maker]
) -> tuple[dict[str, list[Picture]], int]:
    """The pictures of the wanted splits that still lack their twin, by resolution, and how many have it."""
    lacking: dict[str, list[Picture]] = {}
    known = 0
    splits = parameters.get("splits") or SPLITS
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
    picture: Written
    difference: Written
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


def _by_generator(job_id: int, cohort: Cohort, parameters: dict[str, Any], label: int) -> _Maker:
    """The generator that changes images of this label: removal for malignant ones, insertion for the rest."""
    direction = Direction.REMOVE if label else Direction.INSERT
    run = Checkpoint.named(parameters[f"gan_{direction.value}"], CheckpointKind.GENERATOR)
    if run.direction != direction:
        raise LabError(f"The run {run.name} was trained to {run.direction}, not to {direction.value}.")
    method, attack = load_attack(
        folder_of(run.folder), seed=run.seed, downsample=resize, breast=breast_weight, finish=_finish(parameters)
    )
    row = _row(
        job_id,
        cohort,
        # Twins finished otherwise are another attack: they need a name of their own.
        name=run.name + parameters.get("suffix", ""),
        method=method,
        direction=direction.value,
        generator=run,
        classifier=run.made_from,
        settings={**{step: parameters.get(step, True) for step in STEPS_OF_FINISH}, "weights": attack.weights},
        seed=run.seed,
    )
    return _Maker(attack, row, direction)


def _by_recipe(
    job_id: int, cohort: Cohort, asked: dict[str, Any], parameters: dict[str, Any], report: Report
) -> dict[int, _Maker]:
    """An attack on a classifier, for both labels under one name."""
    rest = {step: parameters[step] for step in STEPS_OF_FINISH if step in parameters} | asked
    run = Checkpoint.named(rest.pop("classifier"), CheckpointKind.CLASSIFIER)
    name, seed = rest.pop("name"), int(rest.pop("seed", 1))
    made = prepare(
        Recipe.of(rest),
        folder_of(run.folder),
        seed=seed,
        downsample=resize,
        breast=breast_weight,
        finish=_finish(rest),
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
    return Attack.kept(name, job=job, code_version=version(), at=now(), cohort=cohort.name, **what)


def _finish(settings: Mapping[str, Any]) -> Finish:
    return Finish(
        keep_background=breast_weight if settings.get("keep_background", True) else None,
        keep_grid=keep_grid if settings.get("keep_grid", True) else None,
        keep_range=settings.get("keep_range", True),
        levels=levels_of,
    )


def _evaluate(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    names = parameters.get("classifiers") or [parameters["classifier"]]
    runs = [Checkpoint.named(name, CheckpointKind.CLASSIFIER) for name in dict.fromkeys(names)]
    judges = [Judge(run.name, load_classifier(folder_of(run.folder))) for run in runs]
    settings = Settings(compare=delong.paired, recalibration=parameters.get("recalibration", "none"))
    stories = []
    for resolution in parameters["resolutions"]:
        attacks = [_attacked(cohort, resolution, group, runs) for group in _groups(parameters)]
        scored = score_all(judges, _reals(cohort, resolution), attacks, READING, report)
        for one in scored:
            keep_scores(one.by_stimulus, classifier=one.judge, size=one.size)
        stories.append(tell(resolution, scored, attacks, settings))
    evaluations = [
        _keep_evaluation(job_id, cohort, run, story, place) for story in stories for place, run in enumerate(runs)
    ]
    return {"cohort": cohort.name, "evaluations": evaluations, **summary(stories)}


def _groups(parameters: dict[str, Any]) -> list[list[str]]:
    """The names that go together: an attack that makes both directions, or an insertion and a removal."""
    groups = [[parameters["gan_insert"], parameters["gan_remove"]]] if parameters.get("gan_remove") else []
    rows = [Attack.named(name) for name in parameters.get("attacks", [])]
    return groups + paired([Kind(row.name, row.method, row.direction) for row in rows])


def _attacked(cohort: Cohort, resolution: str, names: list[str], judges: Sequence[Checkpoint] = ()) -> Attacked:
    """The written twins at one resolution, and the copiers that the generators once were."""
    rows = {row.name: row for row in Attack.objects.filter(name__in=names).select_related("classifier")}
    runs = {name: _generator(name, rows) for name in names}
    # Twins of earlier versions have no row for their attack: their generator says it.
    directions = {name: rows[name].direction if name in rows else _direction(runs[name]) for name in names}
    origins = {row.classifier for row in rows.values()} | {_made_from(run, judges) for run in runs.values() if run}
    made = twins(cohort, resolution, names, with_excluded=True)
    return Attacked(
        name=" + ".join(names),
        runs=tuple(names),
        twins={image: File(row.stimulus_id, row.stimulus.path) for image, row in made.items()},
        against=", ".join(sorted(origin.name for origin in origins if origin)),
        labels=tuple(sorted({label for name in names for label in ACTS_ON[directions[name]]})),
        controls={
            label: GanAttack.load(
                folder_of(run.folder), downsample=resize, control=True, finish=_finish(_settings(rows.get(name)))
            )
            for name, run in runs.items()
            if run and (folder_of(run.folder) / CONTROL).exists()
            for label in ACTS_ON[directions[name]]
        },
    )


def _generator(name: str, rows: dict[str, Attack]) -> Checkpoint | None:
    if name in rows:
        return rows[name].generator
    return Checkpoint.objects.filter(name=name, kind=CheckpointKind.GENERATOR).first()


def _made_from(run: Checkpoint, judges: Sequence[Checkpoint]) -> Checkpoint | None:
    """The classifier that a generator was trained against; of runs from before that was a row, by its weights."""
    if run.made_from or run.preset not in PRESETS:
        return run.made_from
    weights = read_provenance(folder_of(run.folder)).classifier
    return next((judge for judge in judges if sha256(folder_of(judge.folder) / WEIGHTS) == weights), None)


def _direction(run: Checkpoint | None) -> str:
    return run.direction if run else ""


def _settings(row: Attack | None) -> dict[str, Any]:
    return row.settings if row else {}


def _keep_evaluation(job_id: int, cohort: Cohort, run: Checkpoint, story: Story, place: int) -> int:
    """Store the tables of one classifier at one resolution, with its figures as files; gives the row's number."""
    stem = f"{job_id}-{story.resolution}-{run.name}"
    folder = folder_of("evaluations") / str(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for figure in story.figures(place):
        file = folder / f"{stem}-{figure.key}.svg"
        file.write_text(figure.svg)
        words = {"key": figure.key, "title": figure.title, "description": figure.description}
        drawn.append({**words, "file": f"evaluations/{job_id}/{file.name}"})
    names = [name for attacked in story.attacks for name in attacked.runs]
    # A job that runs again after a kill writes its rows once.
    row, _made = Evaluation.objects.update_or_create(
        name=stem,
        job_id=job_id,
        defaults={
            "cohort": cohort.name,
            "resolution": story.resolution,
            "classifier": run,
            "tables": {**story.tables(place), "figures": drawn},
            "made_at": now(),
        },
    )
    row.attacks.set(Attack.objects.filter(name__in=names))
    return row.pk


def _reals(cohort: Cohort, resolution: str) -> list[Real]:
    return [
        Real(
            one.stimulus_id,
            one.image_id,
            one.path,
            one.label,
            one.patient,
            one.split,
            {"view": one.view, "side": one.laterality, OF_LESIONS: one.lesion_kind, "density": one.density},
        )
        for one in real_pictures(cohort, resolution)
    ]
