"""Codes of verdicts, authenticity and pathology, and the article's subsets."""

import re
from enum import StrEnum

REAL, ADVERSARIAL, PAIR = "real", "adversarial", "pair"
POSITIVE, NEGATIVE = "positive", "negative"
SEEN, UNSURE = "seen", "unsure"
VERDICTS = ("real", "not_real", UNSURE, SEEN)


def by_number(code: str) -> list[str | int]:
    """The key that sorts reader codes as people do: R2 before R10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", code)]


def source_pathology(pathology: str) -> str:
    """Malignant is positive; benign and normal are negative, as in the article."""
    return POSITIVE if pathology == "malignant" else NEGATIVE


class Subset(StrEnum):
    """The article's sub-sets. Positive and negative go by the patient's own pathology.

    So `ADVERSARIAL_POSITIVE` holds fakes *of* positives (the parent is malignant, the network took the
    signs away), whatever the fake now looks like.
    """

    REAL = "real"
    REAL_POSITIVE = "real_positive"
    REAL_NEGATIVE = "real_negative"
    ADVERSARIAL = "adversarial"
    ADVERSARIAL_POSITIVE = "adversarial_positive"
    ADVERSARIAL_NEGATIVE = "adversarial_negative"

    @property
    def authenticity(self) -> str:
        return self.value.partition("_")[0]

    @property
    def pathology(self) -> str | None:
        """positive, negative, or None for both."""
        return self.value.partition("_")[2] or None
