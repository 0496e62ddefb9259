"""Thumbnails of the gallery with their captions: a real image, or an adversarial one, its source and the difference."""

from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from readerstudy.cohort.models import Stimulus
from readerstudy.errors import StudyError
from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.imaging.thumbnails import Grey8, encode_jpeg, read_small
from readerstudy.layout.numbers import localise
from readerstudy.modalities.modality import Modality

_LARGEST: Final = 320  # rows and columns
_QUALITY: Final = 80  # of the JPEG
_KEPT: Final = 64  # thumbnails in memory: a report is opened repeatedly and its files never change


@dataclass(frozen=True)
class Thumbnail:
    """One small picture; if the file is missing, `missing` has the message and `data_uri` is empty."""

    title: str
    alt: str
    data_uri: str = ""
    width: int = 0
    height: int = 0
    missing: str = ""


def single_thumbnail(stimulus: Stimulus, modality: Modality, *, words: str) -> Thumbnail:
    """Return the thumbnail of a real image; `words` describe it for people who cannot see it."""
    title = _("shown: real")
    try:
        values = _small(stimulus.path, stimulus.sha256)
    except (OSError, StudyError):
        return _missing(title, words)
    is_mirrored = modality.hang(stimulus.image.attributes).is_mirrored
    return _thumbnail(title, words, modality.small_pictures.image(values, is_mirrored=is_mirrored))


def pair_thumbnails(
    stimulus: Stimulus, source: Stimulus, modality: Modality, *, number: int, words: str
) -> tuple[Thumbnail, Thumbnail, Thumbnail]:
    """Return the adversarial image, its source image and their difference, real minus adversarial.

    Both images are shown in the window of the source image.
    """
    titles = (_("shown: adversarial"), _("source image"), _("difference"))
    alts = (words, _("The source image of stimulus %(number)s.") % {"number": number}, "")
    try:
        shown, real = _small(stimulus.path, stimulus.sha256), _small(source.path, source.sha256)
        is_mirrored = modality.hang(stimulus.image.attributes).is_mirrored
        triptych = modality.small_pictures.triptych(real, shown, is_mirrored=is_mirrored)
    except (OSError, StudyError):
        first, second, third = (_missing(title, alt) for title, alt in zip(titles, alts, strict=True))
        return first, second, third
    numbers = {"percent": localise(f"{100 * triptych.difference.scale / WHITE:.1f}"), "number": number}
    full = _("difference, full scale ±%(percent)s %%") % numbers
    alt = _(
        "Difference of stimulus %(number)s from its source image; black and white are ±%(percent)s %% of all grey "
        "levels."
    )
    return (
        _thumbnail(titles[0], alts[0], triptych.adversarial),
        _thumbnail(titles[1], alts[1], triptych.real),
        _thumbnail(full, alt % numbers, triptych.difference.values),
    )


@lru_cache(maxsize=_KEPT)
def _small(path: Path, sha256: str) -> Grey16:
    """Return the small image; `sha256` distinguishes a file from its successor."""
    small = read_small(path, largest=_LARGEST)
    small.flags.writeable = False
    return small


def _thumbnail(title: str, alt: str, values: Grey8) -> Thumbnail:
    uri = "data:image/jpeg;base64," + b64encode(encode_jpeg(values, quality=_QUALITY)).decode()
    return Thumbnail(title, alt, uri, width=values.shape[1], height=values.shape[0])


def _missing(title: str, alt: str) -> Thumbnail:
    return Thumbnail(title, alt, missing=_("The file of this image is missing or damaged."))
