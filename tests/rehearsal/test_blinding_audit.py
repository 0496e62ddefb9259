"""The audit passes where only the picture differs, and fails as soon as anything else does."""

import json
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from readerstudy.api.reader import steps, views
from readerstudy.client.api_client import RawResponse
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.rules import Aid, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.reading.models import Reading
from readerstudy.reading.padded_file import padded_response
from readerstudy.rehearsal import blinding_audit
from readerstudy.rehearsal.browser_facts import Observation, aid_faults, without_aid
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.models import Study
from readerstudy.truth.actions import create_study
from readerstudy.truth.models import Truth
from readerstudy.truth.seeds import seed_of
from tests import make, results

# The audit serves HTTP from threads, with connections of their own. A draw depends on the keys of its images.
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)


@pytest.fixture(autouse=True)
def one_draw(monkeypatch):
    """The copy is drawn anew each time, with new codes: one in a hundred looks telling by chance (LEVEL)."""
    monkeypatch.setattr("readerstudy.truth.actions.study_locking.secrets.randbits", lambda bits: 20210007)
    codes = Random(20210007)
    monkeypatch.setattr("readerstudy.studies.models.lists.uuid4", lambda: UUID(int=codes.getrandbits(128), version=4))


@pytest.fixture
def drawn(small):
    return make.study()


def audit(code: str) -> BlindingAudit:
    call_command("audit_blinding", code)
    return BlindingAudit.objects.filter(study__code=code).latest("pk")


def test_a_plan_with_practice_questions_breaks_and_repeats_is_audited_as_it_is(small):
    once = {"name": "end", "kind": "text", "text": "How was it?"}
    plan = {"practice": True, "questions": ["confidence", "mark"], "break_every": 5, "closing_questions": [once]}
    protocol = protocol_of_template(
        "zhou2021",
        words=MAMMOGRAPHY.words.reading,
        scale=0.03,
        resolution="low",
        changes={"every": plan, "session": {"3": {"display_check": "required"}}},
    )
    sessions = list(protocol.sessions)
    sessions[2] = replace(sessions[2], repeat_share=0.3, repeat_distance=4)
    sessions[4] = replace(sessions[4], repeat_share=0.2, repeat_of=3)
    study = make.study(protocol=replace(protocol, sessions=tuple(sessions)))
    assert audit(study.code).passed
    third = Study.objects.get(code=f"{study.code}-audit-1").session_plans.get(number=3)
    assert third.rules.questions
    assert third.allocations.filter(is_repeat=True).count() == 4


def test_an_aid_may_tell_what_its_score_tells_and_nothing_else_may(small):
    films = make.cohort("films-aided")
    make.adversarial_images_for(films)
    altered = set(Truth.objects.filter(authenticity="adversarial").values_list("stimulus_id", flat=True))
    results.score_everything("films-aided", score=lambda stimulus: 0.9 if stimulus.pk in altered else 0.1)
    first = ProtocolSession(SessionKind.BLINDED, "A", real=6, adversarial=6, splits=("tuning", "test"))
    again = ProtocolSession(SessionKind.BLINDED, "B", images_of=1, washout_days=28, rules=SessionRules(aid=Aid.SCORE))
    protocol = Protocol((first, again), crossover=(1, 2), analysis=AnalysisPlan(before=1, after=2))
    create_study(code="aided", title="Aided", cohort=films, protocol=protocol, at=make.MONDAY)
    kept = audit("aided")
    assert kept.passed
    assert (kept.result["images"], kept.result["aid_traces"], kept.result["aid_missing"]) == (24, 0, 0)
    assert kept.result["aid"][0]["facts"]["score"] == 1
    families = [finding["family"] for finding in kept.result["browser"]]
    assert {"lengths", "lengths, session 2"} <= set(families)


def step_of(aid=None) -> RawResponse:
    image = {"code": "c" * 32, **({"aid": aid} if aid else {})}
    body = json.dumps({"kind": "read", "stimulus": image, "next": image, "after_next": image}, separators=(",", ":"))
    return RawResponse(200, (), body.encode(), 0.1)


def test_an_aid_without_its_rule_and_a_missing_one_are_counted():
    aid = {"score": "0.83", "threshold": "0.37", "above": True}
    assert without_aid(step_of()) == (step_of(), None)
    assert without_aid(step_of(aid)) == (step_of(), aid)
    observations = [
        Observation(session, 1, "c", "", *response_and_aid)
        for session in (1, 2)
        for response_and_aid in ((step_of(), (), None, None), (step_of(), (), None, aid))
    ]
    assert aid_faults(observations, {2}) == {"aid_traces": 1, "aid_missing": 1}
    assert aid_faults(observations[:1] + observations[3:], {2}) == {"aid_traces": 0, "aid_missing": 0}


def test_a_study_whose_pictures_alone_differ_passes_and_is_not_touched(drawn):
    kept = audit(drawn.code)
    assert kept.passed
    assert {finding["family"] for finding in kept.result["browser"]} >= {"codes", "order", "lengths", "response times"}
    assert {"key", "inode", "time of change"} <= kept.result["stored"][0]["facts"].keys()
    assert "noise in the tissue" in kept.result["pixels"][0]["facts"]
    assert not Reading.objects.filter(presentation__reading_list__enrollment__study=drawn).exists()
    copy = Study.objects.get(code=f"{drawn.code}-audit-1")
    assert (copy.status, seed_of(copy) != seed_of(drawn)) == ("closed", True)


@pytest.mark.parametrize("leak", ["length", "field", "flag"])
def test_a_leak_is_found(drawn, monkeypatch, leak):
    altered = {truth.stimulus.path for truth in Truth.objects.filter(authenticity="adversarial")}

    def leaking(path, *, length, **values):
        shorter = leak == "length" and path in altered
        response = padded_response(path, length=length - 7 if shorter else length, **values)
        if leak == "field":
            response["X-Served-By"] = "disk-2" if path in altered else "disk-1"
        return response

    def telling(stimulus, modality):
        return replace(image_format(stimulus, modality), flip=stimulus.path in altered)

    image_format = steps.image_format
    # These leaks are on the reader's side; test_coordinator_audit has those on the other.
    monkeypatch.setattr(blinding_audit, "visit", lambda *_, **__: [])
    monkeypatch.setattr(views, "padded_response", leaking)
    if leak == "flag":
        monkeypatch.setattr(steps, "image_format", telling)
    with pytest.raises(CommandError, match="blinding is broken"):
        audit(drawn.code)
    kept = BlindingAudit.objects.get()
    assert not kept.passed
    family = {"length": "lengths", "field": "header fields", "flag": "values of the step"}[leak]
    (found,) = (finding for finding in kept.result["browser"] if finding["family"] == family)
    assert found["p"] == min(finding["p"] for finding in kept.result["browser"])
    assert found["auc"] > 0.99


def test_files_written_in_the_order_of_the_truth_are_found(drawn):
    for truth in Truth.objects.filter(authenticity="adversarial").select_related("stimulus"):
        truth.stimulus.path.chmod(0o644)  # the time of change is that of today
    with pytest.raises(CommandError, match="blinding is broken"):
        audit(drawn.code)
    (found,) = BlindingAudit.objects.get().result["stored"]
    assert found["family"] == "keys and files"
    assert found["facts"]["time of change"] > 0.99
