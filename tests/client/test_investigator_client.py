"""The client for coordinators and researchers against the application: a study from its file to its results."""

import csv
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from readerstudy.accounts.models import Role
from readerstudy.client import ApiError
from readerstudy.client.problems import Forbidden, Misunderstood, NothingThere, Refused
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from tests import make, walk
from tests.analysis import rows

OTHERS = ("django", "numpy", "pandas", "polars", "pyarrow", "rich", "rest_framework")


@pytest.fixture
def unsealed(db, settings, tmp_path, monkeypatch) -> Study:
    """Read, closed and unsealed; rosa is its researcher, clara its coordinator."""
    import_module("readerstudy.bundle.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    settings.REPORTS_DIR = tmp_path / "reports"
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)
    made = rows.closed(rows.study())
    make.join([make.user("rosa", Role.RESEARCHER), make.user("clara", Role.COORDINATOR)], [made])
    unseal_study(study=made, actor=None, reason="All have read.", at=make.MONDAY)
    return made


def program(name: str):
    from readerstudy.accounts.models import User

    return walk.investigator(User.objects.get(username=name))


def test_the_client_needs_nothing_but_httpx():
    missing = f"import sys; sys.modules.update(dict.fromkeys({OTHERS}))"  # None: an import of it fails
    code = f"{missing}; from readerstudy.client import InvestigatorClient; print(InvestigatorClient.__name__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "InvestigatorClient"


def test_a_study_goes_from_a_file_to_its_end(study, clara, tmp_path):
    make.join([clara], [study])
    client = walk.investigator(clara)
    file = tmp_path / "tiny.yaml"
    client.study("tiny").save_protocol(file)
    draft = client.draft_study("second", title="A second study", cohort=study.cohort.name, protocol=file)
    checked = draft.checklist()
    assert (checked["can_be_locked"], [move["name"] for move in draft.moves()]) == (True, ["lock", "delete"])
    with pytest.raises(Misunderstood, match="base"):
        draft.move("lock")
    locked = draft.move("lock", base=checked["design_sha256"])
    assert locked["status"] == "locked"
    draft.move("open")
    with pytest.raises(Refused) as caught:
        draft.move("open")
    assert (caught.value.status, caught.value.detail) == (409, "Study second is not locked.")
    make.user("ruth", Role.READER)
    assert draft.enroll("ruth", override_reason="A year ago.")["user"] == "ruth"
    assert draft.act("R1", "pause", reason="Ill.")["paused_at"]
    assert [reader["code"] for reader in draft.readers()] == ["R1"]
    assert draft.monitor()["readers"][0]["answered"] == 0
    assert draft.move("close", reason="All have read.")["status"] == "closed"
    assert [line["code"] for line in client.studies()] == ["second", "tiny"]
    with pytest.raises(NothingThere):
        client.study("elsewhere").page()


def test_a_draft_is_replaced_and_deleted(study, clara):
    make.join([clara], [study])
    client = walk.investigator(clara)
    text = client.study("tiny").protocol()["protocol"]
    draft = client.draft_study("second", title="A second study", cohort=study.cohort.name, protocol=text)
    base = draft.protocol()["design_sha256"]
    assert draft.replace_protocol(text, base=base)["design_sha256"] == base
    assert draft.move("delete") is None
    assert not Study.objects.filter(code="second").exists()


def test_readings_are_rows_and_a_file(unsealed, tmp_path):
    readings = program("rosa").study("small").readings()
    listed = list(readings)
    readings.save(tmp_path / "readings.csv")
    with (tmp_path / "readings.csv").open() as file:
        saved = list(csv.DictReader(file))
    assert len(listed) == len(saved) > 0
    assert [row["receipt"] for row in listed] == [row["receipt"] for row in saved]
    assert {row["authenticity"] for row in saved} >= {"real", "adversarial"}
    assert "authenticity" not in next(iter(program("clara").study("small").readings()))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_readings_of_the_server_make_frames(unsealed, library):
    pytest.importorskip(library, reason=f"{library} is optional: the extra [frames]")
    readings = program("rosa").study("small").readings()
    frame = getattr(readings, library)()
    listed = list(readings)
    for name in ("verdict", "authenticity", "elapsed_ms", "session"):
        assert frame[name].to_list() == [row[name] for row in listed]
    assert [moment.isoformat() for moment in frame["answered_at"]] == [
        row["answered_at"].replace("Z", "+00:00") for row in listed
    ]


def test_results_come_with_every_table(unsealed):
    results = program("rosa").study("small").results()
    assert results["study"] == "small"
    assert all(len(table["rows"]) == len(table["row_codes"]) for table in results["tables"].values())
    with pytest.raises(Forbidden):
        program("clara").study("small").results()


def test_a_bundle_is_made_waited_for_and_checked(unsealed, tmp_path):
    client = program("rosa")
    study = client.study("small")
    with pytest.raises(NothingThere):
        study.bundle_job()
    started = study.make_bundle()
    run_here(Job.objects.get(pk=started["id"]))
    job = client.wait_for_job(started["id"], progress=False)
    saved = study.save_bundle(tmp_path / "small.zip")
    assert saved.is_verified
    assert saved.sha256 == job["result"]["sha256"]
    assert Path(saved.path).read_bytes().startswith(b"PK")


def test_jobs_and_the_lab_are_listed(unsealed):
    client = program("rosa")
    client.study("small").make_bundle()
    assert [job["kind"] for job in client.jobs()] == ["export-bundle"]
    job = client.cancel_job(client.jobs().first()["id"])
    assert job["status"] == "cancelled"
    assert client.retry_job(job["id"])["retried_from"] == job["id"]
    assert client.job_points(job["id"]) == []
    assert client.runs().list() == client.attacks().list() == client.evaluations().list() == []
    assert client.cohort(client.cohorts().first()["name"])["images"] > 0
    with pytest.raises(ApiError):
        client.evaluation(1)
