"""Training the two GANs in five stages (METHOD §3)."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml import checkpoint, distributed
from models_ml.batches import Ahead, pictures
from models_ml.config import Augmentation, Direction, GanConfig, Stage
from models_ml.data import ImageSet, Pairing
from models_ml.device import arithmetic, choose_device, keep_memory
from models_ml.errors import WrongCheckpoint, WrongImages
from models_ml.networks.classifier import Classifier, discriminator_from
from models_ml.networks.generator import Generator
from models_ml.progress import Report
from models_ml.randomness import image_seeds, rng, seed_torch
from models_ml.samples import sample_rows, write_samples
from models_ml.snapshots import Kept, snapshot_score, watched_rows
from models_ml.stages import RunningMean, StageEnd, Watch, end_of, may_stop
from models_ml.steps import DiscriminatorStep, GeneratorStep, drawn, mixed

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class _Batch:
    """One step's images of one process, each (B, 1, H, W), and the dropout seeds of every pass."""

    x: Tensor
    y: Tensor
    changed: list[Tensor]  # for each of the generator's steps
    seeds: list[list[int]]  # for x, for G(y), then for each of the generator's steps


@dataclass(frozen=True)
class GanResult:
    """A trained generator: where it lies, how each stage ended, and which iterate was kept."""

    folder: Path
    direction: Direction
    stages: list[dict[str, Any]]
    kept_step: int
    seconds: float
    history: list[dict[str, float]]


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
        self.device = choose_device()
        distributed.join(self.device)
        distributed.require_shares(config.images_per_class)
        self.source = 1 if direction == "remove" else 0
        target, sources = images.rows("train", 1 - self.source), images.rows("train", self.source)
        self.pairing = Pairing(target, sources, config.images_per_class)
        self.judge: Classifier = _placed(judge, self.device).requires_grad_(False)
        seed_torch(seed, "start")
        self.discriminator: Classifier = _placed(
            discriminator_from(judge, config.discriminator_dropout), self.device
        ).train()
        self.generator: Generator = _placed(Generator(config.generator), self.device).train()
        self.dtype = arithmetic(config.precision, self.device)
        self.watched = watched_rows(sources, config, seed)
        self.place, self.stage_step, self.step, self.seconds, self.first_met = 0, 0, 0, 0.0, 0
        self.watch, self.kept = Watch.fresh(config), Kept()
        self.ends: list[StageEnd] = []
        self.history: list[dict[str, float]] = []
        self.epoch: tuple[int, list[tuple[Rows, Rows]]] = (-1, [])
        self.limits = [stage.limit.in_steps(self.pairing.steps) for stage in config.stages]
        self._start_stage()
        self._resume()

    def train(self, report: Report) -> None:
        """The five stages, each until its criterion or its length."""
        began = time.monotonic() - self.seconds
        save_every = self.config.save_every.in_steps(self.pairing.steps)
        sample_every = self.config.sample_every.in_steps(self.pairing.steps)
        for _, batch in Ahead(self._prepare, enumerate(self._batches(), start=self.step)):
            stage = self.config.stages[self.place]
            self._learn(stage, batch)
            self.step, self.stage_step = self.step + 1, self.stage_step + 1
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
            self.generator.load_state_dict(self.kept.weights)
        last = self.ends[-1]
        provenance = checkpoint.provenance(
            self.identity,
            self.images,
            device=self.device,
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
            stages=[asdict(end) for end in self.ends],
        )
        if distributed.is_first():
            checkpoint.write_run(self.folder, provenance, self.generator)
        return _result(self.folder, provenance)

    # --- one step

    def _prepare(self, number: int, batch: tuple[Rows, Rows]) -> _Batch:
        """This process's share of one step's images; what a stage does not need is drawn all the same.

        Every step's chance is its own, so a resumed run draws what an uninterrupted one did.
        """
        targets, sources = batch
        own = distributed.share(range(len(targets)))
        chance, how = rng(self.seed, "augment", number), self.config.augmentation
        more = max(stage.generator_steps for stage in self.config.stages) - 1
        weighed = self.config.keep_background
        turns = [sources, *(chance.choice(self.pairing.second, len(sources)) for _ in range(more))]
        seeds = image_seeds(self.seed, "noise", number, count=(3 + more) * len(targets))
        return _Batch(
            x=pictures(self.images, targets, own, how, chance),
            y=pictures(self.images, sources, own, how, chance, weighed=weighed),
            changed=[pictures(self.images, rows, own, how, chance, weighed=weighed) for rows in turns],
            seeds=[[seeds[part * len(targets) + place] for place in own] for part in range(3 + more)],
        )

    def _learn(self, stage: Stage, batch: _Batch) -> None:
        gap = identity = None
        if stage.discriminator != "none":
            gap = self._teach_discriminator(batch)
        if stage.generator != "rests" and self.stage_step % stage.generator_every == 0:
            for turn in range(stage.generator_steps):
                identity = self._teach_generator(stage, batch.changed[turn], batch.seeds[2 + turn])
        self.watch = self.watch.after(identity=identity, gap=gap)

    def _teach_discriminator(self, batch: _Batch) -> float:
        """One step on L_D + GP for target images and images to change; gives s(x) − s(G(y))."""
        with torch.no_grad(), mixed(self.dtype, self.device):
            fakes = drawn(self.generator, batch.y.to(self.device))
        penalised = self.stage_step % self.config.penalty_every == 0
        seeds = [*batch.seeds[0], *batch.seeds[1]]
        loss = self.discriminator_module(batch.x.to(self.device), fakes, seeds, penalised)
        self.discriminator_optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.discriminator_optimizer.step()
        self.discriminator_optimizer.zero_grad()  # the generator's step needs the room
        return self.discriminator_step.gap

    def _teach_generator(self, stage: Stage, y: Tensor, seeds: list[int]) -> float:
        """One step on L_id alone, or on L_G with it; gives L_id."""
        loss = self.generator_module(y.to(self.device), seeds, stage.generator == "adversarial")
        self.generator_optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.generator_optimizer.step()
        self.generator_optimizer.zero_grad()
        return self.generator_step.identity

    def _batches(self) -> Iterator[tuple[Rows, Rows]]:
        """The batches not yet learnt from; every epoch's order depends on the seed and its number alone."""
        for step in count(self.step):
            epoch, place = divmod(step, self.pairing.steps)
            if self.epoch[0] != epoch:
                self.epoch = (epoch, list(self.pairing.epoch(rng(self.seed, "order", epoch))))
            yield self.epoch[1][place]

    # --- stages

    def _start_stage(self) -> None:
        """Fresh optimisers for the parts that this stage trains; everything else holds still."""
        stage, config, net = self.config.stages[self.place], self.config, self.discriminator
        part = stage.discriminator
        net.output.requires_grad_(part != "none")
        net.fnet.requires_grad_(part in ("fnet", "all"))
        net.vnet.requires_grad_(part == "all")
        groups = [
            {"params": list(net.output.parameters()), "lr": stage.output_rate},
            {"params": list(net.fnet.parameters()), "lr": stage.fnet_rate},
            {"params": list(net.vnet.parameters()), "lr": stage.vnet_rate},
        ]
        self.discriminator_optimizer = torch.optim.Adam(groups, betas=config.betas, fused=True)
        self.generator_optimizer = torch.optim.Adam(
            self.generator.parameters(), lr=stage.generator_rate, betas=config.betas, fused=True
        )
        self.discriminator_step = DiscriminatorStep(net, config, self.dtype)
        self.generator_step = GeneratorStep(self.generator, net, config, self.dtype)
        self.discriminator_module = distributed.wrap(self.discriminator_step)
        self.generator_module = distributed.wrap(self.generator_step)

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
            checkpoint.write_weights(self.folder / checkpoint.CONTROL, self.generator)
        self.place, self.stage_step, self.first_met, self.watch = self.place + 1, 0, 0, Watch.fresh(config)
        if self.place < len(self.config.stages):
            self._start_stage()

    def _remember(self, stage: Stage, over: bool) -> None:
        """Note the means now and then, and look whether this generator is the one to keep."""
        if over or self.step % max(1, sum(self.limits) // 500) == 0:
            identity, gap = self.watch.identity.value, self.watch.gap.value
            self.history.append({"step": self.step, "stage": stage.number, "identity": identity, "gap": gap})
        rule = self.config.snapshots
        if rule is None or self.place < len(self.config.stages) - 1 or self.stage_step < rule.first_step:
            return
        if over or self.stage_step % rule.every == 0:
            watched = self._weighed(self.watched)
            wanted = -1 if self.source else 1
            score = snapshot_score(self.generator, self.judge, watched, wanted=wanted, rule=rule, config=self.config)
            self.kept = self.kept.or_better(score, self.step, self.generator)

    def _weighed(self, rows: Rows) -> Tensor:
        """These training images as they are, as `drawn` takes them."""
        still = Augmentation(0, 0, 0, 0, 1, 1)
        nothing = rng(self.seed, "augment")
        return pictures(self.images, rows, range(len(rows)), still, nothing, weighed=self.config.keep_background)

    def _write_samples(self, stage: Stage) -> None:
        name = f"step-{self.step:06d}-stage-{stage.number}.png"
        shown = self._weighed(sample_rows(self.pairing.second, self.seed))
        write_samples(self.generator, shown, self.folder / checkpoint.SAMPLES / name)

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
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
            "place": [self.place, self.stage_step, self.step, self.first_met],
            "seconds": self.seconds,
            "watch": asdict(self.watch),
            "kept": {"score": self.kept.score, "step": self.kept.step, "weights": self.kept.weights},
            "ends": [asdict(end) for end in self.ends],
            "history": self.history,
        }
        checkpoint.write_resume(self.folder, state)

    def _resume(self) -> None:
        state = checkpoint.read_resume(self.folder, self.identity)
        if state is None:
            return
        self.place, self.stage_step, self.step, self.first_met = state["place"]
        if self.place < len(self.config.stages):
            self._start_stage()
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.generator_optimizer.load_state_dict(state["generator_optimizer"])
        self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])
        watch = state["watch"]
        identity, gap = RunningMean(**watch["identity"]), RunningMean(**watch["gap"])
        self.watch, self.seconds = Watch(identity, gap, watch["greatest_gap"]), state["seconds"]
        self.kept, self.history = replace(Kept(), **state["kept"]), state["history"]
        self.ends = [StageEnd(**end) for end in state["ends"]]


def _placed(network: Any, device: torch.device) -> Any:
    return network.to(device, memory_format=torch.channels_last)


def _result(folder: Path, run: checkpoint.Provenance) -> GanResult:
    direction: Direction = "remove" if run.direction == "remove" else "insert"
    return GanResult(folder, direction, run.stages, int(run.metrics["kept_step"]), run.metrics["seconds"], run.history)
