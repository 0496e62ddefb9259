"""make bench PART=gpu: the lab on one large graphics card, in eight minutes at most.

One step of every network at both resolutions of the article beside the literal formulas, generation, scoring, the
distance from the processor's results, a killed run, and two minutes of `zhou2021-low`, whose loss must fall. `--trial`
runs the same on the processor with small networks, in seconds: its figures mean nothing.

Without a card, and if a check fails, it ends with an error. Rows that do not fit the time are left out, by name.
"""

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.presets import PRESETS
from models_ml.runtime.card import WORKSPACE, WORKSPACE_SIZE
from models_ml.runtime.device import choose_device, keep_memory
from tests.bench import card
from tests.bench.card import Measuring, Networks, Row, Size
from tests.bench.output import write
from tests.models_ml import tiny

MINUTES = 8
CHECKS = {
    "scores_from_cpu": card.SCORE_TOLERANCE,
    "gradients_from_cpu": card.GRADIENT_TOLERANCE,
    "drawing_from_cpu": card.GREY_TOLERANCE,
}


ANSWERS = ("_loss_fell", "repeated_run_same_bits", "resumed_run_same_bits")


@dataclass(frozen=True)
class Plan:
    """What is measured: the networks, their sizes, where the literal formulas are measured too, and the training."""

    networks: Networks
    sizes: tuple[Size, ...]
    literal: tuple[Size, ...]
    equal_at: Size
    training: ClassifierConfig
    seconds: float  # of the training
    ceiling_side: int


def article() -> Plan:
    """Return the measurements of a card."""
    preset = PRESETS["zhou2021-low"]

    def classifier(rows: int, columns: int) -> ClassifierConfig:
        return replace(preset.classifier, rows=rows, columns=columns)

    def gan(rows: int, columns: int) -> GanConfig:
        return replace(preset.remove, rows=rows, columns=columns)

    low, high = (1024, 832), (1728, 1408)
    networks = Networks(classifier, gan)
    return Plan(networks, (low, high), (low, high), (256, 208), preset.classifier, seconds=120, ceiling_side=8192)


def trial() -> Plan:
    """Return the same measurements with networks that a processor computes in seconds."""

    def classifier(rows: int, columns: int) -> ClassifierConfig:
        return replace(tiny.classifier_config(), rows=rows, columns=columns)

    def gan(rows: int, columns: int) -> GanConfig:
        return replace(tiny.gan_config(form="plain"), rows=rows, columns=columns)

    low, high = (32, 24), (64, 48)
    training = replace(tiny.classifier_config(steps=60), rows=32, columns=24)
    return Plan(Networks(classifier, gan), (low, high), (low, high), low, training, seconds=20, ceiling_side=256)


def rows(plan: Plan, device: torch.device, *, until: float) -> Iterator[Row]:
    """Yield all measurements; those that would begin after `until`, by `time.monotonic`, are left out by name."""
    measuring = Measuring(device)
    top = card.ceiling(measuring, measuring.dtype, side=plan.ceiling_side)
    yield "ceiling_tflops", top / 1000, f"TFLOP/s, {str(measuring.dtype).removeprefix('torch.')}"
    parts: list[tuple[str, Callable[[], Iterator[Row]]]] = [
        ("equality", partial(card.equality_rows, measuring, plan.networks, plan.equal_at)),
        ("resume", card.resume_rows),
        ("training", partial(card.training_rows, plan.training, seconds=plan.seconds)),
    ]
    for size in plan.sizes:
        is_literal = size in plan.literal
        steps = partial(card.step_rows, measuring, plan.networks, size, top, is_literal=is_literal)
        parts += [(f"steps {size[0]}", steps)]
        parts += [(f"inference {size[0]}", partial(card.inference_rows, measuring, plan.networks, size))]
    for name, part in parts:
        if time.monotonic() > until:
            print(f"left out, out of time: {name}", file=sys.stderr)
            continue
        try:
            yield from part()
        except torch.OutOfMemoryError:
            print(f"left out, out of memory: the rest of {name}", file=sys.stderr)
        if device.type == "cuda":
            torch.cuda.empty_cache()


def failures(found: list[Row]) -> list[str]:
    """Return the checks that failed, or were not reached."""
    values = {name: value for name, value, _unit in found}
    checks = CHECKS | {name: 0.0 for name in values if name.endswith(ANSWERS)}
    # An answer is 1 for yes: at most 0 away from it.
    away = {name: 1 - values[name] if name.endswith(ANSWERS) else values.get(name, math.nan) for name in checks}
    missing = [f"nothing was measured that ends in {answer}" for answer in ANSWERS if not any_ending(values, answer)]
    return missing + [
        f"{name}: {values.get(name, math.nan):g}" for name, most in checks.items() if not away[name] <= most
    ]


def any_ending(names: Iterable[str], ending: str) -> bool:
    return any(name.endswith(ending) for name in names)


def main(*arguments: str) -> None:
    keep_memory()
    is_trial = "--trial" in arguments
    # For the part about resuming; cuBLAS reads it once.
    os.environ.setdefault(WORKSPACE, WORKSPACE_SIZE)
    device = torch.device("cpu") if is_trial else choose_device()
    if not is_trial:
        if device.type != "cuda":
            raise SystemExit("There is no graphics card here; --trial runs the script on the processor.")
        print(torch.cuda.get_device_name(device), torch.__version__)
    until = time.monotonic() + 60 * (MINUTES - 1)
    found = list(rows(trial() if is_trial else article(), device, until=until))
    write("gpu-trial" if is_trial else "gpu", found)
    if failed := failures(found):
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
