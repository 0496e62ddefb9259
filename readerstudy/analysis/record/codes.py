"""Codes of verdicts, authenticity and pathology; subsets of images as in the article."""

import re
from enum import StrEnum

from readerstudy.vocabulary import Pathology

REAL, ADVERSARIAL, PAIR = "real", "adversarial", "pair"
POSITIVE, NEGATIVE = "positive", "negative"
SEEN, UNSURE = "seen", "unsure"
VERDICTS = ("real", "not_real", UNSURE, SEEN)


def reader_sort_key(code: str) -> list[str | int]:
    """Return the key that sorts reader codes in natural order: R2 before R10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", code)]


def source_pathology(pathology: str) -> str:
    """Return POSITIVE for positive, NEGATIVE for other findings and normal, as in the article."""
    return POSITIVE if pathology == Pathology.POSITIVE else NEGATIVE


class Subset(StrEnum):
    """The article's subsets of images. Positive and negative refer to the patient's own pathology.

    `ADVERSARIAL_POSITIVE` therefore holds adversarial images made from positive source images (the finding was
    removed), whatever they look like now.
    """

    REAL = "real"
    REAL_POSITIVE = "real_positive"
    REAL_NEGATIVE = "real_negative"
    ADVERSARIAL = "adversarial"
    ADVERSARIAL_POSITIVE = "adversarial_positive"
    ADVERSARIAL_NEGATIVE = "adversarial_negative"

    @property
    def authenticity(self) -> str:
        """REAL or ADVERSARIAL."""
        return self.value.partition("_")[0]

    @property
    def pathology(self) -> str | None:
        """POSITIVE, NEGATIVE, or None for both."""
        return self.value.partition("_")[2] or None
