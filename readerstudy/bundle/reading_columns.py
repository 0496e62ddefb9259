"""The columns of a study's readings in the API and in its files: the one source of both and of their codebook."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from readerstudy.bundle import columns
from readerstudy.bundle.columns import Column, Type, attribute_columns
from readerstudy.modalities.modality import Modality

# No value depends on the image.
BLIND: Final = (
    columns.READER,
    columns.SESSION,
    columns.POSITION,
    Column("presentation", Type.TEXT, _("random code under which this reader sees the image")),
    columns.VERDICT,
    columns.ELAPSED,
    Column("shown_at", Type.MOMENT, _("when the server handed out the image, in UTC")),
    Column("answered_at", Type.MOMENT, _("when the server stored the verdict, in UTC")),
    replace(columns.GRADE, name="quality"),
    replace(columns.REASONS, name="quality_reasons", type=Type.LIST),
    columns.ANSWERS,
    columns.RECEIPT,
    columns.REPEAT,
    columns.ARM,
)
# They need the truth: why an image was excluded, what an aid displays, and how a reader then handles the image, may
# depend on the image. Followed by the characteristics of the image.
SIGHTED: Final = (
    columns.SHOWN,
    columns.PATHOLOGY,
    columns.DIRECTION,
    Column("image", Type.TEXT, _("pseudonym: the same for an image and the adversarial image made from it")),
    Column("patient", Type.TEXT, _("pseudonym: the same for all images of a patient")),
    columns.SPLIT,
    columns.EXCLUDED,
    columns.AID_SCORE,
    Column("aid_threshold", Type.NUMBER, _("threshold that the aid displays; empty: no aid")),
    replace(columns.AID_ABOVE, name="aid_above"),
    Column(
        "classifier_score",
        Type.NUMBER,
        _("probability of the finding, from 0 to 1, by the classifier of the report’s Table 1; empty: not scored"),
    ),
    replace(columns.SOURCE_SCORE, name="classifier_source_score"),
    columns.PARADATA,
)
ROWS: Final = _(
    "One verdict of one reader on one image. With missing=true also one image of a reader’s list without a verdict: "
    "what depends on the verdict is empty."
)


def reading_columns(modality: Modality, *, sighted: bool) -> tuple[Column, ...]:
    """Return the columns of readings in order, with or without those that need the truth."""
    return (*BLIND, *SIGHTED, *attribute_columns(modality, prefix="")) if sighted else BLIND


@dataclass(frozen=True)
class CodebookEntry:
    """A column with its texts in the active language. `with_truth`: it needs the right to see the truth."""

    column: Column
    with_truth: bool


def codebook_of_readings(modality: Modality) -> Iterator[CodebookEntry]:
    """Yield every column that the readings of a study with this modality can have."""
    for column in reading_columns(modality, sighted=True):
        levels = {level: gettext(meaning) for level, meaning in column.levels.items()}
        said = replace(column, meaning=gettext(column.meaning), levels=levels)
        yield CodebookEntry(said, with_truth=column not in BLIND)
