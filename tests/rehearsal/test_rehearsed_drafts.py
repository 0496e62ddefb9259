"""A draft is rehearsed by its protocol, before anything is drawn for it."""

import csv
import io
from dataclasses import replace
from random import Random

import pytest
from django.core.management import CommandError, call_command

from readerstudy.accounts.models import Role
from readerstudy.analysis.report.progress import rehearsal_of
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.rules import Aid, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.rehearsal.simulated_readers import Skill, _SimulatedReader
from readerstudy.studies.actions import add_member, draft_study, edit_draft
from readerstudy.studies.models import DisplayedAid, Presentation, Study
from readerstudy.truth.actions import lock_study
from readerstudy.truth.seeds import seed_of
from tests import make, results

# The rehearsal serves HTTP from threads, with connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_draft_is_rehearsed_again_after_a_change(small):
    films = make.cohort()
    make.adversarial_images_for(films)
    protocol = protocol_of_template("zhou2021", words=MAMMOGRAPHY.words.reading, scale=0.01, resolution="low")
    draft = draft_study(code="tiny", title="x", cohort=films, protocol=protocol, actor=None, at=make.MONDAY)
    call_command("rehearse_study", "tiny")
    draft.refresh_from_db()
    first = Study.named("tiny-rehearsal")
    assert (draft.status, seed_of(draft), first.status) == ("rehearsed", None, "unsealed")

    # One blinded session more than the article has, before the others.
    longer = replace(protocol, sessions=(protocol.sessions[1], *protocol.sessions))
    longer = replace(longer, analysis=replace(longer.analysis, before=4, after=6))
    edit_draft(study=draft, protocol=longer, actor=None, at=make.MONDAY)
    assert draft.status == "draft"
    call_command("rehearse_study", "tiny")
    draft.refresh_from_db()
    assert (draft.status, rehearsal_of(draft).code) == ("rehearsed", "tiny-rehearsal-2")

    lock_study(study=draft, actor=None, at=make.MONDAY)
    assert draft.status == "locked"
    call_command("rehearse_study", "tiny")
    with pytest.raises(CommandError, match="The rehearsal tiny-rehearsal-3 is finished already"):
        call_command("rehearse_study", "tiny")


def test_an_aided_study_is_read_to_its_end_and_exported_with_what_the_aid_displayed(small, client):
    films = make.cohort("films-aided")
    make.adversarial_images_for(films)
    results.score_everything("films-aided", score=lambda stimulus: (stimulus.pk % 997) / 997)
    unaided = ProtocolSession(SessionKind.BLINDED, "A", real=4, adversarial=4, splits=("tuning", "test"))
    aided = ProtocolSession(SessionKind.BLINDED, "B", images_of=1, rules=SessionRules(aid=Aid.SCORE))
    protocol = Protocol((unaided, aided), crossover=(1, 2), analysis=AnalysisPlan(before=1, after=2))
    draft = draft_study(code="aided", title="x", cohort=films, protocol=protocol, actor=None, at=make.MONDAY)
    call_command("rehearse_study", "aided")
    copy = Study.named("aided-rehearsal")
    assert copy.status == "unsealed"

    rosa = make.stranger("rosa", Role.RESEARCHER)
    add_member(study=copy, person=rosa, role=Role.RESEARCHER, actor=None, at=make.MONDAY)
    client.force_login(rosa)
    lines = client.get("/api/v1/studies/aided-rehearsal/readings/?page_size=5000").json()["results"]
    table = client.get("/api/v1/studies/aided-rehearsal/readings.csv").getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(lines) == len(rows) == 5 * 16
    displayed = {
        (presentation.code, 2): DisplayedAid.objects.get(session_plan__study=copy, stimulus=presentation.stimulus_id)
        for presentation in Presentation.objects.filter(reading_list__session_plan__study=copy)
    }
    for line, row in zip(lines, rows, strict=True):
        aid = displayed.get((line["presentation"], line["session"]))
        expected = (float(aid.score), float(aid.threshold), aid.is_above) if aid else (None, None, None)
        assert (line["aid_score"], line["aid_threshold"], line["aid_above"]) == expected
        exported = [row["aid_score"], row["aid_threshold"], row["aid_above"]]
        assert exported == ["" if value is None else str(value) for value in expected]
    # The report is built from it: the aid by itself, and the same images under two conditions.
    report = client.get("/report/aided-rehearsal/").content.decode()
    assert "The same images under two conditions" in report
    draft.refresh_from_db()
    assert draft.status == "rehearsed"


def test_a_simulated_reader_can_rely_on_the_aid():
    reader = _SimulatedReader.__new__(_SimulatedReader)
    reader.rng, reader.adversarial, reader.difficulty = Random(1), {"b"}, {"a": 0.0, "b": 0.0}
    reader.skill = Skill({2: 1.0}, {3: 1.0}, 0, 9, reliance=1)
    aid = {"score": "0.83", "threshold": "0.37", "above": True}
    assert reader._verdict({"code": "a", "aid": aid}, 2) == "not_real"
    assert reader._verdict({"code": "b", "aid": {**aid, "above": False}}, 2) == "real"
    assert [reader._verdict({"code": code}, 2) for code in "ab"] == ["real", "not_real"]
