"""A cohort with adversarial images and scores, runs, an evaluation, and a job with progress reports."""

import pytest

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind, Evaluation
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import new_job, perform
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.truth.actions import store_scores
from readerstudy.truth.models import Truth
from tests import make, results

GENERATORS = ["gan-insert", "gan-remove"]


@pytest.fixture(autouse=True)
def sent(monkeypatch) -> list[tuple[str, int, str]]:
    """What went to the broker: task, job and queue."""
    sent: list[tuple[str, int, str]] = []
    monkeypatch.setattr(
        "readerstudy.jobs.queue.app.send_task", lambda task, kwargs, queue: sent.append((task, kwargs["job_id"], queue))
    )
    return sent


@pytest.fixture
def cohort(db, small) -> Cohort:
    cohort = make.cohort(patients=12)
    make.adversarial_images_for(cohort)
    return cohort


@pytest.fixture
def adversarial(cohort) -> Truth:
    return Truth.objects.filter(generator__in=GENERATORS).order_by("pk")[0]


@pytest.fixture
def scored(adversarial) -> Truth:
    store_scores({adversarial.source_image_id: 0.1, adversarial.stimulus_id: 0.9}, classifier="cad", size=(64, 52))
    return adversarial


@pytest.fixture
def run(db) -> Checkpoint:
    return checkpoint("cad", CheckpointKind.CLASSIFIER)


@pytest.fixture
def attack(run) -> Attack:
    return Attack.get_or_make(
        "pgd-4",
        job=None,
        code_version="abc",
        at=make.MONDAY,
        method="pgd",
        direction="",
        generator=None,
        classifier=run,
        settings={"epsilon": 1028},
        seed=1,
        cohort="films",
    )


@pytest.fixture
def evaluation(run, attack) -> Evaluation:
    pgd = results.attack_evaluation(name="pgd-4", runs=("pgd-4",), against="cad")
    own = results.evaluation_result(pgd, classifier="cad", reference="cad", resolution="low")
    (row,) = results.store_evaluation(own, cohort="films")
    row.attacks.add(attack)
    return row


@pytest.fixture
def reported(rosa, monkeypatch) -> Job:
    """A job that is over and reported its loss on the way."""
    monkeypatch.setattr("readerstudy.jobs.queue.EVERY_SECONDS", -1.0)
    job = new_job("train-gan", {"cohort": "films", "name": "gan"}, requested_by=rosa, at=make.MONDAY)

    def work(parameters, report):
        for step in range(1, 5):
            report(step, 4, Activity(ActivityKind.TRAINING_GAN, 1 + step // 3, 2), {"identity": 1 / step})
        return "done"

    perform(job.pk, work)
    job.refresh_from_db()
    return job


def checkpoint(name: str, kind: CheckpointKind, **fields) -> Checkpoint:
    values = {"cohort": "films", "preset": "demo", "seed": 1, "split_hash": "s", "code_version": "c", "folder": name}
    return Checkpoint.objects.create(name=name, kind=kind, made_at=make.MONDAY, **{**values, **fields})
