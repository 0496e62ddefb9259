"""The closed lists of words that images, jobs and networks share.

Database columns, job parameters, sources and the learning packages use these types. The members are strings, so that
they equal the stored and sent values. Labels for pages are in the module of the model that stores the word. What
depends on the kind of image (sizes, attributes, names of the finding) is in `modalities`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

Word = TypeVar("Word", bound=StrEnum)
Label = TypeVar("Label")


class Pathology(StrEnum):
    """The second truth of an image, the worst first: the finding of its modality, another finding, or none."""

    POSITIVE = "positive"
    OTHER = "other"
    NORMAL = "normal"

    @classmethod
    def worst(cls, pathologies: Iterable[str]) -> "Pathology":
        """Return the worst of one or more pathologies: that of a patient with these images."""
        return min(map(cls, pathologies), key=list(cls).index)


class Split(StrEnum):
    """The split of a patient."""

    TRAIN = "train"
    TUNING = "tuning"
    TEST = "test"


class CardDeterminism(StrEnum):
    """Whether a graphics card repeats a computation bit for bit: not sought, as far as possible, or an error."""

    OFF = "off"
    POSSIBLE = "possible"
    REQUIRED = "required"


class CardFloats(StrEnum):
    """How a graphics card multiplies float32: in full, or with factors rounded to the 10 bits of TF32."""

    FULL = "full"
    TF32 = "tf32"


# The methods of attacks whose images another program made: from real images of the cohort, or from none.
IMPORTED: Final = "imported"
SYNTHETIC: Final = "synthetic"
MADE_ELSEWHERE: Final = (IMPORTED, SYNTHETIC)


class Direction(StrEnum):
    """What an attack does with the signs of the finding."""

    INSERT = "insert"
    REMOVE = "remove"


def choice_pairs(labels: Mapping[Word, Label]) -> tuple[tuple[str, Label], ...]:
    """Return the labels as pairs of stored value and label, as fields of models and forms take them."""
    return tuple((word.value, label) for word, label in labels.items())
