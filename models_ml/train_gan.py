"""Training the two GANs in five stages (METHOD §3)."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml import checkpoint, plain
from models_ml.config import Direction, GanConfig, Stage
from models_ml.data import ImageSet, Pairing, augment, to_tensor
from models_ml.device import autocast, choose_device, uses_bf16
from models_ml.errors import WrongCheckpoint
from models_ml.losses import discriminator_loss, generator_loss, gradient_penalty, identity_loss
from models_ml.networks.classifier import Classifier, discriminator_from
from models_ml.networks.generator import Generator
from models_ml.progress import Report
from models_ml.randomness import rng, seed_torch
from models_ml.snapshots import Kept, snapshot_score, watched_rows
from models_ml.stages import RunningMean, StageEnd, Watch, end_of, may_stop

Rows = NDArray[np.int64]


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
    judge = checkpoint.load_classifier(classifier)
    if (judge.config.rows, judge.config.columns) != (config.rows, config.columns):
        raise WrongCheckpoint(
            f"The classifier in {classifier.name} reads {judge.config.rows} × {judge.config.columns}, "
            f"but preset {config.preset} makes {config.rows} × {config.columns}."
        )
    identity = {
        "kind": "generator",
        "direction": direction,
        "classifier": checkpoint.sha256(classifier / checkpoint.WEIGHTS),
        "seed": seed,
        "split_hash": images.split_hash(),
        "config": plain.to_dict(config),
    }
    if done := checkpoint.finished(folder, identity):
        return _result(folder, done)
    with torch.random.fork_rng():
        run = _Run(images, direction, judge, config, seed, folder, identity)
        run.train(report)
        return run.finish()


class _Run:
    """The moving parts of one training run."""

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
        self.images, self.config, self.seed, self.folder, self.identity = (
            images,
            config,
            seed,
            folder,
            identity,
        )
        self.source = 1 if direction == "remove" else 0
        target, sources = images.rows("train", 1 - self.source), images.rows("train", self.source)
        self.pairing = Pairing(target, sources, config.images_per_class)
        self.device = choose_device()
        self.judge: Classifier = _placed(judge, self.device).requires_grad_(False)
        seed_torch(seed, "start")
        self.discriminator: Classifier = _placed(
            discriminator_from(judge, config.discriminator_dropout), self.device
        ).train()
        self.generator: Generator = _placed(Generator(config.generator), self.device).train()
        self.watched = watched_rows(sources, config, seed)
        self.place, self.stage_step, self.step, self.seconds = 0, 0, 0, 0.0
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
        while self.place < len(self.config.stages):
            stage = self.config.stages[self.place]
            self._learn(stage)
            self.step, self.stage_step = self.step + 1, self.stage_step + 1
            self.seconds = time.monotonic() - began
            counts = may_stop(stage, self.ends, self.config)
            met = counts and stage.stop is not None and self.watch.meets(stage.stop)
            over = met or self.stage_step >= self.limits[self.place]
            self._remember(stage, over)
            self._report(stage, report)
            if over:
                self._end_stage(stage, met=met, counts=counts)
            if over or self.step % save_every == 0:
                self._save()

    def finish(self) -> GanResult:
        rule, met = self.config.snapshots, self.ends[-1].met
        use_kept = rule is not None and self.kept.weights is not None and (rule.always or not met)
        if use_kept and self.kept.weights is not None:
            self.generator.load_state_dict(self.kept.weights)
        config, last = self.config, self.ends[-1]
        provenance = checkpoint.Provenance(
            kind="generator",
            preset=config.preset,
            config=self.identity["config"],
            seed=self.seed,
            split_hash=self.identity["split_hash"],
            code_version=checkpoint.code_version(),
            torch_version=torch.__version__,
            device=self.device.type,
            precision="bf16" if uses_bf16(config.precision, self.device) else "fp32",
            metrics={
                "identity": last.identity,
                "gap": last.gap,
                "kept_step": self.kept.step if use_kept else self.step,
                "steps": self.step,
                "seconds": self.seconds,
            },
            history=self.history,
            direction=self.identity["direction"],
            classifier=self.identity["classifier"],
            stages=[asdict(end) for end in self.ends],
        )
        checkpoint.write_run(self.folder, provenance, self.generator)
        return _result(self.folder, provenance)

    # --- one step

    def _learn(self, stage: Stage) -> None:
        seed_torch(self.seed, "noise", self.step)
        targets, sources = self._batch()
        chance = rng(self.seed, "augment", self.step)
        gap = identity = None
        if stage.discriminator != "none":
            gap = self._teach_discriminator(self._images(targets, chance), self._images(sources, chance))
        if stage.generator != "rests" and self.stage_step % stage.generator_every == 0:
            for number in range(stage.generator_steps):
                rows = chance.choice(self._sources(), len(sources)) if number else sources
                identity = self._teach_generator(stage, self._images(rows, chance))
        self.watch = self.watch.after(identity=identity, gap=gap)

    def _teach_discriminator(self, x: Tensor, y: Tensor) -> float:
        """One step on L_D + GP for target images x and images to change y, (B, 1, H, W); gives s(x) −
        s(G(y)).
        """
        config, net = self.config, self.discriminator
        penalised = self.stage_step % config.penalty_every == 0
        with autocast(config.precision, self.device):
            with torch.no_grad():
                fakes = self.generator(y)
            if penalised:
                weight = config.penalty_weight * config.penalty_every
                penalty, real = gradient_penalty(net.score, net.normalise(x), weight=weight, order=config.penalty_order)
            else:
                penalty, real = x.new_zeros(()), net(x)
            fake = net(fakes)
        loss = discriminator_loss(real, fake) + penalty
        self.discriminator_optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.discriminator_optimizer.step()
        return float((real.mean() - fake.mean()).item())

    def _teach_generator(self, stage: Stage, y: Tensor) -> float:
        """One step on L_id alone, or on L_G with it; gives L_id."""
        with autocast(self.config.precision, self.device):
            fakes = self.generator(y)
            score = self.discriminator(fakes) if stage.generator == "adversarial" else None
        identity = identity_loss(self._channel(fakes), self._channel(y))
        loss = identity if score is None else generator_loss(score) + self.config.identity_weight * identity
        self.generator_optimizer.zero_grad()
        # The gradient stops at the generator: the discriminator's weights are not this step's business.
        torch.autograd.backward(loss, inputs=list(self.generator.parameters()))
        self.generator_optimizer.step()
        return identity.item()

    def _channel(self, images: Tensor) -> Tensor:
        normalised: Tensor = self.judge.normalise(images)
        return normalised[:, :1]

    def _images(self, rows: Rows, chance: np.random.Generator) -> Tensor:
        return augment(to_tensor(self.images.pixels[rows], self.device), self.config.augmentation, chance)

    def _sources(self) -> Rows:
        return self.pairing.second

    def _batch(self) -> tuple[Rows, Rows]:
        """This step's pair of rows; every epoch's order depends on the seed and its number alone."""
        epoch, place = divmod(self.step, self.pairing.steps)
        if self.epoch[0] != epoch:
            self.epoch = (epoch, list(self.pairing.epoch(rng(self.seed, "order", epoch))))
        return self.epoch[1][place]

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
        self.discriminator_optimizer = torch.optim.Adam(groups, betas=config.betas)
        self.generator_optimizer = torch.optim.Adam(
            self.generator.parameters(), lr=stage.generator_rate, betas=config.betas
        )

    def _end_stage(self, stage: Stage, *, met: bool, counts: bool) -> None:
        self.ends.append(end_of(stage, self.stage_step, self.watch, met=met, counts=counts))
        if stage.generator == "identity":
            checkpoint.write_weights(self.folder / checkpoint.CONTROL, self.generator)
        self.place, self.stage_step, self.watch = self.place + 1, 0, Watch.fresh(self.config)
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
            watched = self.images.pixels[self.watched]
            wanted = -1 if self.source else 1
            score = snapshot_score(self.generator, self.judge, watched, wanted=wanted, rule=rule, config=self.config)
            self.kept = self.kept.or_better(score, self.step, self.generator)

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
            "place": [self.place, self.stage_step, self.step],
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
        self.place, self.stage_step, self.step = state["place"]
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
