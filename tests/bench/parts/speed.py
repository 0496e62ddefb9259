"""make bench PART=speed: whether this machine is slower than its kind, within a minute.

The best rates of multiplications, a step of the demo's classifier and a pass of the article's generator, each compared
with the rows of docs/results/expected-step-times.md for the same kind of machine. Exit status 1: below 0.7 of its kind.
"""

import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from models_ml.networks import build
from models_ml.networks.generator import Generator
from models_ml.presets import PRESETS
from models_ml.runtime.card import float32
from models_ml.runtime.device import choose_device, keep_memory
from models_ml.training.steps import ClassifierStep
from tests.bench import card
from tests.bench.card import LAST, Measuring, Row
from tests.bench.lab_measurement import ceiling
from tests.bench.output import write

PAGE = Path(__file__).resolve().parents[3] / "docs" / "results" / "expected-step-times.md"
SLOW = 0.7  # of its kind: repetitions on one quiet machine differ by less


@dataclass(frozen=True)
class Expected:
    """One measured row of the page."""

    kind: str
    name: str
    value: float


def kind_of(device: torch.device) -> str:
    """Return the name of the card, or of the processor with the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    model = platform.processor() or platform.machine()
    with suppress(OSError, IndexError):
        model = re.findall(r"(?m)^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text())[0].strip()
    return f"{model}, {torch.get_num_threads()} threads"


def expected_rows(text: str) -> list[Expected]:
    """Return the measured rows of the page: a kind of machine, a measurement and its value."""
    found = re.findall(r"(?m)^\| ([^|`]+?) \| `(\w+)` \| ([\d.]+) \|", text)
    return [Expected(kind, name, float(value)) for kind, name, value in found]


def measure(device: torch.device) -> Iterator[Row]:
    """Yield the measurements."""
    measuring, demo = Measuring(device), PRESETS["demo"]
    for name in ("float32", "bfloat16"):
        is_card = device.type == "cuda"
        top = card.ceiling(measuring, getattr(torch, name), side=8192) if is_card else ceiling(name)["gflops"]
        yield f"ceiling_{name}", top, "GFLOP/s"
    config = demo.classifier
    size = config.rows, config.columns
    net = build(config).train().to(device, memory_format=LAST)
    step = ClassifierStep(net, config, measuring.dtype)
    images, labels = torch.rand(8, 1, *size, device=device), torch.tensor([1] * 4 + [0] * 4, device=device)
    timing = measuring.time(card.with_optimiser(net, lambda: step(images, labels, range(8), True)), times=6)
    yield "demo_classifier_step", 8 / timing.seconds, "images/s"
    generator = Generator(PRESETS["zhou2021-low"].remove.generator).eval().to(device, memory_format=LAST)
    image = torch.rand(1, 1, *size, device=device)
    with torch.no_grad(), float32(device):
        timing = measuring.time(lambda: generator(image), times=2)
    yield "article_generator_256", 1 / timing.seconds, "images/s"


def verdict(kind: str, found: list[Row], rows: list[Expected]) -> tuple[list[str], bool]:
    """Return a line for each measurement, and whether one is slower than its kind."""
    lines, is_slow = [], False
    for name, value, unit in found:
        of_kind = [row.value for row in rows if (row.kind, row.name) == (kind, name)]
        if not of_kind:
            lines.append(f"{name}: {value:.3g} {unit}; no machine of this kind was measured")
            continue
        share = value / max(of_kind)
        is_slow = is_slow or share < SLOW
        word = "slower than its kind" if share < SLOW else "as its kind"
        lines.append(f"{name}: {value:.3g} {unit}, {share:.2f} of {max(of_kind):.3g}: {word}")
    return lines, is_slow


def main() -> None:
    keep_memory()
    device = choose_device()
    kind, found = kind_of(device), list(measure(device))
    write("speed", found)
    lines, is_slow = verdict(kind, found, expected_rows(PAGE.read_text(encoding="utf-8")))
    print("\n".join([f"This machine: {kind}; load {os.getloadavg()[0]:.1f}", *lines]))
    if is_slow:
        print("Other work on the machine is the usual reason: measure again when it is quiet.")
        sys.exit(1)


if __name__ == "__main__":
    main()
