"""Answers and repeats in the report: counted once, from stored readings of a study that was read and unsealed."""

from dataclasses import replace

import numpy as np
import pytest

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.answers import ReaderRepeats
from readerstudy.analysis.report.build import build_report
from readerstudy.analysis.tables.answers import answers_table
from readerstudy.analysis.tables.repeats import intra_reader_table, repeat_detection_table
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import MARK, Choice, Question, QuestionKind
from readerstudy.protocol.rules import AskedVerdict, SessionRules, VerdictLabels
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import Reading
from readerstudy.statistics.agreement import VERDICTS
from readerstudy.statistics.proportions import wilson
from readerstudy.statistics.signal_detection import repeat_detection
from readerstudy.studies.actions import close_study, exclude_from_analysis
from readerstudy.studies.models import Presentation
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.queries import truth_of_study
from readerstudy.truth.terms import Authenticity
from tests import make, walk
from tests.analysis import small

CHOICES = (Choice("a", "Alike"), Choice("b", "Different"))
LOOK = Question("look", QuestionKind.CHOICE, "How do they look?", CHOICES)
SIGNS = Question("signs", QuestionKind.CHOICES, "Signs?", CHOICES)
QUALITY = Question("quality", QuestionKind.SCALE, "Quality?", minimum=1, maximum=5)
NOTE = Question("note", QuestionKind.TEXT, "Why?", required=False)
RULES = SessionRules(
    questions=(SIGNS, QUALITY, NOTE, MARK), closing_questions=(LOOK,), verdict_labels=VerdictLabels(real="Camera")
)
READING = ProtocolSession(
    SessionKind.BLINDED, "A", real=4, adversarial=4, rules=RULES, repeat_share=0.25, repeat_distance=4
)
PROTOCOL = Protocol(
    (
        READING,
        replace(READING, splits=("tuning", "test"), repeat_of=1, repeat_distance=10, rules=SessionRules()),
        ProtocolSession(
            SessionKind.BLINDED,
            "Quality",
            real=2,
            rules=SessionRules(verdict=AskedVerdict.NONE, questions=(QUALITY,)),
        ),
    ),
    analysis=AnalysisPlan(before=1, after=2),
)
MARKED = {"signs": ["a", "b"], "quality": 2, "note": "grain", "mark": [[1, 1], [2, 2]]}


@pytest.fixture
def read(db, small):
    """Rita says "not real" of every second image of session 1, marks it, and "real" of all others."""
    study = make.study("asked", protocol=PROTOCOL)
    client = walk.client_of(make.reader_in(study, "rita"))
    step, place = walk.open_session(client, "asked", 1), 0
    while step["kind"] == "read":
        place += 1
        verdict, answers = ("not_real", MARKED) if place % 2 else ("real", {"signs": ["b"], "quality": 5})
        step = walk.answer(client, "asked", 1, step, verdict, answers=answers).json()["step"]
    walk.program_of(client).give_answers("asked", 1, {"look": "b"}, elapsed_ms=1)
    walk.finish_session(client, "asked", 2)
    walk.finish_session(client, "asked", 3, answers={"quality": 3})
    return study


def unsealed(study):
    close_study(study=study, actor=None, reason="Read.", at=make.MONDAY)
    unseal_study(study=study, actor=None, reason="Report.", at=make.MONDAY)
    study.refresh_from_db()
    return study_record(study)


def test_answers_are_counted_by_question_without_repeats(read):
    firsts = Presentation.objects.filter(reading_list__session_plan__number=1, is_repeat=False)
    marked = sum(row.position % 2 for row in firsts)
    rows = [row[:5] for row in answers_table(unsealed(read)).rows]
    assert rows == [
        ("1", "Signs?", "for each image", "Alike", marked),
        ("1", "Signs?", "for each image", "Different", 8),
        ("1", "Quality?", "for each image", "all numbers", 8),
        ("1", "Why?", "for each image", "grain", marked),
        ("1", "Click where the image looks altered.", "for each image", "images with marks", marked),
        ("1", "How do they look?", "once", "Alike", 0),
        ("1", "How do they look?", "once", "Different", 1),
        ("3", "Quality?", "for each image", "all numbers", 2),
    ]
    assert answers_table(study_record(read)).rows[-1][-1] == Estimate(3, 3, 3)


def test_only_the_first_reading_of_an_image_counts_elsewhere(read):
    record = unsealed(read)
    assert [plan.total for plan in read.session_plans.all()] == [10, 10, 2]
    assert [record.readings.number_read("R1", session) for session in (1, 2, 3)] == [8, 8, 2]
    assert [(each.planned, sum(each.drawn.values())) for each in record.image_sets] == [(8, 8), (8, 8), (2, 2)]
    assert record.readings.judged_sessions == (1, 2)


def test_repeats_are_compared_with_the_first_reading_of_the_same_image(read):
    record = unsealed(read)
    expected = {1: np.zeros((2, 3, 3), int), 2: np.zeros((2, 3, 3), int)}
    truth = truth_of_study(read)
    for again in Reading.objects.filter(presentation__is_repeat=True):
        first = Reading.objects.get(
            presentation__stimulus=again.presentation.stimulus_id, presentation__is_repeat=False
        )
        session = again.presentation.reading_list.session_plan.number
        is_adversarial = truth[again.presentation.stimulus_id].authenticity == Authenticity.ADVERSARIAL
        expected[session][int(is_adversarial), VERDICTS.index(first.verdict), VERDICTS.index(again.verdict)] += 1
    assert [(each.reader, each.session, each.first_session) for each in record.repeats] == [("R1", 1, 1), ("R1", 2, 1)]
    for each in record.repeats:
        assert (each.by_truth == expected[each.session]).all()
        assert (each.verdicts == expected[each.session].sum(axis=0)).all()
    table = intra_reader_table(record)
    assert [row[:4] for row in table.rows] == [("R1", "1", "1", 2), ("R1", "1", "2", 2)]


def repeats_of(*tables):
    return small.record(repeats=tuple(ReaderRepeats("R1", 2, 1, np.array(table)) for table in tables))


def test_discrimination_at_both_readings_is_that_of_the_calls():
    # First verdicts in rows, second ones in columns: real, unsure, not real.
    real, adversarial = [[9, 2, 3], [1, 1, 0], [2, 1, 4]], [[3, 1, 2], [0, 1, 2], [1, 2, 12]]
    record = repeats_of([real, adversarial])
    wrong, excluded = (
        repeat_detection_table(record, AnalysisPlan(unsure=rule)).rows[0] for rule in ("wrong", "excluded")
    )
    twice = repeat_detection([[13, 3], [3, 4]], [[5, 4], [3, 12]])
    assert wrong[:5] == ("R1", "1", "2", 23, 24)
    assert wrong[5].value == twice.first.d_prime
    assert wrong[7:] == (
        Estimate(twice.change.difference, twice.change.low, twice.change.high),
        twice.change.p,
        wilson(12, 15),
        wilson(4, 9),
    )
    assert excluded[3:5] == (18, 18)
    assert excluded[9:] == (wilson(12, 13), wilson(2, 5))


def test_repeats_of_one_kind_alone_have_no_discrimination():
    table = repeat_detection_table(
        repeats_of([[[9, 2, 3], [1, 1, 0], [2, 1, 4]], np.zeros((3, 3), int)]), AnalysisPlan()
    )
    assert table.rows[0][3:] == (23, 0, *[None] * 6)
    assert repeat_detection_table(small.record(), AnalysisPlan()) is None


def test_an_image_that_is_excluded_at_its_second_showing_is_in_no_table(read):
    again = Presentation.objects.filter(reading_list__session_plan__number=1, is_repeat=True).first()
    exclude_from_analysis(presentation=again, actor=None, reason="Cut off.", at=make.MONDAY)
    record = unsealed(read)
    assert record.readings.number_read("R1", 1) == 7
    assert (record.image_sets[0].planned, record.image_sets[0].excluded) == (7, 1)
    assert intra_reader_table(record).rows[0][3] == 1


def test_the_report_shows_answers_repeats_and_what_verdicts_were_called(read):
    unsealed(read)
    report = build_report(read, at=make.MONDAY)
    tables = {table.key: table for section in report.sections for table in section.tables}
    assert {"answers", "intra_reader", "repeat_detection"} <= set(tables)
    assert any("Real = “Camera”" in sentence for section in report.sections for sentence in section.sentences)


def test_a_study_without_questions_and_repeats_has_neither_table(db, small):
    study = make.study("plain")
    make.reader_in(study, "rita")
    record = unsealed(study)
    assert answers_table(record) is None
    assert intra_reader_table(record) is None
