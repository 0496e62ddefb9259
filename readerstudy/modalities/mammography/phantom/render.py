"""Draw one phantom mammogram: thickness, glandular tissue, skin, muscle, lesion, noise, response curve."""

from bisect import bisect
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from readerstudy.errors import StudyError
from readerstudy.imaging.fields import Field, enlarge, power_law, sample_at, sigmoid, smooth
from readerstudy.imaging.image import WHITE, Pixels, Size, quantise
from readerstudy.modalities.mammography.attributes import Laterality, View
from readerstudy.modalities.mammography.phantom import lesions
from readerstudy.modalities.mammography.phantom.anatomy import (
    DEFAULT_CONTRAST,
    POSITIVE_FRACTION,
    Lesion,
    LesionKind,
    PhantomView,
    sample_cohort,
)
from readerstudy.modalities.mammography.phantom.grid import FIELD_HEIGHT_MM, WIDEST, Grid, coarse_grid
from readerstudy.modalities.mammography.phantom.shape import Shape, Stance, draw_stance, outline
from readerstudy.sources.source import ImportBatch, ImportImage

SIZE: Final = (1024, 832)  # rows and columns, unless another is asked for
_NOISE: Final = np.float32(0.012)
# The words that form subgroups.
_WORDS: Final[dict[LesionKind, str]] = {"mass": "mass", "benign": "mass", "calc": "calcification"}
_DENSITIES: Final = (-0.8, 0.0, 0.8)  # limits between a and b, b and c, c and d, for a density drawn around 0
# Random streams of one view. Append new ones: the numbers are part of every image.
_OUTLINE, _CLUMPS, _GRAIN, _STRANDS, _CLOUDS, _DENSITY, _SWAY, _QUANTA = range(8)


@dataclass(frozen=True, eq=False)
class Phantom:
    """A rendered view. The box is top, left, bottom, right in pixels, of the lesion that was drawn if any."""

    values: NDArray[np.uint16]  # rows x columns, below 0.95 of full scale
    lesion_box: lesions.Box | None
    kind: LesionKind | Literal[""]


@dataclass(frozen=True, eq=False)
class _Texture:
    """The random fields of one view at the picture's size, each with mean 0 and variance 1."""

    clumps: Field
    grain: Field
    strands: Field
    clouds: Field


def render(view: PhantomView, size: Size = SIZE, with_lesion: bool = True) -> Phantom:
    """Render a view at `size` (rows, columns). Without its lesion, all other pixels are exactly the same."""
    if not 0 < size[1] <= WIDEST * size[0]:
        raise StudyError(f"A phantom is at most {WIDEST:.2f} times as wide as high; {size} is not.")
    grid = Grid(*size)
    shape = outline(view.breast, view.view_position, _stance(view))
    skin = enlarge(shape.skin, grid)
    texture = _sample_texture(view, grid, shape.nipple)
    tissue = _glandular(view, grid, shape, texture)
    if with_lesion:
        _add_lesion(view, grid, tissue)
    light = _transmitted(view, skin, tissue)
    if shape.pectoral is not None:
        _add_muscle(view, light, enlarge(shape.pectoral, grid), skin, texture, grid)
    values = _expose(view, light, skin, grid)
    if view.laterality == Laterality.RIGHT:
        values = np.ascontiguousarray(values[:, ::-1])
    if view.lesion is None or not with_lesion:
        return Phantom(values, None, "")
    return Phantom(values, lesion_box(view, size), view.lesion.kind)


def lesion_box(view: PhantomView, size: Size) -> lesions.Box | None:
    """Return the box of the view's lesion in an image of `size`, from the geometry alone; None without a lesion."""
    if view.lesion is None:
        return None
    grid = Grid(*size)
    top, left, bottom, right = lesions.place(view.lesion, grid, _centre(view, view.lesion))
    if view.laterality == Laterality.LEFT:
        return top, left, bottom, right
    return top, size[1] - right, bottom, size[1] - left


def phantom_images(
    patients: int,
    *,
    seed: int,
    size: Size = SIZE,
    contrast: float = DEFAULT_CONTRAST,
    positive_fraction: float = POSITIVE_FRACTION,
) -> ImportBatch:
    """Return a phantom cohort as a batch to import. Images are rendered when they are loaded."""
    views = sample_cohort(patients, seed=seed, contrast=contrast, positive_fraction=positive_fraction)
    return ImportBatch("MG", images=tuple(_import_image(view, size) for view in views))


def _import_image(view: PhantomView, size: Size) -> ImportImage:
    return ImportImage(
        name=f"phantom {view.patient} {view.laterality} {view.view_position}",
        patient_key=f"phantom-{view.patient}",
        pathology=view.pathology,
        pixel_spacing_mm=FIELD_HEIGHT_MM / size[0],
        modality="MG",
        load=partial(_load, view, size),
        attributes={"laterality": view.laterality.value, "view_position": view.view_position.value},
        lesions=_known_lesions(view, size),
        groups={"lesion_kind": _WORDS[view.lesion.kind] if view.lesion else "", "density": _density(view)},
    )


def _known_lesions(view: PhantomView, size: Size) -> tuple[dict[str, float], ...]:
    """Return the lesion's box in shares of height and width, or (): a phantom is known to have no other lesion."""
    box = lesion_box(view, size)
    if box is None:
        return ()
    top, left, bottom, right = box
    return ({"top": top / size[0], "left": left / size[1], "bottom": bottom / size[0], "right": right / size[1]},)


def _density(view: PhantomView) -> str:
    """Return the density of the breast as a letter from a, the least dense, to d."""
    return "abcd"[bisect(_DENSITIES, view.breast.density)]


def _load(view: PhantomView, size: Size) -> Pixels:
    return Pixels(render(view, size).values, bits=16)


def _stream(view: PhantomView, number: int) -> np.random.Generator:
    return np.random.default_rng([view.seed, number])


def _stance(view: PhantomView) -> Stance:
    return draw_stance(view.breast, view.view_position, _stream(view, _OUTLINE))


def _sample_texture(view: PhantomView, grid: Grid, nipple: tuple[float, float]) -> _Texture:
    coarse, fine = coarse_grid(512), coarse_grid(1024)
    clumps = power_law(_stream(view, _CLUMPS), coarse, beta=3.2, longest_mm=70)
    clouds = power_law(_stream(view, _CLOUDS), coarse, beta=3.0, longest_mm=50)
    grain = power_law(_stream(view, _GRAIN), fine, beta=2.6, longest_mm=18)
    strands = _strands(_stream(view, _STRANDS), nipple)
    return _Texture(*(enlarge(field, grid) for field in (clumps, grain, strands, clouds)))


def _strands(rng: np.random.Generator, nipple: tuple[float, float]) -> Field:
    """Ducts and ligaments: noise drawn out along the rays from the nipple, which waver outwards."""
    grid = coarse_grid(576)
    rays = power_law(rng, Grid(512, 256), beta=1.8, longest_mm=40 * 286 / 512, stretch=0.22)
    dx, dy = np.float32(nipple[0] + 8) - grid.x, grid.y - np.float32(nipple[1])
    r, angle = np.hypot(dx, dy), np.arctan2(dy, np.maximum(dx, np.float32(1e-3)))
    bends = smooth(rng.standard_normal((32, 27), dtype=np.float32), 2.4)
    waver = enlarge(bends / bends.std(), grid) * np.minimum(r / 60, np.float32(1.5))
    rows = (angle / np.float32(np.pi) + np.float32(0.5)) * 400 + 56 + 9 * waver
    return sample_at(rays, rows, r * np.float32(0.9))


def _glandular(view: PhantomView, grid: Grid, shape: Shape, texture: _Texture) -> Field:
    """How much dense tissue each ray meets: clumps in a cone behind the nipple, strands, and fat between."""
    density = view.breast.density + 0.12 * _stream(view, _DENSITY).normal()
    cone = enlarge(_cone(view, shape.nipple), grid)
    level = np.float32(0.55 * density - 0.80) + np.float32(1.25) * cone
    level += np.float32(0.62) * texture.clumps + np.float32(0.10) * texture.grain
    level += np.float32(0.12) * texture.strands
    clumps = sigmoid(np.float32(2.4) * level)
    clumps *= (
        np.float32(0.52)
        + np.float32(0.14) * texture.clouds
        + np.float32(0.05) * texture.grain
        + np.float32(0.055) * texture.strands
    )
    ligaments = np.maximum(texture.strands - np.float32(0.5), 0) * np.clip(cone + np.float32(0.6), 0.15, 1)
    clumps += np.float32(0.055) * ligaments
    clumps += np.float32(0.045) * texture.clouds + np.float32(0.012) * texture.grain
    return clumps


def _cone(view: PhantomView, nipple: tuple[float, float]) -> Field:
    """Where glandular tissue is likely, on a coarse grid: highest in a cone behind the nipple."""
    grid = coarse_grid(288)
    depth = (nipple[0] - grid.x) / nipple[0]
    across = (grid.y - nipple[1]) / view.breast.half_width_mm
    behind = np.maximum(depth - 0.42, 0) * 1.35
    before = np.maximum(0.10 - depth, 0) * 2.5
    beside = across * (0.95 + 0.55 * np.abs(across))
    cone: Field = (1.25 - 1.5 * np.sqrt(behind**2 + before**2 + beside**2)).astype(np.float32)
    return cone


def _centre(view: PhantomView, lesion: Lesion) -> tuple[float, float]:
    """Return the centre of a lesion in a left breast, x and y in mm."""
    x, y = _stance(view).nipple
    half = 0.85 * view.breast.half_width_mm * np.sqrt(1 - lesion.depth**2)
    height = lesion.height[0 if view.view_position == View.CC else 1]
    return x * lesion.depth, y + height * float(half)


def _add_lesion(view: PhantomView, grid: Grid, tissue: Field) -> None:
    """Add the brightness of the lesion, if there is one, to the tissue in place."""
    if view.lesion is None:
        return
    patch = lesions.draw(view.lesion, grid, _centre(view, view.lesion))
    top, left, bottom, right = patch.area
    tissue[top:bottom, left:right] += patch.light


def _transmitted(view: PhantomView, skin: Field, tissue: Field) -> Field:
    """Brightness of tissue under a compression that thins out towards the skin, and the skin's own line."""
    q = np.clip(skin * np.float32(2 / view.breast.thickness_mm), 0, 1)
    thickness = np.sqrt(q * (2 - q))
    light: Field = thickness * (np.float32(0.24) - np.float32(0.04) * thickness + np.float32(0.60) * tissue)
    near = (skin > 0) & (skin < 4)
    light[near] += np.float32(0.13) * np.exp(-(((skin[near] - np.float32(0.9)) / np.float32(0.9)) ** 2))
    return light


def _add_muscle(view: PhantomView, light: Field, muscle: Field, skin: Field, texture: _Texture, grid: Grid) -> None:
    """Lay the pectoral muscle over the upper corner, in place, with a soft and slightly wavering border."""
    sway = enlarge(power_law(_stream(view, _SWAY), coarse_grid(96), beta=4.0, longest_mm=60), grid)
    share = sigmoid((muscle + np.float32(2.5) * sway + np.float32(0.5) * texture.clouds) / np.float32(1.7))
    # The skin of the armpit is drawn over the muscle.
    share *= np.clip((skin - 3) / 12, 0, 1)
    muscle_light = (
        np.float32(0.44)
        + np.float32(0.03) * texture.clouds
        + np.float32(0.012) * texture.clumps
        + np.float32(0.0020) * np.clip(muscle, 0, 60)
    )
    light += share * (muscle_light - light)


def _expose(view: PhantomView, light: Field, skin: Field, grid: Grid) -> NDArray[np.uint16]:
    """Cut out the breast, add quantum noise, and compress highlights as digitised film does: nothing ever saturates."""
    light *= np.clip(skin / np.float32(grid.pixel_mm) + np.float32(0.5), 0, 1)
    noise = _stream(view, _QUANTA).standard_normal((grid.rows, grid.columns), dtype=np.float32)
    light += _NOISE * np.sqrt(np.maximum(light, np.float32(0.002))) * noise
    light = np.maximum(light, 0)
    bright = light > 0.75
    light[bright] = 0.75 + 0.19 * np.tanh((light[bright] - 0.75) / 0.19)
    return quantise(light * np.float32(WHITE))
