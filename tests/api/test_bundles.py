"""The bundle of a study by the API: the job, its state, and the file."""

from importlib import import_module

import pytest
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.models import Role, Scope, User
from readerstudy.accounts.tokens import make_token
from readerstudy.audit.models import Event
from readerstudy.bundle.actions import bundle_of
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows

BUNDLE, FILE = "/api/v1/studies/small/bundle/", "/api/v1/studies/small/bundle.zip"


@pytest.fixture
def study(db: None, settings, tmp_path, monkeypatch) -> Study:
    """Unsealed; rosa is its researcher."""
    import_module("readerstudy.bundle.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    settings.REPORTS_DIR = tmp_path / "reports"
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)
    made = rows.study()
    rows.closed(made)
    make.join([make.user("rosa", "researcher"), make.user("clara", "coordinator")], [made])
    return made


def unsealed(study: Study) -> None:
    unseal_study(study=study, actor=None, reason="All have read.", at=make.MONDAY)


def client_of(name: str, *scopes: Scope) -> Client:
    """A program that has a token of the person with these scopes."""
    _row, token = make_token(user=User.objects.get(username=name), name="test", scopes=scopes, at=now())
    return Client(headers={"Authorization": f"Token {token}"})


def test_a_program_makes_a_bundle_follows_the_job_and_downloads(study: Study) -> None:
    unsealed(study)
    program = client_of("rosa", Scope.READ, Scope.JOBS)
    assert program.get(BUNDLE).status_code == 404
    assert program.get(FILE).status_code == 404
    started = program.post(BUNDLE)
    assert (started.status_code, started.json()["status"]) == (201, "queued")
    again = program.post(BUNDLE)
    assert (again.status_code, again.json()["id"]) == (200, started.json()["id"])
    job = Job.objects.get()
    run_here(job)
    state = program.get(BUNDLE).json()
    job.refresh_from_db()
    assert (state["status"], state["result"]["sha256"]) == ("done", job.result["sha256"])
    answer = program.get(FILE)
    assert answer["Content-Disposition"] == 'attachment; filename="small-bundle.zip"'
    assert b"".join(answer.streaming_content) == bundle_of(job).read_bytes()
    assert Event.objects.filter(verb="export.made", data__part="bundle").count() == 2  # made, and downloaded


def test_a_token_needs_the_scope_of_jobs_to_make_one(study: Study) -> None:
    unsealed(study)
    reads, starts = client_of("rosa", Scope.READ), client_of("rosa", Scope.JOBS)
    assert reads.post(BUNDLE).status_code == 403
    assert starts.post(BUNDLE).status_code == 201
    assert starts.get(FILE).status_code == 403
    assert reads.get(BUNDLE).status_code == 200


def test_a_sealed_study_and_people_without_the_right_get_none(study: Study) -> None:
    both = (Scope.READ, Scope.JOBS)
    program, coordinator = client_of("rosa", *both), client_of("clara", *both)
    for send in (program.post, program.get):
        answer = send(BUNDLE)
        assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert program.get(FILE).status_code == 409
    unsealed(study)
    make.stranger("stranger", Role.RESEARCHER)
    for client, status in ((coordinator, 403), (client_of("stranger", *both), 404)):
        assert client.post(BUNDLE).status_code == status
        assert client.get(BUNDLE).status_code == status
        assert client.get(FILE).status_code == status
    assert not Job.objects.exists()
