"""Draw one phantom mammogram: thickness, glandular tissue, skin, muscle, lesion, noise, response curve."""

from bisect import bisect
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from readerstudy.errors import StudyError
from readerstudy.imaging.fields import Field, enlarge, power_law, sigmoid
from readerstudy.imaging.image import WHITE, Pixels, Size, quantise
from readerstudy.modalities.mammography.attributes import Laterality, View
from readerstudy.modalities.mammography.phantom import lesions
from readerstudy.modalities.mammography.phantom.anatomy import (
    DEFAULT_CONTRAST,
    POSITIVE_FRACTION,
    PhantomView,
    sample_cohort,
)
from readerstudy.modalities.mammography.phantom.findings import Finding, LesionKind
from readerstudy.modalities.mammography.phantom.grid import FIELD_HEIGHT_MM, WIDEST, Box, Grid, box, coarse_grid
from readerstudy.modalities.mammography.phantom.shape import Shape, Stance, draw_stance, lowest_muscle, outline
from readerstudy.modalities.mammography.phantom.streams import Stream, stream
from readerstudy.modalities.mammography.phantom.tissue import Texture, dense_tissue, muscle_light, sample_texture
from readerstudy.sources.source import ImportBatch, ImportImage

SIZE: Final = (1024, 832)  # rows and columns, unless another is asked for
# Standard deviation of the noise at full brightness, in pixels of this size: larger pixels collect more quanta.
_NOISE: Final = 0.016
_NOISE_PIXEL_MM: Final = 286 / 1024
# The words that form subgroups.
_WORDS: Final[dict[LesionKind, str]] = {"mass": "mass", "benign": "mass", "calc": "calcification"}
_DENSITIES: Final = (-0.8, 0.0, 0.8)  # limits between a and b, b and c, c and d, for a density drawn around 0


@dataclass(frozen=True, eq=False)
class Phantom:
    """A rendered view. The box is top, left, bottom, right in pixels, of the lesion that was drawn if any."""

    values: NDArray[np.uint16]  # rows x columns, below 0.95 of full scale
    lesion_box: Box | None
    kind: LesionKind | Literal[""]


def render(view: PhantomView, size: Size = SIZE, with_lesion: bool = True) -> Phantom:
    """Render a view at `size` (rows, columns). Without its lesion, all other pixels are exactly the same."""
    if not 0 < size[1] <= WIDEST * size[0]:
        raise StudyError(f"A phantom is at most {WIDEST:.2f} times as wide as high; {size} is not.")
    shape = outline(view.breast, view.view_position, _stance(view))
    grid = shape.seen_on(Grid(*size))  # nothing is drawn in the air beside the breast
    skin = enlarge(shape.skin, grid)
    texture = sample_texture(view, grid, shape)
    tissue = dense_tissue(view, grid, shape, texture)
    for finding in view.distractors:
        _add_finding(view, finding, grid, tissue)
    if with_lesion and view.lesion is not None:
        _add_finding(view, view.lesion, grid, tissue)
    light = _transmitted(view, skin, tissue)
    if shape.pectoral is not None:
        _add_muscle(view, light, shape.pectoral, skin, texture, grid)
    _add_skin(view, light, shape, skin, grid)
    values = _expose(view, light, skin, Grid(*size))
    if view.laterality == Laterality.RIGHT:
        values = np.ascontiguousarray(values[:, ::-1])
    if view.lesion is None or not with_lesion:
        return Phantom(values, None, "")
    return Phantom(values, lesion_box(view, size), view.lesion.kind)


def lesion_box(view: PhantomView, size: Size) -> Box | None:
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
    return ImportBatch("MG", images=tuple(_import_image(view, size) for view in views), is_drawn=True)


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
    """Return the lesion's box in shares of height and width, or (): distractors do not count."""
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


def _stance(view: PhantomView) -> Stance:
    return draw_stance(view.breast, view.view_position, stream(view, Stream.OUTLINE))


def _centre(view: PhantomView, finding: Finding) -> tuple[float, float]:
    """Return the centre of a finding in a left breast, x and y in mm; in MLO it lies in front of the muscle."""
    stance = _stance(view)
    x, y = stance.nipple
    half = 0.85 * view.breast.half_width_mm * float(np.sqrt(1 - finding.depth**2))
    at_x = x * finding.depth
    if view.view_position == View.CC:
        return at_x, y + finding.height[0] * half
    return at_x, max(y + finding.height[1] * half, lowest_muscle(view.breast, stance, at_x) + 0.5 * finding.radius_mm)


def _add_finding(view: PhantomView, finding: Finding, grid: Grid, tissue: Field) -> None:
    """Add the brightness of a finding to the tissue, in place."""
    number = 0 if view.view_position == View.CC else 1
    patch = lesions.draw(finding, grid, _centre(view, finding), view=number)
    top, left, bottom, right = patch.area
    tissue[top:bottom, left:right] += patch.light


def _transmitted(view: PhantomView, skin: Field, tissue: Field) -> Field:
    """Return the brightness of tissue under a compression that thins out towards the skin."""
    q = np.clip(skin * np.float32(1.8 / view.breast.thickness_mm), 0, 1)
    thickness = (q * (2 - q)) ** np.float32(0.5)
    light: Field = thickness * (np.float32(0.20) + np.float32(0.62) * tissue)
    return light


def _add_skin(view: PhantomView, light: Field, shape: Shape, skin: Field, grid: Grid) -> None:
    """Add the skin, in place: a thin soft layer of uneven thickness, thicker at the nipple, and the nipple itself."""
    uneven = enlarge(power_law(stream(view, Stream.SKIN), coarse_grid(64), beta=3.0, longest_mm=70), grid)
    near = (skin > -1) & (skin < 12)
    rows, columns = np.nonzero(near)
    x, y = grid.x[0, columns], grid.y[rows, 0]
    across = np.hypot((x - np.float32(shape.nipple[0])) / 14, (y - np.float32(shape.nipple[1])) / 17)
    areola, own = np.exp(-(across**4)), uneven[near]
    width = np.float32(1.1) + np.float32(0.25) * own + np.float32(1.1) * areola
    depth = skin[near] / np.maximum(width, np.float32(0.6))
    strength = np.float32(0.07) + np.float32(0.016) * own + np.float32(0.05) * areola
    light[near] += strength * np.exp(-(np.abs(depth - np.float32(0.7)) ** 2.5)) * np.clip(depth + 1, 0, 1)
    _add_nipple(light, shape, grid)


def _add_nipple(light: Field, shape: Shape, grid: Grid) -> None:
    """Add the brightness of the nipple, in place; one that is not in profile lies over the tissue."""
    (x, y), (half_depth, half_width) = shape.nipple_centre, shape.nipple_size
    top, left, bottom, right = box(grid, (x, y), 3 * max(shape.nipple_size))
    across = (grid.x[:, left:right] - np.float32(x)) / np.float32(half_depth)
    down = (grid.y[top:bottom] - np.float32(y)) / np.float32(half_width)
    light[top:bottom, left:right] += np.float32(0.075) * sigmoid((1 - np.hypot(across, down)) * 5)


def _add_muscle(view: PhantomView, light: Field, muscle: Field, skin: Field, texture: Texture, grid: Grid) -> None:
    """Lay the pectoral muscle over the upper corner, in place, under a thin veil of fat and ligaments."""
    share = sigmoid((enlarge(muscle, grid) + np.float32(0.25) * texture.clouds) / np.float32(0.9))
    # The skin of the armpit is drawn over the muscle.
    share *= np.clip((skin - 3) / 12, 0, 1)
    light += share * (muscle_light(view, muscle, texture, grid) + np.float32(0.18) * light - light)


def _expose(view: PhantomView, light: Field, skin: Field, grid: Grid) -> NDArray[np.uint16]:
    """Cut out the breast, add quantum noise, and compress highlights as digitised film does: nothing ever saturates."""
    light *= np.clip(skin / np.float32(grid.pixel_mm) + np.float32(0.5), 0, 1)
    light = np.pad(light, ((0, 0), (0, grid.columns - light.shape[1])))
    noise = stream(view, Stream.QUANTA).standard_normal((grid.rows, grid.columns), dtype=np.float32)
    # The scatter of light in the detector carries a part of each pixel's noise into its neighbours.
    noise = np.float32(0.8) * noise + np.float32(0.42) * (np.roll(noise, 1, axis=0) + np.roll(noise, 1, axis=1))
    per_pixel = np.float32(_NOISE * _NOISE_PIXEL_MM / grid.pixel_mm)
    light += per_pixel * np.sqrt(np.maximum(light, np.float32(0.002))) * noise
    light = np.maximum(light, 0)
    bright = light > 0.75
    light[bright] = 0.75 + 0.19 * np.tanh((light[bright] - 0.75) / 0.19)
    return quantise(light * np.float32(WHITE))
