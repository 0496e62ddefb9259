"""Images with their labels, patients and splits; batches and augmentation."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml.errors import WrongImages
from models_ml.runtime.randomness import rng
from readerstudy.imaging.image import WHITE
from readerstudy.vocabulary import Split

Rows = NDArray[np.int64]
RowPair = tuple[Rows, Rows]


@dataclass(frozen=True)
class ImageSet:
    """Images with their columns, aligned by row.

    `pixels` are 16-bit, (N, H, W), possibly a memory map; `labels` are 1 for positive, else 0, (N,); text columns are
    (N,). `weights`, (N, H, W), limit the change of each pixel by an attack: 0 none, 255 no limit.
    """

    pixels: NDArray[np.uint16]
    labels: NDArray[np.int64]
    patients: NDArray[np.str_]
    splits: NDArray[np.str_]
    keys: NDArray[np.str_]
    weights: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint16 or self.pixels.ndim != 3:
            raise WrongImages("Images must be 16-bit grey values in an array of images × rows × columns.")
        columns = (self.labels, self.patients, self.splits, self.keys)
        if any(len(column) != len(self.pixels) for column in columns):
            raise WrongImages("Every image needs one label, one patient, one split and one key.")
        if self.weights is not None and self.weights.shape != self.pixels.shape:
            raise WrongImages("Weights must have the shape of the images.")
        if len(np.unique(self.keys)) != len(self.keys):
            raise WrongImages("Two images carry the same key.")
        self._check_values()

    def _check_values(self) -> None:
        if unknown := sorted(set(np.unique(self.splits)) - set(Split)):
            raise WrongImages(f"There is no split named {unknown[0]}; splits are {', '.join(Split)}.")
        if not np.isin(self.labels, (0, 1)).all():
            raise WrongImages("Labels are 1 for positive and 0 for the rest.")
        pairs = np.unique(np.stack([self.patients.astype(str), self.splits.astype(str)]), axis=1)
        names, times = np.unique(pairs[0], return_counts=True)
        if (times > 1).any():
            raise WrongImages(f"Patient {names[times > 1][0]} has images in two splits.")

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, split: Split, label: int | None = None) -> NDArray[np.int64]:
        """Return the row numbers of a split, of one label only if given."""
        wanted = self.splits == split
        if label is not None:
            wanted &= self.labels == label
        return np.flatnonzero(wanted)

    def subset(self, split: Split) -> "ImageSet":
        """Return a copy of the images of one split."""
        rows = self.rows(split)
        return ImageSet(
            np.asarray(self.pixels[rows]),
            self.labels[rows],
            self.patients[rows],
            self.splits[rows],
            self.keys[rows],
            None if self.weights is None else np.asarray(self.weights[rows]),
        )

    def split_hash(self) -> str:
        """Return the SHA-256 of the sorted lines key:split:label, equal for the same splits and labels."""
        lines = (f"{k}:{s}:{y}" for k, s, y in zip(self.keys, self.splits, self.labels, strict=True))
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def data_hash(self) -> str:
        """Return the SHA-256 of the keys and pixels in the order of the keys, equal for the same images."""
        digest = hashlib.sha256(repr(self.pixels.shape[1:]).encode())
        for row in np.argsort(self.keys):
            digest.update(f"\n{self.keys[row]}:".encode())
            digest.update(np.ascontiguousarray(self.pixels[row]).data)
        return digest.hexdigest()

    def require(self, rows: int, columns: int) -> None:
        """Raise WrongImages if the images have another size or a split lacks a class, before a long training."""
        if self.pixels.shape[1:] != (rows, columns):
            have = " × ".join(map(str, self.pixels.shape[1:]))
            raise WrongImages(f"The images are {have}, but this preset needs {rows} × {columns}.")
        for split in (Split.TRAIN, Split.TUNING):
            for label, name in ((1, "positive"), (0, "other")):
                if not len(self.rows(split, label)):
                    raise WrongImages(f"The {split} split holds no {name} image, so nothing can be learnt or chosen.")


@dataclass(frozen=True)
class Pairing:
    """Row numbers of two classes from which balanced batches are drawn."""

    first: Rows
    second: Rows
    per_class: int

    @property
    def steps(self) -> int:
        """Batches in an epoch: each image of the larger class once."""
        return ceil(max(len(self.first), len(self.second)) / self.per_class)

    def batches(self, seed: int, *, first: int = 0) -> Iterator[RowPair]:
        """Yield the rows of every step from number `first` on, without end.

        An epoch's order depends on the seed and the number of the epoch alone.
        """
        start_epoch, skipped = divmod(first, self.steps)
        for epoch in count(start_epoch):
            yield from islice(self.epoch(rng(seed, "order", epoch)), skipped if epoch == start_epoch else 0, None)

    def epoch(self, chance: np.random.Generator) -> Iterator[RowPair]:
        """Yield pairs of rows, (per_class,) each: the larger class in a fresh order, the other drawn at random."""
        larger = max(self.first, self.second, key=len)
        for part in _walk(larger, self.steps * self.per_class, chance).reshape(self.steps, -1):
            first = part if larger is self.first else _draw(self.first, self.per_class, chance)
            second = part if larger is not self.first else _draw(self.second, self.per_class, chance)
            yield first, second


def _walk(rows: Rows, length: int, chance: np.random.Generator) -> Rows:
    order = chance.permutation(rows)
    missing = length - len(order)  # a few images appear twice, so that the last batch is full
    return np.concatenate([order, chance.choice(rows, missing)]) if missing else order


def _draw(rows: Rows, number: int, chance: np.random.Generator) -> Rows:
    return chance.choice(rows, number, replace=len(rows) < number)


def to_tensor(pixels: NDArray[np.uint16], device: torch.device) -> Tensor:
    """Return 16-bit pixels (B, H, W) as grey values in 0…1, (B, 1, H, W), channels last."""
    images = torch.from_numpy(np.asarray(pixels).astype(np.float32) / WHITE)[:, None].to(device)
    return images.contiguous(memory_format=torch.channels_last)
