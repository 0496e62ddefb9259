"""Prefetching of training batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from models_ml.config import Augmentation
from models_ml.data.augmentation import moved, random_map
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


def pictures(
    images: ImageSet,
    rows: Rows,
    own: Sequence[int],
    how: Augmentation,
    chance: np.random.Generator,
    *,
    weighed: bool = False,
) -> Tensor:
    """The images at these places of a batch's rows, augmented, (len(own), 1, H, W).

    With `weighed` a second channel has how far each pixel may be changed, 0…1, moved as its image was. Maps are drawn
    for the whole batch, so that an image's own does not depend on who shares the batch.
    """
    maps = [random_map(how, chance) for _ in rows]
    chosen = rows[list(own)]
    batch = to_tensor(images.pixels[chosen], CPU)
    if weighed and images.weights is not None:
        weights = torch.from_numpy(np.asarray(images.weights[chosen]).astype(np.float32) / 255)
        batch = torch.cat([batch, weights[:, None]], dim=1).contiguous(memory_format=torch.channels_last)
    return moved(batch, [maps[place] for place in own], how)
