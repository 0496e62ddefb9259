"""Adversarial images as another program would make them: pairs of files beside a table, of phantoms of a modality."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from readerstudy.cohort.models import Cohort
from readerstudy.imaging.grey_levels import to_16_bit
from readerstudy.imaging.image import Pixels
from readerstudy.modalities.modality import Modality
from readerstudy.sources import raster
from readerstudy.truth.actions import AdversarialImportResult, ImportOptions, import_adversarial_images, import_cohort
from readerstudy.vocabulary import Pathology
from tests import make
from tests.sources.make_files import write_png, write_table

BITS = 12
Alter = Callable[[np.ndarray], np.ndarray]  # 12-bit values to the adversarial file's values


def small_modality(modality: Modality, patch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Store images of the modality in small sizes; return the size of its files, a little larger."""
    for name, layout in modality.layouts.items():
        rows, columns = 160, round(160 * layout.columns / layout.rows)
        patch.setitem(modality.layouts, name, replace(layout, rows=rows, columns=columns))
    return 200, round(200 * columns / rows)


def blob(values: np.ndarray, *, sign: int = 1) -> np.ndarray:
    """Draw a soft spot in the middle of the tissue, or damp it there, within the range of the image."""
    rows, columns = values.shape
    y, x = np.mgrid[:rows, :columns]
    tissue = values > 0.25 * np.percentile(values, 99)
    middle = np.median(y[tissue]), np.median(x[tissue])
    spot = np.exp(-((y - middle[0]) ** 2 + (x - middle[1]) ** 2) / (2 * (0.04 * rows) ** 2)) * tissue
    room = np.percentile(values, 99) - values if sign > 0 else 0.5 * values
    return np.round(values + sign * 0.3 * spot * np.maximum(0, room)).astype(np.uint16)


@dataclass(frozen=True)
class Elsewhere:
    """A cohort of phantoms in files, and a folder with an adversarial file for each."""

    cohort: Cohort
    folder: Path
    pathologies: dict[str, Pathology]  # by the name of the real file

    @property
    def names(self) -> list[str]:
        return list(self.pathologies)

    def values(self, name: str) -> np.ndarray:
        return raster.load(self.folder / name, name=name).values

    def sign(self, name: str) -> int:
        return -1 if self.pathologies[name] == Pathology.POSITIVE else 1

    def write_versions(self, alter: Alter = lambda values: values, *, bits: int = BITS) -> None:
        """Draw a spot into every image, or damp it, then pass it through `alter` and write the adversarial files."""
        for name in self.names:
            values = alter(blob(self.values(name), sign=self.sign(name)))
            kind, significant = (np.uint8, None) if bits == 8 else (np.uint16, bits)
            write_png(self.folder / f"altered-{name}", values.astype(kind), significant_bits=significant)

    def write_synthetic(self, count: int, *, seed: int = 9, bits: int = BITS, factor: int = 1) -> list[str]:
        """Write phantoms that are not in the cohort, as a generator of whole images would; return rows of a table.

        Files are smaller by `factor`. The last column is the pathology; both labels are among the first images.
        """
        rows, columns = self.values(self.names[0]).shape
        drawn = self.cohort.modality.draw_phantoms(max(12, count), seed=seed, size=(rows, columns)).images
        positive = [image for image in drawn if image.pathology == Pathology.POSITIVE]
        others = [image for image in drawn if image.pathology != Pathology.POSITIVE]
        mixed = [image for pair in zip(positive, others, strict=False) for image in pair][:count]
        for number, image in enumerate(mixed):
            values = image.load().values[::factor, ::factor] >> (16 - bits)
            kind, significant = (np.uint8, None) if bits == 8 else (np.uint16, bits)
            write_png(self.folder / f"made-{number}.png", values.astype(kind), significant_bits=significant)
        word = self.cohort.modality.vocabulary.word
        return [f"made-{number}.png,{word(image.pathology)}" for number, image in enumerate(mixed)]

    def table(self, *, header: str = "real,adversarial", rows: Sequence[str] | None = None) -> Path:
        every = [f"{name},altered-{name}" for name in self.names] if rows is None else rows
        return write_table(self.folder, every, header=header, name="pairs.csv")

    def bring(self, *, attack: str | None = "theirs", **changes) -> AdversarialImportResult:
        options = {"description": "A diffusion network.", "made_by": "Group B", **changes.pop("options", {})}
        values = {"table": self.table, "at": make.MONDAY, "actor": None, "processes": 1, **changes}
        table = values["table"]() if callable(values["table"]) else values["table"]
        given = ImportOptions(attack=attack, **options)
        return import_adversarial_images(cohort=self.cohort, options=given, **{**values, "table": table})


def set_up(modality: Modality, folder: Path, patch: pytest.MonkeyPatch, *, patients: int, seed: int = 3) -> Elsewhere:
    """Write phantoms as 12-bit files and import them as a cohort."""
    size = small_modality(modality, patch)
    batch = modality.draw_phantoms(patients, seed=seed, size=size)
    images, pathologies = [], {}
    for number, image in enumerate(batch.images):
        name = f"image-{number}.png"
        write_png(folder / name, (image.load().values >> 4).astype(np.uint16), significant_bits=BITS)
        load = partial(raster.load, folder / name, name=name)
        images.append(replace(image, name=name, load=load, lesions=None))
        pathologies[name] = image.pathology
    import_cohort(
        "p3", replace(batch, images=tuple(images)), seed=1, at=make.MONDAY, fractions=(0.3, 0.3, 0.4),
        pathology_per="image", processes=1,
    )  # fmt: skip
    stored = {image.name for image in images}
    assert stored == set(pathologies)
    return Elsewhere(Cohort.named("p3"), folder, pathologies)


def as_16_bit(values: np.ndarray) -> np.ndarray:
    return to_16_bit(Pixels(values, BITS))


def as_16_bit_values(values: np.ndarray) -> np.ndarray:
    """Return the values with finer steps than 12 bits have, as floating point keeps them."""
    finer = np.random.default_rng(0).integers(-4, 5, values.shape) * (values > 0)
    return np.clip(as_16_bit(values).astype(int) + finer, 0, 65535)
