"""A withdrawn reader in every denominator, with readings that are kept, and with readings that are left out."""

from dataclasses import replace

import pytest
from django.db import connection

from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.figures.flow_numbers import flow_picture, flow_table
from readerstudy.analysis.plan.plan_table import plan_table
from readerstudy.analysis.queries.classifier import _diagnoses
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.analysis_set import analysis_set
from readerstudy.analysis.report.build import StudyReport
from readerstudy.analysis.report.progress import progress_of_study
from readerstudy.analysis.tables.study_conduct import missing_table
from readerstudy.api import dataset
from readerstudy.desk.queries import study_lines
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import enroll, withdraw_reader
from readerstudy.studies.models import Enrollment, Study, WithdrawalCause
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows, small
from tests.tamper import without_triggers

AT = {"at": make.MONDAY}
KEEP, LEAVE_OUT = AnalysisPlan(), AnalysisPlan(withdrawn_readers="leave_out")
READ_BY_R2 = sum(map(len, small.SAID["R2"].values()))


@pytest.fixture
def study(db, clara, rosa):
    """R2 withdrew after 10 of 21 readings and is replaced by R3, who has read nothing. Unsealed."""
    study = rows.study()
    second = Enrollment.objects.get(study=study, code="R2")
    cause = WithdrawalCause.CONSENT
    withdraw_reader(enrollment=second, actor=clara, reason="He wrote a letter.", cause=cause, **AT)
    enroll(study=study, reader=make.user("ruth"), replaces=second, **AT)
    return study


def unsealed(study, rosa):
    unseal_study(study=rows.closed(study), actor=rosa, reason="All have read.", **AT)
    return study


def left_out(study: Study) -> Study:
    """The same study, as if its plan said so."""
    Study.objects.filter(pk=study.pk)
    study.plan = {**study.plan, "analysis": LEAVE_OUT.as_data()}
    return study


def table_text(table) -> str:
    return " ".join([*(str(cell) for row in table.rows for cell in row), *table.notes])


# --- while readers read ---------------------------------------------------------------------------------------
def test_progress_counts_the_readers_who_take_part(study, clara):
    make.join([clara], [study])
    (line,) = study_lines(clara)
    assert (line.readers, line.answered, line.total) == (2, 0, 42)
    assert {row.reader for row in progress_of_study(study)} == {"R1", "R3"}
    page = dataset.study_page(study)
    assert (page["readers"], page["withdrawn"], page["total"]) == (2, 1, 42)
    assert [row["total"] for row in page["sessions"]] == [2 * len(shown) for shown in small.SHOWN.values()]
    assert [row["code"] for row in page["enrolled"] if row["withdrawn_at"]] == ["R2"]
    assert [row["replaces"] for row in page["enrolled"]] == [None, None, "R2"]


# --- kept -----------------------------------------------------------------------------------------------------
def test_kept_readings_stay_in_every_denominator(study, rosa):
    record = study_record(unsealed(study, rosa), KEEP)
    assert len(record.readings) == Reading.objects.count()
    assert (record.enrolled, list(record.readers)) == (3, ["R1", "R2", "R3"])
    facts = Facts(record, KEEP, ())
    assert "3 enrolled readers were asked" in facts.index_test()
    assert "1 of them was withdrawn; the readings until then are kept." in facts.index_test()
    planned = 3 * sum(image_set.planned for image_set in record.image_sets)
    assert f"{planned - Reading.objects.count()} of {planned} planned readings are missing" in facts.missing()
    assert "Enrolled readers: 3. 1 of them was withdrawn" in facts.size()
    set_ = analysis_set(record, KEEP, "high")
    assert len(set_.readers) + len(set_.excluded) == record.enrolled_in_arm("high") == 3
    assert "Session 5: not finished before the withdrawal." in set_.excluded["R2"]
    missing = table_text(missing_table(record, KEEP))
    assert "withdrawn; not started" in missing
    assert f"Their {READ_BY_R2} readings until then are kept, as planned. Replaced by R3." in missing
    assert "R2 withdrew their consent" in missing


# --- left out -------------------------------------------------------------------------------------------------
def test_left_out_readings_are_in_no_denominator(study, rosa):
    record = study_record(unsealed(study, rosa), LEAVE_OUT)
    assert len(record.readings) == Reading.objects.count() - READ_BY_R2
    assert (record.enrolled, list(record.readers)) == (3, ["R1", "R3"])
    assert {each.reader for each in record.conduct.reader_sessions} == {"R1", "R3"}
    facts = Facts(record, LEAVE_OUT, ())
    assert "1 of them was withdrawn; those readings are left out." in facts.index_test()
    planned = 2 * sum(image_set.planned for image_set in record.image_sets)
    assert f"{planned - len(record.readings)} of {planned} planned readings are missing" in facts.missing()
    assert "Not counted: 1 withdrawn reader, who is left out." in facts.missing()
    set_ = analysis_set(record, LEAVE_OUT, "high")
    assert len(set_.readers) + len(set_.excluded) == record.enrolled_in_arm("high") == 3
    assert set_.excluded["R2"] == "Withdrawn; the analysis plan leaves out their readings."
    table = missing_table(record, LEAVE_OUT)
    assert "R2" not in {row[0] for row in table.rows}
    assert f"Their {READ_BY_R2} readings are left out of every table, as planned." in table_text(table)


def test_the_evidence_has_one_hash_whatever_the_rule(study, rosa):
    unsealed(study, rosa)
    kept, without = (study_record(study, plan).conduct.hashes.readings for plan in (KEEP, LEAVE_OUT))
    assert kept == without


@pytest.mark.parametrize(("plan", "line"), [(KEEP, "Withdrawn, readings until then kept"), (LEAVE_OUT, "left out")])
def test_the_flow_adds_up(study, rosa, plan, line):
    record = study_record(unsealed(study, rosa), plan)
    picture = flow_picture(record, plan)
    assert "3 readers enrolled" in picture.description
    assert f"{line}: 1 (R2)" in picture.description
    rows_of = {row[0]: row for row in flow_table(record, plan).rows}
    header = [column.key for column in flow_table(record, plan).columns]
    enrolled, read = header.index("enrolled"), header.index("read")
    withdrawn = next(row for stage, row in rows_of.items() if stage.startswith("Withdrawn"))
    assert (withdrawn[enrolled], withdrawn[read]) == (1, READ_BY_R2)
    sessions = [row for row in flow_table(record, plan).rows if row[0] == "Drawn and read"]
    assert {row[enrolled] for row in sessions} == {3 if plan is KEEP else 2}
    assert sum(row[read] for row in sessions) == len(record.readings)
    assert rows_of["MRMC analysis"][enrolled] == 3


def test_diagnoses_follow_the_rule(study, rosa):
    plan = study.session_plans.get(number=3)
    question = {
        "name": "diagnosis",
        "kind": "choice",
        "text": "?",
        "choices": [],
        "after": [],
        "required": True,
        "most": 1,
    }
    choices = [{"value": value, "text": value} for value in ("positive", "negative")]
    plan.rules_data = {"questions": [{**question, "choices": choices}]}
    with without_triggers(), connection.cursor() as cursor:
        plan.save()
        cursor.execute("""UPDATE reading_reading SET answers = '{"diagnosis": "positive"}'""")
    unsealed(study, rosa)
    assert {each.reader for each in _diagnoses(study, KEEP)} == {"R1", "R2"}
    assert {each.reader for each in _diagnoses(study, LEAVE_OUT)} == {"R1"}


def test_the_exported_readings_follow_the_rule(study, rosa):
    unsealed(study, rosa)
    assert dataset.readings_of(study).count() == Reading.objects.count()
    assert dataset.readings_of(left_out(study)).count() == Reading.objects.count() - READ_BY_R2


@pytest.mark.parametrize("plan", [KEEP, LEAVE_OUT])
def test_the_whole_report_is_made_with_a_withdrawn_reader(study, rosa, plan):
    report = StudyReport(study_record(unsealed(study, rosa), plan), make.MONDAY, plan)
    tables = report.tables
    text = table_text(plan_table(plan, declared=True))
    assert ("kept until the withdrawal" if plan is KEEP else "left out") in text
    for key in ("table2", "unsure", "agreement"):
        assert key not in tables or ("R2" in table_text(tables[key])) <= (plan is KEEP), key


def test_a_withdrawn_reader_of_a_record_without_rule_breaks_nothing():
    record = small.record()
    assert (record.enrolled, record.withdrawal("R1")) == (2, None)
    assert replace(record, withdrawn=()).left_out_of_arm("high") == []
