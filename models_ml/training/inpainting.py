"""Training an inpainter, which fills a disc of an image as in the other class.

Not in the article. Every step adds up two losses:

- reconstruction: in images of the class to imitate, the content of a disc is removed and must be filled in as it was (a
  context encoder, Pathak et al., 2016);
- guidance: in images of the class to change, the filled disc must change the decision of the frozen classifier; the
  size of the change is a third term.

In positive images the disc lies where the classifier's gradient is greatest, in others at a random place of the
region. So removal learns normal content, and insertion learns lesions from the places that decide the score.
"""

from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.utils import get_total_norm

from models_ml.data.images import ImageSet, Pairing, RowPair, to_tensor
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
from models_ml.runs.refused_steps import NetworkStep
from models_ml.runtime.progress import Report
from models_ml.runtime.randomness import rng, seed_torch
from models_ml.training.loop import Run, Saved, StepReport, Training, run_training
from readerstudy import serialise
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.vocabulary import Direction, Split

REMOVAL_REGIONS = 3  # a lesion's spicules and a cluster's calcifications reach beyond one disc


HISTORY_ENTRIES = 200  # about so many in a run


@dataclass(frozen=True)
class InpaintingResult:
    """A trained inpainter: its run folder, and its losses over the steps."""

    folder: Path
    direction: Direction
    steps: int
    seconds: float
    history: list[dict[str, float]]
    refused_steps: int  # loss or gradient not finite


def inpainting_config(classifier: Classifier, direction: Direction, **changes: Any) -> InpaintingConfig:
    """Return the settings of a run that this classifier guides."""
    config = InpaintingConfig(classifier.config, regions=REMOVAL_REGIONS if direction == Direction.REMOVE else 1)
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

    `classifier` is the run folder of the classifier that guides. An interrupted run is resumed from its last save, a
    finished run is returned. Raises WrongImages if the images do not fit.
    """
    guide = checkpoint.load_classifier(classifier)
    config = config or inpainting_config(guide, direction)
    images.require(config.rows, config.columns)
    origin = {"direction": str(direction), "classifier": checkpoint.sha256(classifier / checkpoint.WEIGHTS)}
    identity = checkpoint.identity("generator", images, config, seed, **origin)
    run = Run(images, config, seed, folder, identity)
    finished = run_training(run, lambda: _InpaintingTraining(run, direction, guide), report)
    steps, seconds = int(finished.metrics["steps"]), finished.metrics["seconds"]
    return InpaintingResult(folder, direction, steps, seconds, finished.history, finished.refused_steps)


def is_inpainter(folder: Path) -> bool:
    """Return whether a run folder holds an inpainter, not one of the article's GANs."""
    return checkpoint.read_provenance(folder).config.get("form") == "inpainting"


def load_inpainter(folder: Path) -> Inpainter:
    """Return the inpainter of a finished run, in evaluation mode on the CPU. Raises WrongCheckpoint if it is none."""
    run = checkpoint.read_provenance(folder)
    if run.config.get("form") != "inpainting":
        raise WrongCheckpoint(f"The folder {folder.name} holds no inpainter.")
    network = Inpainter(serialise.from_dict(InpaintingConfig, run.config))
    network.load_state_dict(load_file(folder / checkpoint.WEIGHTS))
    return network.eval().requires_grad_(False)


@dataclass(frozen=True)
class InpaintingBatch:
    """Images (B, 1, H, W) of the class to imitate and of the class to change, and random numbers for their discs."""

    targets: Tensor
    sources: Tensor
    chance: np.random.Generator


class _InpaintingTraining(Training[InpaintingConfig, InpaintingBatch]):
    def __init__(self, run: Run[InpaintingConfig], direction: Direction, guide: Classifier) -> None:
        images, config = run.images, run.config
        self.source_label = 1 if direction == Direction.REMOVE else 0
        targets, sources = images.rows(Split.TRAIN, 1 - self.source_label), images.rows(Split.TRAIN, self.source_label)
        super().__init__(run, Pairing(targets, sources, config.images_per_class))
        self.most_steps, self.save_every = config.steps, config.save_every
        self.history_every = max(1, self.most_steps // HISTORY_ENTRIES)
        seed_torch(run.seed, "start")
        self.network: Inpainter = Inpainter(config)
        self.network.classifier.load_state_dict(guide.state_dict())
        self.network.to(self.device).train()
        learning = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(learning, lr=config.rate)
        self.values: dict[str, float] = {}  # of the last step that was taken

    def prepare(self, step: int, rows: RowPair) -> InpaintingBatch:
        chance = rng(self.run.seed, "augment", step)
        targets, sources = (flipped(to_tensor(self.run.images.pixels[part], self.device), chance) for part in rows)
        return InpaintingBatch(targets, sources, chance)

    def learn(self, step: int, batch: InpaintingBatch) -> tuple[NetworkStep]:
        """Take one step, and measure the mean absolute error in the disc, the guidance and change losses, and the
        share of guided images that fooled the classifier.
        """
        config, net, x, y = self.run.config, self.network, batch.targets, batch.sources
        around = squares(x, self._places(x, 1 - self.source_label, batch.chance), config.half)
        error = (net.disc * (net.fill(around) - around).abs()).sum() / net.disc.sum() / len(x)
        adversarial = net(y, self._places(y, self.source_label, batch.chance))
        wanted = torch.full((len(y),), 1 - self.source_label, device=self.device)
        logits = net.classifier(adversarial)
        guidance = F.cross_entropy(logits, wanted)
        change = (adversarial - y).abs().sum() / net.disc.sum() / len(y)
        loss = config.reconstruction * error + config.guidance * guidance + config.change * change
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        fooled = (logits.argmax(1) == wanted).float().mean()
        norm = get_total_norm(parameter.grad for parameter in net.parameters() if parameter.grad is not None)
        measured = torch.stack([error, guidance, change, fooled, loss, norm]).tolist()
        is_finite = all(isfinite(value) for value in measured)
        if is_finite:
            self.optimizer.step()
            self.values = dict(zip(("error", "guidance", "change", "fooled"), measured, strict=False))
        return (NetworkStep("inpainter", is_finite),)

    def record(self) -> StepReport:
        step = self.state.step
        if self.values and (step % self.history_every == 0 or step == self.most_steps):
            self.state.history.append({"step": step, **self.values})
        return StepReport(step, self.most_steps, Activity(ActivityKind.TRAINING_INPAINTER), self.values)

    def finish(self) -> dict[str, float]:
        if not self.state.history:
            raise LabError("Every step was refused: the loss or its gradient was never finite.")
        return {**self.state.history[-1], "steps": self.state.step, "seconds": self.state.seconds}

    def _places(self, images: Tensor, label: int, chance: np.random.Generator) -> Places:
        if label == 1:
            return salient_places(self.network.classifier, images, self.run.config.radius * self.run.config.rows)
        weights = (images[:, 0] > FAINT).float().cpu().numpy()
        return random_places(weights, [chance] * len(images))

    @property
    def parts(self) -> dict[str, Saved]:
        return {"network": self.network, "optimizer": self.optimizer}

    def save(self) -> dict[str, Any]:
        return {**super().save(), "values": self.values}

    def restore(self, saved: dict[str, Any]) -> None:
        super().restore(saved)
        self.values = saved["values"]


def flipped(images: Tensor, chance: np.random.Generator) -> Tensor:
    """Return the images (B, 1, H, W), each flipped at random along its height, its width, both or neither."""
    axes = [[axis for axis in (1, 2) if chance.random() < 0.5] for _ in images]
    return torch.stack([image.flip(flips) if flips else image for image, flips in zip(images, axes, strict=True)])
