"""Training the two GANs in five stages (METHOD §3)."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from models_ml.config import Direction, GanConfig, Stage
from models_ml.data.gan_batches import GanBatches
from models_ml.data.images import ImageSet, Pairing
from models_ml.data.prefetch import Ahead
from models_ml.errors import WrongCheckpoint, WrongImages
from models_ml.networks.classifier import Classifier
from models_ml.runs import checkpoint
from models_ml.runtime import distributed
from models_ml.runtime.device import choose_device, keep_memory
from models_ml.runtime.progress import Report
from models_ml.training.gan_networks import Duel, Learnt
from models_ml.training.gan_schedule import StageEnd, Watch, end_of, may_stop
from models_ml.training.generator_selection import Kept, snapshot_score, watched_rows
from models_ml.training.refused_steps import RefusedStep, RefusedSteps
from models_ml.training.sample_pictures import sample_rows, write_samples
from readerstudy.serialise import from_dict, to_dict


@dataclass(frozen=True)
class GanResult:
    """A trained generator: where it lies, how each stage ended, and which iterate was kept."""

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
    """Train a generator that removes or inserts cancer signs, on the train split alone, and write the run
    folder.

    `classifier` is the run folder of the classifier that the discriminator starts from. A killed run goes
    on where its last saved state was; a finished one is returned as it is.
    """
    images.require(config.rows, config.columns)
    if config.keep_background and images.weights is None:
        raise WrongImages("This GAN spares the background, but the images come without weights that say where it is.")
    judge = checkpoint.load_classifier(classifier)
    if (judge.config.rows, judge.config.columns) != (config.rows, config.columns):
        raise WrongCheckpoint(
            f"The classifier in {classifier.name} reads {judge.config.rows} × {judge.config.columns}, "
            f"but preset {config.preset} makes {config.rows} × {config.columns}."
        )
    identity = checkpoint.identity(
        "generator",
        images,
        config,
        seed,
        direction=direction,
        classifier=checkpoint.sha256(classifier / checkpoint.WEIGHTS),
    )
    if done := checkpoint.finished(folder, identity):
        return _result(folder, done)
    with torch.random.fork_rng():
        run = _Run(images, direction, judge, config, seed, folder, identity)
        run.train(report)
        return run.finish()


class _Run:
    """The moving parts of one training run; in a distributed run every process has its own."""

    def __init__(
        self,
        images: ImageSet,
        direction: Direction,
        judge: Classifier,
        config: GanConfig,
        seed: int,
        folder: Path,
        identity: dict[str, Any],
    ) -> None:
        self.images, self.config, self.seed, self.folder, self.identity = images, config, seed, folder, identity
        keep_memory()
        device = choose_device()
        distributed.join(device)
        distributed.require_shares(config.images_per_class)
        self.source = 1 if direction == "remove" else 0
        target, sources = images.rows("train", 1 - self.source), images.rows("train", self.source)
        self.pairing = Pairing(target, sources, config.images_per_class)
        self.batches = GanBatches(images, self.pairing, config, seed)
        self.duel = Duel(judge, config, seed, device)
        self.watched = watched_rows(sources, config, seed)
        self.place, self.stage_step, self.step, self.seconds, self.first_met = 0, 0, 0, 0.0, 0
        self.watch, self.kept = Watch.fresh(config), Kept()
        self.ends: list[StageEnd] = []
        self.history: list[dict[str, float]] = []
        self.refused = RefusedSteps()
        self.limits = [stage.limit.in_steps(self.pairing.steps) for stage in config.stages]
        self.duel.enter(config.stages[0])
        self._resume()

    def train(self, report: Report) -> None:
        """The five stages, each until its criterion or its length."""
        began = time.monotonic() - self.seconds
        save_every = self.config.save_every.in_steps(self.pairing.steps)
        sample_every = self.config.sample_every.in_steps(self.pairing.steps)
        for _, batch in Ahead(self.batches.prepare, enumerate(self.batches.rows_from(self.step), start=self.step)):
            stage = self.config.stages[self.place]
            learnt = self.duel.learn(stage, batch, self.stage_step)
            self.step, self.stage_step = self.step + 1, self.stage_step + 1
            ends_epoch = self.stage_step % self.pairing.steps == 0
            self.watch = self.watch.after(identity=learnt.identity, gap=learnt.gap, ends_epoch=ends_epoch)
            self._count_refused(stage, learnt)
            self.seconds = time.monotonic() - began
            counts = may_stop(stage, self.ends, self.config)
            met = counts and stage.stop is not None and self.watch.meets(stage.stop)
            self.first_met = self.first_met or (self.stage_step if met else 0)
            over = (met and self.config.ends == "rules") or self.stage_step >= self.limits[self.place]
            self._remember(stage, over)
            self._report(stage, report)
            if over:
                self._end_stage(stage, met=met, counts=counts)
            if distributed.is_first():
                if over or self.step % save_every == 0:
                    self._save()
                if over or self.step % sample_every == 0:
                    self._write_samples(stage)
            if self.place == len(self.config.stages):
                return

    def finish(self) -> GanResult:
        rule, met = self.config.snapshots, self.ends[-1].met
        use_kept = rule is not None and self.kept.weights is not None and (rule.always or not met)
        if use_kept and self.kept.weights is not None:
            self.duel.generator.load_state_dict(self.kept.weights)
        last = self.ends[-1]
        provenance = checkpoint.provenance(
            self.identity,
            self.images,
            device=self.duel.device,
            precision=self.config.precision,
            metrics={
                "identity": last.identity,
                "gap": last.gap,
                "kept_step": self.kept.step if use_kept else self.step,
                "steps": self.step,
                "epochs": self.step / self.pairing.steps,
                "seconds": self.seconds,
            },
            history=self.history,
            refused=self.refused,
            stages=[to_dict(end) for end in self.ends],
        )
        if distributed.is_first():
            checkpoint.write_run(self.folder, provenance, self.duel.generator)
        return _result(self.folder, provenance)

    # --- stages

    def _count_refused(self, stage: Stage, learnt: Learnt) -> None:
        epoch = 1 + (self.step - 1) // self.pairing.steps
        for network, taken in learnt.taken:
            if taken:
                self.refused.accept(network)
            else:
                self.refused.refuse(RefusedStep(network, epoch, self.step, stage.number))

    def _end_stage(self, stage: Stage, *, met: bool, counts: bool) -> None:
        config = self.config
        self.ends.append(
            end_of(
                stage,
                self.stage_step,
                self.watch,
                met=met,
                counts=counts,
                ends=config.ends,
                first_met=self.first_met,
            )
        )
        if stage.generator == "identity" and distributed.is_first():
            checkpoint.write_weights(self.folder / checkpoint.CONTROL, self.duel.generator)
        self.place, self.stage_step, self.first_met, self.watch = self.place + 1, 0, 0, Watch.fresh(config)
        if self.place < len(self.config.stages):
            self.duel.enter(self.config.stages[self.place])

    def _remember(self, stage: Stage, over: bool) -> None:
        """Note the means now and then, and look whether this generator is the one to keep."""
        if over or self.step % max(1, sum(self.limits) // 500) == 0:
            identity, gap = self.watch.identity.value, self.watch.gap.value
            self.history.append({"step": self.step, "stage": stage.number, "identity": identity, "gap": gap})
        rule = self.config.snapshots
        if rule is None or self.place < len(self.config.stages) - 1 or self.stage_step < rule.first_step:
            return
        if over or self.stage_step % rule.every == 0:
            watched = self.batches.unchanged(self.watched)
            wanted = -1 if self.source else 1
            score = snapshot_score(
                self.duel.generator, self.duel.judge, watched, wanted=wanted, rule=rule, config=self.config
            )
            self.kept = self.kept.or_better(score, self.step, self.duel.generator)

    def _write_samples(self, stage: Stage) -> None:
        name = f"step-{self.step:06d}-stage-{stage.number}.png"
        shown = self.batches.unchanged(sample_rows(self.pairing.second, self.seed))
        write_samples(self.duel.generator, shown, self.folder / checkpoint.SAMPLES / name)

    def _report(self, stage: Stage, report: Report) -> None:
        done = sum(self.limits[: self.place]) + self.stage_step
        values = {
            "identity": self.watch.identity.value,
            "gap": self.watch.gap.value,
        }
        report(done, sum(self.limits), f"Stage {stage.number} of {len(self.config.stages)}", values)

    # --- resuming

    def _save(self) -> None:
        state = {
            "identity": self.identity,
            **self.duel.state(),
            "place": [self.place, self.stage_step, self.step, self.first_met],
            "seconds": self.seconds,
            "watch": asdict(self.watch),
            "kept": {"score": self.kept.score, "step": self.kept.step, "weights": self.kept.weights},
            "ends": [to_dict(end) for end in self.ends],
            "history": self.history,
            "refused": self.refused.state(),
        }
        checkpoint.write_resume(self.folder, state)

    def _resume(self) -> None:
        state = checkpoint.read_resume(self.folder, self.identity)
        if state is None:
            return
        self.place, self.stage_step, self.step, self.first_met = state["place"]
        if self.place < len(self.config.stages):
            self.duel.enter(self.config.stages[self.place])
        self.duel.go_on_from(state)
        self.watch, self.seconds = Watch.from_state(state["watch"]), state["seconds"]
        self.kept, self.history = replace(Kept(), **state["kept"]), state["history"]
        self.ends = [from_dict(StageEnd, end) for end in state["ends"]]
        self.refused = RefusedSteps.from_state(state["refused"])


def _result(folder: Path, run: checkpoint.Provenance) -> GanResult:
    direction: Direction = "remove" if run.direction == "remove" else "insert"
    kept_step, seconds = int(run.metrics["kept_step"]), run.metrics["seconds"]
    return GanResult(folder, direction, run.stages, kept_step, seconds, run.history, run.refused_steps)
