"""Rendering of a chest radiograph: what each ray meets, the response of the detector, and noise."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from readerstudy.errors import StudyError
from readerstudy.imaging.fields import Field, enlarge, power_law, smooth
from readerstudy.imaging.image import WHITE, Size, quantise
from readerstudy.modalities.chest_radiography.phantom import bones, lesions, shape, vessels
from readerstudy.modalities.chest_radiography.phantom.anatomy import LesionKind, PhantomView
from readerstudy.modalities.chest_radiography.phantom.plane import Box, Plane, Square, whole_plane

STANDARD: Final[Size] = (512, 512)
_NOISE: Final = np.float32(0.011)
_BLUR_MM: Final = 0.45  # of the detector
_FLATTEN: Final = np.float32(0.5)  # share of large differences of brightness that processing removes
_CROSSED_MM: Final = np.float32(20)
_LARGE_MM: Final = 22.0  # what counts as large
_MEAN_MM: Final = np.float32(160)  # of water, a level that processing keeps
_BRIGHT_MM: Final = 262.0  # of water: a ray through these is shown at full brightness
# Random streams of one image. Append new ones: the numbers are part of every image.
_BONES, _VESSELS, _GRAIN, _CLOUDS, _QUANTA = range(5)


@dataclass(frozen=True, eq=False)
class Phantom:
    """A rendered radiograph. The box is top, left, bottom, right in pixels, of the lesion that was drawn if any."""

    values: NDArray[np.uint16]  # rows x columns, below 0.95 of full scale
    lesion_box: Box | None
    kind: LesionKind | Literal[""]


def render(view: PhantomView, size: Size = STANDARD, with_lesion: bool = True) -> Phantom:
    """Render a view at `size` (rows, columns). Without its lesion, all other pixels are exactly the same."""
    plane = _plane(view, size)
    drawn = view.lesion if with_lesion else None
    water = _flattened(view, plane, smooth(_water(view, plane), _BLUR_MM / plane.pixel_mm))
    if drawn is not None:
        patch = lesions.draw(drawn, plane, shape.lesion_centre(view.chest, view.stance, drawn))
        water[patch.plane.pixels] += patch.light
    values = _expose(view, water)
    return Phantom(values, lesion_box(view, size) if drawn else None, drawn.kind if drawn else "")


def lesion_box(view: PhantomView, size: Size) -> Box | None:
    """Return the box of the view's lesion in an image of `size`, from the geometry alone; None without a lesion."""
    if view.lesion is None:
        return None
    centre = shape.lesion_centre(view.chest, view.stance, view.lesion)
    return lesions.place(view.lesion, _plane(view, size), centre).area


def _plane(view: PhantomView, size: Size) -> Plane:
    if size[0] != size[1] or size[0] < 1:
        raise StudyError(f"A chest phantom is square; {size} is not.")
    return whole_plane(size[0], view.stance)


def _stream(view: PhantomView, number: int) -> np.random.Generator:
    return np.random.default_rng([view.seed, number])


def _water(view: PhantomView, plane: Plane) -> Field:
    """Return how many mm of water each ray meets; the lungs' air counts negative."""
    chest, grid = view.chest, Square(plane.side)
    lungs = shape.lungs(chest, plane)
    clouds = enlarge(power_law(_stream(view, _CLOUDS), Square(256), beta=3.2, longest_mm=110), grid)
    grain = enlarge(power_law(_stream(view, _GRAIN), Square(512), beta=2.7, longest_mm=16), grid)
    body = shape.body_mm(chest, plane)
    water = body * (np.float32(1) + np.float32(0.018) * clouds)
    water -= np.minimum(lungs.air_mm * (1 + np.float32(0.02) * clouds), np.float32(0.72) * body)
    water -= shape.trachea_mm(chest, plane) + shape.stomach_mm(chest, plane)
    water += shape.breasts_mm(chest, plane)
    blood = vessels.vessels_mm(chest, plane, _stream(view, _VESSELS))
    water += lungs.share * (np.float32(3.2) * np.float32(8) * np.tanh(blood / 8) + np.float32(1.8) * grain)
    skeleton = np.zeros_like(water)
    bones.add_bones(chest, plane, skeleton, _stream(view, _BONES))
    # Scatter in thick parts of the body takes contrast from bones.
    skeleton = _CROSSED_MM * np.tanh(skeleton / _CROSSED_MM)  # crossing bones are not much brighter than one
    water += skeleton * np.clip(body / 60, 0, 1) * np.clip(np.float32(1.3) - water / 250, 0.3, 1)
    return water


def _flattened(view: PhantomView, plane: Plane, water: Field) -> Field:
    """Return the water with smaller differences between lungs and abdomen, as digital radiographs are processed."""
    small = Square(128)
    inside = np.clip(shape.body_mm(view.chest, plane) / 40, 0, 1)
    level, weight = (
        smooth(np.asarray(Image.fromarray(field).resize((128, 128), Image.Resampling.BOX)), _LARGE_MM / small.pixel_mm)
        for field in (water * inside, inside)
    )
    mean = (level / np.maximum(weight, np.float32(0.02))).astype(np.float32)
    large = enlarge(mean, Square(plane.side))
    flattened: Field = water + _FLATTEN * inside * (_MEAN_MM - large)
    return flattened


def _expose(view: PhantomView, water: Field) -> NDArray[np.uint16]:
    """Return grey levels: a response curve that flattens towards white without reaching it, and quantum noise."""
    share = np.maximum(water, 0) * np.float32(view.stance.exposure / _BRIGHT_MM)
    light: Field = share ** np.float32(view.stance.gamma)
    noise = _stream(view, _QUANTA).standard_normal(light.shape, dtype=np.float32)
    light += _NOISE * np.sqrt(np.float32(0.02) + light) * noise
    light = np.maximum(light + np.float32(0.015), 0)
    bright = light > 0.6
    light[bright] = 0.6 + 0.33 * np.tanh((light[bright] - 0.6) / 0.33)
    return quantise(light * np.float32(WHITE))
