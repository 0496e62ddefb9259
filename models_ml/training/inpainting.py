"""Training an inpainter: tissue of the other class, learnt from its pictures, put where the classifier looks.

Ours, not the article's. Two losses in each step. *Reconstruction*: in pictures of the class to be looked like, a disc
is hollowed out and must be filled as it was (a context encoder, Pathak et al., 2016). *Guidance*: in pictures of the
class to be altered, the filled disc must take the frozen classifier to the other diagnosis, at the price of the change.
Malignant pictures have their disc where the classifier's gradient is greatest, the others at a random place of the
breast: so removal learns healthy tissue, and insertion learns lesions from the places that the classifier calls so.
"""

import time
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.utils import get_total_norm

from models_ml.config import Direction
from models_ml.data.images import ImageSet, Pairing, to_tensor
from models_ml.errors import LabError, WrongCheckpoint
from models_ml.networks.classifier import Classifier
from models_ml.networks.inpainting import (
    FAINT,
    Inpainter,
    InpaintingConfig,
    Places,
    random_places,
    salient_places,
    squares,
)
from models_ml.runs import checkpoint
from models_ml.runtime.device import choose_device
from models_ml.runtime.progress import Report
from models_ml.runtime.randomness import rng, seed_torch
from models_ml.training.refused_steps import RefusedStep, RefusedSteps
from readerstudy import serialise

Rows = NDArray[np.int64]
REMOVAL_REGIONS = 3  # a lesion's spicules and a cluster's calcifications reach beyond one disc


@dataclass(frozen=True)
class InpaintingResult:
    """A trained inpainter: where it lies, and its two losses over the steps."""

    folder: Path
    direction: Direction
    steps: int
    seconds: float
    history: list[dict[str, float]]
    refused_steps: int  # loss or gradient not finite


def inpainting_config(judge: Classifier, direction: Direction, **changes: Any) -> InpaintingConfig:
    """The numbers of a run on this classifier."""
    config = InpaintingConfig(judge.config, regions=REMOVAL_REGIONS if direction == "remove" else 1)
    return replace(config, **changes)


def train_inpainting(
    images: ImageSet,
    *,
    direction: Direction,
    classifier: Path,
    seed: int,
    folder: Path,
    report: Report,
    config: InpaintingConfig | None = None,
) -> InpaintingResult:
    """Train on the train split alone and write the run folder, as a generator of this direction.

    `classifier` is the run folder of the classifier that guides. A killed run goes on where its last saved state
    was; a finished one is returned as it is.
    """
    judge = checkpoint.load_classifier(classifier)
    config = config or inpainting_config(judge, direction)
    images.require(config.rows, config.columns)
    origin = {"direction": direction, "classifier": checkpoint.sha256(classifier / checkpoint.WEIGHTS)}
    identity = checkpoint.identity("generator", images, config, seed, **origin)
    if done := checkpoint.finished(folder, identity):
        return _result(folder, done)
    with torch.random.fork_rng():
        run = _Run(images, direction, judge, config, seed, folder, identity)
        run.train(report)
        return run.finish()


def is_inpainter(folder: Path) -> bool:
    """Whether a run folder holds an inpainter rather than one of the article's GANs."""
    return checkpoint.read_provenance(folder).config.get("form") == "inpainting"


def load_inpainter(folder: Path) -> Inpainter:
    """The inpainter of a finished run, in evaluation mode on the CPU."""
    run = checkpoint.read_provenance(folder)
    if run.config.get("form") != "inpainting":
        raise WrongCheckpoint(f"The folder {folder.name} holds no inpainter.")
    network = Inpainter(serialise.from_dict(InpaintingConfig, run.config))
    network.load_state_dict(load_file(folder / checkpoint.WEIGHTS))
    return network.eval().requires_grad_(False)


class _Run:
    """The moving parts of one training run."""

    def __init__(
        self,
        images: ImageSet,
        direction: Direction,
        judge: Classifier,
        config: InpaintingConfig,
        seed: int,
        folder: Path,
        identity: dict[str, Any],
    ) -> None:
        self.images, self.config, self.seed, self.folder, self.identity = images, config, seed, folder, identity
        self.altered = 1 if direction == "remove" else 0  # the label of the pictures to be altered
        self.pairing = Pairing(
            images.rows("train", 1 - self.altered), images.rows("train", self.altered), config.images_per_class
        )
        self.steps = config.steps
        self.device = choose_device()
        seed_torch(seed, "start")
        self.network = Inpainter(config)
        self.network.judge.load_state_dict(judge.state_dict())
        self.network.to(self.device).train()
        learning = [one for one in self.network.parameters() if one.requires_grad]
        self.optimizer = torch.optim.Adam(learning, lr=config.rate)
        self.history: list[dict[str, float]] = []
        self.values: dict[str, float] = {}  # of the last step that was taken
        self.refused = RefusedSteps()
        self.step, self.seconds = 0, 0.0
        self._resume()

    def train(self, report: Report) -> None:
        began = time.monotonic() - self.seconds
        while self.step < self.steps:
            values = self._learn(*self._batch())
            self.step += 1
            self.seconds = time.monotonic() - began
            self._take_note(values)
            if self.values and (self.step % max(1, self.steps // 200) == 0 or self.step == self.steps):
                self.history.append({"step": self.step, **self.values})
            if self.step % self.config.save_every == 0:
                self._save()
            report(self.step, self.steps, "Training the inpainter", self.values)

    def finish(self) -> InpaintingResult:
        if not self.history:
            raise LabError("Every step was refused: the loss or its gradient was never finite.")
        last = self.history[-1]
        metrics = {**last, "steps": self.step, "seconds": self.seconds}
        run = checkpoint.provenance(
            self.identity,
            self.images,
            device=self.device,
            precision="fp32",
            metrics=metrics,
            history=self.history,
            refused=self.refused,
        )
        checkpoint.write_run(self.folder, run, self.network)
        return _result(self.folder, run)

    def _batch(self) -> tuple[Rows, Rows]:
        """Row numbers of pictures to learn from and of pictures to alter; the epoch's order hangs on its number."""
        epoch, place = divmod(self.step, self.pairing.steps)
        for number, pair in enumerate(self.pairing.epoch(rng(self.seed, "order", epoch))):
            if number == place:
                return pair
        raise AssertionError("an epoch has its steps")

    def _take_note(self, values: dict[str, float] | None) -> None:
        """Keep what a step measured, or count it as refused."""
        if values is None:
            self.refused.refuse(RefusedStep("inpainter", 1 + (self.step - 1) // self.pairing.steps, self.step))
        else:
            self.refused.accept("inpainter")
            self.values = values

    def _learn(self, models: Rows, altered: Rows) -> dict[str, float] | None:
        """Take one step, unless its loss or gradient is not finite: then None.

        Returns the mean absolute error in the disc, the guidance and change losses, and the share of guided images
        that fooled the classifier.
        """
        config, net = self.config, self.network
        chance = rng(self.seed, "augment", self.step)
        x, y = (flipped(to_tensor(self.images.pixels[rows], self.device), chance) for rows in (models, altered))
        around = squares(x, self._places(x, 1 - self.altered, chance), config.half)
        error = (net.disc * (net.fill(around) - around).abs()).sum() / net.disc.sum() / len(x)
        fakes = net(y, self._places(y, self.altered, chance))
        wanted = torch.full((len(y),), 1 - self.altered, device=self.device)
        logits = net.judge(fakes)
        guidance = F.cross_entropy(logits, wanted)
        change = (fakes - y).abs().sum() / net.disc.sum() / len(y)
        loss = config.reconstruction * error + config.guidance * guidance + config.change * change
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        fooled = (logits.argmax(1) == wanted).float().mean()
        size = get_total_norm(one.grad for one in net.parameters() if one.grad is not None)
        measured = torch.stack([error, guidance, change, fooled, loss, size]).tolist()
        if not all(isfinite(value) for value in measured):
            return None
        self.optimizer.step()
        return dict(zip(("error", "guidance", "change", "fooled"), measured, strict=False))

    def _places(self, images: Tensor, label: int, chance: np.random.Generator) -> Places:
        if label == 1:
            return salient_places(self.network.judge, images, self.config.radius * self.config.rows)
        weights = (images[:, 0] > FAINT).float().cpu().numpy()
        return random_places(weights, [chance] * len(images))

    def _save(self) -> None:
        state = {
            "identity": self.identity,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": self.history,
            "values": self.values,
            "step": self.step,
            "seconds": self.seconds,
            "refused": self.refused.state(),
        }
        checkpoint.write_resume(self.folder, state)

    def _resume(self) -> None:
        state = checkpoint.read_resume(self.folder, self.identity)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history, self.step, self.seconds = state["history"], state["step"], state["seconds"]
        self.values, self.refused = state["values"], RefusedSteps.from_state(state["refused"])


def flipped(images: Tensor, chance: np.random.Generator) -> Tensor:
    """Each image (1, H, W) of a batch turned over its height, its width, both or neither."""
    axes = [[axis for axis in (1, 2) if chance.random() < 0.5] for _ in images]
    return torch.stack([image.flip(one) if one else image for image, one in zip(images, axes, strict=True)])


def _result(folder: Path, run: checkpoint.Provenance) -> InpaintingResult:
    direction: Direction = "remove" if run.direction == "remove" else "insert"
    steps, seconds = int(run.metrics["steps"]), run.metrics["seconds"]
    return InpaintingResult(folder, direction, steps, seconds, run.history, run.refused_steps)
