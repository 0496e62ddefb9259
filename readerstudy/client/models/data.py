"""Readings, answers and results of a study.

Made by `make reference` from the schema of the API: do not edit.
"""

from typing import Any, Literal, NotRequired, TypedDict

from readerstudy.client.models.shared import BlankEnum, DirectionEnum, PathologyEnum, SplitEnum


class ClosingAnswersLine(TypedDict):
    """The answers of one reader to the questions at the end of one session."""

    reader: str
    session: int
    answers: dict[str, Any]
    elapsed_ms: int
    answered_at: str
    receipt: str


TypeEnum = Literal["text", "integer", "number", "boolean", "moment", "list", "json"]


class CodebookLine(TypedDict):
    """One column of the readings, with its texts in the language of the answer."""

    column: str
    type: TypeEnum
    unit: str
    levels: dict[str, str]
    meaning: str
    with_truth: bool


class MakingAnswer(TypedDict):
    """The job that computes what was asked for."""

    job: int
    status: str
    done: int
    total: int
    note: str


QualityEnum = Literal["A", "B", "C"]

Verdict = Literal["real", "not_real", "unsure", "seen"]

ReadingLineAuthenticityEnum = Literal["real", "adversarial", "pair"]


class ReadingLine(TypedDict):
    """One reading."""

    reader: str
    session: int
    position: int
    presentation: str
    verdict: Verdict
    elapsed_ms: int
    shown_at: str
    answered_at: str
    quality: QualityEnum | BlankEnum
    quality_reasons: list[str]
    answers: dict[str, Any]
    receipt: str
    is_repeat: bool
    arm: str
    authenticity: NotRequired[ReadingLineAuthenticityEnum]
    pathology: NotRequired[PathologyEnum]
    direction: NotRequired[DirectionEnum | BlankEnum]
    image: NotRequired[str]
    patient: NotRequired[str]
    split: NotRequired[SplitEnum]
    is_excluded: NotRequired[bool | None]
    aid_score: NotRequired[float | None]
    aid_threshold: NotRequired[float | None]
    aid_above: NotRequired[bool | None]
    classifier_score: NotRequired[float | None]
    classifier_source_score: NotRequired[float | None]
    paradata: NotRequired[dict[str, Any]]
    laterality: NotRequired[str]
    view_position: NotRequired[str]


class ReportPdfFacts(TypedDict):
    """The PDF of a stored version in one language, which was laid out once."""

    language: str
    with_images: bool
    made_at: str
    sha256: str


class ReportVersionFacts(TypedDict):
    """What a stored version of a report was made from."""

    number: int
    made_at: str
    reason: str
    readings: int
    software: str
    source_sha256: str
    plan_sha256: str
    analysis_sha256: str
    basis: dict[str, Any]
    sha256: str
    pdfs: list[ReportPdfFacts]


class TableAnswer(TypedDict):
    """One table of the report, in full precision."""

    title: str
    caption: str
    notes: list[str]
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    row_codes: list[dict[str, Any]]


class ResultsAnswer(TypedDict):
    """The report of an unsealed study: every number of its page."""

    study: str
    title: str
    rehearsal: bool
    language: str
    made_at: str
    plan: dict[str, Any]
    tables: dict[str, TableAnswer]
    figures: dict[str, str]
    sentences: dict[str, Any]
    limits: list[str]
    version: ReportVersionFacts | None
    versions: list[int]
