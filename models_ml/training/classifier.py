"""Training the AI-CAD classifier (METHOD §2)."""

import logging
from dataclasses import dataclass
from math import cos, isfinite, pi
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models_ml.config import ClassifierConfig
from models_ml.data.images import ImageSet, Pairing, RowPair
from models_ml.data.prefetch import augmented_images
from models_ml.errors import LabError
from models_ml.evaluation.predictions import scores
from models_ml.networks import build
from models_ml.networks.classifier import Classifier
from models_ml.networks.vgg import load_vgg
from models_ml.runs import checkpoint
from models_ml.runs.checkpoint import Kind
from models_ml.runs.refused_steps import NetworkStep
from models_ml.runtime import distributed
from models_ml.runtime.device import arithmetic, autocast
from models_ml.runtime.progress import Report
from models_ml.runtime.randomness import image_seeds, rng, seed_torch
from models_ml.training.adversarial_training import attack_batch
from models_ml.training.loop import Run, Saved, StepReport, Training, run_training
from models_ml.training.steps import ClassifierStep
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.statistics.roc import auc
from readerstudy.vocabulary import Split

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassifierResult:
    """A trained classifier: its run folder, its AUC on the tuning split, and its history."""

    folder: Path
    tuning_auc: float
    best_step: int
    steps: int
    seconds: float
    history: list[dict[str, float]]
    refused_steps: int  # loss or gradient not finite


def train_classifier(
    images: ImageSet,
    config: ClassifierConfig,
    *,
    seed: int,
    folder: Path,
    report: Report,
    vgg_weights: Path | None = None,
    kind: Kind = "classifier",
) -> ClassifierResult:
    """Train on the train split, keep the weights with the best AUC on the tuning split, and write the run folder.

    An interrupted run is resumed from its last save, a finished run is returned. Test images are not read. Raises
    WrongImages if the images do not fit, and LabError if no weights have finite scores.
    """
    images.require(config.rows, config.columns)
    identity = checkpoint.identity(kind, images, config, seed, start=checkpoint.start_of(vgg_weights))
    run = Run(images, config, seed, folder, identity)
    finished = run_training(run, lambda: _ClassifierTraining(run, vgg_weights), report)
    metrics = finished.metrics
    return ClassifierResult(
        folder,
        metrics["tuning_auc"],
        int(metrics["best_step"]),
        int(metrics["steps"]),
        metrics["seconds"],
        finished.history,
        finished.refused_steps,
    )


@dataclass(frozen=True)
class ClassifierBatch:
    """One process's share of a step: images (B, 1, H, W) in 0…1, labels (B,) and a dropout seed for each image."""

    images: Tensor
    labels: Tensor
    seeds: list[int]


class _ClassifierTraining(Training[ClassifierConfig, ClassifierBatch]):
    def __init__(self, run: Run[ClassifierConfig], vgg_weights: Path | None) -> None:
        images, config = run.images, run.config
        super().__init__(
            run, Pairing(images.rows(Split.TRAIN, 1), images.rows(Split.TRAIN, 0), config.images_per_class)
        )
        self.most_steps, self.save_every, self.evaluate_every, self.keep_from, self.fnet_only = (
            length.in_steps(self.pairing.steps)
            for length in (config.length, config.save_every, config.evaluate_every, config.keep_from, config.fnet_only)
        )
        if vgg_weights is None and config.expects_imagenet:
            self.notice = Activity(ActivityKind.STARTING_FROM_SCRATCH)
        seed_torch(run.seed, "start")
        self.network: Classifier = build(config)
        if vgg_weights is not None:
            load_vgg(self.network, vgg_weights)
        # torch's stubs lack this form of `to`.
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.precision = config.precision
        self.step_module = ClassifierStep(self.network, config, arithmetic(config.precision, self.device))
        self.wrapped, self.trunk_rests = distributed.wrap(self.step_module), False
        inner = [*self.network.inner.parameters(), *self.network.output.parameters()]
        groups = [
            {"params": inner, "rate": config.fnet_rate},
            {"params": list(self.network.trunk.parameters()), "rate": config.vnet_rate},
        ]
        self.optimizer = torch.optim.Adam(groups, lr=config.fnet_rate, betas=config.betas, fused=True)
        self.mean_loss = 0.0  # running mean over the steps that were taken

    def prepare(self, step: int, rows: RowPair) -> ClassifierBatch:
        seed, first_class = self.run.seed, len(rows[0])
        seeds = image_seeds(seed, "noise", step, count=first_class + len(rows[1]))
        shares = [distributed.share(part) for part in (range(first_class), range(first_class, len(seeds)))]
        own = [place for share in shares for place in share]
        chance = rng(seed, "augment", step)
        images = augmented_images(self.run.images, np.concatenate(rows), own, self.run.config.augmentation, chance)
        labels = torch.tensor([int(place < first_class) for place in own])
        return ClassifierBatch(images, labels, [seeds[place] for place in own])

    def learn(self, step: int, batch: ClassifierBatch) -> tuple[NetworkStep]:
        """Take one optimiser step on FL(positives) + FL(negatives) + GP."""
        config = self.run.config
        self._set_rates(step)
        images, labels = batch.images.to(self.device), batch.labels.to(self.device)
        if config.adversarial_training:
            settings = config.adversarial_training.at(step / self.most_steps)
            chance = rng(self.run.seed, "attack", step, distributed.rank())
            with autocast(config.precision, self.device):
                images = attack_batch(self.network, images, labels, settings, chance)
        loss = self.wrapped(images, labels, batch.seeds, step % config.penalty_every == 0)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        if self.step_module.is_finite:
            self.optimizer.step()
        return (NetworkStep("classifier", self.step_module.is_finite),)

    def record(self) -> StepReport:
        state, loss = self.state, self.step_module.focal
        if self.step_module.is_finite:
            is_first = state.step - state.refused.count == 1
            self.mean_loss = loss if is_first else 0.95 * self.mean_loss + 0.05 * loss
        if state.step % self.evaluate_every == 0 or state.step == self.most_steps:
            self._evaluate()
        aucs = [entry["tuning_auc"] for entry in state.history if "tuning_auc" in entry]
        values = {"loss": self.mean_loss} | ({"tuning_auc": aucs[-1]} if aucs else {})
        return StepReport(state.step, self.most_steps, Activity(ActivityKind.TRAINING_CLASSIFIER), values)

    def finish(self) -> dict[str, float]:
        best = self.state.best
        if best.weights is None:
            raise LabError("The scores of the tuning images were never finite, so no checkpoint can be chosen.")
        self.network.load_state_dict(best.weights)
        return {
            "tuning_auc": best.score,
            "best_step": best.step,
            "steps": self.state.step,
            "epochs": self.state.step / self.pairing.steps,
            "seconds": self.state.seconds,
        }

    def _set_rates(self, step: int) -> None:
        factor = rate_factor(step, self.most_steps, self.run.config)
        trunk_rests = step < self.fnet_only
        if trunk_rests != self.trunk_rests:
            self.trunk_rests = trunk_rests
            self.network.trunk.requires_grad_(not trunk_rests)
            self.wrapped = distributed.wrap(self.step_module)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * factor

    def _evaluate(self) -> None:
        images, state = self.run.images, self.state
        rows = images.rows(Split.TUNING)
        own = scores(self.network, images.pixels, rows=rows[distributed.share(range(len(rows)))], device=self.device)
        value = auc(distributed.gathered(own, len(rows)), images.labels[rows])
        if state.step >= min(self.most_steps, self.keep_from):
            # Of equal scores the later one is kept: its weights have learnt for longer.
            state.best = state.best.updated(value, state.step, self.network, replace_equal=True)
        entry = {"step": state.step, "loss": self.mean_loss}
        if isfinite(value):
            entry["tuning_auc"] = value
        elif distributed.is_first():
            logger.warning("Step %s: the scores of the tuning images are not finite.", state.step)
        state.history.append(entry)

    @property
    def parts(self) -> dict[str, Saved]:
        return {"classifier": self.network, "optimizer": self.optimizer}

    def save(self) -> dict[str, Any]:
        return {**super().save(), "mean_loss": self.mean_loss}

    def restore(self, saved: dict[str, Any]) -> None:
        super().restore(saved)
        self.mean_loss = saved["mean_loss"]


def rate_factor(step: int, steps: int, config: ClassifierConfig) -> float:
    """Return the factor on the learning rates: a linear warm-up times a cosine from 1 down to `final_rate`."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    return warm * (config.final_rate + (1 - config.final_rate) * 0.5 * (1 + cos(pi * step / steps)))
