"""Prefetching of training batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from models_ml.config import Augmentation
from models_ml.data.augmentation import random_map, transform
from models_ml.data.images import ImageSet, Rows, to_tensor

S = TypeVar("S")
T = TypeVar("T")
CPU = torch.device("cpu")


def prefetched(prepare: Callable[[int, S], T], items: Iterable[tuple[int, S]]) -> Iterator[tuple[int, T]]:
    """Yield each number with `prepare(number, item)`, which a thread works out one item in advance.

    Pages of the memory-mapped images are read, and warped, while the previous step is learnt from.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting: tuple[int, Future[T]] | None = None
        for number, item in items:
            coming = (number, pool.submit(prepare, number, item))
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = coming
        if waiting is not None:
            yield waiting[0], waiting[1].result()


def augmented_images(
    images: ImageSet,
    rows: Rows,
    own: Sequence[int],
    how: Augmentation,
    chance: np.random.Generator,
    *,
    with_weights: bool = False,
) -> Tensor:
    """Return the images of a batch's `rows` with the indices `own`, augmented, (len(own), 1, H, W) in 0…1.

    `with_weights` adds a second channel, transformed like its image: how far each pixel may be changed, 0…1. Maps are
    drawn for the whole batch, so that they do not depend on how processes share it.
    """
    maps = [random_map(how, chance) for _ in rows]
    chosen = rows[list(own)]
    batch = to_tensor(images.pixels[chosen], CPU)
    if with_weights and images.weights is not None:
        weights = torch.from_numpy(np.asarray(images.weights[chosen]).astype(np.float32) / 255)
        batch = torch.cat([batch, weights[:, None]], dim=1).contiguous(memory_format=torch.channels_last)
    return transform(batch, [maps[place] for place in own], how)
