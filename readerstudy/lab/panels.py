"""The panels of an adversarial image (real, adversarial, difference) as JPEG files, made once."""

import os
from pathlib import Path
from typing import Final

from django.conf import settings

from readerstudy.errors import StudyError
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.thumbnails import Grey8, encode_jpeg, read_small, render_triptych
from readerstudy.truth.models import Truth

PANELS: Final = ("real", "adversarial", "difference")
FOLDER: Final = "panels"  # below the cache folder
SMALL: Final = 280  # rows and columns
SMALL_QUALITY, FULL_QUALITY = 82, 92  # of the JPEG


def panel_file(truth: Truth, panel: str, *, is_small: bool) -> Path:
    """Return the JPEG of one panel; the three are made together. `truth` is that of an adversarial stimulus.

    Raises StudyError or OSError if a stored image is missing or damaged.
    """
    folder = Path(settings.CACHE_DIR) / FOLDER / truth.stimulus.sha256[:2]
    size = "small" if is_small else "full"
    paths = {name: folder / f"{truth.stimulus.sha256}-{name}-{size}.jpg" for name in PANELS}
    if not paths[panel].exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in _render(truth, is_small=is_small).items():
            draft = paths[name].with_suffix(f".{os.getpid()}.part")
            draft.write_bytes(encode_jpeg(values, quality=SMALL_QUALITY if is_small else FULL_QUALITY))
            draft.replace(paths[name])
    return paths[panel]


def _render(truth: Truth, *, is_small: bool) -> dict[str, Grey8]:
    """Return the three panels by name."""
    if truth.parent is None:
        raise StudyError("A real image has no adversarial image to compare with.")
    real, adversarial = (
        read_small(stimulus.path, largest=SMALL) if is_small else decode_png(stimulus.path)
        for stimulus in (truth.parent, truth.stimulus)
    )
    triptych = render_triptych(real, adversarial, is_mirrored=truth.stimulus.image.hangs_mirrored)
    return {"real": triptych.real, "adversarial": triptych.adversarial, "difference": triptych.difference.values}
