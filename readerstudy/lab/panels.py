"""The panels of an adversarial image (real, adversarial, difference) as JPEG files, made once."""

import os
from pathlib import Path
from typing import Final

from django.conf import settings

from readerstudy.errors import StudyError
from readerstudy.imaging.image import Grey16
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.thumbnails import Grey8, choose_window, difference_image, encode_jpeg, mirror, read_small
from readerstudy.truth.models import Truth

PANELS: Final = ("real", "adversarial", "difference")
FOLDER: Final = "panels"  # below the cache folder
SMALL: Final = 280  # rows and columns
SMALL_QUALITY, FULL_QUALITY = 82, 92  # of the JPEG
DIFFERENCE_PERCENTILE: Final = 99.9  # of the absolute change, which becomes black or white


def panel_file(truth: Truth, panel: str, *, is_small: bool) -> Path:
    """Return the JPEG of one panel, made if it does not exist. `truth` is that of an adversarial stimulus.

    Raises StudyError or OSError if a stored image is missing or damaged.
    """
    folder = Path(settings.CACHE_DIR) / FOLDER / truth.stimulus.sha256[:2]
    path = folder / f"{truth.stimulus.sha256}-{panel}-{'small' if is_small else 'full'}.jpg"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part")
        quality = SMALL_QUALITY if is_small else FULL_QUALITY
        draft.write_bytes(encode_jpeg(_panel(truth, panel, is_small=is_small), quality=quality))
        draft.replace(path)
    return path


def _panel(truth: Truth, panel: str, *, is_small: bool) -> Grey8:
    if truth.parent is None:
        raise StudyError("A real image has no adversarial image to compare with.")
    real, adversarial = (_read(stimulus.path, is_small=is_small) for stimulus in (truth.parent, truth.stimulus))
    if panel == "difference":
        values = difference_image(real, adversarial, percentile=DIFFERENCE_PERCENTILE).values
    else:
        values = choose_window(real).apply(real if panel == "real" else adversarial)
    return mirror(values) if truth.stimulus.image.hangs_mirrored else values


def _read(path: Path, *, is_small: bool) -> Grey16:
    return read_small(path, largest=SMALL) if is_small else decode_png(path)
