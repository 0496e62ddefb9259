"""The device and precision of the arithmetic, and how many images fit its memory."""

import ctypes
import os
import sys
from contextlib import AbstractContextManager
from functools import cache
from typing import Literal

import torch

from models_ml.runtime.card import CardSettings

Precision = Literal["auto", "fp32", "bf16"]


# mallopt(3): the parameters of the GNU allocator that `keep_memory` sets.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEPT_BYTES, STEP_BYTES = 2**31 - 1, 64 * 2**20


def choose_device() -> torch.device:
    """Return the graphics card of this process (torchrun's LOCAL_RANK if there are several), else the processor.

    The card is made the current one, where collective operations keep their buffers, computes float32 in full and is as
    deterministic as `CardSettings` say. Raises LabError if these are wrong.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    CardSettings.of_environment().apply()
    torch.cuda.set_device(device)
    # torch's stubs lack this setting.
    torch.backends.fp32_precision = "ieee"  # type: ignore[attr-defined]
    return device


@cache
def keep_memory() -> None:
    """Let the process keep the memory that it frees, for the next map of the same size.

    The GNU allocator gives large blocks back at once and asks for them anew at the next layer; every page is then
    cleared again, which took two to eight times as long as the arithmetic of the element-wise layers. Other systems
    are left as they are.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        for parameter, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, KEPT_BYTES), (M_TOP_PAD, STEP_BYTES)):
            library.mallopt(parameter, value)


# How much memory a step may take beside the weights, and what one image needs of it for every pixel: measured at
# 512 × 416 to 1728 × 1408 in bfloat16. On two cores parts of two images at 1024 × 832 are quicker than three (34.6 s a
# step against 36.0) and need 3.6 GB against 5.6; one at a time takes 35.5 s and 2.5 GB.
PROCESSOR_BUDGET, CARD_SHARE = 2.0e9, 0.6
CLASSIFIER_BYTES, GENERATOR_BYTES = 850, 2800
# The same for one pass without gradients: a classifier's scores, and the images that a generator draws.
SCORING_BYTES, DRAWING_BYTES = 270, 940
MACHINE_SHARE = 0.6  # of the memory of the machine, for images that are drawn beside each other


def images_at_once(wanted: int, pixels: int, bytes_per_pixel: int, dtype: torch.dtype, device: torch.device) -> int:
    """Return how many images of a batch are processed together: `wanted`, or if that is 0, as many as fit the memory.

    The division of a batch changes a step only in its last digits and its speed.
    """
    if wanted:
        return wanted
    budget = PROCESSOR_BUDGET
    if device.type == "cuda":
        budget = CARD_SHARE * torch.cuda.get_device_properties(device).total_memory
    return max(1, int(budget // (pixels * bytes_per_pixel * dtype.itemsize / 2)))


def scored_at_once(most: int, pixels: int, device: torch.device) -> int:
    """Return how many images of this number of pixels a classifier scores together in float32, `most` at the most."""
    return min(most, images_at_once(0, pixels, SCORING_BYTES, torch.float32, device))


def drawn_at_once(most: int, pixels: int, device: torch.device) -> int:
    """Return how many images of this number of pixels a generator draws together in float32, `most` at the most."""
    return min(most, images_at_once(0, pixels, DRAWING_BYTES, torch.float32, device))


def drawn_beside(most: int, pixels: int) -> int:
    """Return how many threads, `most` at the most, may each draw an image of this number of pixels in memory."""
    memory = MACHINE_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(most, max(1, int(memory // (pixels * DRAWING_BYTES * 2))))


def arithmetic(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the precision of multiplications in training."""
    return torch.bfloat16 if uses_bf16(precision, device) else torch.float32


def uses_bf16(precision: Precision, device: torch.device) -> bool:
    """Return whether training runs in bfloat16: as asked for, or if the hardware multiplies it natively."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported())


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return a context of mixed precision, for training only: scores are computed in float32."""
    enabled = uses_bf16(precision, device)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
