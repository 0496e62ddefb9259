"""8-bit pictures of twins for a researcher's screen, small or at native pixels, made once and kept as files.

Never what a reader sees: readers get the stored 16-bit files, from another door.
"""

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from readerstudy.errors import StudyError
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import fit
from readerstudy.truth.models import Truth

PANELS: Final = ("real", "adversarial", "difference")
SMALL: Final = 280  # rows and columns at most
_WINDOW: Final = (0.5, 99.5)  # percentiles of the breast that become black and white
_QUALITY: Final = {True: 82, False: 92}  # of the JPEG, by whether it is small

Levels = NDArray[np.uint8]


def picture_file(truth: Truth, panel: str, *, is_small: bool) -> Path:
    """The JPEG of a twin's panel, made where it is not there yet. `truth` is of an adversarial stimulus.

    Raises StudyError or OSError where a stored picture is missing or damaged.
    """
    folder = Path(settings.CACHE_DIR) / "lab" / truth.stimulus.sha256[:2]
    path = folder / f"{truth.stimulus.sha256}-{panel}-{'small' if is_small else 'full'}.jpg"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part")
        Image.fromarray(_levels(truth, panel, is_small)).save(draft, format="JPEG", quality=_QUALITY[is_small])
        draft.replace(path)
    return path


def _levels(truth: Truth, panel: str, is_small: bool) -> Levels:
    if truth.parent is None:
        raise StudyError("A real image has no twin to be shown beside.")
    real = _read(truth.parent.path, is_small)
    shown = real if panel == "real" else _read(truth.stimulus.path, is_small)
    if real.shape != shown.shape:
        raise StudyError("The two images are not of the same size.")
    levels = _difference(real, shown) if panel == "difference" else _windowed(shown, real)
    return np.ascontiguousarray(levels[:, ::-1] if truth.stimulus.image.hangs_mirrored else levels)


def _read(path: Path, is_small: bool) -> Grey16:
    values = decode_png(path)
    return fit(values, (min(SMALL, values.shape[0]), min(SMALL, values.shape[1]))) if is_small else values


def _windowed(values: Grey16, real: Grey16) -> Levels:
    """Both images in the real one's window, so that the same grey is the same level."""
    inside = real[breast_weight(real) > 0.5]
    low, high = np.percentile(inside if inside.size else real, _WINDOW)
    return _as_8_bit((values.astype(np.float64) - low) / max(high - low, 1.0))


def _difference(real: Grey16, shown: Grey16) -> Levels:
    """Adversarial minus real around middle grey, scaled to its own largest changes: most are faint."""
    change = shown.astype(np.float64) - real.astype(np.float64)
    return _as_8_bit(0.5 + change / (2 * scale_of(change)))


def scale_of(change: NDArray[np.float64]) -> float:
    """The change in grey levels that is shown black or white."""
    largest = float(np.percentile(np.abs(change), 99.9))
    return min(max(largest, 1.0), float(WHITE))


def _as_8_bit(shares: NDArray[Any]) -> Levels:
    """0 to 1 as 0 to 255; what lies beyond is held at the ends."""
    levels: Levels = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return levels
