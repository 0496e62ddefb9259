"""The record of a study, counted again from the rows of a bundle. No database is used.

It is a second way to the same numbers: `analysis.queries` counts in PostgreSQL, this module in NumPy.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow
from numpy.typing import NDArray

from readerstudy.analysis.record.aid import AidRecord
from readerstudy.analysis.record.answers import AnsweredQuestion, ReaderRepeats
from readerstudy.analysis.record.classifier import ClassifierRecord, DiagnosisCounts
from readerstudy.analysis.record.codes import ADVERSARIAL, PAIR, POSITIVE, VERDICTS, reader_sort_key, source_pathology
from readerstudy.analysis.record.counts import KINDS
from readerstudy.analysis.record.detector import DetectorRecord
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.bundle.checking.aggregate import Judged, aggregate
from readerstudy.bundle.checking.confidence import AnsweredReading, confidence_of
from readerstudy.bundle.facts import Facts
from readerstudy.bundle.pseudonyms import on_day
from readerstudy.modalities import get_modality
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.sessions import SessionKind
from readerstudy.statistics import agreement

Tables = Mapping[str, pyarrow.Table]

_DIAGNOSIS: Final = "diagnosis"


@dataclass(frozen=True)
class Recount:
    """Counts one study again. `drawn_plan` is the plan as drawn, `plan` its analysis plan."""

    facts: Facts
    tables: Tables
    drawn_plan: Mapping[str, Any]
    plan: AnalysisPlan

    def record(self) -> StudyRecord:
        """Return everything that the report needs."""
        facts = self.facts
        return StudyRecord(
            code=facts.code,
            title=facts.title,
            modality=get_modality(facts.modality),
            is_rehearsal=facts.is_rehearsal,
            readers=facts.readers,
            image_sets=tuple(self._with_drawn(each) for each in facts.image_sets),
            readings=aggregate(self._judged, self._arms, self.plan),
            attack=facts.attack,
            conduct=facts.conduct,
            classifier=self._classifier(),
            detectors=tuple(self._detectors()),
            answers=tuple(self._answers()),
            repeats=tuple(self._repeats()),
            aids=tuple(self._aids()),
            withdrawn=facts.withdrawn,
            reader_characteristics=facts.reader_characteristics,
            confidence=confidence_of(self._answered(), facts.questions, self.plan),
        )

    # --- rows ----------------------------------------------------------------------------------------------
    @cached_property
    def _images(self) -> dict[int, dict[str, Any]]:
        columns = ["case", "patient", "split", "authenticity", "pathology"]
        return {row["case"]: row for row in self.tables["images"].select(columns).to_pylist()}

    @cached_property
    def _patients(self) -> dict[str, int]:
        """A number for each patient, in the order of the pseudonyms."""
        labels = sorted({row["patient"] for row in self._images.values()})
        return {label: number for number, label in enumerate(labels)}

    def _patient(self, case: int) -> int:
        return self._patients[self._images[case]["patient"]]

    @cached_property
    def _arms(self) -> dict[str, str]:
        readers = self.tables["readers"]
        return dict(zip(readers["reader"].to_pylist(), readers["arm"].to_pylist(), strict=True))

    @cached_property
    def _starts(self) -> dict[str, float]:
        """When each reader's clock begins, in seconds since 1970 on the shifted calendar."""
        rows = self.tables["readers"].select(["reader", "start_day"]).to_pylist()
        return {row["reader"]: on_day(row["start_day"] or 0).timestamp() for row in rows}

    @cached_property
    def _kept(self) -> pyarrow.Table:
        """The readings that the analysis plan does not leave out with their reader."""
        table = self.tables["readings"]
        mask = table["verdict"].is_valid().to_numpy()
        if self.plan.withdrawn_readers != "keep":
            mask &= ~_column(table, "is_withdrawn", bool)
        return table.filter(pyarrow.array(mask))

    @cached_property
    def _analysed(self) -> pyarrow.Table:
        table = self._kept
        mask = ~_column(table, "is_repeat", bool) & ~_column(table, "is_excluded", bool)
        return table.filter(pyarrow.array(mask))

    @cached_property
    def _judged(self) -> Judged:
        table = self._analysed
        readers = _column(table, "reader", None)
        starts = np.array([self._starts[reader] for reader in readers.tolist()], dtype=float)
        return Judged(
            reader=readers,
            session=_column(table, "session", np.int64),
            position=_column(table, "position", np.int64),
            case=_column(table, "case", np.int64),
            kind=self._kinds(table),
            verdict=_codes(table["verdict"], VERDICTS),
            elapsed_ms=_column(table, "elapsed_ms", np.int64),
            shown_at=starts + _column(table, "shown_s", float),
            answered_at=starts + _column(table, "answered_s", float),
        )

    def _kinds(self, table: pyarrow.Table) -> NDArray[np.int64]:
        pairs = zip(table["authenticity"].to_pylist(), table["pathology"].to_pylist(), strict=True)
        return np.array([_kind(*pair) for pair in pairs], dtype=np.int64)

    @cached_property
    def _allocation(self) -> list[dict[str, Any]]:
        """The allocations that are analysed: no repeats, none that were excluded."""
        rows: list[dict[str, Any]] = self.tables["allocation"].to_pylist()
        return [row for row in rows if not row["is_repeat"] and not row["is_excluded"]]

    @cached_property
    def _kinds_of_sessions(self) -> dict[int, str]:
        table = self.tables["readings"]
        return dict(zip(table["session"].to_pylist(), table["session_kind"].to_pylist(), strict=True))

    # --- parts of the record ---------------------------------------------------------------------------------
    def _with_drawn(self, images: SessionImages) -> SessionImages:
        drawn: Counter[tuple[str, str]] = Counter()
        is_pair = self._kinds_of_sessions.get(images.number) == SessionKind.EDUCATION
        for row in self._allocation:
            if (row["session"], row["arm"]) == (images.number, images.arm):
                about = self._images[row["case"]]
                drawn[PAIR if is_pair else about["authenticity"], source_pathology(about["pathology"])] += 1
        return replace(images, drawn=drawn)

    def _scores(self, run: str) -> dict[int, tuple[float, float]]:
        """Return score and score of the source image by case; NaN for none."""
        rows = (row for row in self.tables["scores"].to_pylist() if row["run"] == run)
        return {row["case"]: (_number(row["score"]), _number(row["source_score"])) for row in rows}

    def _classifier(self) -> ClassifierRecord | None:
        facts = self.facts.classifier
        if facts is None:
            return None
        rows = [row for row in self._allocation if self._kinds_of_sessions.get(row["session"]) == SessionKind.BLINDED]
        cases = [row["case"] for row in rows]
        scores = self._scores(facts.run)
        pairs = np.array([scores.get(case, (np.nan, np.nan)) for case in cases], dtype=float).reshape(-1, 2)
        about = [self._images[case] for case in cases]
        return ClassifierRecord(
            run=facts.run,
            arm=np.array([row["arm"] for row in rows], dtype=str),
            session=np.array([row["session"] for row in rows], dtype=np.int64),
            case=np.array(cases, dtype=np.int64),
            kind=np.array([_kind(each["authenticity"], each["pathology"]) for each in about], dtype=np.int64),
            patient=np.array([self._patient(case) for case in cases], dtype=np.int64),
            split=np.array([each["split"] for each in about], dtype=str),
            score=pairs[:, 0],
            source_score=pairs[:, 1],
            tuning_threshold=facts.tuning_threshold,
            sizes=facts.sizes,
            diagnoses=tuple(self._diagnoses()),
        )

    def _diagnoses(self) -> Iterator[DiagnosisCounts]:
        counted: dict[tuple[str, int, int], list[int]] = {}
        table = self._analysed
        columns = (_column(table, "reader", None), _column(table, "session", int), self._kinds(table), _answers(table))
        for reader, session, kind, answers in zip(*columns, strict=True):
            if session in self.facts.diagnosis_sessions and _DIAGNOSIS in answers:
                counts = counted.setdefault((reader, int(session), int(kind)), [0, 0])
                counts[0] += answers[_DIAGNOSIS] == POSITIVE
                counts[1] += 1
        for (reader, session, kind), (positive, total) in sorted(counted.items(), key=_by_reader):
            yield DiagnosisCounts(reader, session, kind, positive, total)

    def _detectors(self) -> Iterator[DetectorRecord]:
        for facts in self.facts.detectors:
            scores = {case: score for case, (score, _) in self._scores(facts.run).items() if not np.isnan(score)}
            yield DetectorRecord(
                run=facts.run,
                threshold=facts.threshold,
                trained_on=facts.trained_on,
                of_study=facts.of_study,
                score=scores,
                patient={case: self._patient(case) for case in scores},
                split={case: self._images[case]["split"] for case in scores},
            )

    def _aids(self) -> Iterator[AidRecord]:
        aided = [row for row in self._allocation if row["aid_score"] is not None]
        for session in sorted({row["session"] for row in aided}):
            rows = {row["case"]: row for row in aided if row["session"] == session}
            cases = sorted(rows)
            source = self.drawn_plan["sessions"][session - 1]["shown_score"]
            yield AidRecord(
                session=session,
                classifier=source["classifier"],
                threshold=float(source["threshold"]),
                score=np.array([rows[case]["aid_score"] for case in cases], dtype=float),
                is_above=np.array([rows[case]["aid_is_above"] for case in cases], dtype=bool),
                is_adversarial=np.array([self._images[case]["authenticity"] == "adversarial" for case in cases], bool),
                patient=np.array([self._patient(case) for case in cases], dtype=np.int64),
            )

    def _answers(self) -> Iterator[AnsweredQuestion]:
        after_images, at_end = self._counted_answers(), self._counted_closing_answers()
        for asked in self.facts.questions:
            counted = at_end if asked.is_closing else after_images
            values = counted[asked.session, asked.question.name]
            listed = tuple((json.loads(text), count) for text, count in sorted(values.items()))
            yield AnsweredQuestion(asked.session, asked.question, asked.is_closing, listed)

    def _answered(self) -> Iterator[AnsweredReading]:
        columns = ["reader", "session", "case", "authenticity", "verdict"]
        rows = self._analysed.select(columns).to_pylist()
        for row, answers in zip(rows, _answers(self._analysed), strict=True):
            yield AnsweredReading(**row, answers=answers)

    def _counted_answers(self) -> dict[tuple[int, str], Counter[str]]:
        counted: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        for session, answers in zip(self._analysed["session"].to_pylist(), _answers(self._analysed), strict=True):
            for name, value in answers.items():
                is_marks = isinstance(value, list) and value and isinstance(value[0], list)
                counted[session, name][_text(len(value) if is_marks else value)] += 1
        return counted

    def _counted_closing_answers(self) -> dict[tuple[int, str], Counter[str]]:
        counted: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        left_out = {each.reader for each in self.facts.withdrawn if each.is_left_out}
        for row in self.tables["closing_answers"].to_pylist():
            if row["reader"] not in left_out:
                counted[row["session"], row["question"]][_text(json.loads(row["answer"]))] += 1
        return counted

    def _repeats(self) -> Iterator[ReaderRepeats]:
        known = list(agreement.VERDICTS)
        columns = ["reader", "session", "case", "authenticity", "is_repeat", "is_excluded", "verdict"]
        rows = self._kept.select(columns).to_pylist()
        first = {(row["reader"], row["session"], row["case"]): row["verdict"] for row in rows if not row["is_repeat"]}
        tables: dict[tuple[str, int, int], NDArray[np.int64]] = {}
        for row in rows:
            if not row["is_repeat"] or row["is_excluded"]:
                continue
            source = self.facts.repeat_of[row["session"] - 1]
            verdicts = first.get((row["reader"], source, row["case"])), row["verdict"]
            if all(verdict in known for verdict in verdicts):
                empty = np.zeros((2, len(known), len(known)), dtype=np.int64)
                table = tables.setdefault((row["reader"], row["session"], source), empty)
                is_adversarial = int(row["authenticity"] == ADVERSARIAL)
                table[is_adversarial, known.index(str(verdicts[0])), known.index(str(verdicts[1]))] += 1
        for (reader, session, source), table in sorted(tables.items(), key=_by_reader):
            yield ReaderRepeats(reader, session, source, table)


def _kind(authenticity: str, pathology: str) -> int:
    """Return the index in KINDS."""
    return KINDS.index((authenticity, source_pathology(pathology)))


def _by_reader(item: tuple[tuple[str, int, int], Any]) -> Any:
    reader, *numbers = item[0]
    return reader_sort_key(reader), numbers


def _column(table: pyarrow.Table, name: str, kind: Any) -> Any:
    """Return a column as an array of this type; None: of objects."""
    values = table[name].to_numpy()
    return values.astype(object if kind is None else kind)


def _codes(column: pyarrow.ChunkedArray, words: Sequence[str]) -> NDArray[np.int64]:
    index = {word: number for number, word in enumerate(words)}
    return np.array([index[word] for word in column.to_pylist()], dtype=np.int64)


def _answers(table: pyarrow.Table) -> list[dict[str, Any]]:
    return [json.loads(text) for text in table["answers"].to_pylist()]


def _text(value: Any) -> str:
    """Return a value as PostgreSQL writes it, by which answers are ordered."""
    return json.dumps(value, ensure_ascii=False)


def _number(value: float | None) -> float:
    return np.nan if value is None else value
