"""Several processes, one training run: torchrun starts them, each takes its share of every batch.

With one process everything here does nothing. Random numbers are drawn for the whole batch in every process and cut
afterwards, so that the same images meet the same augmentation whatever the number of processes.
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
    """Join the other processes that torchrun started, if there are any."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")


def leave() -> None:
    """Part from the other processes at the end."""
    if size() > 1:
        dist.destroy_process_group()


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this one is, from 0."""
    return dist.get_rank() if size() > 1 else 0


def is_first() -> bool:
    """Whether this process writes files and tells how far the run is."""
    return rank() == 0


def share(places: range) -> range:
    """This process's part of the places of a batch that every process has drawn alike."""
    return places[rank() :: size()]


def require_shares(images: int) -> None:
    """Refuse a batch that cannot be cut evenly: uneven shares would weigh images unequally."""
    if images % size():
        raise LabError(f"{images} images of a class in a batch cannot be shared evenly by {size()} processes.")


def wrap(step: nn.Module) -> nn.Module:
    """The step with its gradients averaged over the processes; anew whenever other weights are trained."""
    if size() == 1 or not any(parameter.requires_grad for parameter in step.parameters()):
        return step
    # Every process starts from the same seed, so nothing has to be sent round at first.
    return DistributedDataParallel(step, init_sync=False, gradient_as_bucket_view=True)


def everywhere(value: Tensor) -> Tensor:
    """The mean of a value over the processes."""
    if size() > 1:
        value = value.clone()
        dist.all_reduce(value)
        value /= size()
    return value


def gathered(own: NDArray[Any], count: int) -> NDArray[Any]:
    """The values of `share(range(count))` from every process, in the order of the whole."""
    if size() == 1:
        return own
    parts: list[Any] = [None] * size()
    dist.all_gather_object(parts, own)
    whole = np.empty((count, *own.shape[1:]), own.dtype)
    for number, part in enumerate(parts):
        whole[number :: size()] = part
    return whole
