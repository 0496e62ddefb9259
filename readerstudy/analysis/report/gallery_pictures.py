"""Small 8-bit pictures of stored stimuli for a page: one film, or an adversarial one with its twin and difference."""

from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL import Image

from readerstudy.cohort.models import Stimulus
from readerstudy.errors import StudyError
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import fit

_LARGEST: Final = 320  # rows and columns
_WINDOW: Final = (0.5, 99.5)  # percentiles of the breast that become black and white
_QUALITY: Final = 80  # of the JPEG
_KEPT: Final = 64  # small pictures in memory: a report is opened again and again, its files never change

Window = tuple[float, float]


@dataclass(frozen=True)
class Thumbnail:
    """One small picture; where there is none, `missing` says so and `data_uri` is empty."""

    title: str
    alt: str
    data_uri: str = ""
    width: int = 0
    height: int = 0
    missing: str = ""


def single_thumbnail(stimulus: Stimulus, *, words: str) -> Thumbnail:
    """A real film by itself; `words` say what it is to who cannot see it."""
    title = _("shown: real")
    try:
        values = _small(stimulus.path, stimulus.sha256)
    except (OSError, StudyError):
        return _missing(title, words)
    return _thumbnail(title, words, _windowed(values, _window(values)), is_mirrored=stimulus.image.hangs_mirrored)


def pair_thumbnails(
    stimulus: Stimulus, parent: Stimulus, *, number: int, words: str
) -> tuple[Thumbnail, Thumbnail, Thumbnail]:
    """The adversarial image, the film it was made from, and the difference of the two.

    Both films have one window, the real one's, so that the same grey is the same level.
    """
    titles = (_("shown: adversarial"), _("made from"), _("difference"))
    alts = (words, _("The real film that stimulus %(number)s was made from.") % {"number": number}, "")
    try:
        shown, real = _small(stimulus.path, stimulus.sha256), _small(parent.path, parent.sha256)
        difference, scale = _difference(real, shown)
    except (OSError, StudyError):
        first, second, third = (_missing(title, alt) for title, alt in zip(titles, alts, strict=True))
        return first, second, third
    window, is_mirrored = _window(real), stimulus.image.hangs_mirrored
    numbers = {"percent": f"{100 * scale / WHITE:.1f}", "number": number}
    full = _("difference, full scale ±%(percent)s %%") % numbers
    told = _(
        "Where stimulus %(number)s differs from that film; black and white are ±%(percent)s %% of all grey levels."
    )
    return (
        _thumbnail(titles[0], alts[0], _windowed(shown, window), is_mirrored=is_mirrored),
        _thumbnail(titles[1], alts[1], _windowed(real, window), is_mirrored=is_mirrored),
        _thumbnail(full, told % numbers, difference, is_mirrored=is_mirrored),
    )


@lru_cache(maxsize=_KEPT)
def _small(path: Path, sha256: str) -> Grey16:
    """The stored picture at 320 rows or columns at most; never enlarged. `sha256` tells one file from its successor."""
    values = decode_png(path)
    small = fit(values, (min(_LARGEST, values.shape[0]), min(_LARGEST, values.shape[1])))
    small.flags.writeable = False
    return small


def _window(values: Grey16) -> Window:
    """The levels that become black and white: percentiles of the breast, not of the air around it."""
    inside = values[breast_weight(values) > 0.5]
    low, high = np.percentile(inside if inside.size else values, _WINDOW)
    return float(low), float(max(high, low + 1))


def _windowed(values: Grey16, window: Window) -> NDArray[np.uint8]:
    low, high = window
    return _as_8_bit((values.astype(np.float64) - low) / (high - low))


def _difference(real: Grey16, shown: Grey16) -> tuple[NDArray[np.uint8], float]:
    """Real minus adversarial around middle grey, and the levels that black and white stand for.

    Scaled to its own largest changes, or most would be too faint to see; so the scale has to be told.
    """
    if real.shape != shown.shape:
        raise StudyError("The two films are not of the same size.")
    change = real.astype(np.float64) - shown.astype(np.float64)
    scale = max(float(np.percentile(np.abs(change), _WINDOW[1])), 1.0)
    return _as_8_bit(0.5 + change / (2 * scale)), scale


def _as_8_bit(shares: NDArray[Any]) -> NDArray[np.uint8]:
    """0 to 1 as 0 to 255; what lies beyond is held at the ends."""
    levels: NDArray[np.uint8] = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return levels


def _thumbnail(title: str, alt: str, levels: NDArray[np.uint8], *, is_mirrored: bool) -> Thumbnail:
    hanging = np.ascontiguousarray(levels[:, ::-1] if is_mirrored else levels)
    stream = BytesIO()
    Image.fromarray(hanging).save(stream, format="JPEG", quality=_QUALITY)
    uri = "data:image/jpeg;base64," + b64encode(stream.getvalue()).decode()
    return Thumbnail(title, alt, uri, width=hanging.shape[1], height=hanging.shape[0])


def _missing(title: str, alt: str) -> Thumbnail:
    return Thumbnail(title, alt, missing=_("The file of this picture is missing or damaged."))
