"""Training the AI-CAD classifier (METHOD §2)."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from math import cos, isfinite, pi
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml.config import ClassifierConfig
from models_ml.data.images import ImageSet, Pairing
from models_ml.data.prefetch import Ahead, pictures
from models_ml.errors import LabError
from models_ml.evaluation.predictions import scores
from models_ml.networks.classifier import Classifier, load_vgg
from models_ml.runs import checkpoint
from models_ml.runs.checkpoint import Kind
from models_ml.runtime import distributed
from models_ml.runtime.device import arithmetic, autocast, choose_device, keep_memory
from models_ml.runtime.progress import Report
from models_ml.runtime.randomness import image_seeds, rng, seed_torch
from models_ml.training.adversarial_training import harden
from models_ml.training.refused_steps import RefusedStep, RefusedSteps
from models_ml.training.steps import ClassifierStep
from readerstudy.statistics.roc import auc

Rows = NDArray[np.int64]
logger = logging.getLogger(__name__)
FROM_SCRATCH = (
    "Vnet starts from random weights, not from ImageNet's. At the article's rates (1e-5 for Vnet) it will learn "
    "little from a small cohort: expect an AUC near chance for many epochs, and below the published .82 at the end. "
    "Give the state dict of torchvision's vgg11 with --vgg-weights to start as the article did."
)


@dataclass(frozen=True)
class ClassifierResult:
    """A trained classifier: where it lies and how it did on the tuning split."""

    folder: Path
    tuning_auc: float
    best_step: int
    steps: int
    seconds: float
    history: list[dict[str, float]]
    refused_steps: int  # loss or gradient not finite


@dataclass(frozen=True)
class Best:
    """The checkpoint that is kept: the latest with the greatest tuning AUC."""

    auc: float = -1.0
    step: int = 0
    weights: dict[str, Tensor] | None = None

    def improved_by(self, value: float, step: int, classifier: Classifier) -> "Best":
        if not value >= self.auc:  # also if it is NaN
            return self
        return Best(value, step, {name: v.detach().cpu().clone() for name, v in classifier.state_dict().items()})


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
    """Train on the train split, keep the checkpoint with the best tuning AUC, and write the run folder.

    A killed run goes on where its last saved state was; a finished one is returned as it is. Test images
    are not read.
    """
    images.require(config.rows, config.columns)
    identity = checkpoint.identity(kind, images, config, seed, start=checkpoint.start_of(vgg_weights))
    if done := checkpoint.finished(folder, identity):
        return _result(folder, done)
    with torch.random.fork_rng():
        run = _Run(images, config, seed, folder, identity, vgg_weights)
        run.train(report)
        return run.finish()


class _Run:
    """The moving parts of one training run; in a distributed run every process has its own."""

    def __init__(
        self,
        images: ImageSet,
        config: ClassifierConfig,
        seed: int,
        folder: Path,
        identity: dict[str, Any],
        vgg_weights: Path | None,
    ) -> None:
        self.images, self.config, self.seed, self.folder, self.identity = images, config, seed, folder, identity
        keep_memory()
        self.device = choose_device()
        distributed.join(self.device)
        distributed.require_shares(config.images_per_class)
        self.pairing = Pairing(images.rows("train", 1), images.rows("train", 0), config.images_per_class)
        self.steps = config.length.in_steps(self.pairing.steps)
        seed_torch(seed, "start")
        self.classifier = Classifier(config)
        if vgg_weights is not None:
            load_vgg(self.classifier, vgg_weights)
        # torch's stubs lack this form of `to`.
        self.classifier.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.learner = ClassifierStep(self.classifier, config, arithmetic(config.precision, self.device))
        self.module, self.frozen = distributed.wrap(self.learner), False
        fnet = [*self.classifier.fnet.parameters(), *self.classifier.output.parameters()]
        groups = [
            {"params": fnet, "rate": config.fnet_rate},
            {"params": list(self.classifier.vnet.parameters()), "rate": config.vnet_rate},
        ]
        self.optimizer = torch.optim.Adam(groups, lr=config.fnet_rate, betas=config.betas, fused=True)
        self.history: list[dict[str, float]] = []
        self.best, self.step, self.seconds, self.loss = Best(), 0, 0.0, 0.0
        self.refused = RefusedSteps()
        self._resume()

    def train(self, report: Report) -> None:
        """Walk the epochs from the step reached; evaluate and save on the way."""
        began = time.monotonic() - self.seconds
        evaluate_every = self.config.evaluate_every.in_steps(self.pairing.steps)
        save_every = self.config.save_every.in_steps(self.pairing.steps)
        if self.identity["start"] == "scratch" and self.config.expects_imagenet:
            report(self.step, self.steps, FROM_SCRATCH, {})
        for number, batch in Ahead(self._prepare, enumerate(self._batches(), start=self.step)):
            loss = self._learn(number, *batch)
            self.step += 1
            self._take_note(loss)
            if self.step % evaluate_every == 0 or self.step == self.steps:
                self._evaluate()
            self.seconds = time.monotonic() - began
            if self.step % save_every == 0 and distributed.is_first():
                self._save()
            report(self.step, self.steps, "Training the classifier", {"loss": self.loss} | self._last_auc())

    def finish(self) -> ClassifierResult:
        if self.best.weights is None:
            raise LabError("The scores of the tuning images were never finite, so no checkpoint can be chosen.")
        self.classifier.load_state_dict(self.best.weights)
        provenance = checkpoint.provenance(
            self.identity,
            self.images,
            device=self.device,
            precision=self.config.precision,
            metrics={
                "tuning_auc": self.best.auc,
                "best_step": self.best.step,
                "steps": self.step,
                "epochs": self.step / self.pairing.steps,
                "seconds": self.seconds,
            },
            history=self.history,
            refused=self.refused,
        )
        if distributed.is_first():
            checkpoint.write_run(self.folder, provenance, self.classifier)
        return _result(self.folder, provenance)

    def _batches(self) -> Iterator[tuple[Rows, Rows]]:
        """The batches not yet learnt from; every epoch's order depends on the seed and its number alone."""
        first, skip = divmod(self.step, self.pairing.steps)
        for epoch in count(first):
            for place, batch in enumerate(self.pairing.epoch(rng(self.seed, "order", epoch))):
                if epoch * self.pairing.steps + place >= self.steps:
                    return
                if epoch > first or place >= skip:
                    yield batch

    def _prepare(self, number: int, rows: tuple[Rows, Rows]) -> tuple[Tensor, Tensor, list[int]]:
        """This process's share of a batch: images (B, 1, H, W), labels and dropout seeds."""
        seeds = image_seeds(self.seed, "noise", number, count=len(rows[0]) + len(rows[1]))
        places = [range(len(rows[0])), range(len(rows[0]), len(seeds))]
        own = [place for part in places for place in distributed.share(part)]
        chance = rng(self.seed, "augment", number)
        images = pictures(self.images, np.concatenate(rows), own, self.config.augmentation, chance)
        labels = torch.tensor([int(place < len(rows[0])) for place in own])
        return images, labels, [seeds[place] for place in own]

    def _learn(self, number: int, images: Tensor, labels: Tensor, seeds: list[int]) -> float | None:
        """One optimiser step on FL(positives) + FL(negatives) + GP; gives the focal part, None if refused."""
        self._set_rates()
        penalised = number % self.config.penalty_every == 0
        images, labels = images.to(self.device), labels.to(self.device)
        if how := self.config.hardening:
            now, chance = how.at(number / self.steps), rng(self.seed, "harden", number, distributed.rank())
            with autocast(self.config.precision, self.device):
                images = harden(self.classifier, images, labels, now, chance)
        loss = self.module(images, labels, seeds, penalised)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        if not self.learner.is_finite:
            return None
        self.optimizer.step()
        return self.learner.focal

    def _take_note(self, loss: float | None) -> None:
        """Add a step's loss to the running mean, or count the step as refused."""
        if loss is None:
            self.refused.refuse(RefusedStep("classifier", 1 + (self.step - 1) // self.pairing.steps, self.step))
            return
        self.refused.accept("classifier")
        is_first = self.step - self.refused.count == 1
        self.loss = loss if is_first else 0.95 * self.loss + 0.05 * loss

    def _set_rates(self) -> None:
        factor = rate_factor(self.step, self.steps, self.config)
        frozen = self.step < self.config.fnet_only.in_steps(self.pairing.steps)
        if frozen != self.frozen:
            self.frozen = frozen
            self.classifier.vnet.requires_grad_(not frozen)
            self.module = distributed.wrap(self.learner)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * factor

    def _evaluate(self) -> None:
        rows = self.images.rows("tuning")
        own = scores(
            self.classifier, self.images.pixels, rows=rows[distributed.share(range(len(rows)))], device=self.device
        )
        value = auc(distributed.gathered(own, len(rows)), self.images.labels[rows])
        if self.step >= min(self.steps, self.config.keep_from.in_steps(self.pairing.steps)):
            self.best = self.best.improved_by(value, self.step, self.classifier)
        entry = {"step": self.step, "loss": self.loss}
        if isfinite(value):
            entry["tuning_auc"] = value
        elif distributed.is_first():
            logger.warning("Step %s: the scores of the tuning images are not finite.", self.step)
        self.history.append(entry)

    def _last_auc(self) -> dict[str, float]:
        """The newest AUC of the tuning images as it is reported, empty before the first."""
        areas = (entry["tuning_auc"] for entry in reversed(self.history) if "tuning_auc" in entry)
        newest = next(areas, None)
        return {} if newest is None else {"tuning_auc": newest}

    def _save(self) -> None:
        state = {
            "identity": self.identity,
            "classifier": self.classifier.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": {"auc": self.best.auc, "step": self.best.step, "weights": self.best.weights},
            "history": self.history,
            "step": self.step,
            "seconds": self.seconds,
            "loss": self.loss,
            "refused": self.refused.state(),
        }
        checkpoint.write_resume(self.folder, state)

    def _resume(self) -> None:
        state = checkpoint.read_resume(self.folder, self.identity)
        if state is None:
            return
        self.classifier.load_state_dict(state["classifier"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best = replace(Best(), **state["best"])
        self.history, self.step = state["history"], state["step"]
        self.seconds, self.loss = state["seconds"], state["loss"]
        self.refused = RefusedSteps.from_state(state["refused"])


def rate_factor(step: int, steps: int, config: ClassifierConfig) -> float:
    """Factor on the learning rates: a linear warm-up times a cosine from 1 down to `final_rate`."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    return warm * (config.final_rate + (1 - config.final_rate) * 0.5 * (1 + cos(pi * step / steps)))


def _result(folder: Path, run: checkpoint.Provenance) -> ClassifierResult:
    metrics = run.metrics
    best, steps = int(metrics["best_step"]), int(metrics["steps"])
    return ClassifierResult(
        folder, metrics["tuning_auc"], best, steps, metrics["seconds"], run.history, run.refused_steps
    )
