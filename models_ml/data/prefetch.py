"""Batches made ready while the step before them is learnt from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml.config import Augmentation
from models_ml.data.augmentation import moved, random_map
from models_ml.data.images import ImageSet, to_tensor

Rows = NDArray[np.int64]
S = TypeVar("S")
T = TypeVar("T")
CPU = torch.device("cpu")


class Ahead(Generic[S, T]):
    """Walks numbered things and gives each number with what `prepare` makes of it, one made in advance.

    Pages of the memory-mapped images are read, and warped, beside the arithmetic of the step.
    """

    def __init__(self, prepare: Callable[[int, S], T], things: Iterable[tuple[int, S]]) -> None:
        self.prepare, self.things = prepare, things

    def __iter__(self) -> Iterator[tuple[int, T]]:
        with ThreadPoolExecutor(max_workers=1) as pool:
            waiting = None
            for number, thing in chain(self.things, [(-1, None)]):
                coming = (number, pool.submit(self.prepare, number, thing)) if thing is not None else None
                if waiting is not None:
                    yield waiting[0], waiting[1].result()
                waiting = coming


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
