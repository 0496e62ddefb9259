"""The panels of an image (real, adversarial, difference) as JPEG files, made once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from django.conf import settings

from readerstudy.cohort.models import Stimulus
from readerstudy.imaging.image import WHITE
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.thumbnails import Grey8, encode_jpeg, read_small
from readerstudy.truth.queries import GalleryImage

PANELS: Final = ("real", "adversarial", "difference")
FOLDER: Final = "panels"  # below the cache folder
SMALL: Final = 280  # rows and columns
_QUALITY: Final = {True: 82, False: 92}  # of the JPEG, small or not


def panels_of(image: GalleryImage) -> tuple[str, ...]:
    """Return the panels that the image has: one that was made from no other, real or synthetic, has itself alone."""
    return PANELS if image.source else (image.authenticity.value,)


def panel_file(image: GalleryImage, panel: str, *, is_small: bool) -> Path:
    """Return the JPEG of one panel; those of an image are made together.

    Raises StudyError or OSError if a stored image is missing or damaged.
    """
    path = _path(image, panel, is_small=is_small)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        panels = _render(image, is_small=is_small)
        for name, values in panels.values.items():
            _write(_path(image, name, is_small=is_small), encode_jpeg(values, quality=_QUALITY[is_small]))
        if panels.scale is not None:
            _write(_scale_path(image, is_small=is_small), str(panels.scale).encode())
    return path


def difference_scale(image: GalleryImage, *, is_small: bool) -> float | None:
    """Return the change that is white or black in the difference, as a share of the grey scale; None without one.

    Raises as `panel_file`.
    """
    if not image.source:
        return None
    path = _scale_path(image, is_small=is_small)
    if not path.exists():
        _path(image, "difference", is_small=is_small).unlink(missing_ok=True)  # made before scales were kept
        panel_file(image, "difference", is_small=is_small)
    return float(path.read_text()) / WHITE


def _path(image: GalleryImage, panel: str, *, is_small: bool) -> Path:
    folder = Path(settings.CACHE_DIR) / FOLDER / image.stimulus.sha256[:2]
    return folder / f"{image.stimulus.sha256}-{panel}-{'small' if is_small else 'full'}.jpg"


def _scale_path(image: GalleryImage, *, is_small: bool) -> Path:
    return _path(image, "difference", is_small=is_small).with_suffix(".scale")


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(f".{uuid4().hex}.part")  # two requests may make the same panels at once
    draft.write_bytes(content)
    draft.replace(path)


@dataclass(frozen=True)
class _Panels:
    """The panels by name, and the 16-bit levels that are white or black in the difference."""

    values: dict[str, Grey8]
    scale: float | None = None


def _render(image: GalleryImage, *, is_small: bool) -> _Panels:
    def values(stimulus: Stimulus) -> Any:
        return read_small(stimulus.path, largest=SMALL) if is_small else decode_png(stimulus.path)

    shown = image.stimulus.image
    modality = shown.exam.patient.cohort.modality
    is_mirrored = modality.hang(shown.attributes).is_mirrored
    if image.source is None:
        (only,) = panels_of(image)
        return _Panels({only: modality.small_pictures.image(values(image.stimulus), is_mirrored=is_mirrored)})
    triptych = modality.small_pictures.triptych(values(image.source), values(image.stimulus), is_mirrored=is_mirrored)
    shown_as = {"real": triptych.real, "adversarial": triptych.adversarial, "difference": triptych.difference.values}
    return _Panels(shown_as, triptych.difference.scale)
