"""A generator's output for a few training images, as strips of real image, adversarial image and difference."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models_ml.networks.generator import Generator
from models_ml.runtime.randomness import rng
from models_ml.training.steps import generate
from readerstudy.imaging.image import WHITE

ROWS = 512  # largest height of a strip
GAP, SHOWN = 4, 2


def sample_rows(sources: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the rows of the training images that are shown, drawn once per run."""
    return rng(seed, "snapshot").permutation(sources)[:SHOWN]


@torch.no_grad()
def write_samples(generator: Generator, images: Tensor, path: Path) -> None:
    """Write an 8-bit PNG with one strip below the other, for images as `steps.generate` takes them.

    The difference, grey for no change, is scaled to its largest value, so that a faint one is visible.
    """
    device = next(generator.parameters()).device
    was_training = generator.training
    generator.eval()
    strips = []
    for image in images:
        adversarial = generate(generator, image[None].to(device))[0, 0].float().cpu().numpy()
        strips.append(_strip(image[0].double().numpy(), adversarial))
    generator.train(was_training)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray((255 * np.concatenate(strips)).round().astype(np.uint8))
    if picture.height > ROWS * len(strips):
        share = ROWS * len(strips) / picture.height
        picture = picture.resize((round(picture.width * share), ROWS * len(strips)), Image.Resampling.LANCZOS)
    picture.save(path)


def _strip(real: NDArray[np.float64], adversarial: NDArray[np.float32]) -> NDArray[np.float64]:
    change = real - adversarial
    shown = 0.5 + change / (2 * max(np.abs(change).max(), 1 / WHITE))
    gap = np.ones((len(real), GAP))
    return np.pad(
        np.concatenate([real, gap, adversarial.clip(0, 1), gap, shown], axis=1), ((0, GAP), (0, 0)), constant_values=1
    )
