"""`/metrics`: who may read it, what it counts, and that it tells nothing of the truth."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now
from prometheus_client.parser import text_string_to_metric_families

from readerstudy import metrics_folder
from readerstudy.accounts.models import Role
from readerstudy.jobs.models import Job
from readerstudy.jobs.workers_seen import note_worker
from readerstudy.operation import exposition as exposed
from readerstudy.operation import health
from readerstudy.operation.exposition import exposition
from readerstudy.reading.models import ReadingSession
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.models import Presentation
from readerstudy.truth.models import Truth
from tests import make, walk
from tests.tamper import without_triggers

KEY = UUID(int=59)
ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
# Of the machine: they change by themselves.
OF_THE_MACHINE = {"readerstudy_disk_free_bytes", "readerstudy_database_connections"}
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def at_once(monkeypatch, settings):
    settings.CELERY_BROKER_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS = "memory://", {}
    monkeypatch.setattr(health.connection, "close", lambda: None)
    monkeypatch.setattr("readerstudy.operation.exposition.examiner", SimpleNamespace(health=health.examine))


def series() -> Series:
    families = text_string_to_metric_families(exposition().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name not in OF_THE_MACHINE and not sample.name.endswith("_created")
    }


def change(before: Series, after: Series) -> Series:
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


# --- who may read -----------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sender", "fields", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.1.2.3", {}, 403),
        ("", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 403),  # by the proxy of this machine
        ("10.1.2.3", {"X-Forwarded-For": "127.0.0.1"}, 403),  # invented by the client
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "nonsense"}, 403),
        ("10.1.2.3", {"Authorization": f"Bearer {'t' * 40}"}, 200),
        ("10.1.2.3", {"Authorization": f"Bearer {'t' * 39}"}, 403),
        ("127.0.0.1", {"Authorization": "Bearer wrong"}, 403),
        ("10.1.2.3", {"Authorization": "Bearer "}, 403),
    ],
)
def test_only_allowed_machines_and_the_token_read_metrics(client, settings, sender, fields, status):
    settings.METRICS_TOKEN = "t" * 40
    assert client.get("/metrics", REMOTE_ADDR=sender, headers=fields).status_code == status


@pytest.mark.django_db
def test_without_a_token_no_word_opens_the_metrics(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3", headers={"Authorization": "Bearer "}).status_code == 403


@pytest.mark.django_db
def test_a_network_can_be_allowed(client, settings):
    settings.METRICS_FROM = ["10.1.0.0/16"]
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 403


# --- what is counted --------------------------------------------------------------------------------------------
def test_an_accepted_verdict_is_counted_once(study, rita):
    client = walk.client_of(rita)
    step = client.post(walk.address(study.code, 1, "open")).json()
    before = series()
    body = {"stimulus": step["stimulus"]["code"], "verdict": step["verdicts"][0], "elapsed_ms": 900, "key": str(KEY)}
    address = walk.address(study.code, 1, "verdicts")
    statuses = [client.post(address, body, format="json").status_code for _ in range(2)]
    client.post(address, {**body, "verdict": "nonsense"}, format="json")
    after = change(before, series())
    assert statuses == [201, 200]
    assert after["readerstudy_readings_accepted_total", ()] == 1
    responses = {dict(labels)["status"]: v for (name, labels), v in after.items() if name.endswith("responses_total")}
    assert responses == {"2xx": 2, "4xx": 1}
    assert after["readerstudy_request_seconds_count", (("route", "reader:verdicts"),)] == 3


@pytest.mark.django_db
def test_figures_of_jobs_sessions_audits_and_mails(study, rita):
    walk.client_of(rita).post(walk.address(study.code, 1, "open"))
    ReadingSession.objects.update(held_at=now())
    Job.objects.create(kind="train", queued_at=now())
    BlindingAudit.objects.create(study=study, at=now(), passed=False, result={})
    found = series()
    assert found["readerstudy_sessions_on_hold", ()] == found["readerstudy_sessions_open", ()] == 1
    assert found["readerstudy_jobs", (("state", "queued"),)] == 1
    assert found["readerstudy_blinding_audit_passed", ()] == 0
    assert found["readerstudy_mails", (("state", "failed"),)] == 0
    assert found["readerstudy_check_passed", (("check", "database"),)] == 1


@pytest.mark.django_db
def test_addresses_and_methods_that_do_not_exist_add_no_series(client):
    client.get("/nowhere/")
    before = series()
    for number in range(5):
        client.generic(f"VERB{number}", f"/nowhere/{number}/")
    after = change(before, series())
    assert {labels for (name, labels) in after if name == "readerstudy_responses_total"} == {
        (("method", "other"), ("route", "unknown"), ("status", "4xx"))
    }


@pytest.mark.django_db
def test_a_database_that_is_away_leaves_the_counters(monkeypatch):
    def away(**values):
        raise OperationalError("gone")

    monkeypatch.setattr(exposed, "take_figures", away)
    text = exposition().decode()
    assert "readerstudy_readings_accepted_total" in text
    assert "readerstudy_check_passed" in text
    assert "readerstudy_jobs" not in text


# --- blinding ---------------------------------------------------------------------------------------------------
def test_the_metrics_are_the_same_after_real_and_adversarial_are_exchanged(study, rita, monkeypatch):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    at = now()
    monkeypatch.setattr(exposed, "now", lambda: at)
    before = series()
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE truth_truth DROP CONSTRAINT truth_adversarial_has_generator")
        cursor.execute("DROP INDEX one_adversarial_image_per_attack")
        swapped = "CASE authenticity WHEN 'real' THEN 'adversarial' ELSE 'real' END"
        cursor.execute(f"UPDATE truth_truth SET label = 1 - label, authenticity = {swapped}")
        assert cursor.rowcount
    after = series()
    assert len(before) > 30
    assert after == before


def test_a_real_and_an_adversarial_image_change_the_same_metrics(study, rita):
    """Each verdict, with its step and its image, adds the same to every count. Times have a test of their own."""
    client, changes = walk.client_of(rita), {"real": set(), "adversarial": set()}
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    step = client.post(walk.address(study.code, 3, "open")).json()
    while step["kind"] == "read":
        before, code = series(), step["stimulus"]["code"]
        client.get(step["stimulus"]["image"])
        client.get(walk.address(study.code, 3, "step"))
        step = walk.answer(client, study.code, 3, step, step["verdicts"][0]).json()["step"]
        if step["kind"] != "read":
            break  # the last one ends the session
        stimulus = Presentation.objects.get(code=code).stimulus_id
        added = change(before, series())
        counted = {key: value for key, value in added.items() if not key[0].endswith(("_sum", "_bucket"))}
        changes[Truth.objects.get(stimulus=stimulus).authenticity].add(json.dumps(sorted(counted.items())))
    assert len(changes["real"]) == 1
    assert changes["real"] == changes["adversarial"]


def test_no_label_names_a_study_a_person_or_an_image(study, rita):
    make.user("clara", Role.COORDINATOR)
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)
    client.get(f"/read/{study.code}/1/")
    text = exposition().decode()
    codes = set(Presentation.objects.values_list("code", flat=True))
    assert not [word for word in [study.code, "rita", "clara", "films", "adversarial", *codes] if word in text]


# --- several processes ------------------------------------------------------------------------------------------
COUNT = """
import os, sys
from readerstudy.operation import counters
counters.readings.inc(int(sys.argv[1]))
"""
ADD_UP = """
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry()
MultiProcessCollector(registry)
print(generate_latest(registry).decode())
"""


def test_counters_of_all_web_processes_add_up(tmp_path):
    environment = {**os.environ, metrics_folder.VARIABLE: str(tmp_path)}
    for number in ("2", "5"):
        subprocess.run(
            [sys.executable, "-c", COUNT, number], env=environment, check=True, cwd=Path(__file__).parents[2]
        )
    shown = subprocess.run([sys.executable, "-c", ADD_UP], env=environment, check=True, capture_output=True, text=True)
    assert "readerstudy_readings_accepted_total 7.0" in shown.stdout


def test_the_folders_of_ended_servers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv(metrics_folder.VARIABLE, "")
    monkeypatch.setattr(metrics_folder.psutil, "pid_exists", lambda number: number != 12)
    own = metrics_folder.prepare(tmp_path)
    host = own.name.rpartition("-")[0]
    for name in (f"{host}-12", f"{host}-13", "other-12"):
        (tmp_path / "metrics" / name).mkdir()
    metrics_folder.prepare(tmp_path)
    assert {folder.name for folder in own.parent.iterdir()} == {own.name, f"{host}-13", "other-12"}
    assert os.environ[metrics_folder.VARIABLE] == str(own)


# --- the sample dashboard and alerts ----------------------------------------------------------------------------
def names_in(text: str) -> set[str]:
    return set(re.findall(r"\breaderstudy_\w+", text))


@pytest.mark.django_db
@pytest.mark.parametrize("file", ["dashboard.json", "alerts.yml"])
def test_every_metric_of_the_samples_exists(client, study, file):
    BlindingAudit.objects.create(study=study, at=now(), passed=True, result={})
    note_worker(["cpu", "gpu", "mail"])
    client.get("/")
    known = {name for name, _ in series()} | OF_THE_MACHINE
    named = names_in((MONITORING / file).read_text())
    assert len(named) > 5
    assert named <= known
