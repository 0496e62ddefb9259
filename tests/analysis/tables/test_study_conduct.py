"""How a study was carried out: what is read from the database, and the tables made of it."""

from hashlib import sha256

import pytest

from readerstudy.analysis.checklists.all import checklist_tables
from readerstudy.analysis.plan.plan_table import endpoint_in_full, plan_table
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.analysis_set import analysis_set
from readerstudy.analysis.record.conduct import AttackRun, GradeCounts, SessionState
from readerstudy.analysis.tables.comparison.mrmc import readings_for
from readerstudy.analysis.tables.study_conduct import blinding_table, grades_table, missing_table, sources_table
from readerstudy.audit.actions import record as note
from readerstudy.cohort.models import Stimulus
from readerstudy.layout.table import to_csv, to_html, to_text
from readerstudy.protocol.analysis_plan import ENDPOINTS, UNSURE, AnalysisPlan, Family
from readerstudy.reading.models import CheckedDisplay, Reading, ReadingSession, Showing
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.models import Allocation, Presentation, ReadingList
from tests import make
from tests.analysis import conducted, played, rows, small
from tests.tamper import without_triggers

PLAN = AnalysisPlan()


def recorded(**changes):
    return small.record(conduct=conducted.conduct(), **changes)


# --- from the database --------------------------------------------------------------------------------------
def test_the_flow_counts_allocated_shown_and_read_images(unsealed_study):
    for reading in Reading.objects.select_related("presentation"):
        Showing.objects.create(presentation=reading.presentation, at=reading.shown_at)
    current = Presentation.objects.get(
        reading_list__enrollment__code="R2", reading_list__session_plan__number=3, position=5
    )
    Showing.objects.create(presentation=current, at=make.MONDAY)
    conduct = study_record(unsealed_study).conduct
    result = {
        (reader_session.reader, reader_session.session): (
            reader_session.allocated,
            reader_session.presented,
            reader_session.read,
        )
        for reader_session in conduct.reader_sessions
    }
    assert result["R1", 3] == (8, 8, 8)
    assert result["R2", 3] == (8, 5, 4)
    assert result["R2", 5] == (5, 0, 0)
    assert len(result) == 10
    totals = conduct.totals("high", 3)
    assert (totals.readers, totals.begun, totals.allocated, totals.presented, totals.read) == (2, 2, 16, 13, 12)
    assert totals.missing == 4
    assert conduct.totals("low", 3).readers == 0


def test_a_session_is_finished_held_begun_or_not(unsealed_study):
    def of(reader, session):
        return ReadingSession.objects.filter(
            reading_list__enrollment__code=reader, reading_list__session_plan__number=session
        )

    of("R1", 1).update(finished_at=make.MONDAY)
    of("R2", 3).update(held_at=make.MONDAY)
    reading_list = of("R2", 3).get().reading_list
    note("session.held", actor=None, subject=reading_list, at=make.MONDAY)
    note("session.resumed", actor=None, subject=reading_list, at=make.MONDAY)
    CheckedDisplay.objects.create(reading_list=reading_list, at=make.MONDAY, passed=False)
    CheckedDisplay.objects.create(reading_list=reading_list, at=make.MONDAY, passed=True)
    conduct = study_record(unsealed_study).conduct
    states = [conduct.reader_session(*place).state for place in (("R1", 1), ("R2", 3), ("R1", 2), ("R2", 5))]
    assert states == [SessionState.FINISHED, SessionState.HELD, SessionState.NOT_FINISHED, SessionState.NOT_BEGUN]
    held = conduct.reader_session("R2", 3)
    assert (held.times_held, held.times_resumed, held.checks_passed, held.checks_failed) == (1, 1, 1, 1)
    assert conduct.reader_session("R3", 1) is None


def test_grades_and_what_disturbed_are_counted(open_study):
    reading_list = ReadingList.objects.get(enrollment__code="R2", session_plan__number=4)
    ReadingSession.objects.create(reading_list=reading_list, opened_at=make.MONDAY)
    kinds = (("B", ["paused", "idle"]), ("C", ["after_gap", "paused"]))
    for presentation, (grade, reasons) in zip(reading_list.presentations.order_by("position"), kinds, strict=True):
        Reading.objects.create(
            presentation=presentation,
            verdict="seen",
            elapsed_ms=1,
            shown_at=make.MONDAY,
            answered_at=make.MONDAY,
            key=f"00000000-0000-0000-0000-00000000000{presentation.position}",
            quality=grade,
            quality_reasons=reasons,
        )
    open_study.is_rehearsal = True
    result = study_record(open_study).conduct.reader_session("R2", 4)
    assert result.grades == GradeCounts(a=0, b=1, c=1, none=0)
    assert (result.paused, result.idle, result.after_gap) == (2, 1, 1)
    assert study_record(open_study).conduct.reader_session("R1", 3).grades == GradeCounts(none=8)


def test_the_cohort_and_the_draw_are_counted_by_split_and_patient(unsealed_study):
    note("cohort.imported", actor=None, subject=unsealed_study.cohort, at=make.MONDAY, new=21, known=0, problems=3)
    cohort = study_record(unsealed_study).conduct.cohort
    (part,) = cohort.splits
    positives = sum(pathology == small.POSITIVE for shown in small.SHOWN.values() for _kind, pathology in shown)
    assert (part.split, part.patients, part.images) == ("test", 21, 21)
    assert part.positive_images == part.positive_patients == positives == cohort.pathologies["positive"]
    assert (cohort.imports[0].new, cohort.imports[0].problems) == (21, 3)
    assert cohort.adversarial_images == {"high": 6}
    conduct = study_record(unsealed_study).conduct
    assert [conduct.images_drawn("high", number) for number in small.SHOWN] == [2, 4, 8, 2, 5]
    assert conduct.patients_drawn == {"high": 21}


def test_who_did_what_when_and_why_is_named(unsealed_study, rosa):
    conduct = study_record(unsealed_study).conduct
    assert conduct.unsealed.by == (rosa.get_full_name() or rosa.username)
    assert conduct.unsealed.reason == "All have read."
    assert conduct.closed.by == ""  # at the server's terminal
    assert not conduct.is_declared
    assert [run.name for run in conduct.generators] == rows.GENERATORS
    assert conduct.classifier is None
    BlindingAudit.objects.create(study=unsealed_study, at=make.MONDAY, passed=False, result={"images": 12})
    (audit,) = study_record(unsealed_study).conduct.audits
    assert (audit.passed, audit.images) == (False, 12)


def test_hashes_change_only_with_what_they_cover(open_study):
    open_study.is_rehearsal = True
    before = study_record(open_study).conduct.hashes
    assert study_record(open_study).conduct.hashes == before
    lines = "\n".join(
        f"{number}|high|{position}|{digest}"
        for number, position, digest in Allocation.objects.order_by("session_plan__number", "position").values_list(
            "session_plan__number", "position", "stimulus__sha256"
        )
    )
    assert before.draw == sha256(lines.encode()).hexdigest()
    with without_triggers():
        Stimulus.objects.filter(pk=Allocation.objects.first().stimulus_id).update(sha256="1")
    one_more = Presentation.objects.get(
        reading_list__enrollment__code="R2", reading_list__session_plan__number=3, position=5
    )
    Reading.objects.create(
        presentation=one_more,
        verdict="real",
        elapsed_ms=1,
        shown_at=make.MONDAY,
        answered_at=make.MONDAY,
        key="00000000-0000-0000-0000-000000000001",
    )
    after = study_record(open_study).conduct.hashes
    assert after.plan == before.plan
    assert after.draw != before.draw
    assert after.readings != before.readings


@pytest.mark.usefixtures("db")
def test_a_study_in_which_nobody_is_enrolled_has_a_conduct(settings):
    study = rows.study(readers=())
    study.is_rehearsal = True
    record = study_record(study)
    assert record.conduct.reader_sessions == ()
    assert record.conduct.closed is record.conduct.unsealed is None
    for table in every_table(record):
        to_html(table)
    assert "Enrol readers" in to_text(missing_table(record, PLAN))


def every_table(record, plan=PLAN):
    made = (blinding_table, missing_table, grades_table, sources_table)
    return [*(make_table(record, plan) for make_table in made), plan_table(plan, True)]


# --- tables -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("has_conduct", [True, False])
def test_every_table_stands_with_and_without_a_conduct(has_conduct):
    for table in every_table(recorded() if has_conduct else small.record()):
        assert to_html(table)
        assert to_csv(table)
        assert table.rows or table.empty


def test_blinding_names_the_unsealing_and_the_audits():
    said = to_text(blinding_table(recorded(), PLAN))
    assert "Rosa Research unsealed it: “All have read.”" in said
    assert "In sessions without verdicts (1, 4)" in said
    assert "Audited on 2 March 2026 with 74 images: nothing other than the image revealed the truth." in said
    assert "was locked when the study was created" in said
    undeclared = small.record(conduct=conducted.conduct(is_declared=False, audits=(), unsealed=None))
    said = to_text(blinding_table(undeclared, PLAN))
    assert "has not been audited" in said
    assert "No analysis plan was locked" in said
    assert "the truth only after the unsealing" in said


def test_blinding_says_that_labelled_pairs_teach_a_program():
    note = "Session 4 sent real and adversarial images to readers as labelled pairs."
    assert note in to_text(blinding_table(recorded(), PLAN))
    assert "in the images of later sessions (5)" in to_text(blinding_table(recorded(), PLAN))
    with_limits = [table for table in checklist_tables(recorded(), PLAN, ()) if table.key != "reader_study"]
    assert all(note in to_text(table) for table in with_limits)
    untested = tuple(each for each in small.image_sets() if each.number < 5)
    assert "labelled pairs" not in to_text(blinding_table(recorded(image_sets=untested), PLAN))


def test_a_rehearsal_is_not_said_to_be_blind():
    assert "the program gave the truth to its simulated readers" in to_text(
        blinding_table(recorded(is_rehearsal=True), PLAN)
    )
    assert "simulated" not in to_text(blinding_table(recorded(), PLAN))


def test_missing_readings_have_a_reason_where_it_is_known():
    table = missing_table(recorded(), PLAN)
    assert [row[:6] for row in table.rows] == [
        ("R2", "3", "high", 8, 4, 4),
        ("R2", "4", "high", 2, 0, 2),
        ("R2", "5", "high", 5, 0, 5),
    ]
    reasons = [row[6] for row in table.rows]
    assert "on hold" in reasons[0]
    assert reasons[1:] == ["not started", "not started"]
    assert "Arm high: 1 of 2 enrolled readers" in table.notes[0]
    assert table.notes[1] == "Excluded: R2. Session 5: not started."
    assert {row[6] for row in missing_table(small.record(), PLAN).rows} == {"unknown"}


def test_a_thousand_readers_left_out_for_one_reason_are_one_sentence():
    readers = {f"R{number}": "high" for number in range(1, 1001)}
    notes = missing_table(small.record(readers=readers), PLAN).notes
    assert notes[0] == "Arm high: 1 of 1000 enrolled readers are included in the MRMC analysis."
    assert len(notes) == 3  # R2 read session 3 and lacks session 5 only
    assert "R32 and 968 more" in notes[2]


def test_grades_count_the_readings_of_each_session():
    table = grades_table(recorded(), PLAN)
    rows = {tuple(row[:2]): row[3:8] for row in table.rows}
    # A, B, C and none are all counts, and the share of A follows.
    assert rows["R1", "3"][:4] == (8, 0, 0, 0)
    assert (rows["R1", "3"][4].hits, rows["R1", "3"][4].trials) == (8, 8)
    assert rows["R2", "3"][:4] == (4, 0, 0, 0)
    assert ("R2", "5") not in rows


def test_sources_show_every_hash_and_every_run():
    said = to_text(sources_table(recorded(), PLAN))
    for value in ("a" * 64, "b" * 64, "c" * 64, "d" * 64, PLAN.hash, "cad-1: preset demo, seed 5, code feed"):
        assert value in said
    assert "gan-remove (not registered in this installation)" in said
    assert "2 March 2026, by Rosa Research" in said


def test_sources_call_an_attack_by_gradient_what_it_is():
    pgd = AttackRun("pgd-cad", "pgd", {"epsilon": 1028, "steps": 20}, "cad-1", 3, "abc")
    record = small.record(conduct=conducted.conduct(generators=(), attacks=(pgd,)))
    text = " ".join(to_text(sources_table(record, PLAN)).split())
    words = "pgd-cad: PGD: many small steps (budget 1028 grey levels, 20 steps)"
    assert f"Attack {words}, on the classifier cad-1, seed 3, code abc" in text
    assert ("Generator" in text, "not registered" in text) == (False, False)


@pytest.mark.parametrize(
    ("declared", "said"), [(True, "was locked"), (False, "No result in this report"), (None, "as exploratory")]
)
def test_the_plan_says_whether_it_was_declared(declared, said):
    assert said in plan_table(PLAN, declared).notes[0]


def test_every_rule_of_a_plan_has_words():
    everything = AnalysisPlan(
        families=(Family("all of them", ENDPOINTS, "none"),), idle_after_s=90, statistic="single", distribution="t"
    )
    said = to_text(plan_table(everything, True))
    assert all(endpoint_in_full(endpoint) in said for endpoint in ENDPOINTS)
    assert "at most 90 s count" in said
    assert everything.hash in said


# --- who is analysed ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("unsure", UNSURE)
@pytest.mark.parametrize("primary", ["auc", "sensitivity"])
def test_the_analysed_are_those_that_the_analysis_takes(primary, unsure):
    said = {
        "R1": {3: "rrrnnn", 5: "rnrnnn"},
        "R2": {3: "rruunu", 5: "rrrnnn"},
        "R3": {3: "rrrnnn"},
        "R10": {5: "rrrnnn"},
    }
    plan = AnalysisPlan(primary=primary, unsure=unsure)
    record = played.record(said, plan=plan)
    taken = readings_for(record, plan, "high", primary)
    result = analysis_set(record, plan, "high")
    assert result.readers == taken.readers
    assert result.readings == len(taken.columns[0])
    assert set(result.readers) | set(result.excluded) == set(said)
    assert "Session 5" in result.excluded["R3"]
    assert analysis_set(record, plan, "elsewhere").readers == ()
