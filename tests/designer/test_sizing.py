"""The size of a study: powers of the draft, simulations as jobs, and what the plan keeps."""

import json
from dataclasses import replace
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from readerstudy.audit.models import Event
from readerstudy.designer.checklist.power import outdated_sentence, power_sentence
from readerstudy.designer.sizing.actions import (
    SIMULATE_POWER,
    computed,
    first_sizing,
    keep_sizing,
    simulate,
    simulation_parameters,
    start_simulation,
    with_simulation,
)
from readerstudy.designer.sizing.computed import compute
from readerstudy.designer.sizing.curves import curve_of_images, curve_of_readers
from readerstudy.errors import BadInput
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.sizing import Sizing, sizing_sentences
from readerstudy.protocol.yaml_file import read_protocol, write_protocol
from readerstudy.statistics.mrmc import power
from readerstudy.studies.actions import ChangedMeanwhile, edit_draft
from readerstudy.studies.models import Study, WrongStatus
from readerstudy.truth.actions import lock_study
from tests import make

AT = {"at": make.MONDAY}
ASSUMED = Sizing(readers=6, difference=0.2, source="A pilot")


@pytest.fixture
def address(draft):
    return reverse("designer:sizing", args=[draft.code])


@pytest.fixture
def claiming(draft):
    """The draft with a primary claim of non-inferiority."""
    analysis = replace(draft.protocol.analysis, claim="not_lower", margin=0.2, margin_reason="Agreed.")
    edit_draft(study=draft, protocol=replace(draft.protocol, analysis=analysis), actor=None, **AT)
    return draft


@pytest.fixture
def worker(monkeypatch):
    import_module("readerstudy.designer.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)


def typed(sizing: Sizing = ASSUMED, **changes) -> dict[str, str]:
    names = ("readers", "difference", "right", "unsure", "sd_readers", "correlation")
    values = {name: getattr(sizing, name) for name in (*names, "patient_correlation", "images_per_patient", "source")}
    return {name: str(value) for name, value in {**values, **changes}.items()}


# --- powers ---------------------------------------------------------------------------------------------------------
def test_usual_assumptions_take_readers_and_images_from_the_study(draft):
    assert first_sizing(draft).readers == 5
    for number in range(7):
        make.reader_in(draft, f"reader-{number}")
    found = first_sizing(draft)
    assert found.readers == 7
    assert 1 <= found.images_per_patient <= 4
    assert not Study.objects.get(pk=draft.pk).protocol.analysis.sizing.is_kept


def test_the_computed_power_is_that_of_the_plan(draft):
    found = computed(draft.protocol, ASSUMED)
    outlook = compute(draft.protocol, ASSUMED)
    direct = power(outlook.components, readers=6, cases=outlook.components.cases, difference=0.2)
    assert found.power == pytest.approx(direct.power, abs=5e-5)
    assert 0 <= found.equivalence_power < 0.05 < found.power < 1
    assert found.source == "A pilot"


def test_the_curves_pass_through_the_plan_and_rise(draft):
    found = computed(draft.protocol, ASSUMED)
    outlook, analysis = compute(draft.protocol, found), draft.protocol.analysis
    readers, images = (curve(outlook, analysis, found) for curve in (curve_of_readers, curve_of_images))
    for curve, planned in ((readers, 6), (images, 1)):
        assert list(curve.found) == sorted(curve.found)
        assert curve.found[curve.sizes.index(planned)] == pytest.approx(found.power, abs=5e-5)
        assert curve.shown[curve.sizes.index(planned)] == pytest.approx(found.equivalence_power, abs=5e-5)


def test_a_claim_of_non_inferiority_has_a_power_of_its_own(claiming):
    found, outlook = computed(claiming.protocol, ASSUMED), compute(claiming.protocol, ASSUMED)
    size = {"readers": 6, "cases": outlook.components.cases}
    # Nothing changes: the margin is as far away as a difference of its size, of which one tail counts.
    both_tails = power(outlook.components, **size, difference=0.2).power
    assert found.claim_power == pytest.approx(both_tails, abs=2e-4)
    curve = curve_of_readers(outlook, claiming.protocol.analysis, found)
    assert curve.shown[curve.sizes.index(6)] == pytest.approx(found.claim_power, abs=5e-5)
    sentence = power_sentence(claiming.protocol, readers=6)
    assert f"margin of 0.2 is shown with a power of {outlook.claim.power:.2f} if nothing changes" in sentence
    assert "one-sided, significance level 0.025" in sentence


def test_a_sizing_of_another_aim_is_outdated(draft):
    keep_sizing(study=draft, sizing=ASSUMED, base=None, actor=None, **AT)
    kept = draft.protocol
    claimed = replace(kept, analysis=replace(kept.analysis, claim="not_lower", margin=0.2, margin_reason="Agreed."))
    assert "before the aim of the primary test was changed" in outdated_sentence(claimed)
    again = replace(claimed, analysis=replace(claimed.analysis, sizing=computed(claimed, ASSUMED)))
    assert outdated_sentence(again) == ""
    narrower = replace(again, analysis=replace(again.analysis, margin=0.1))
    assert f"a power of {again.analysis.sizing.claim_power:.3f}, made for other" in outdated_sentence(narrower)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"readers": 1}, "at least two"),
        ({"unsure": 0.4}, "must be below 1"),
        ({"patient_correlation": 0.3}, "cannot correlate more"),
        ({"images_per_patient": 0.5}, "at least 1"),
        ({"difference": 0.6}, "cannot rise by 0.6"),
    ],
)
def test_impossible_assumptions_are_refused_and_nothing_is_kept(draft, change, sentence):
    with pytest.raises(BadInput, match=sentence):
        keep_sizing(study=draft, sizing=replace(ASSUMED, **change), base=None, actor=None, **AT)
    assert not Study.objects.get(pk=draft.pk).protocol.analysis.sizing.is_kept


# --- what the plan keeps --------------------------------------------------------------------------------------------
def test_a_kept_sizing_is_locked_with_the_plan(draft, clara):
    before = draft.protocol.analysis
    keep_sizing(study=draft, sizing=ASSUMED, base=draft.design_sha256, actor=clara, **AT)
    kept = draft.protocol.analysis
    assert replace(kept.sizing, power=None, equivalence_power=None) == ASSUMED
    assert kept.sizing.power == computed(draft.protocol, ASSUMED).power
    assert kept.hash != before.hash
    assert Event.objects.filter(verb="study.edited", actor=clara).exists()
    lock_study(study=draft, actor=None, **AT)
    locked = Study.objects.get(pk=draft.pk)
    assert locked.analysis.sizing == kept.sizing
    with pytest.raises(WrongStatus):
        keep_sizing(study=locked, sizing=replace(ASSUMED, readers=9), base=None, actor=None, **AT)


def test_a_plan_without_a_sizing_is_stored_as_before():
    assert "sizing" not in AnalysisPlan().as_data()
    assert AnalysisPlan.from_data({}).sizing == Sizing()


def test_the_protocol_file_carries_the_sizing(draft):
    keep_sizing(study=draft, sizing=ASSUMED, base=None, actor=None, **AT)
    text = write_protocol(draft.protocol)
    assert read_protocol(text.encode(), words=draft.cohort.modality.words.reading) == draft.protocol


def test_results_that_are_sent_are_not_believed(draft):
    keep_sizing(study=draft, sizing=replace(ASSUMED, power=0.99, simulated_power=0.99), base=None, actor=None, **AT)
    kept = draft.protocol.analysis.sizing
    assert kept.power < 0.9
    assert kept.simulated_power is None


def test_a_plan_that_was_changed_since_says_so(draft):
    keep_sizing(study=draft, sizing=ASSUMED, base=None, actor=None, **AT)
    assert outdated_sentence(draft.protocol) == ""
    sessions = list(draft.protocol.sessions)
    sessions[4] = replace(sessions[4], real=30, adversarial=30)
    text = outdated_sentence(replace(draft.protocol, sessions=tuple(sessions)))
    assert f"a power of {draft.protocol.analysis.sizing.power:.3f}, made for other numbers" in text


def test_saving_the_form_of_the_draft_keeps_the_sizing(draft, desk, address):
    desk.post(address, {**typed(), "act": "keep", "base": draft.design_sha256})
    design = reverse("designer:design", args=[draft.code])
    html = desk.get(design).content.decode()
    assert 'name="analysis-sizing-readers" value="6"' in html
    assert "Determine the size again" not in html


def test_a_draft_that_somebody_changed_is_not_overwritten(draft):
    base = draft.design_sha256
    edit_draft(study=draft, title="Other", actor=None, **AT)
    with pytest.raises(ChangedMeanwhile):
        keep_sizing(study=draft, sizing=ASSUMED, base=base, actor=None, **AT)


# --- the page -------------------------------------------------------------------------------------------------------
def test_the_page_shows_powers_a_plot_and_keeps_them(draft, desk, address):
    html = desk.get(address).content.decode()
    assert "data:image/svg+xml;base64," in html
    answer = desk.post(address, {**typed(), "act": "compute"})
    html = desk.get(answer["Location"]).content.decode()
    expected = computed(draft.protocol, ASSUMED)
    assert f"{expected.power:.3f}" in html
    desk.post(address, {**typed(), "act": "keep", "base": draft.design_sha256})
    html = desk.get(address).content.decode()
    assert "Source of the assumptions: A pilot." in html
    lock_study(study=Study.objects.get(pk=draft.pk), actor=None, **AT)
    html = desk.get(address).content.decode()
    assert "Source of the assumptions: A pilot." in html
    assert "Keep in the plan" not in html
    assert "Source of the assumptions" in desk.get(reverse("designer:design", args=[draft.code])).content.decode()


def test_the_page_of_a_claim_begins_with_its_power(claiming, desk):
    html = desk.get(reverse("designer:sizing", args=[claiming.code])).content.decode()
    rows = [" ".join(row.split()) for row in html.partition("<tbody>")[2].split("<tr>")]
    assert "Non-inferiority with a margin of 0.2 is shown, if nothing changes (one-sided, level 0.025)" in rows[1]
    assert f"{computed(claiming.protocol, first_sizing(claiming)).claim_power:.3f}" in rows[1]
    assert "tests that this plan does not make" in html


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"difference": "much"}, "Enter a number."),
        ({"readers": ""}, "This field is required."),
        ({"unsure": "0.5"}, "must be below 1"),
        ({"difference": "0"}, "must be a number above 0"),
    ],
)
def test_what_cannot_be_is_said_and_stays_as_typed(draft, desk, address, change, words):
    answer = desk.post(address, {**typed(), **change, "act": "keep"})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert 'value="A pilot"' in answer.content.decode()


def test_german_numbers_are_read(draft, desk, address):
    desk.cookies["django_language"] = "de"
    desk.post(address, {**typed(difference="0,15"), "act": "keep"})
    assert Study.objects.get(pk=draft.pk).protocol.analysis.sizing.difference == 0.15


# --- simulations ----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_simulation_is_a_job_with_progress_and_its_result_is_kept(draft, desk, address, worker):
    answer = desk.post(address, {**typed(), "act": "simulate", "runs": "20"})
    job = Job.objects.get(kind=SIMULATE_POWER)
    assert answer["Location"].startswith(reverse("designer:job", args=[draft.code, job.pk]))
    watched = []
    run_here(job, lambda done, total, text: watched.append((done, total)))
    assert watched[-1] == (20, 20)
    html = desk.get(answer["Location"]).content.decode()
    assert f"{address}?readers=6&amp;difference=0.2" in html
    found = with_simulation(draft, ASSUMED)
    assert found.simulations == 20
    assert 0 <= found.simulated_false_findings <= 0.3
    assert with_simulation(draft, replace(ASSUMED, difference=0.21)).simulations == 0  # other assumptions
    desk.post(address, {**typed(), "act": "keep"})
    assert Study.objects.get(pk=draft.pk).protocol.analysis.sizing == found
    assert "In 20 simulated studies of this plan" in desk.get(address).content.decode()


@pytest.mark.parametrize("claim", ["not_lower", "not_higher"])
def test_simulated_studies_show_the_claim_of_the_plan(claiming, claim):
    protocol = claiming.protocol
    edit_draft(
        study=claiming, protocol=replace(protocol, analysis=replace(protocol.analysis, claim=claim)), actor=None, **AT
    )
    result = simulate(simulation_parameters(claiming, ASSUMED, runs=40))
    assert result["simulated_claim"] == pytest.approx(computed(claiming.protocol, ASSUMED).claim_power, abs=0.25)
    kept = keep_sizing(study=claiming, sizing=ASSUMED, result=result, base=None, actor=None, **AT)
    sentences = " ".join(sizing_sentences(kept, alpha=0.05, margin=0.2))
    assert f"on one side at a level of 0.025: computed power {kept.claim_power:.3g}." in sentences
    assert f"non-inferiority was shown in a share of {kept.simulated_claim:.3g} of them" in sentences


@pytest.mark.django_db(transaction=True)
def test_the_same_simulation_runs_once_and_gives_the_same(draft, clara, worker):
    values = {"study": draft, "sizing": ASSUMED, "runs": 5, "actor": clara}
    job = start_simulation(**values, at=make.MONDAY)
    assert start_simulation(**values, at=make.MONDAY) == job
    first = run_here(job)
    second = start_simulation(**values, at=make.MONDAY)
    assert second != job
    assert run_here(second) == first


def test_too_many_simulations_are_refused(draft, clara):
    with pytest.raises(BadInput, match="Simulate 1 to"):
        start_simulation(study=draft, sizing=ASSUMED, runs=10_001, actor=clara, **AT)


def test_the_command_computes_simulates_and_keeps(draft):
    out = StringIO()
    options = {"readers": 6, "difference": 0.2, "source": "A pilot", "simulate": 10, "keep": True, "json": True}
    call_command("size_study", draft.code, stdout=out, stderr=StringIO(), **options)
    printed = json.loads(out.getvalue())
    kept = Study.objects.get(pk=draft.pk).protocol.analysis.sizing
    assert printed["power"] == kept.power == computed(draft.protocol, replace(ASSUMED, images_per_patient=1)).power
    assert printed["simulations"] == kept.simulations == 10


def test_the_command_names_what_is_impossible(draft):
    with pytest.raises(CommandError, match="cannot correlate more"):
        call_command("size_study", draft.code, patient_correlation=0.5)
