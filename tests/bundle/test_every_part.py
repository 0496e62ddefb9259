"""A study with every part that a report can have, counted from rows as PostgreSQL counts it."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from django.db import connection

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.report.build import StudyReport
from readerstudy.bundle.checking import contents
from readerstudy.bundle.checking.importing import import_bundle
from readerstudy.bundle.writing.exporting import export_bundle
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import CONFIDENCE, MARK, Choice, Question, QuestionKind, diagnosis_question
from readerstudy.protocol.rules import Aid, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.actions import close_study, exclude_from_analysis, withdraw_reader
from readerstudy.studies.models import Allocation, Enrollment, Presentation, WithdrawalCause
from readerstudy.truth.actions import LineChange, create_study, store_scores, unseal_study, write_lines
from readerstudy.truth.queries import taught_pairs
from tests import make, results, walk
from tests.bundle.conftest import files_of

CHOICES = (Choice("a", "Alike"), Choice("b", "Different"))
SIGNS = Question("signs", QuestionKind.CHOICES, "Signs?", CHOICES)
QUALITY = Question("quality", QuestionKind.SCALE, "Quality?", minimum=1, maximum=5)
NOTE = Question("note", QuestionKind.TEXT, "Why?", required=False)
LOOK = Question("look", QuestionKind.CHOICE, "How do they look?", CHOICES)
DIAGNOSIS = diagnosis_question(MAMMOGRAPHY.words.reading)
SLIDER = Question("confidence", QuestionKind.SCALE, "Sure?", minimum=0, maximum=3, required=False)
ASKED = SessionRules(questions=(DIAGNOSIS, SIGNS, QUALITY, CONFIDENCE, NOTE, MARK), closing_questions=(LOOK,))
SURE = SessionRules(questions=(SLIDER,))
SPLITS = ("tuning", "test")
SESSIONS = (
    ProtocolSession(SessionKind.BLINDED, "A", 4, 4, SPLITS, rules=ASKED, repeat_share=0.25, repeat_distance=4),
    ProtocolSession(SessionKind.EDUCATION, "Education", 2, 0, SPLITS),
    ProtocolSession(SessionKind.BLINDED, "B", 4, 4, SPLITS, rules=SURE),
    ProtocolSession(SessionKind.BLINDED, "Aided", images_of=3, rules=SessionRules(aid=Aid.SCORE)),
)
PLANS = (
    AnalysisPlan(before=1, after=3),
    AnalysisPlan(before=1, after=3, unsure="half", groups=2, idle_after_s=3, sd_of="session"),
    AnalysisPlan(before=3, after=4, unsure="excluded", primary="sensitivity", withdrawn_readers="leave_out"),
    AnalysisPlan(
        before=1, after=3, comparisons=(Comparison(3, 4, "auc", "not_lower", 0.1, "Few."), Comparison(1, 4, "auc"))
    ),
)
SECRET = "Doktor Geheimnis sah es"
LINE = "Look at the upper rim: the grain ends there."


def number_of(stimulus) -> float:
    return (stimulus.pk % 997) / 997


def study_of(plan: AnalysisPlan):
    """Three readers; R3 stops in session 1 and withdraws; one image is excluded; a detector scored session 1."""
    films = make.cohort("films-whole", patients=40)
    make.adversarial_images_for(films)
    results.score_everything("films-whole", score=number_of)
    protocol = Protocol(SESSIONS, analysis=plan, persons_to_unseal=1)
    study = create_study(code="whole", title="Whole", cohort=films, protocol=protocol, seed=7, at=make.MONDAY)
    taught = taught_pairs(study)[1].image.number
    write_lines(study=study, changes={taught: LineChange("", LINE)}, actor=make.overseer(), at=make.MONDAY)
    for name in ("rita", "ruth", "rolf"):
        make.reader_in(study, name)
    for offset, name in enumerate(("rita", "ruth")):
        read(name, offset)
    read("rolf", 2, most=5)
    gone = Enrollment.objects.get(study=study, reader__username="rolf")
    withdraw_reader(enrollment=gone, actor=None, reason=SECRET, cause=WithdrawalCause.CONSENT, at=gone.enrolled_at)
    second = Presentation.objects.filter(reading_list__session_plan__number=1, is_repeat=False).first()
    exclude_from_analysis(presentation=second, actor=None, reason=SECRET, at=make.MONDAY)
    detector(study)
    close_study(study=study, actor=None, reason=SECRET, at=make.MONDAY)
    unseal_study(study=study, actor=None, reason=SECRET, at=make.MONDAY)
    study.refresh_from_db()
    connection.check_constraints()
    return study


def read(name: str, offset: int, most: int = 1000) -> None:
    """Say one of three verdicts in turn, with answers and times that vary, in all sessions."""
    client, count = walk.client_of(Enrollment.objects.get(reader__username=name).reader), offset
    for number in (1, 2, 3, 4) if most > 10 else (1,):
        step = walk.open_session(client, "whole", number)
        while step["kind"] in ("read", "teach") and count - offset < most:
            count += 1
            verdict = step["verdicts"][count % len(step["verdicts"])]
            answers = {"diagnosis": ("positive", "negative")[count % 2], "signs": ["a", "b"][: 1 + count % 2]}
            answers |= {"quality": 1 + count % 5, "note": f"{SECRET} {count}"}
            if verdict == "not_real":
                answers["mark"] = [[1, 2]] * (1 + count % 2)
            if verdict != "unsure":
                answers["confidence"] = str(1 + count % 5)
            given = {"answers": answers} if number == 1 else {}
            if number == 3 and count % 3:
                given = {"answers": {"confidence": count % 4}}
            times = {"elapsed_ms": 1000 + 617 * (count % 9), "paradata": {"paused_ms": count, "said": SECRET}}
            response = walk.answer(client, "whole", number, step, verdict, **times, **given)
            assert response.status_code == 201, response.json()
            step = response.json()["step"]
        if step["kind"] == "ask":
            walk.program_of(client).give_answers("whole", number, {"look": "b"}, elapsed_ms=900)


def detector(study) -> None:
    values = {"preset": "demo", "seed": 1, "split_hash": "s", "code_version": "1", "folder": "guard"}
    metrics = {"threshold": 0.5, "attacks": ["gan-insert", "gan-remove"]}
    kind = CheckpointKind.DETECTOR
    cohort = study.cohort.name
    Checkpoint.objects.create(name="guard", kind=kind, cohort=cohort, made_at=make.MONDAY, metrics=metrics, **values)
    shown = Allocation.objects.filter(session_plan__study=study, session_plan__number=1)
    scores = {each.stimulus_id: number_of(each.stimulus) for each in shown}
    store_scores(scores, classifier="guard", size=(64, 52))


def differences(ours, theirs, place: str = "record") -> list[str]:
    """Return where two records differ, except in names, reasons, dates and keys."""
    if is_dataclass(ours):
        names = [field.name for field in fields(ours) if field.name not in ("case", "patient", "at", "by", "reason")]
        return [
            found
            for name in names
            for found in differences(getattr(ours, name), getattr(theirs, name), f"{place}.{name}")
        ]
    if isinstance(ours, np.ndarray):
        same = ours.dtype == theirs.dtype and np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f")
        return [] if same else [place]
    if isinstance(ours, tuple) and ours and is_dataclass(ours[0]):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [found for number, pair in pairs for found in differences(*pair, f"{place}[{number}]")]
    if isinstance(ours, Mapping):  # cases have other numbers, in the same order
        pairs = [(ours[one], theirs[other]) for one, other in zip(sorted(ours), sorted(theirs), strict=True)]
        return [found for pair in pairs for found in differences(*pair, place)]
    return [] if ours == theirs else [place]


@pytest.mark.parametrize("plan", PLANS)
def test_every_part_is_counted_as_in_the_database(db, small, tmp_path: Path, plan: AnalysisPlan) -> None:
    study = study_of(plan)
    path = tmp_path / "whole.zip"
    exported = export_bundle(study=study, target=path, actor=None, at=make.MONDAY)
    imported = import_bundle(path=path, folder=tmp_path / "elsewhere", at=make.MONDAY)
    assert imported.comparison.is_same

    own = study_record(study)
    with contents.report_language("en"):
        ours = StudyReport(own, at=make.MONDAY, plan=study.analysis)
        theirs = contents.compute_report(imported.folder / "bundle")
        tables = [contents.results_of(each)["tables"] for each in (ours, theirs)]
    parts = (
        own.attack,
        own.classifier,
        own.detectors,
        own.answers,
        own.repeats,
        own.aids,
        own.withdrawn,
        own.confidence,
    )
    assert all(parts)
    assert own.conduct.excluded
    # Parts with texts and moments, and readings that are fetched in any order, are compared by their tables.
    without = {"conduct": None, "answers": (), "readings": replace(own.readings, compared=None, times=None)}
    assert sum(cell.unrated for cell in own.confidence.cells.values())
    by_reader = sorted(own.classifier.diagnoses, key=lambda each: (each.reader, each.session, each.kind))
    stated = replace(own, classifier=replace(own.classifier, diagnoses=tuple(by_reader)), **without)
    counted = replace(
        theirs.record, **{**without, "readings": replace(theirs.record.readings, compared=None, times=None)}
    )
    stated, counted = (replace(each, confidence=replace(each.confidence, compared=None)) for each in (stated, counted))
    found = differences(stated, counted)
    assert not found
    differing = {key for key, table in tables[0].items() if table != tables[1].get(key)}
    assert differing == set(exported.differing)
    assert differing <= {"answers", "sources", "blinding", "missing", "stard", "stard_ai", "claim", "reader_study"}

    (line,) = json.loads(files_of(path)["protocol/lines.json"])
    assert (line["session"], line["position"], line["line"]) == (2, 2, LINE)
    for name, content in files_of(path).items():
        assert name.endswith(".parquet") or b"Geheimnis" not in content, name
    answers = json.loads(json.dumps(tables[1]["answers"]["rows"]))
    assert "[withheld]" in {row["answer"] for row in answers}
