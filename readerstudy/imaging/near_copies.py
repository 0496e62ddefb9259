"""Near-copies: the same picture again, encoded, scaled, cropped, mirrored, windowed or with noise.

Two pictures of the same standard view look alike at low frequencies. So everything is compared after a high-pass filter
that gives every part of the picture the same weight: outlines that all pictures share count no more than texture.
A hash of 256 bits finds candidates (`hash_index`), sketches of 8 kB thin them out, and the correlation of small copies
decides, after they are aligned.
Thresholds and how they were measured: docs/decisions/0022-near-copies.md.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from readerstudy.imaging.alignment import Field, aligned_correlation, shifted_correlation
from readerstudy.imaging.image import WHITE, Grey16, quantise

# Two pictures are near-copies from this correlation on.
NEAR: Final = 0.9

HASH_WORDS: Final = 4  # of 64 bits

# Sketches of copies correlate at least as much, even without alignment.
_RESEMBLING: Final = 0.6
_SIDE: Final = 128  # pixels of the small copy
_LEAST_RANGE: Final = WHITE / 1000  # of its grey levels; a flatter picture has nothing that could be compared


@dataclass(frozen=True)
class _Band:
    """A high-pass filter with local normalisation; lengths are pixels of the picture that is filtered."""

    blur: float  # what is subtracted
    neighbourhood: float  # where the local standard deviation is taken
    floor: float  # share of the whole standard deviation that is added; keeps noise of the background small

    def __call__(self, values: Field) -> Field:
        """Return the filtered picture with mean 0 and norm 1."""
        detail = values - gaussian_filter(values, self.blur, mode="nearest")
        local = np.sqrt(gaussian_filter(detail * detail, self.neighbourhood, mode="nearest"))
        even = detail / (local + self.floor * detail.std() + 1e-6)
        even -= even.mean()
        filtered: Field = even / (np.linalg.norm(even) + 1e-12)
        return filtered


_HASHED: Final = _Band(blur=1.5, neighbourhood=3.0, floor=0.15)  # on half the side
_COARSE: Final = _Band(blur=4.0, neighbourhood=7.0, floor=0.25)  # on half the side
_MIDDLE: Final = _Band(blur=3.0, neighbourhood=8.0, floor=0.25)
_FINE: Final = _Band(blur=1.5, neighbourhood=4.0, floor=0.15)


def _hashed_frequencies() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of the DCT coefficients that are hashed: 256 in a ring of middle frequencies."""
    rows, columns = np.mgrid[0:19, 0:19]
    radius = np.hypot(rows, columns)
    chosen = (radius >= 4) & (radius <= 18)
    return rows[chosen], columns[chosen]


_FREQUENCIES: Final = _hashed_frequencies()


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    words: NDArray[np.uint64] = np.packbits(bits).view(">u8").astype(np.uint64)
    return words


# Mirrored pictures differ in the sign of the coefficients with an odd number of half waves along a row.
MIRRORED: Final[NDArray[np.uint64]] = _packed(_FREQUENCIES[1] % 2 == 1)


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is kept of a picture in memory to tell quickly that another is no copy."""

    words: NDArray[np.uint64]  # the hash, (4,)
    detail: NDArray[np.float16]  # 64 x 64, filtered

    def resembles(self, other: "Sketch") -> bool:
        """Return whether a comparison of the signatures is worth its time."""
        theirs = other.detail[:, ::-1] if is_closer_mirrored(self.words, other.words) else other.detail
        return shifted_correlation(self.detail.astype(np.float32), theirs.astype(np.float32)) >= _RESEMBLING


@dataclass(frozen=True, eq=False)
class Signature:
    """What two pictures are compared by."""

    small: Grey16  # 128 x 128
    sketch: Sketch

    @property
    def words(self) -> NDArray[np.uint64]:
        return self.sketch.words

    @property
    def text(self) -> str:
        """Return the hash as 64 hexadecimal digits."""
        return self.words.astype(">u8").tobytes().hex()

    def correlation(self, other: "Signature") -> float:
        """Return the correlation of both pictures' details, or of one with the other mirrored if that is closer."""
        is_mirrored = is_closer_mirrored(self.words, other.words)
        return aligned_correlation(_versions(self, False), _versions(other, is_mirrored))


def sign(values: Grey16 | NDArray[Any]) -> Signature | None:
    """Return the signature of a picture without its frame; None for a picture without contrast."""
    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    small = quantise(np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)))
    if float(np.ptp(small)) < _LEAST_RANGE:
        return None
    detail = _HASHED(_half(small.astype(np.float32)))
    coefficients = dctn(detail.astype(np.float64), norm="ortho")
    return Signature(small, Sketch(_packed(coefficients[_FREQUENCIES] > 0), detail.astype(np.float16)))


def is_near_copy(one: Signature, other: Signature) -> bool:
    """Return whether both are the same picture, one of them possibly mirrored."""
    return one.correlation(other) >= NEAR


def words_of(text: str) -> NDArray[np.uint64]:
    """Return the words of a hash that `Signature.text` has written. Raises ValueError for another text."""
    if len(text) != 16 * HASH_WORDS:
        raise ValueError(f"A perceptual hash has {16 * HASH_WORDS} hexadecimal digits, not {len(text)}.")
    return np.frombuffer(bytes.fromhex(text), dtype=">u8").astype(np.uint64)


def distance(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    """Return how many of the 256 bits differ."""
    return int(np.bitwise_count(one ^ other).sum())


def is_closer_mirrored(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> bool:
    """Return whether a hash is nearer to the other picture mirrored than to the other picture."""
    return distance(one, other ^ MIRRORED) < distance(one, other)


@lru_cache(maxsize=16)  # a new image is compared with several others
def _versions(signature: Signature, is_mirrored: bool) -> tuple[Field, ...]:
    """Return the small copy, possibly mirrored, from blurred to sharp."""
    small = signature.small.astype(np.float32)
    small = np.ascontiguousarray(small[:, ::-1]) if is_mirrored else small
    return _COARSE(_half(small)), _MIDDLE(small), _FINE(small)


def _half(small: Field) -> Field:
    half: Field = small.reshape(_SIDE // 2, 2, _SIDE // 2, 2).mean(axis=(1, 3))
    return half
