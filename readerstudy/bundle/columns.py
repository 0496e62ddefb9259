"""The tables of a bundle and their columns: the one source of what is written, what is read, and the codebook.

The columns that the readings of the API have too are public, and their texts are in the catalogue: `reading_columns`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_noop as _

from readerstudy.modalities.modality import Modality
from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.vocabulary import Direction, Pathology, Split


class Type(StrEnum):
    """The type of a column. JSON is a text that holds a list or an object; a LIST of texts is JSON in a CSV file."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    LIST = "list"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """One column: its type, unit, the values that it can have with their meanings, and what it says."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)

    @property
    def levels_text(self) -> str:
        """The values with their meanings in one line."""
        return "; ".join(f"{level}: {meaning}" for level, meaning in self.levels.items())


@dataclass(frozen=True)
class TableSpec:
    """One table. `rows` says what one row is."""

    name: str
    rows: str
    columns: tuple[Column, ...]


_SINCE_FIRST: Final = "seconds since the reader opened their first session"
_VERDICTS: Final = {
    Verdict.REAL.value: _("the image is real"),
    Verdict.NOT_REAL.value: _("the image is not real"),
    Verdict.UNSURE.value: _("the reader cannot tell"),
    Verdict.SEEN.value: _("seen, in a session that asks for no verdict"),
}
_AUTHENTICITY: Final = {"real": _("as it was taken"), "adversarial": _("altered, or made, by the attack")}
_PATHOLOGY: Final = {
    Pathology.POSITIVE.value: _("has the finding of the study"),
    Pathology.OTHER.value: _("has another finding"),
    Pathology.NORMAL.value: _("has no finding"),
}
_DIRECTIONS: Final = {
    Direction.INSERT.value: _("the finding was inserted"),
    Direction.REMOVE.value: _("the finding was removed"),
}
_SPLITS: Final = {
    Split.TRAIN.value: _("networks were trained with it"),
    Split.TUNING.value: _("networks were tuned with it"),
    Split.TEST.value: _("no network was trained or tuned with it"),
}
_GRADES: Final = {
    "A": _("the clocks of browser and server agree"),
    "B": _("they differ, and what happened explains it"),
    "C": _("they contradict each other"),
}
_KINDS: Final = {
    SessionKind.FAMILIARISATION.value: "images are seen without a verdict",
    SessionKind.BLINDED.value: "the reader judges each image",
    SessionKind.EDUCATION.value: "the reader is shown real and adversarial images with the truth",
    SessionKind.QUESTIONNAIRE.value: "questions only",
}

READER: Final = Column("reader", Type.TEXT, _("code of the reader in this study"))
ARM: Final = Column("arm", Type.TEXT, _("arm of the study"))
SESSION: Final = Column("session", Type.INTEGER, _("number of the session in the protocol"))
POSITION: Final = Column("position", Type.INTEGER, _("position in the list, from 1"))
REPEAT: Final = Column("is_repeat", Type.BOOLEAN, _("shown for the second time: only for the agreement with oneself"))
EXCLUDED: Final = Column("is_excluded", Type.BOOLEAN, _("left out of the analysis by the study team"))
SPLIT: Final = Column("split", Type.TEXT, _("part of the cohort to which the patient belongs"), levels=_SPLITS)
DIRECTION: Final = Column("direction", Type.TEXT, _("of an adversarial image with a source image"), levels=_DIRECTIONS)
PATHOLOGY: Final = Column(
    "pathology", Type.TEXT, _("of the patient’s own image, whatever the shown image looks like"), levels=_PATHOLOGY
)
SHOWN: Final = Column(
    "authenticity",
    Type.TEXT,
    _("what was shown"),
    levels={**_AUTHENTICITY, "pair": _("real and adversarial image side by side, with the truth")},
)
VERDICT: Final = Column("verdict", Type.TEXT, _("what the reader said"), levels=_VERDICTS)
ELAPSED: Final = Column(
    "elapsed_ms", Type.INTEGER, _("reading time, measured by the browser without pauses"), unit="ms"
)
GRADE: Final = Column("timing_grade", Type.TEXT, _("agreement of both clocks; empty: not graded"), levels=_GRADES)
REASONS: Final = Column("timing_reasons", Type.JSON, _("what lowered the grade, as a list of words"))
ANSWERS: Final = Column(
    "answers",
    Type.JSON,
    _("answers to the questions after the verdict, by name; marks are [x, y] in pixels of the file"),
)
PARADATA: Final = Column("paradata", Type.JSON, _("how the image was read, as the browser says: pauses, tools, view"))
RECEIPT: Final = Column("receipt", Type.TEXT, _("random number that the reader’s receipt has too; empty: missing"))
AID_SCORE: Final = Column("aid_score", Type.NUMBER, _("score that the aid displays beside the image; empty: no aid"))
AID_ABOVE: Final = Column(
    "aid_is_above", Type.BOOLEAN, _("whether the aid calls the score above its threshold; empty: no aid")
)
SOURCE_SCORE: Final = Column(
    "source_score",
    Type.NUMBER,
    _("score of the image from which an adversarial image was made; empty: none, or not scored"),
)

_CASE: Final = Column("case", Type.INTEGER, "number of the image in this bundle: row of the table images")
_PATIENT: Final = Column("patient", Type.TEXT, "pseudonym of the patient, drawn at random for this bundle")
_RESOLUTION: Final = Column("resolution", Type.TEXT, "stored size of the image")
_ATTACK: Final = Column("attack", Type.TEXT, "name of the attack that made the image; empty: real")
_AUTHENTICITY_OF_IMAGE: Final = Column("authenticity", Type.TEXT, "whether the image is real", levels=_AUTHENTICITY)


def _readings(modality: Modality) -> TableSpec:
    return TableSpec(
        "readings",
        "One image that was allocated to one reader in one session. Where the reader gave no verdict, the columns from "
        "verdict on are empty.",
        (
            READER,
            ARM,
            SESSION,
            Column("session_kind", Type.TEXT, "kind of the session", levels=_KINDS),
            Column("place", Type.INTEGER, "place of the session in the reader’s own order, from 1"),
            POSITION,
            _CASE,
            REPEAT,
            EXCLUDED,
            Column("is_withdrawn", Type.BOOLEAN, "the reader was withdrawn at some time"),
            _PATIENT,
            SPLIT,
            _RESOLUTION,
            SHOWN,
            PATHOLOGY,
            DIRECTION,
            _ATTACK,
            *attribute_columns(modality),
            VERDICT,
            ELAPSED,
            Column("shown_s", Type.NUMBER, f"when the server handed out the image: {_SINCE_FIRST}", "s"),
            Column("answered_s", Type.NUMBER, f"when the server stored the verdict: {_SINCE_FIRST}", "s"),
            GRADE,
            REASONS,
            replace(ANSWERS, meaning=f"{ANSWERS.meaning}; free texts are withheld"),
            PARADATA,
            RECEIPT,
        ),
    )


def attribute_columns(modality: Modality, *, prefix: str = "image_") -> tuple[Column, ...]:
    """Return the columns of the characteristics of images that may leave the installation."""
    return tuple(
        Column(f"{prefix}{each.name}", Type.TEXT, _("characteristic of the image, as imported; empty: unknown"))
        for each in modality.attributes
        if each.is_exported
    )


def _images(modality: Modality) -> TableSpec:
    size = "of the image as it was imported"
    return TableSpec(
        "images",
        "One image file that the study shows. Pixels are not in the bundle.",
        (
            _CASE,
            Column("sha256", Type.TEXT, "SHA-256 of the file; empty: withheld, because a sealed study shows the image"),
            Column("bytes", Type.INTEGER, "length of the file", "byte"),
            Column("rows", Type.INTEGER, "height of the file", "pixel"),
            Column("columns", Type.INTEGER, "width of the file", "pixel"),
            Column("bits", Type.INTEGER, "of a grey value", "bit"),
            Column("frames", Type.INTEGER, "slices of a stack"),
            _RESOLUTION,
            _PATIENT,
            SPLIT,
            Column("modality", Type.TEXT, "as the source stated it"),
            Column("source_rows", Type.INTEGER, f"height {size}", "pixel"),
            Column("source_columns", Type.INTEGER, f"width {size}", "pixel"),
            Column("source_bits", Type.INTEGER, f"bits of a grey value {size}", "bit"),
            Column("pixel_spacing_mm", Type.NUMBER, f"distance of pixels {size}", "mm"),
            *attribute_columns(modality),
            PATHOLOGY,
            Column("pathology_source", Type.TEXT, "where the pathology is known from"),
            Column("groups", Type.JSON, "subgroups of the finding, by name"),
            Column("lesions", Type.JSON, "boxes of lesions as shares of height and width; empty: unknown"),
            _AUTHENTICITY_OF_IMAGE,
            Column("label", Type.INTEGER, "what the image is meant to look like: 1 with the finding, 0 without"),
            DIRECTION,
            _ATTACK,
            Column("made_from_sha256", Type.TEXT, "SHA-256 of the file from which an adversarial image was made"),
            Column("seed", Type.INTEGER, "seed of the attack for this image"),
            Column("quality", Type.JSON, "similarity to the source image, by measure"),
        ),
    )


_ALLOCATION: Final = TableSpec(
    "allocation",
    "One position of the draw, the same for all readers of the arm. Readers may see the list in an order of their own.",
    (
        SESSION,
        ARM,
        POSITION,
        _CASE,
        REPEAT,
        EXCLUDED,
        AID_SCORE,
        AID_ABOVE,
    ),
)
_READERS: Final = TableSpec(
    "readers",
    "One reader with a list.",
    (
        READER,
        ARM,
        Column("start_day", Type.INTEGER, "day on which the first session was opened; day 0: the study was made", "d"),
        Column("replaces", Type.TEXT, "code of the reader who was replaced"),
        Column("is_withdrawn", Type.BOOLEAN, "the reader was withdrawn at some time"),
        Column(
            "withdrawal_cause",
            Type.TEXT,
            "who ended the participation",
            levels={"study_team": "the study team", "consent": "the reader, who withdrew consent"},
        ),
    ),
)
_SESSIONS: Final = TableSpec(
    "sessions",
    "One reader in one session.",
    (
        READER,
        SESSION,
        Column("place", Type.INTEGER, "place of the session in the reader’s own order, from 1"),
        Column("opened_s", Type.NUMBER, f"when the session was opened: {_SINCE_FIRST}; empty: never", "s"),
        Column("finished_s", Type.NUMBER, f"when it was finished: {_SINCE_FIRST}; empty: never", "s"),
        Column("is_washout_waived", Type.BOOLEAN, "the study team let the reader begin before the end of the washout"),
    ),
)
_CLOSING: Final = TableSpec(
    "closing_answers",
    "One answer to a question at the end of a session.",
    (
        READER,
        SESSION,
        Column("question", Type.TEXT, "name of the question in the protocol"),
        Column("answer", Type.JSON, "the answer; free texts are withheld"),
        Column("elapsed_ms", Type.INTEGER, "time for all questions of the session", "ms"),
        Column("answered_s", Type.NUMBER, f"when the server stored the answers: {_SINCE_FIRST}", "s"),
        RECEIPT,
    ),
)
_SCORES: Final = TableSpec(
    "scores",
    "One image of a blinded session, scored by one network.",
    (
        Column("run", Type.TEXT, "name of the network"),
        Column(
            "role",
            Type.TEXT,
            "what the score is a probability of",
            levels={"classifier": "the finding", "detector": "that the image was altered"},
        ),
        _CASE,
        Column("score", Type.NUMBER, "probability, from 0 to 1; empty: not scored"),
        SOURCE_SCORE,
    ),
)
_AUDIT: Final = TableSpec(
    "audit",
    "One event of the study’s audit trail.",
    (
        Column("number", Type.INTEGER, "in the order of time, from 1"),
        Column("entry", Type.INTEGER, "index of its entry in the record, whose hash is in record/record.jsonl"),
        Column("day", Type.INTEGER, "day; day 0: the study was made", "d"),
        Column("verb", Type.TEXT, "what happened"),
        Column("actor", Type.TEXT, "code of the reader, or T1, T2, … of the study team; empty: the server’s terminal"),
        Column("subject", Type.TEXT, "what it happened to: kind, and code of the reader"),
        Column("details", Type.JSON, "numbers and words of the event; names and reasons are withheld"),
        Column("version", Type.TEXT, "version of the software"),
    ),
)


def table_specs(modality: Modality) -> tuple[TableSpec, ...]:
    """Return the tables of a bundle. The characteristics of images depend on the modality."""
    first = (_readings(modality), _images(modality), _ALLOCATION, _READERS, _SESSIONS)
    return (*first, _CLOSING, _SCORES, _AUDIT)


CODEBOOK_COLUMNS: Final = ("table", "column", "type", "unit", "levels", "meaning")


def codebook(specs: tuple[TableSpec, ...]) -> Iterator[dict[str, Any]]:
    """Yield one line for each column."""
    for spec in specs:
        for column in spec.columns:
            yield {
                "table": spec.name,
                "column": column.name,
                "type": column.type.value,
                "unit": column.unit,
                "levels": column.levels_text,
                "meaning": column.meaning,
            }
