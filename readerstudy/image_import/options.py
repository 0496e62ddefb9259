"""What a person chose for an import, as frozen values that are stored as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from readerstudy.truth.actions.cohort_import import PAPER_SPLIT


@dataclass(frozen=True)
class CohortOptions:
    """Options of the import of a cohort, as those of the command `import_cohort`.

    `table` is a path in the folder, "" for the only table there; `columns` maps our columns to the table's.
    """

    modality: str
    table: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    pathology_per: Literal["patient", "image"] = "patient"
    resolutions: tuple[str, ...] = ()  # none: all
    seed: int = 1
    fractions: tuple[float, ...] = PAPER_SPLIT
    is_drawn: bool = False  # by a computer
    affected_side_only: bool = False


@dataclass(frozen=True)
class PairOptions:
    """Options of the import of adversarial images, as those of the command `import_adversarial`."""

    table: str = ""
    attack: str = ""
    description: str = ""
    made_by: str = ""
    keep_background: bool = False
    keep_grid: bool = False


Options = CohortOptions | PairOptions
