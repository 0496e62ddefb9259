"""Programs start, follow, cancel and try jobs again by the same action as the pages; the lab is for researchers."""

import pytest

from readerstudy.experiments.models import Attack, Checkpoint, Evaluation
from readerstudy.jobs.heartbeat import new_worker_name
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import Point, ProgressLog
from readerstudy.jobs.queue import new_job
from readerstudy.results.progress import Activity, ActivityKind, ProgressReport
from tests import make, results, walk

pytestmark = pytest.mark.django_db
STAGE = Activity(ActivityKind.TRAINING_GAN, stage=1, stages=5)
ASKED = {"kind": "train-classifier", "parameters": {"cohort": "films-tiny", "name": "cad", "preset": "demo"}}


def running(person) -> Job:
    job = new_job("train-classifier", {"cohort": "films"}, requested_by=person, at=make.MONDAY)
    job.claim(worker=new_worker_name(), at=make.MONDAY)
    job.advance(3, 10, ProgressReport(STAGE, {"gap": 0.71, "identity": None}))
    Job.objects.update(heartbeat_at=make.MONDAY)
    return job


def test_coordinators_see_how_far_jobs_are_and_no_more(clara):
    job = running(clara)
    (line,) = walk.client_of(clara).get("/api/v1/jobs/").json()["results"]
    assert (line["status"], line["done"], line["total"], line["is_lost"]) == ("running", 3, 10, True)
    assert (line["note"], line["requested_by"]) == ("Stage 1 of 5, gap 0.710, identity loss –", "clara")
    assert walk.client_of(clara).get(f"/api/v1/jobs/{job.pk}/").json() == line
    assert "result" not in line
    assert "parameters" not in line


@pytest.mark.parametrize("address", ["runs", "attacks", "evaluations", "evaluations/1", "jobs/1/points"])
def test_what_jobs_left_behind_is_for_researchers(clara, rosa, address):
    assert walk.client_of(clara).get(f"/api/v1/{address}/").status_code == 403
    assert walk.client_of(rosa).get(f"/api/v1/{address}/").status_code in (200, 404)


@pytest.mark.parametrize("address", ["jobs/", "jobs/1/cancel/", "jobs/1/retry/"])
def test_a_coordinator_starts_and_stops_nothing(clara, address):
    assert walk.client_of(clara).post(f"/api/v1/{address}", ASKED).status_code == 403
    assert not Job.objects.exists()


def test_a_researcher_s_program_starts_a_job_once(study, rosa):
    client = walk.client_of(rosa)
    first = client.post("/api/v1/jobs/", ASKED)
    assert first.status_code == 201
    assert first.json()["parameters"]["seed"] == 1, "the form's default"
    second = client.post("/api/v1/jobs/", ASKED)
    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "My run"}, "name: use letters"),
        ({"cohort": ""}, "cohort: this is required"),
        ({"preset": "huge"}, "preset: 'huge' is none of demo"),
        ({"seed": "x"}, "seed: 'x' is not a whole number"),
        ({"seed": -1}, "seed: -1 is not from 0"),
        ({"colour": "red"}, "colour: train-classifier has no such parameter"),
        ({"cohort": "nobody"}, "cohort: There is no cohort named 'nobody'"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_name(study, rosa, changes, sentence):
    asked = {**ASKED, "parameters": {**ASKED["parameters"], **changes}}
    answer = walk.client_of(rosa).post("/api/v1/jobs/", asked)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(sentence)
    assert not Job.objects.exists()


def test_an_attack_s_settings_stand_in_an_object_and_every_stored_resolution_is_meant(study, rosa, run):
    attack = {"method": "pgd", "name": "pgd-4", "classifier": "cad"}
    asked = {"kind": "attack", "parameters": {"cohort": "films-tiny", "attack": attack}}
    answer = walk.client_of(rosa).post("/api/v1/jobs/", asked).json()
    assert answer["kind"] == "attack"
    assert attack.items() <= answer["parameters"]["attack"].items()
    assert answer["parameters"]["resolutions"] == ["low"]


def test_a_researcher_s_program_cancels_and_tries_again(study, rosa):
    client = walk.client_of(rosa)
    number = client.post("/api/v1/jobs/", ASKED).json()["id"]
    assert client.post(f"/api/v1/jobs/{number}/cancel/").json()["status"] == "cancelled"
    assert client.post(f"/api/v1/jobs/{number}/cancel/").status_code == 409
    again = client.post(f"/api/v1/jobs/{number}/retry/")
    assert (again.status_code, again.json()["retried_from"]) == (201, number)


def test_points_are_json_whatever_the_figures(rosa):
    job = running(rosa)
    ProgressLog(job.pk).add(
        Point(1, 2, STAGE, 1.0, {"loss": float("nan"), "tuning_auc": 0.7}),
        at=make.MONDAY,
    )
    (point,) = walk.client_of(rosa).get(f"/api/v1/jobs/{job.pk}/points/").json()
    assert point["values"] == {"loss": None, "tuning_auc": 0.7}
    assert point["activity"] == {"kind": "training-gan", "stage": 1, "stages": 5, "fold": 0}
    assert point["text"] == "Stage 1 of 5"


def test_runs_attacks_and_evaluations_point_to_each_other(rosa, run):
    attack = Attack.get_or_make(
        "pgd-4", job=None, code_version="c", at=make.MONDAY, method="pgd", classifier=run, seed=1
    )
    found = Evaluation.objects.create(
        name="one", cohort="films", resolution="low", classifier=run, result={"format": "x"}, made_at=make.MONDAY
    )
    found.attacks.add(attack)
    client = walk.client_of(rosa)
    (line,) = client.get("/api/v1/attacks/").json()["results"]
    assert (line["name"], line["classifier"]) == ("pgd-4", "cad")
    assert client.get("/api/v1/runs/").json()["results"][0]["name"] == "cad"
    assert "result" not in client.get("/api/v1/evaluations/").json()["results"][0]
    page = client.get(f"/api/v1/evaluations/{found.pk}/").json()
    assert (page["attacks"], page["classifier"], page["result"]) == (["pgd-4"], "cad", {"format": "x"})


def test_an_evaluation_has_its_trivial_controls_by_code(rosa):
    (row,) = results.store_evaluation(results.evaluation_result(), cohort="films")
    controls = walk.client_of(rosa).get(f"/api/v1/evaluations/{row.pk}/").json()["result"]["controls"]
    assert [control["name"] for control in controls] == ["header", "brightest_pixel", "mean", "standard_deviation"]
    assert controls[0] == {
        "name": "header",
        "auc": {"value": 0.8, "low": 0.71, "high": 0.88, "replicates": 100},
        "values": 3,
    }


@pytest.fixture
def run(db) -> Checkpoint:
    return Checkpoint.objects.create(
        name="cad",
        kind="classifier",
        cohort="films",
        preset="demo",
        seed=1,
        split_hash="s",
        code_version="c",
        folder="cad",
        made_at=make.MONDAY,
    )
