"""The job that evaluates attacks on classifiers."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from celery import shared_task
from django.utils.timezone import now

from attacks.constraints.post_processing import STEPS, PostProcessing
from attacks.constraints.sham import Sham
from attacks.evaluation.evaluate import EvaluationSettings, evaluate
from attacks.evaluation.measure import (
    AdversarialFile,
    AttackImages,
    SourceImage,
    TargetClassifier,
    score_all,
)
from attacks.evaluation.pairing import AttackKind, pair_directions
from attacks.generative.gan import GanAttack
from attacks.generative.strength import StrengthSettings
from models_ml.evaluation.trivial_controls import FileHeader
from models_ml.presets import PRESETS
from models_ml.runs.checkpoint import CONTROL, WEIGHTS, load_classifier, read_provenance, sha256
from models_ml.runtime.device import choose_device
from models_ml.runtime.progress import Report
from models_ml.tasks import folder_of
from readerstudy.cohort.models import Cohort
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind, Evaluation
from readerstudy.experiments.parameters import EvaluateParameters
from readerstudy.imaging.geometry import PLAIN
from readerstudy.imaging.image import Size
from readerstudy.jobs.queue import perform
from readerstudy.results.evaluation import FORMAT, EvaluationResult, Recalibrated
from readerstudy.serialise import to_dict
from readerstudy.truth.actions import store_scores
from readerstudy.truth.queries import adversarial_images, real_images
from readerstudy.vocabulary import Direction

# The labels of the source images that a direction changes; without a direction both are changed.
LABELS = {Direction.REMOVE.value: (1,), Direction.INSERT.value: (0,), "": (0, 1)}


@shared_task(name="evaluate")
def evaluate_attack_task(job_id: int) -> None:
    """Evaluate attacks on classifiers with `EvaluateParameters`: the article's Table 1 and further tables.

    Stores an `Evaluation` for each classifier and resolution, and each classifier's score of every image of the tuning
    and test splits and of its adversarial images: the report compares them with the readers' verdicts.
    """
    perform(job_id, partial(_evaluate, job_id))


def _evaluate(job_id: int, parameters: EvaluateParameters, report: Report) -> dict[str, Any]:
    cohort = Cohort.named(parameters["cohort"])
    runs = [Checkpoint.named(name, CheckpointKind.CLASSIFIER) for name in parameters["classifiers"]]
    device = choose_device()
    classifiers = [
        TargetClassifier(run.name, load_classifier(folder_of(run.folder)).to(device), device) for run in runs
    ]
    settings = EvaluationSettings(
        recalibration=Recalibrated(parameters.get("recalibration", "none")),
        of_finding=frozenset(part.name for part in cohort.modality.subgroups if part.is_of_finding),
    )
    load = cache(GanAttack.load)  # so that attacks by one generator share what it draws
    stored = []
    for resolution in parameters["resolutions"]:
        size = classifiers[0].size
        attacks = [_attack_images(cohort, resolution, group, size, runs, load=load) for group in _groups(parameters)]
        scores = score_all(
            classifiers, _source_images(cohort, resolution), attacks, report, geometry=cohort.modality.geometry
        )
        for classifier in scores:
            store_scores(classifier.by_stimulus, classifier=classifier.classifier, size=classifier.size)
        results = evaluate(resolution, scores, attacks, settings)
        stored += [_store(job_id, cohort, run, result) for run, result in zip(runs, results, strict=True)]
    return {"format": FORMAT, "cohort": cohort.name, "evaluations": stored}


def _groups(parameters: EvaluateParameters) -> list[list[str]]:
    """Return the names of the attacks to evaluate, those that are evaluated together in one group."""
    groups = [[parameters["gan_insert"], parameters["gan_remove"]]] if parameters.get("gan_remove") else []
    rows = [Attack.named(name) for name in parameters.get("attacks", [])]
    return groups + pair_directions([AttackKind(row.name, row.method, row.direction) for row in rows])


def _attack_images(
    cohort: Cohort,
    resolution: str,
    names: list[str],
    size: Size,
    classifiers: Sequence[Checkpoint] = (),
    *,
    load: Callable[..., GanAttack] = GanAttack.load,
) -> AttackImages:
    """Return the adversarial images of one resolution with their baselines; `size` is the grid of the sham's change."""
    rows = {row.name: row for row in Attack.objects.filter(name__in=names).select_related("classifier")}
    runs = {name: _generator(name, rows) for name in names}
    # Images of earlier versions have no row for their attack: their generator has its direction.
    directions = {name: rows[name].direction if name in rows else _direction(runs[name]) for name in names}
    targets = {row.classifier for row in rows.values()} | {_made_from(run, classifiers) for run in runs.values() if run}
    written = adversarial_images(cohort, resolution, names, with_excluded=True)
    steps = {
        name: PostProcessing.from_settings(rows[name].settings if name in rows else {}, cohort.modality.geometry)
        for name in names
    }
    none = PostProcessing.from_settings(dict.fromkeys(STEPS, False), cohort.modality.geometry)
    generators = {name: folder_of(run.folder) for name, run in runs.items() if run and _is_gan(run)}
    return AttackImages(
        name=" + ".join(names),
        runs=tuple(names),
        files={image: AdversarialFile(row.stimulus_id, row.path) for image, row in written.items()},
        against=", ".join(sorted(target.name for target in targets if target)),
        labels=tuple(sorted({label for name in names for label in LABELS[directions[name]]})),
        identity={
            label: load(folder, is_identity=True, post_processing=steps[name])
            for name, folder in generators.items()
            for label in LABELS[directions[name]]
        },
        sham={label: Sham(size, steps[name]) for name in names for label in LABELS[directions[name]]},
        unprocessed={
            label: load(folder, post_processing=none)
            for name, folder in generators.items()
            if _differs_from_article(runs[name], rows.get(name))
            for label in LABELS[directions[name]]
        },
    )


def _is_gan(run: Checkpoint) -> bool:
    return (folder_of(run.folder) / CONTROL).exists()


def _differs_from_article(run: Checkpoint | None, row: Attack | None) -> bool:
    """Return whether a generator of the article's presets wrote other images than the article's attack would.

    The article applies the whole change and no post-processing; images of earlier versions have no row, and were
    post-processed.
    """
    preset = PRESETS.get(run.preset) if run else None
    if preset is None or not preset.is_article:
        return False
    settings = row.settings if row else {}
    steps = PostProcessing.from_settings(settings, PLAIN).settings()
    return any(steps.values()) or not StrengthSettings.from_settings(settings).is_whole


def _generator(name: str, rows: dict[str, Attack]) -> Checkpoint | None:
    if name in rows:
        return rows[name].generator
    return Checkpoint.objects.filter(name=name, kind=CheckpointKind.GENERATOR).first()


def _made_from(run: Checkpoint, classifiers: Sequence[Checkpoint]) -> Checkpoint | None:
    """Return the classifier that a generator was trained against; earlier versions recorded only its weights' hash."""
    if run.made_from or run.preset not in PRESETS:
        return run.made_from
    weights = read_provenance(folder_of(run.folder)).classifier
    return next((other for other in classifiers if sha256(folder_of(other.folder) / WEIGHTS) == weights), None)


def _direction(run: Checkpoint | None) -> str:
    return run.direction if run else ""


def _store(job_id: int, cohort: Cohort, run: Checkpoint, result: EvaluationResult) -> int:
    """Store the evaluation of one classifier at one resolution; return its key.

    A job that runs again after a kill updates its rows.
    """
    row, _is_new = Evaluation.objects.update_or_create(
        name=f"{job_id}-{result.resolution}-{run.name}",
        job_id=job_id,
        defaults={
            "cohort": cohort.name,
            "resolution": result.resolution,
            "classifier": run,
            "result": to_dict(result),
            "made_at": now(),
        },
    )
    row.attacks.set(Attack.objects.filter(name__in=[name for attack in result.attacks for name in attack.runs]))
    return row.pk


def _source_images(cohort: Cohort, resolution: str) -> list[SourceImage]:
    return [
        SourceImage(
            image.stimulus_id,
            image.image_id,
            image.path,
            image.label,
            image.patient,
            image.split,
            FileHeader(image.source_rows, image.source_columns, image.source_bits),
            {part.name: part.value(image.attributes, image.groups) for part in cohort.modality.subgroups},
        )
        for image in real_images(cohort, resolution)
    ]
