"""Table 1 and its companions, as a job."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from celery import shared_task
from django.utils.timezone import now

from attacks.evaluation.measure import Attacked, Judge, Reading, Real, score_all
from attacks.evaluation.measure import Twin as File
from attacks.evaluation.report import Kind, Story, paired, summary, tell
from attacks.evaluation.tables import Settings
from attacks.generative.gan import GanAttack
from attacks.tasks.finishing import finish_of
from models_ml.evaluation.subgroup_table import OF_LESIONS
from models_ml.presets import PRESETS
from models_ml.runs.checkpoint import CONTROL, WEIGHTS, load_classifier, read_provenance, sha256
from models_ml.runtime.progress import Report
from models_ml.tasks import folder_of
from readerstudy.cohort.models import Cohort
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind, Evaluation
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import resize
from readerstudy.jobs.queue import perform
from readerstudy.statistics import delong
from readerstudy.truth.actions import keep_scores
from readerstudy.truth.models import Direction
from readerstudy.truth.queries import real_pictures, twins

READING = Reading(read=decode_png, downsample=resize)
# The labels of the real images that a direction changes; one that is not named changes both.
ACTS_ON = {Direction.REMOVE.value: (1,), Direction.INSERT.value: (0,), "": (0, 1)}


@shared_task(name="evaluate")
def evaluate_attack_task(job_id: int) -> None:
    """The article's Table 1 and its companions, for classifiers and attacks side by side.

    Parameters: cohort, resolutions, classifiers (run names; or one as classifier), attacks (names; or gan_remove and
    gan_insert, the runs), recalibration ("none", "temperature" or "platt", fitted on the tuning split).

    Keeps the score of every picture of the tuning and test splits and of its twins by every classifier: the report
    sets the first one's beside the readers' verdicts on the same pictures.
    """
    perform(job_id, partial(_evaluate, job_id))


def _evaluate(job_id: int, parameters: dict[str, Any], report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    runs = [Checkpoint.named(name, CheckpointKind.CLASSIFIER) for name in parameters["classifiers"]]
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
                folder_of(run.folder), downsample=resize, control=True, finish=finish_of(_settings(rows.get(name)))
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
