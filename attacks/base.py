"""Base types of attacks."""

from typing import Protocol

import numpy as np

from models_ml.errors import WrongImages
from readerstudy.imaging.image import Grey16


class ImageAttack(Protocol):
    """An immutable callable that makes the adversarial image of an image, of the same size and bit depth.

    Its fields are its provenance.
    """

    def __call__(self, pixels: Grey16, /) -> Grey16: ...


def require_grey_image(pixels: Grey16) -> None:
    """Raise WrongImages unless `pixels` are one 16-bit grey image."""
    if pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise WrongImages("An attack takes one 16-bit grey image of rows × columns.")


def pixels_drawn(attack: ImageAttack) -> int:
    """Return how many pixels the attack's generator draws for an image, 0 without a generator."""
    return int(getattr(attack, "pixels_drawn", 0))
