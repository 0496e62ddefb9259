"""The aid beside an image: what readers see of it, what is stored, and sessions that cannot have one."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.report.build import StudyReport
from readerstudy.errors import BadInput, StudyError
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.rules import Aid, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.yaml_file import read_protocol, write_protocol
from readerstudy.statistics.delong import area
from readerstudy.studies.actions import close_study, unlock_study
from readerstudy.studies.models import DisplayedAid, Presentation, Study
from readerstudy.truth.actions import create_study, unseal_study
from readerstudy.truth.checklist import checklist
from readerstudy.truth.models import Score, Truth
from tests import make, results, walk
from tests.tamper import without_triggers

AIDED = SessionRules(aid=Aid.SCORE)
PROTOCOL = Protocol(
    (
        ProtocolSession(SessionKind.BLINDED, "Unaided", real=4, adversarial=4, splits=("tuning", "test")),
        ProtocolSession(SessionKind.BLINDED, "Aided", images_of=1, rules=AIDED),
    ),
    analysis=AnalysisPlan(before=1, after=2),
)


def score_of(stimulus) -> float:
    """Any number between 0 and 1 that follows from the key."""
    return (stimulus.pk % 997) / 997


@pytest.fixture
def scored(db, small):
    films = make.cohort("films-aided")
    make.adversarial_images_for(films)
    results.score_everything("films-aided", score=score_of)
    return films


@pytest.fixture
def aided(scored):
    values = {"title": "Aided", "protocol": PROTOCOL, "persons_to_unseal": 1}
    return create_study(code="aided", cohort=scored, seed=7, at=make.MONDAY, **values)


def test_only_blinded_sessions_have_an_aid_and_files_keep_it():
    wrong = replace(PROTOCOL.sessions[0], kind=SessionKind.FAMILIARISATION, adversarial=0, rules=AIDED)
    with pytest.raises(BadInput, match="sessions 1 rules: only blinded sessions ask anything"):
        Protocol((wrong, *PROTOCOL.sessions)).check()
    text = write_protocol(PROTOCOL)
    assert "images_of: 1" in text
    assert "aid: score" in text
    assert read_protocol(text.encode(), words=MAMMOGRAPHY.words.reading) == PROTOCOL


def test_the_draw_stores_what_readers_will_see(aided):
    assert checklist(aided.cohort, PROTOCOL) == ()
    shown = DisplayedAid.objects.filter(session_plan__study=aided)
    assert {each.session_plan.number for each in shown} == {2}
    assert set(shown.values_list("stimulus_id", flat=True)) == set(
        aided.session_plans.get(number=2).allocations.values_list("stimulus_id", flat=True)
    )
    for each in shown:
        raw = score_of(each.stimulus)
        assert abs(float(each.score) - raw) <= 0.005
        assert (each.threshold, each.is_above) == (Decimal("0.37"), raw > 0.37)
    assert "shown_score" not in aided.plan["sessions"][0]
    assert aided.plan["sessions"][1]["shown_score"] == {"classifier": "cad-1", "threshold": 0.37}


def test_what_was_stored_does_not_follow_later_scores(aided):
    before = list(DisplayedAid.objects.values_list("stimulus_id", "score"))
    results.score_everything("films-aided", score=lambda stimulus: 0.5)
    assert list(DisplayedAid.objects.values_list("stimulus_id", "score")) == before
    with pytest.raises(DatabaseError), transaction.atomic():
        DisplayedAid.objects.update(score=Decimal("0.5"))
    first = DisplayedAid.objects.first()
    for wrong in ({}, {"stimulus_id": Truth.objects.exclude(stimulus=first.stimulus).first().stimulus_id, "score": 2}):
        values = {"session_plan": first.session_plan, "stimulus_id": first.stimulus_id, "score": 1, **wrong}
        with pytest.raises(IntegrityError), transaction.atomic():
            DisplayedAid.objects.create(threshold=Decimal("0.37"), is_above=True, **values)


def test_the_step_has_the_aid_of_both_images_in_aided_sessions_only(aided):
    rita = make.reader_in(aided, "rita")
    client = walk.client_of(rita)
    codes = dict(Presentation.objects.filter(reading_list__enrollment__reader=rita).values_list("code", "stimulus_id"))
    for number in (1, 2):
        step, seen = walk.open_session(client, "aided", number), 0
        while step["kind"] == "read":
            for image in filter(None, (step["stimulus"], step["next"], step["after_next"])):
                if number == 1:
                    assert "aid" not in image
                    continue
                kept = DisplayedAid.objects.get(stimulus=codes[image["code"]])
                assert image["aid"] == {"score": f"{kept.score:.2f}", "threshold": "0.37", "above": kept.is_above}
                seen += 1
            step = walk.answer(client, "aided", number, step, "real").json()["step"]
        assert seen == (0 if number == 1 else 21)
    assert "score" not in str(client.get("/api/v1/reading/").json())


def test_a_draw_that_is_replaced_takes_its_aids_along(aided):
    unlock_study(study=aided, actor=None, reason="Another number.", at=make.MONDAY)
    assert not DisplayedAid.objects.exists()


def test_a_session_without_all_scores_cannot_be_drawn(scored):
    of_test = Truth.objects.filter(stimulus__image__exam__patient__split="test")
    with without_triggers():
        Score.objects.filter(stimulus=of_test[0].stimulus).delete()
    (finding,) = checklist(scored, PROTOCOL)
    assert (finding.session, finding.field) == (2, "rules-aid")
    assert finding.sentence.startswith("1 image that the session can draw has no score by cad-1")
    with pytest.raises(StudyError, match="has no score by cad-1"):
        create_study(code="lacking", title="L", cohort=scored, protocol=PROTOCOL, at=make.MONDAY)
    assert not Study.objects.filter(code="lacking").exists()


def test_attacks_that_were_made_for_no_classifier_give_no_aid(db, small):
    films = make.cohort("films-bare")
    make.adversarial_images_for(films)
    (finding,) = checklist(films, PROTOCOL)
    assert "of gan-insert, gan-remove none is known" in finding.sentence


def test_the_report_says_what_the_score_tells_by_itself(aided):
    for name in ("rita", "rosa"):
        client = walk.client_of(make.reader_in(aided, name))
        for number in (1, 2):
            walk.finish_session(client, "aided", number, walk.always("not_real" if name == "rosa" else "real"))
    close_study(study=aided, actor=None, reason="Read.", at=make.MONDAY)
    unseal_study(study=aided, actor=None, reason="Report.", at=make.MONDAY)
    aided.refresh_from_db()
    record = study_record(aided)
    assert record.aided_sessions == (2,)
    report = StudyReport(record, at=make.MONDAY, plan=aided.analysis)
    (aid,) = record.aids
    (row,) = report.tables["aid"].rows
    expected = area(aid.is_adversarial.astype(int), aid.score, cluster=aid.patient)
    assert row[:4] == ("2", "cad-1", 0.37, 8)
    assert row[4].value == pytest.approx(expected.auc)
    assert f"AUC of {expected.auc:.2f}" in report.tables["aid"].notes[0]
    titles = {column.title for column in report.tables["same_images"].columns}
    assert {"session 1, without aid", "session 2, with aid"} <= titles
    assert "score" in str(report.tables["blinding"].rows[0][1])
