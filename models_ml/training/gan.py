"""Training one of the two GANs in the article's five stages (METHOD §3).

1. The generator learns to reproduce its input; it is also kept as the identity baseline.
2. The discriminator, a copy of the classifier, learns to tell the generator's images from target images; only its
   output layer trains.
3. Both train, the discriminator with its output layer.
4. Both train, the discriminator with Fnet too.
5. Both train with all layers.

`presets.ARTICLE_STAGES` has the lengths, rates and criteria; `gan_schedule` ends the stages.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_ml.config import GanConfig
from models_ml.data.gan_batches import GanBatch, GanBatches
from models_ml.data.images import ImageSet, Pairing, RowPair
from models_ml.errors import WrongCheckpoint, WrongImages
from models_ml.networks.classifier import Classifier
from models_ml.runs import checkpoint
from models_ml.runs.refused_steps import NetworkStep
from models_ml.runtime import distributed
from models_ml.runtime.progress import Report
from models_ml.training.gan_networks import GanNetworks, GanStep
from models_ml.training.gan_schedule import StageSchedule
from models_ml.training.generator_selection import snapshot_score, watched_rows
from models_ml.training.loop import Run, Saved, StepReport, Training, run_training
from models_ml.training.sample_pictures import sample_rows, write_samples
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.serialise import to_dict
from readerstudy.vocabulary import Direction, Split

HISTORY_ENTRIES = 500  # about so many in a run, and one at the end of each stage


@dataclass(frozen=True)
class GanResult:
    """A trained generator: its folder, how each stage ended, and the step whose weights were kept."""

    folder: Path
    direction: Direction
    stages: list[dict[str, Any]]
    kept_step: int
    seconds: float
    history: list[dict[str, float]]
    refused_steps: int  # loss or gradient not finite


def train_gan(
    images: ImageSet,
    *,
    direction: Direction,
    classifier: Path,
    config: GanConfig,
    seed: int,
    folder: Path,
    report: Report,
) -> GanResult:
    """Train a generator that removes or inserts signs of the finding, on the train split alone; write the run folder.

    `classifier` is the run folder of the classifier that the discriminator starts from. An interrupted run is resumed
    from its last save, a finished run is returned. Raises WrongImages or WrongCheckpoint if sizes do not fit.
    """
    images.require(config.rows, config.columns)
    if config.keep_background and images.weights is None:
        raise WrongImages("This GAN spares the background, but the images come without weights that say where it is.")
    target = checkpoint.load_classifier(classifier)
    if (target.config.rows, target.config.columns) != (config.rows, config.columns):
        raise WrongCheckpoint(
            f"The classifier in {classifier.name} reads {target.config.rows} × {target.config.columns}, "
            f"but preset {config.preset} makes {config.rows} × {config.columns}."
        )
    origin = {"direction": str(direction), "classifier": checkpoint.sha256(classifier / checkpoint.WEIGHTS)}
    identity = checkpoint.identity("generator", images, config, seed, **origin)
    run = Run(images, config, seed, folder, identity)
    finished = run_training(run, lambda: _GanTraining(run, direction, target), report)
    return GanResult(
        folder,
        direction,
        finished.stages,
        int(finished.metrics["kept_step"]),
        finished.metrics["seconds"],
        finished.history,
        finished.refused_steps,
    )


class _GanTraining(Training[GanConfig, GanBatch]):
    def __init__(self, run: Run[GanConfig], direction: Direction, classifier: Classifier) -> None:
        images, config = run.images, run.config
        source_label = 1 if direction == Direction.REMOVE else 0
        targets, sources = images.rows(Split.TRAIN, 1 - source_label), images.rows(Split.TRAIN, source_label)
        super().__init__(run, Pairing(targets, sources, config.images_per_class))
        self.wanted_sign = -1 if direction == Direction.REMOVE else 1  # of the change of the positive probability
        self.batches = GanBatches(images, self.pairing, config, run.seed)
        self.watched = watched_rows(sources, config, run.seed)
        self.networks = GanNetworks(classifier, config, run.seed, self.device)
        self.network, self.precision = self.networks.generator, config.precision
        self.schedule = StageSchedule(config, self.pairing.steps)
        self.networks.start_stage(self.schedule.stage)
        self.most_steps = sum(self.schedule.limits)
        self.save_every = config.save_every.in_steps(self.pairing.steps)
        self.sample_every = config.sample_every.in_steps(self.pairing.steps)
        self.history_every = max(1, self.most_steps // HISTORY_ENTRIES)
        self.last_step = GanStep()

    @property
    def is_over(self) -> bool:
        return self.schedule.is_over

    @property
    def stage_number(self) -> int:
        return self.schedule.stage.number

    def prepare(self, step: int, rows: RowPair) -> GanBatch:
        return self.batches.prepare(step, rows)

    def learn(self, step: int, batch: GanBatch) -> tuple[NetworkStep, ...]:
        self.last_step = self.networks.learn(self.schedule.stage, batch, self.schedule.step)
        return self.last_step.steps

    def record(self) -> StepReport:
        schedule, stage, step = self.schedule, self.schedule.stage, self.state.step
        is_over = schedule.take_step(identity=self.last_step.identity, gap=self.last_step.gap)
        means = {"identity": schedule.means.identity.value, "gap": schedule.means.gap.value}
        if is_over or step % self.history_every == 0:
            self.state.history.append({"step": step, "stage": stage.number, **means})
        self._keep_best(is_over)
        activity = Activity(ActivityKind.TRAINING_GAN, stage=stage.number, stages=len(schedule.config.stages))
        progress = StepReport(schedule.steps_done, self.most_steps, activity, means, must_save=is_over)
        if is_over:
            self._end_stage()
        if distributed.is_first() and (is_over or step % self.sample_every == 0):
            self._write_samples(stage.number)
        return progress

    def finish(self) -> dict[str, float]:
        rule, best, last = self.run.config.snapshots, self.state.best, self.schedule.ended[-1]
        kept_step = self.state.step
        if rule is not None and best.weights is not None and (rule.always or not last.met):
            kept_step = best.step
            self.network.load_state_dict(best.weights)
        return {
            "identity": last.identity,
            "gap": last.gap,
            "kept_step": kept_step,
            "steps": self.state.step,
            "epochs": self.state.step / self.pairing.steps,
            "seconds": self.state.seconds,
        }

    def _keep_best(self, is_over: bool) -> None:
        """Score the generator of the last stage now and then, and keep the best."""
        rule, schedule = self.run.config.snapshots, self.schedule
        if rule is None or not schedule.is_last or schedule.step < rule.first_step:
            return
        if is_over or schedule.step % rule.every == 0:
            images, networks = self.batches.unchanged(self.watched), self.networks
            score = snapshot_score(
                networks.generator,
                networks.classifier,
                images,
                wanted=self.wanted_sign,
                rule=rule,
                config=self.run.config,
            )
            self.state.best = self.state.best.updated(score, self.state.step, networks.generator)

    def _end_stage(self) -> None:
        if self.schedule.stage.generator == "identity" and distributed.is_first():
            checkpoint.write_weights(self.run.folder / checkpoint.CONTROL, self.network)
        self.schedule.end_stage()
        if not self.schedule.is_over:
            self.networks.start_stage(self.schedule.stage)

    def _write_samples(self, stage: int) -> None:
        path = self.run.folder / checkpoint.SAMPLES / f"step-{self.state.step:06d}-stage-{stage}.png"
        rows = sample_rows(self.pairing.second, self.run.seed)
        write_samples(self.networks.generator, self.batches.unchanged(rows), path)

    @property
    def stages(self) -> list[dict[str, Any]]:
        return [to_dict(end) for end in self.schedule.ended]

    @property
    def parts(self) -> dict[str, Saved]:
        return {**self.networks.parts}

    def save(self) -> dict[str, Any]:
        return {**super().save(), "schedule": self.schedule.save()}

    def restore(self, saved: dict[str, Any]) -> None:
        self.schedule.restore(saved["schedule"])
        if not self.schedule.is_over:
            self.networks.start_stage(self.schedule.stage)
        super().restore(saved)
