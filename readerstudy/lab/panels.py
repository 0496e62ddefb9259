"""The panels of an adversarial image (real, adversarial, difference) as JPEG files, made once."""

from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from django.conf import settings

from readerstudy.cohort.models import Stimulus
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.thumbnails import Grey8, encode_jpeg, read_small
from readerstudy.truth.queries import GalleryImage

PANELS: Final = ("real", "adversarial", "difference")
FOLDER: Final = "panels"  # below the cache folder
SMALL: Final = 280  # rows and columns
SMALL_QUALITY, FULL_QUALITY = 82, 92  # of the JPEG


def panels_of(image: GalleryImage) -> tuple[str, ...]:
    """Return the panels that the image has: a synthetic one has neither a real image nor a difference."""
    return PANELS if image.source else ("adversarial",)


def panel_file(image: GalleryImage, panel: str, *, is_small: bool) -> Path:
    """Return the JPEG of one panel; those of an image are made together.

    Raises StudyError or OSError if a stored image is missing or damaged.
    """
    folder = Path(settings.CACHE_DIR) / FOLDER / image.stimulus.sha256[:2]
    size = "small" if is_small else "full"
    paths = {name: folder / f"{image.stimulus.sha256}-{name}-{size}.jpg" for name in panels_of(image)}
    if not paths[panel].exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in _render(image, is_small=is_small).items():
            draft = paths[name].with_suffix(f".{uuid4().hex}.part")  # two requests may make the same panels at once
            draft.write_bytes(encode_jpeg(values, quality=SMALL_QUALITY if is_small else FULL_QUALITY))
            draft.replace(paths[name])
    return paths[panel]


def _render(image: GalleryImage, *, is_small: bool) -> dict[str, Grey8]:
    """Return the panels by name."""

    def values(stimulus: Stimulus) -> Any:
        return read_small(stimulus.path, largest=SMALL) if is_small else decode_png(stimulus.path)

    shown = image.stimulus.image
    modality = shown.exam.patient.cohort.modality
    is_mirrored = modality.hang(shown.attributes).is_mirrored
    if image.source is None:
        return {"adversarial": modality.small_pictures.image(values(image.stimulus), is_mirrored=is_mirrored)}
    triptych = modality.small_pictures.triptych(values(image.source), values(image.stimulus), is_mirrored=is_mirrored)
    return {"real": triptych.real, "adversarial": triptych.adversarial, "difference": triptych.difference.values}
