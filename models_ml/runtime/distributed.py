"""One training run in several processes, which torchrun starts: each takes its share of every batch.

With a single process these functions do nothing. Every process draws the random numbers of the whole batch and uses its
share, so that the augmentation of an image does not depend on the number of processes.
"""

import os
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from models_ml.errors import LabError


def join(device: torch.device) -> None:
    """Join the process group if torchrun started several processes."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")


def leave() -> None:
    """Leave the process group."""
    if size() > 1:
        dist.destroy_process_group()


def size() -> int:
    """Return the number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this process, from 0; before it joins the group, the one that torchrun gave it."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank()
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Return whether this process writes files and reports progress."""
    return rank() == 0


def share(places: range) -> range:
    """Return this process's part of the indices of a batch, which every process draws alike."""
    return places[rank() :: size()]


def require_shares(images: int) -> None:
    """Raise LabError if a batch cannot be divided evenly: uneven shares would weight images unequally."""
    if images % size():
        raise LabError(f"{images} images of a class in a batch cannot be shared evenly by {size()} processes.")


def wrap(step: nn.Module) -> nn.Module:
    """Return the step with its gradients averaged over the processes. To be repeated when other weights are trained."""
    if size() == 1 or not any(parameter.requires_grad for parameter in step.parameters()):
        return step
    # Every process starts from the same seed, so nothing has to be sent round at first.
    return DistributedDataParallel(step, init_sync=False, gradient_as_bucket_view=True)


def everywhere(value: Tensor) -> Tensor:
    """Return the mean of a value over the processes."""
    if size() > 1:
        value = value.clone()
        dist.all_reduce(value)
        value /= size()
    return value


def gathered(own: NDArray[Any], count: int) -> NDArray[Any]:
    """Return the values of `share(range(count))` from every process, in the order of `range(count)`."""
    if size() == 1:
        return own
    parts: list[Any] = [None] * size()
    dist.all_gather_object(parts, own)
    whole = np.empty((count, *own.shape[1:]), own.dtype)
    for number, part in enumerate(parts):
        whole[number :: size()] = part
    return whole
