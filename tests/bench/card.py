"""Measurements of the lab on one device: a graphics card, or the processor as a trial of the script.

Everything runs in this process, so that a card is set up once. Times are those of the quickest repetition after one
that warms up, measured when the device has finished.
"""

import contextlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.data.images import ImageSet
from models_ml.evaluation.predictions import scores
from models_ml.networks import build
from models_ml.networks.generator import Generator
from models_ml.runs.checkpoint import WEIGHTS
from models_ml.runtime.card import DETERMINISM, CardSettings, float32
from models_ml.runtime.device import arithmetic
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.steps import ClassifierStep, DiscriminatorStep, GeneratorStep
from readerstudy.results.progress import Activity
from readerstudy.vocabulary import CardDeterminism
from tests.bench.lab_measurement import (
    ADVERSARIAL_PASSES,
    CLASSIFIER_PASSES,
    GENERATOR_PASSES,
    classifier_gflop,
    generator_gflop,
)
from tests.models_ml import literal, tiny

LAST = torch.channels_last
Row = tuple[str, float, str]
Size = tuple[int, int]
# Stated before any card was measured. Sums in another order differ by about 1e-6 each; gradients are sums of millions.
SCORE_TOLERANCE, GRADIENT_TOLERANCE, GREY_TOLERANCE = 1e-4, 1e-3, 1.0


@dataclass(frozen=True)
class Networks:
    """The settings of the networks at a size."""

    classifier: Callable[[int, int], ClassifierConfig]
    gan: Callable[[int, int], GanConfig]


@dataclass(frozen=True)
class Timing:
    """Seconds of the quickest repetition, and the peak of memory in GB."""

    seconds: float
    gb: float


class Measuring:
    """Times work on a device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.dtype = arithmetic("auto", device)

    def time(self, work: Callable[[], object], *, times: int = 3) -> Timing:
        seconds = []
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        for _ in range(times + 1):
            self._wait()
            began = time.perf_counter()
            work()
            self._wait()
            seconds.append(time.perf_counter() - began)
        return Timing(min(seconds[1:]), self._peak())

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _peak(self) -> float:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 1e9
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def ceiling(measuring: Measuring, dtype: torch.dtype, *, side: int) -> float:
    """Return the best rate of dense convolutions and of a matrix product of `side` rows, in GFLOP/s."""
    device, best = measuring.device, 0.0
    with torch.no_grad(), float32(device):
        for channels, maps_side in ((128, side // 32), (512, side // 64)):
            maps = torch.randn(8, channels, maps_side, maps_side, device=device, dtype=dtype).contiguous(
                memory_format=LAST
            )
            weight = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype).contiguous(memory_format=LAST)
            work = 8 * 2 * 9 * channels**2 * maps_side**2 / 1e9
            timing = measuring.time(lambda m=maps, w=weight: F.conv2d(m, w, padding=1))
            best = max(best, work / timing.seconds)
        matrix = torch.randn(side, side, device=device, dtype=dtype)
        best = max(best, 2 * side**3 / 1e9 / measuring.time(lambda: matrix @ matrix).seconds)
    return best


def step_rows(measuring: Measuring, networks: Networks, size: Size, top: float, *, is_literal: bool) -> Iterator[Row]:
    """Yield a step of each network, with its optimiser: ours, and the literal formulas beside it if asked for."""
    for name, images, gflop, work in _steps(measuring, networks, size):
        timing = measuring.time(work)
        label = f"{name}_{size[0]}"
        yield f"{label}_images_per_s", images / timing.seconds, "images/s"
        yield f"{label}_peak_gb", timing.gb, "GB"
        yield f"{label}_of_ceiling", gflop / timing.seconds / top, "of the ceiling"
        if is_literal:
            theirs = measuring.time(_literal(measuring, networks, size, name), times=1)
            yield f"literal_{label}_peak_gb", theirs.gb, "GB"
            yield f"{label}_speedup", theirs.seconds / timing.seconds, "literal / ours, time"


def _steps(
    measuring: Measuring, networks: Networks, size: Size
) -> Iterator[tuple[str, int, float, Callable[[], object]]]:
    device, dtype = measuring.device, measuring.dtype
    config, gan = networks.classifier(*size), networks.gan(*size)
    seen, drawn = classifier_gflop(config), generator_gflop(gan)
    per_class, pair = config.images_per_class, gan.images_per_class
    net = build(config).train().to(device, memory_format=LAST)
    step = ClassifierStep(net, config, dtype)
    images = torch.rand(2 * per_class, 1, *size, device=device)
    labels = torch.tensor([1] * per_class + [0] * per_class, device=device)
    seeds = range(2 * per_class)
    work = with_optimiser(net, lambda: step(images, labels, seeds, True))
    yield "classifier", 2 * per_class, 2 * per_class * CLASSIFIER_PASSES * seen, work
    discriminator = build(config, outputs=1).train().to(device, memory_format=LAST)
    generator = Generator(gan.generator).train().to(device, memory_format=LAST)
    x, y = torch.rand(2, pair, 1, *size, device=device)
    teach = DiscriminatorStep(discriminator, gan, dtype)
    flops = pair * (CLASSIFIER_PASSES + ADVERSARIAL_PASSES) * seen
    yield "discriminator", 2 * pair, flops, with_optimiser(discriminator, lambda: teach(x, y, range(2 * pair), True))
    draw = GeneratorStep(generator, discriminator, gan, dtype)
    flops = pair * (GENERATOR_PASSES * drawn + 2 * seen)
    yield "generator", pair, flops, with_optimiser(generator, lambda: draw(y, range(pair), True))


def _literal(measuring: Measuring, networks: Networks, size: Size, name: str) -> Callable[[], object]:
    device = measuring.device
    config, gan = networks.classifier(*size), networks.gan(*size)
    if name == "classifier":
        net, count = build(config).train().to(device), config.images_per_class
        both = torch.rand(2, count, 1, *size, device=device)
        return with_optimiser(net, lambda: literal.classifier_loss(net, *both, config, range(2 * count)))
    discriminator, generator = build(config, outputs=1).train().to(device), Generator(gan.generator).train().to(device)
    count = gan.images_per_class
    x, y = torch.rand(2, count, 1, *size, device=device)
    if name == "discriminator":
        seeds = range(2 * count)
        return with_optimiser(discriminator, lambda: literal.discriminator_loss(discriminator, x, y, gan, seeds))
    return with_optimiser(
        generator, lambda: literal.generator_loss(generator, discriminator, y, gan, range(count), adversarial=True)
    )


def with_optimiser(net: nn.Module, loss: Callable[[], torch.Tensor]) -> Callable[[], None]:
    optimizer = torch.optim.Adam(net.parameters(), 1e-5, (0.5, 0.9))

    def once() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        optimizer.zero_grad()

    return once


def inference_rows(measuring: Measuring, networks: Networks, size: Size) -> Iterator[Row]:
    """Yield generation of one image and scoring of sixteen, both in full float32 as the lab does them."""
    device, gan, config = measuring.device, networks.gan(*size), networks.classifier(*size)
    generator = Generator(gan.generator).eval().to(device, memory_format=LAST)
    image = torch.rand(1, 1, *size, device=device)
    with torch.no_grad(), float32(device):
        timing = measuring.time(lambda: generator(image))
    yield f"generation_{size[0]}_images_per_s", 1 / timing.seconds, "images/s"
    yield f"generation_{size[0]}_peak_gb", timing.gb, "GB"
    pixels = np.random.default_rng(0).integers(0, 65535, (16, *size)).astype(np.uint16)
    net = build(config).to(device, memory_format=LAST)
    timing = measuring.time(lambda: scores(net, pixels, device=device), times=1)
    yield f"scoring_{size[0]}_images_per_s", len(pixels) / timing.seconds, "images/s"
    yield f"scoring_{size[0]}_peak_gb", timing.gb, "GB"


def equality_rows(measuring: Measuring, networks: Networks, size: Size) -> Iterator[Row]:
    """Yield how far the device's float32 is from the processor's: scores, gradients of a step, grey levels drawn."""
    device, cpu = measuring.device, torch.device("cpu")
    config, gan = networks.classifier(*size), networks.gan(*size)
    torch.manual_seed(1)
    # Dropout draws other masks on another device.
    net, generator = build(replace(config, dropout=0.0)), Generator(gan.generator)
    pixels = np.random.default_rng(1).integers(0, 65535, (4, *size)).astype(np.uint16)
    images, labels = torch.rand(4, 1, *size), torch.tensor([1, 1, 0, 0])
    found = []
    for place in (cpu, device):
        own, drawing = build(replace(config, dropout=0.0)), Generator(gan.generator)
        own.load_state_dict(net.state_dict())
        drawing.load_state_dict(generator.state_dict())
        own.to(place, memory_format=LAST)
        drawing.to(place, memory_format=LAST).eval()
        score = scores(own, pixels, device=place)
        with float32(place):
            loss = ClassifierStep(own, config, torch.float32)(images.to(place), labels.to(place), range(4), True)
            loss.backward()
            with torch.no_grad():
                drawn = drawing(images.to(place)).cpu()
        gradient = torch.cat([p.grad.flatten().cpu().double() for p in own.parameters() if p.grad is not None])
        found.append((score, gradient, drawn))
    (score, gradient, drawn), (score_there, gradient_there, drawn_there) = found
    away = float((gradient - gradient_there).norm() / gradient.norm())
    yield "scores_from_cpu", float(np.abs(score - score_there).max()), f"at most {SCORE_TOLERANCE:g}"
    yield "gradients_from_cpu", away, f"relative, at most {GRADIENT_TOLERANCE:g}"
    grey = float((drawn - drawn_there).abs().max() * 65535)
    yield "drawing_from_cpu", grey, f"grey levels, at most {GREY_TOLERANCE:g}"


def resume_rows() -> Iterator[Row]:
    """Yield whether a run that was killed and resumed, and one that is repeated, end with the same bits: 1 or 0.

    On a card with deterministic algorithms, where there are any; torch warns of the others.
    """
    with _deterministic(), tempfile.TemporaryDirectory() as root:
        folders = [Path(root) / name for name in ("whole", "again", "killed")]
        config, images = tiny.classifier_config(), tiny.images()
        for folder in folders[:2]:
            train_classifier(images, config, seed=3, folder=folder, report=silent)
        try:
            train_classifier(images, config, seed=3, folder=folders[2], report=_Until(steps=7))
        except _Over:
            train_classifier(images, config, seed=3, folder=folders[2], report=silent)
        whole, again, killed = (load_file(folder / WEIGHTS) for folder in folders)
    yield "repeated_run_same_bits", float(_same(whole, again)), "1: yes"
    yield "resumed_run_same_bits", float(_same(whole, killed)), "1: yes"
    furthest = max(float((whole[name] - killed[name]).abs().max()) for name in whole)
    yield "resumed_run_weights_differ", furthest, "at most"


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    before = os.environ.get(DETERMINISM)
    os.environ[DETERMINISM] = CardDeterminism.POSSIBLE.value
    try:
        yield
    finally:
        os.environ.pop(DETERMINISM)
        if before is not None:
            os.environ[DETERMINISM] = before
        CardSettings().apply()


def _same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


class _Over(Exception):
    """Ends a training."""


class _Until:
    """A report that ends the training after a number of steps or of seconds, and keeps the losses."""

    def __init__(self, *, steps: int = 0, seconds: float = 0.0) -> None:
        self.steps, self.seconds, self.began = steps, seconds, time.monotonic()
        self.losses: list[float] = []

    def __call__(self, done: int, total: int, activity: Activity, values: dict[str, float], /) -> None:
        if "loss" in values:
            self.losses.append(values["loss"])
        is_late = self.seconds and time.monotonic() - self.began > self.seconds
        if is_late or (self.steps and len(self.losses) >= self.steps):
            raise _Over


def training_rows(config: ClassifierConfig, *, seconds: float, patients: int = 40) -> Iterator[Row]:
    """Yield the loss, a running mean, of a training that is ended after some seconds: at its start and at its end.

    The images are noise, with a bright spot in the positive ones.
    """
    watched = _Until(seconds=seconds)
    with tempfile.TemporaryDirectory() as root:
        images = spots(patients, (config.rows, config.columns))
        with contextlib.suppress(_Over):
            train_classifier(images, config, seed=1, folder=Path(root), report=watched)
    early = watched.losses[min(4, len(watched.losses) - 1)]
    yield f"training_{config.rows}_steps", len(watched.losses), "steps"
    yield f"training_{config.rows}_first_loss", early, "running mean after five steps"
    yield f"training_{config.rows}_last_loss", watched.losses[-1], "running mean"
    yield f"training_{config.rows}_loss_fell", float(watched.losses[-1] < early), "1: yes"


def spots(patients: int, size: Size) -> ImageSet:
    """Return two images for each patient, every third with a bright spot of an eighth of each side."""
    rng = np.random.default_rng(0)
    rows, columns = size
    pixels = rng.integers(8_000, 20_000, (2 * patients, *size), dtype=np.uint16)
    labels = np.repeat(np.arange(patients) % 3 == 0, 2).astype(np.int64)
    pixels[labels == 1, rows // 3 : rows // 3 + rows // 8, columns // 3 : columns // 3 + columns // 8] += np.uint16(
        20_000
    )
    names = np.array([f"P{number:03d}" for number in range(patients)])
    splits = np.array((["train"] * 3 + ["tuning", "test"]) * (patients // 5))
    keys = np.array([f"image-{number}" for number in range(2 * patients)])
    return ImageSet(pixels, labels, np.repeat(names, 2), np.repeat(splits, 2), keys)
