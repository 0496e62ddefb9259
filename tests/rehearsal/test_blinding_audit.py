"""The audit passes where only the picture differs, and fails as soon as anything else does."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from readerstudy.api.reader import steps, views
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.reading.models import Reading
from readerstudy.reading.padded_file import padded_response
from readerstudy.rehearsal import blinding_audit
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.models import Study
from readerstudy.studies.protocol_templates import protocol_of_template
from readerstudy.truth.models import Truth
from tests import make

# The audit serves HTTP from threads, with connections of their own. A draw depends on the keys of its images.
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)


@pytest.fixture(autouse=True)
def one_draw(monkeypatch):
    """The copy that is audited is drawn anew each time: one draw in a hundred looks telling by chance (LEVEL)."""
    monkeypatch.setattr("readerstudy.truth.actions.study_locking.secrets.randbits", lambda bits: 20210007)


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


def test_a_study_whose_pictures_alone_differ_passes_and_is_not_touched(drawn):
    kept = audit(drawn.code)
    assert kept.passed
    assert {finding["family"] for finding in kept.result["browser"]} >= {"codes", "order", "lengths", "response times"}
    assert {"key", "inode", "time of change"} <= kept.result["stored"][0]["facts"].keys()
    assert "noise in the tissue" in kept.result["pixels"][0]["facts"]
    assert not Reading.objects.filter(presentation__reading_list__enrollment__study=drawn).exists()
    copy = Study.objects.get(code=f"{drawn.code}-audit-1")
    assert (copy.status, copy.seed != drawn.seed) == ("closed", True)


@pytest.mark.parametrize("leak", ["length", "field", "flag"])
def test_a_leak_is_found(drawn, monkeypatch, leak):
    altered = {truth.stimulus.path for truth in Truth.objects.filter(authenticity="adversarial")}

    def leaking(path, *, length):
        response = padded_response(path, length=length - 7 if leak == "length" and path in altered else length)
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
