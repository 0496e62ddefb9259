"""One measurement of the lab's benchmark in a process of its own.

Usage: python -m tests.bench.lab_measurement WHAT ROWS COLUMNS …
"""

import io
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from models_ml.config import ClassifierConfig, GanConfig, penalty_weight
from models_ml.data.images import ImageSet, to_tensor
from models_ml.data.prefetch import augmented_images
from models_ml.evaluation.predictions import scores
from models_ml.networks import build
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.presets import PRESETS
from models_ml.runtime.device import arithmetic, choose_device, keep_memory
from models_ml.training.passes import mixed_precision
from models_ml.training.steps import ClassifierStep, DiscriminatorStep, GeneratorStep
from tests.models_ml import literal

LAST = torch.channels_last
PRESET = PRESETS["zhou2021-high"]
# Multiplications of a step in forward passes: forward, backward to the image, directional, backward for the loss, and
# twice the weights.
CLASSIFIER_PASSES, GENERATOR_PASSES, ADVERSARIAL_PASSES = 6, 3, 3


def main(what: str, *arguments: str) -> None:
    torch.manual_seed(0)
    print(json.dumps(WAYS[what](*arguments)))


# --- the machine


def ceiling(dtype: str) -> dict[str, float]:
    """The best rate of dense convolutions and matrix products, GFLOP/s."""
    keep_memory()
    kind, best = getattr(torch, dtype), 0.0
    with torch.no_grad():
        for channels, side in ((128, 256), (256, 128), (512, 64)):
            maps = torch.randn(1, channels, side, side).to(kind).contiguous(memory_format=LAST)
            weight = torch.randn(channels, channels, 3, 3).to(kind).contiguous(memory_format=LAST)
            work = 2 * 9 * channels**2 * side**2 / 1e9
            best = max(best, work / quickest(lambda m=maps, w=weight: F.conv2d(m, w, padding=1), times=5))
        matrix = torch.randn(3072, 3072).to(kind)
        best = max(best, 2 * 3072**3 / 1e9 / quickest(lambda: matrix @ matrix, times=5))
    return {"gflops": best}


def native() -> dict[str, str]:
    """The arithmetic that training would choose on this machine."""
    return {"dtype": str(arithmetic("auto", choose_device())).removeprefix("torch.")}


# --- steps


def classifier(rows: str, columns: str, dtype: str) -> dict[str, float]:
    keep_memory()
    config = classifier_config(int(rows), int(columns))
    net = build(config).train().to(memory_format=LAST)
    step = ClassifierStep(net, config, getattr(torch, dtype))
    images, labels = torch.rand(8, 1, config.rows, config.columns), torch.tensor([1] * 4 + [0] * 4)
    seconds = trained(net, lambda: step(images, labels, range(8), True), fused=True)
    return measurement(seconds, images=8, gflop=8 * CLASSIFIER_PASSES * classifier_gflop(config))


def literal_classifier(rows: str, columns: str) -> dict[str, float]:
    config = classifier_config(int(rows), int(columns))
    net = build(config).train()
    positives, negatives = torch.rand(2, 4, 1, config.rows, config.columns)
    return measurement(
        trained(net, lambda: literal.classifier_loss(net, positives, negatives, config, range(8)), fused=False)
    )


def gan(rows: str, columns: str, dtype: str) -> dict[str, float]:
    """A step of the discriminator and one of the generator, everything trained."""
    keep_memory()
    config, kind = gan_config(int(rows), int(columns)), getattr(torch, dtype)
    discriminator, generator = gan_networks(config)
    discriminator.to(memory_format=LAST)
    generator.to(memory_format=LAST)
    discriminator_step = DiscriminatorStep(discriminator, config, kind)
    generator_step = GeneratorStep(generator, discriminator, config, kind)
    x, y = torch.rand(2, 2, 1, config.rows, config.columns)

    def discriminator_loss() -> torch.Tensor:
        with torch.no_grad(), mixed_precision(kind, y.device):
            generated = generator(y)
        return discriminator_step(x, generated, range(4), True)

    second = (generator, lambda: generator_step(y, range(2), True))
    seconds = trained(discriminator, discriminator_loss, fused=True, then=second)
    seen, drawn = classifier_gflop(classifier_config(config.rows, config.columns)), generator_gflop(config)
    # Real images with penalty, generated ones without; generation; then the generator, through a fixed discriminator.
    work = 2 * (CLASSIFIER_PASSES * seen + ADVERSARIAL_PASSES * seen + drawn + GENERATOR_PASSES * drawn + 2 * seen)
    return measurement(seconds, images=4, gflop=work)


def literal_gan(rows: str, columns: str) -> dict[str, float]:
    config = gan_config(int(rows), int(columns))
    discriminator, generator = gan_networks(config)
    x, y = torch.rand(2, 2, 1, config.rows, config.columns)

    def discriminator_loss() -> torch.Tensor:
        with torch.no_grad():
            generated = literal.generated(generator, y)
        return literal.discriminator_loss(discriminator, x, generated, config, range(4))

    def generator_loss() -> torch.Tensor:
        return literal.generator_loss(generator, discriminator, y, config, range(2), adversarial=True)

    return measurement(trained(discriminator, discriminator_loss, fused=False, then=(generator, generator_loss)))


def generation(rows: str, columns: str, dtype: str) -> dict[str, float]:
    keep_memory()
    config, kind = gan_config(int(rows), int(columns)), getattr(torch, dtype)
    generator = Generator(config.generator).eval().to(memory_format=LAST)
    image = torch.rand(1, 1, config.rows, config.columns)
    with torch.no_grad(), mixed_precision(kind, image.device):
        seconds = quickest(lambda: generator(image), times=2)
    return measurement(seconds, images=1, gflop=generator_gflop(config))


def scoring(rows: str, columns: str) -> dict[str, float]:
    """Sixteen images through the article's classifier, as after every epoch and in an evaluation."""
    keep_memory()
    config = classifier_config(int(rows), int(columns))
    pixels = np.random.default_rng(0).integers(0, 65535, (16, config.rows, config.columns)).astype(np.uint16)
    net = build(config).to(memory_format=LAST)
    began = time.perf_counter()
    scores(net, pixels)
    return measurement(time.perf_counter() - began, images=len(pixels))


def trained(
    network: nn.Module,
    loss: Callable[[], torch.Tensor],
    *,
    fused: bool,
    then: tuple[nn.Module, Callable[[], torch.Tensor]] | None = None,
) -> float:
    """Seconds of a whole step with its optimiser: the quicker of two, the first of which also warms up."""
    turns = [(network, loss)] + ([then] if then else [])
    steps = [(torch.optim.Adam(net.parameters(), 1e-5, (0.5, 0.9), fused=fused), of) for net, of in turns]

    def once() -> None:
        for optimizer, of in steps:
            optimizer.zero_grad()
            of().backward()
            optimizer.step()
            optimizer.zero_grad()

    return quickest(once, times=1)


def quickest(work: Callable[[], object], *, times: int) -> float:
    """Seconds of the quickest of one run more than `times`."""
    seconds = []
    for _ in range(times + 1):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def measurement(seconds: float, **more: float) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {"seconds": seconds, "gb": peak, **more}


# --- reading


def loader(rows: str, columns: str) -> dict[str, float]:
    """Images a second: pixels from the memory-mapped cache, from PNG, and from the cache warped as in training."""
    size, count = (int(rows), int(columns)), 8
    rng = np.random.default_rng(0)
    grain = rng.normal(20_000, 300, (count, *size))  # an image's noise; PNG compresses anything smoother
    pixels = grain.clip(0, 65535).astype(np.uint16)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "images.npy", pixels)
        mapped = np.load(Path(folder) / "images.npy", mmap_mode="r")
        every, cpu = np.arange(count), torch.device("cpu")
        names = np.array([str(number) for number in every])
        images = ImageSet(mapped, every % 2, names, np.array(["train"] * count), names)
        how = PRESET.classifier.augmentation
        coded = [_png(image) for image in pixels[:2]]
        return {
            "memmap": count / quickest(lambda: to_tensor(mapped[every], cpu), times=3),
            "png": 2 / quickest(lambda: [np.asarray(Image.open(io.BytesIO(png))) for png in coded], times=1),
            "augmented": count / quickest(lambda: augmented_images(images, every, range(count), how, rng), times=2),
        }


def _png(image: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(image).save(target, "png")
    return target.getvalue()


# --- what is measured


def classifier_config(rows: int, columns: int) -> ClassifierConfig:
    """The article's classifier at another size."""
    return replace(PRESET.classifier, rows=rows, columns=columns, penalty_weight=penalty_weight(rows, columns))


def gan_config(rows: int, columns: int) -> GanConfig:
    return replace(PRESET.remove, rows=rows, columns=columns, penalty_weight=penalty_weight(rows, columns))


def gan_networks(config: GanConfig) -> tuple[Classifier, Generator]:
    discriminator = build(classifier_config(config.rows, config.columns), outputs=1).train()
    return discriminator, Generator(config.generator).train()


def classifier_gflop(config: ClassifierConfig) -> float:
    """Return the work of one forward pass of one image, in GFLOP."""
    with torch.device("meta"):
        net, image = build(config), torch.empty(1, 1, config.rows, config.columns)
    return counted(net, image)


def generator_gflop(config: GanConfig) -> float:
    with torch.device("meta"):
        # The literal layers: on the meta device the fused norm has nothing to count either way.
        net, image = Generator(config.generator), torch.empty(1, 1, config.rows, config.columns)
    return counted(lambda images: literal.generated(net, images), image)


def counted(network: Callable[[torch.Tensor], object], image: torch.Tensor) -> float:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(image)
    return counter.get_total_flops() / 1e9


WAYS = {
    "ceiling": ceiling,
    "arithmetic": native,
    "classifier": classifier,
    "literal_classifier": literal_classifier,
    "gan": gan,
    "literal_gan": literal_gan,
    "generation": generation,
    "scoring": scoring,
    "loader": loader,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
