"""The tables of a bundle and their columns: the one source of what is written, what is read, and the codebook."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from readerstudy.modalities.modality import Modality
from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.vocabulary import Direction, Pathology, Split


class Type(StrEnum):
    """The type of a column. JSON is a text that holds a list or an object."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """One column: its type, unit, the values that it can have with their meanings, and what it says."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableSpec:
    """One table. `rows` says what one row is."""

    name: str
    rows: str
    columns: tuple[Column, ...]


_SINCE_FIRST: Final = "seconds since the reader opened their first session"
_VERDICTS: Final = {
    Verdict.REAL.value: "the image is real",
    Verdict.NOT_REAL.value: "the image is not real",
    Verdict.UNSURE.value: "the reader cannot tell",
    Verdict.SEEN.value: "seen, in a session that asks for no verdict",
}
_AUTHENTICITY: Final = {"real": "as it was taken", "adversarial": "altered, or made, by the attack"}
_PATHOLOGY: Final = {
    Pathology.POSITIVE.value: "has the finding of the study",
    Pathology.OTHER.value: "has another finding",
    Pathology.NORMAL.value: "has no finding",
}
_DIRECTIONS: Final = {
    Direction.INSERT.value: "the finding was inserted",
    Direction.REMOVE.value: "the finding was removed",
}
_SPLITS: Final = {
    Split.TRAIN.value: "networks were trained with it",
    Split.TUNING.value: "networks were tuned with it",
    Split.TEST.value: "no network was trained or tuned with it",
}
_GRADES: Final = {
    "A": "the clocks of browser and server agree",
    "B": "they differ, and what happened explains it",
    "C": "they contradict each other",
}
_KINDS: Final = {
    SessionKind.FAMILIARISATION.value: "images are seen without a verdict",
    SessionKind.BLINDED.value: "the reader judges each image",
    SessionKind.EDUCATION.value: "the reader is shown real and adversarial images with the truth",
    SessionKind.QUESTIONNAIRE.value: "questions only",
}

_READER: Final = Column("reader", Type.TEXT, "code of the reader in this study")
_ARM: Final = Column("arm", Type.TEXT, "arm of the study")
_SESSION: Final = Column("session", Type.INTEGER, "number of the session in the protocol")
_POSITION: Final = Column("position", Type.INTEGER, "position in the list, from 1")
_CASE: Final = Column("case", Type.INTEGER, "number of the image in this bundle: row of the table images")
_REPEAT: Final = Column("is_repeat", Type.BOOLEAN, "shown for the second time: only for the agreement with oneself")
_EXCLUDED: Final = Column("is_excluded", Type.BOOLEAN, "left out of the analysis by the study team")
_PATIENT: Final = Column("patient", Type.TEXT, "pseudonym of the patient, drawn at random for this bundle")
_SPLIT: Final = Column("split", Type.TEXT, "part of the cohort to which the patient belongs", levels=_SPLITS)
_RESOLUTION: Final = Column("resolution", Type.TEXT, "stored size of the image")
_DIRECTION: Final = Column("direction", Type.TEXT, "of an adversarial image with a source image", levels=_DIRECTIONS)
_ATTACK: Final = Column("attack", Type.TEXT, "name of the attack that made the image; empty: real")
_PATHOLOGY_OF_PATIENT: Final = Column(
    "pathology", Type.TEXT, "of the patient’s own image, whatever the shown image looks like", levels=_PATHOLOGY
)
_AUTHENTICITY_OF_IMAGE: Final = Column("authenticity", Type.TEXT, "whether the image is real", levels=_AUTHENTICITY)
_RECEIPT: Final = Column("receipt", Type.TEXT, "random number that the reader’s receipt has too; empty: missing")


def _readings(modality: Modality) -> TableSpec:
    shown = {**_AUTHENTICITY, "pair": "real and adversarial image side by side, with the truth"}
    return TableSpec(
        "readings",
        "One image that was allocated to one reader in one session. Where the reader gave no verdict, the columns from "
        "verdict on are empty.",
        (
            _READER,
            _ARM,
            _SESSION,
            Column("session_kind", Type.TEXT, "kind of the session", levels=_KINDS),
            Column("place", Type.INTEGER, "place of the session in the reader’s own order, from 1"),
            _POSITION,
            _CASE,
            _REPEAT,
            _EXCLUDED,
            Column("is_withdrawn", Type.BOOLEAN, "the reader was withdrawn at some time"),
            _PATIENT,
            _SPLIT,
            _RESOLUTION,
            Column("authenticity", Type.TEXT, "what was shown", levels=shown),
            _PATHOLOGY_OF_PATIENT,
            _DIRECTION,
            _ATTACK,
            *attribute_columns(modality),
            Column("verdict", Type.TEXT, "what the reader said", levels=_VERDICTS),
            Column("elapsed_ms", Type.INTEGER, "reading time, measured by the browser without pauses", "ms"),
            Column("shown_s", Type.NUMBER, f"when the server handed out the image: {_SINCE_FIRST}", "s"),
            Column("answered_s", Type.NUMBER, f"when the server stored the verdict: {_SINCE_FIRST}", "s"),
            Column("timing_grade", Type.TEXT, "agreement of both clocks; empty: not graded", levels=_GRADES),
            Column("timing_reasons", Type.JSON, "what lowered the grade, as a list of words"),
            Column(
                "answers", Type.JSON, "answers to the questions after the verdict, by name; free texts are withheld"
            ),
            Column("paradata", Type.JSON, "how the image was read, as the browser says: pauses, tools, view"),
            _RECEIPT,
        ),
    )


def attribute_columns(modality: Modality) -> tuple[Column, ...]:
    """Return the columns of the characteristics of images that may leave the installation."""
    return tuple(
        Column(f"image_{each.name}", Type.TEXT, "characteristic of the image, as imported; empty: unknown")
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
            _SPLIT,
            Column("modality", Type.TEXT, "as the source stated it"),
            Column("source_rows", Type.INTEGER, f"height {size}", "pixel"),
            Column("source_columns", Type.INTEGER, f"width {size}", "pixel"),
            Column("source_bits", Type.INTEGER, f"bits of a grey value {size}", "bit"),
            Column("pixel_spacing_mm", Type.NUMBER, f"distance of pixels {size}", "mm"),
            *attribute_columns(modality),
            _PATHOLOGY_OF_PATIENT,
            Column("pathology_source", Type.TEXT, "where the pathology is known from"),
            Column("groups", Type.JSON, "subgroups of the finding, by name"),
            Column("lesions", Type.JSON, "boxes of lesions as shares of height and width; empty: unknown"),
            _AUTHENTICITY_OF_IMAGE,
            Column("label", Type.INTEGER, "what the image is meant to look like: 1 with the finding, 0 without"),
            _DIRECTION,
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
        _SESSION,
        _ARM,
        _POSITION,
        _CASE,
        _REPEAT,
        _EXCLUDED,
        Column("aid_score", Type.NUMBER, "score that the aid displays beside the image; empty: no aid"),
        Column("aid_is_above", Type.BOOLEAN, "whether the aid calls the score above its threshold"),
    ),
)
_READERS: Final = TableSpec(
    "readers",
    "One reader with a list.",
    (
        _READER,
        _ARM,
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
        _READER,
        _SESSION,
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
        _READER,
        _SESSION,
        Column("question", Type.TEXT, "name of the question in the protocol"),
        Column("answer", Type.JSON, "the answer; free texts are withheld"),
        Column("elapsed_ms", Type.INTEGER, "time for all questions of the session", "ms"),
        Column("answered_s", Type.NUMBER, f"when the server stored the answers: {_SINCE_FIRST}", "s"),
        _RECEIPT,
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
        Column("source_score", Type.NUMBER, "score of the image from which an adversarial image was made"),
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
                "levels": "; ".join(f"{level}: {meaning}" for level, meaning in column.levels.items()),
                "meaning": column.meaning,
            }
