"""Rehearsals, and locks of large cohorts, as jobs that can be run again."""

from importlib import import_module

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import Role
from readerstudy.designer import moves
from readerstudy.designer.actions import start_locking, start_rehearsal
from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.studies.actions import draft_study, edit_draft
from readerstudy.studies.models import Study, WrongStatus
from tests import make


@pytest.fixture
def big(transactional_db, small, monkeypatch, settings):
    """A draft whose cohort is too large to be locked while a page waits; messages to workers go nowhere."""
    settings.ALLOWED_HOSTS = ["*"]
    import_module("readerstudy.designer.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    monkeypatch.setattr(moves, "MOST_FILES_AT_ONCE", 3)
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)
    films = make.cohort(name="films-big")
    make.adversarial_images_for(films)
    protocol = protocol_of_template("zhou2021", words=films.modality.words.reading, scale=0.03)
    return draft_study(code="big", title="A big one", cohort=films, protocol=protocol, actor=None, at=make.MONDAY)


@pytest.fixture
def client(big):
    client = Client()
    client.force_login(make.user("clara", Role.COORDINATOR))
    return client


def run(job: Job, watched: list | None = None) -> None:
    run_here(job, (lambda done, total, text: watched.append((done, total))) if watched is not None else None)


def test_a_large_cohort_is_locked_by_a_job_with_progress(client, big):
    address = reverse("designer:move", args=["big", "lock"])
    answer = client.post(address, {"base": big.design_sha256})
    job = Job.objects.get()
    assert answer["Location"] == reverse("designer:job", args=["big", job.pk])
    assert "Waiting for a worker" in client.get(answer["Location"]).content.decode()
    assert client.post(address, {"base": big.design_sha256})["Location"] == answer["Location"]  # the same job
    watched = []
    run(job, watched)
    big.refresh_from_db()
    assert big.status == "locked"
    assert big.locked_by.username == "clara"
    assert watched[-1] == (88, 88)
    page = client.get(answer["Location"]).content.decode()
    assert "Done" in page
    assert "hx-get" not in page.split('id="job"')[1]


def test_a_job_locks_nothing_that_was_changed_since(client, big):
    job = start_locking(study=big, base=big.design_sha256, actor=make.user("cleo", Role.COORDINATOR), at=make.MONDAY)
    edit_draft(study=big, title="Another", actor=None, at=make.MONDAY)
    with pytest.raises(StudyError, match="changed since"):
        run(job)
    big.refresh_from_db()
    assert big.status == "draft"


def test_a_lock_that_ran_before_is_done_and_draws_nothing_again(client, big):
    actor = make.user("cleo", Role.COORDINATOR)
    job = start_locking(study=big, base=big.design_sha256, actor=actor, at=make.MONDAY)
    run(job)
    plan = Study.objects.get(pk=big.pk).plan_sha256
    Job.objects.filter(pk=job.pk).update(status="queued", ended_at=None)
    run(Job.objects.get(pk=job.pk))
    assert Study.objects.get(pk=big.pk).plan_sha256 == plan


def test_a_rehearsal_runs_from_the_button_and_links_its_report(client, big):
    page = client.get(reverse("desk:study", args=["big"])).content.decode()
    assert reverse("designer:rehearse", args=["big"]) in page
    answer = client.post(reverse("designer:rehearse", args=["big"]))
    job = Job.objects.get()
    assert answer["Location"] == reverse("designer:job", args=["big", job.pk])
    watched = []
    run(job, watched)
    big.refresh_from_db()
    assert big.status == "rehearsed"
    assert watched[-1] == (5 * 37, 5 * 37)
    page = client.get(answer["Location"]).content.decode()
    assert reverse("report:study", args=["big-rehearsal"]) in page


def test_only_jobs_of_this_study_are_shown(client, big):
    job = start_rehearsal(study=big, actor=make.user("cleo", Role.COORDINATOR), at=make.MONDAY)
    assert client.get(reverse("designer:job", args=["big", job.pk + 1])).status_code == 404
    other = make.study("other")
    assert client.get(reverse("designer:job", args=[other.code, job.pk])).status_code == 404


def test_a_study_that_is_drawn_is_neither_rehearsed_nor_locked_by_a_job(client, big):
    drawn = make.study("drawn")
    actor = make.user("cleo", Role.COORDINATOR)
    for start in (start_rehearsal, lambda **values: start_locking(base="", **values)):
        with pytest.raises(WrongStatus):
            start(study=drawn, actor=actor, at=make.MONDAY)
    client.post(reverse("designer:rehearse", args=["drawn"]))
    assert not Job.objects.exists()
