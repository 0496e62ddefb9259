"""The job of a killed worker is detected as lost, requeued, and finished by another worker."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.timezone import now

from readerstudy.jobs import heartbeat
from readerstudy.jobs.actions import MAXIMUM_DEATHS, cancel_job, requeue_lost_jobs
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import read_points
from readerstudy.jobs.queue import new_job, perform
from readerstudy.results.progress import Activity, ActivityKind, ProgressReport
from readerstudy.serialise import to_dict
from tests.make import MONDAY
from tests.roles import database_addresses

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
PROGRESS = ProgressReport(Activity(ActivityKind.TRAINING_GAN, stage=1, stages=4), {})


def running(**changes) -> Job:
    job = new_job("tests.count_slowly", {}, requested_by=None, at=MONDAY)
    values = {"status": "running", "attempts": 1, "worker": "elsewhere:1", "heartbeat_at": now(), **changes}
    Job.objects.filter(pk=job.pk).update(**values)
    return Job.objects.get()


@pytest.mark.django_db
def test_a_silent_worker_is_lost_after_a_minute_a_dead_one_at_once():
    job = running()
    assert not heartbeat.is_lost(job, at=now())
    assert heartbeat.is_lost(job, at=now() + timedelta(seconds=61))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    job.worker = heartbeat.new_worker_name().replace(f":{os.getpid()}:", f":{gone.pid}:")
    assert heartbeat.is_lost(job, at=now())
    job.worker = heartbeat.new_worker_name()
    assert not heartbeat.is_lost(job, at=now())


@pytest.mark.django_db
def test_only_jobs_of_lost_workers_are_requeued():
    job = running()
    assert requeue_lost_jobs(at=now()) == []
    assert requeue_lost_jobs(at=now() + timedelta(minutes=2)) == [job]
    assert Job.objects.get().status == "queued"


@pytest.mark.django_db
def test_a_job_that_crashes_every_worker_fails():
    job = running(deaths=MAXIMUM_DEATHS - 1, progress=to_dict(PROGRESS))
    assert requeue_lost_jobs(at=now() + timedelta(minutes=2)) == [job]
    note = "5 workers died at the same step of this job, the last at: Stage 1 of 4. Is there enough memory?"
    assert (Job.objects.get().status, Job.objects.get().note) == ("failed", note)


@pytest.mark.django_db
def test_a_lost_job_can_be_cancelled_at_once(rosa):
    lost = running(heartbeat_at=now() - timedelta(minutes=2))
    assert cancel_job(job=lost, actor=rosa, at=now()).status == "cancelled"


@pytest.mark.django_db
def test_a_worker_that_lost_its_job_stops_and_writes_nothing():
    job = new_job("tests.count_slowly", {}, requested_by=None, at=MONDAY)

    def work(parameters, report):
        Job.objects.update(attempts=2, worker="other:1", note="further on")
        report(1, 3, Activity(ActivityKind.READING_IMAGES), {})
        pytest.fail("it went on")

    perform(job.pk, work)
    assert (Job.objects.get().status, Job.objects.get().note) == ("running", "further on")


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_continues_during_a_long_step(monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT", 0.02)
    job = new_job("tests.count_slowly", {}, requested_by=None, at=MONDAY)

    def work(parameters, report):
        first = Job.objects.get().heartbeat_at
        wait_until(lambda: Job.objects.get().heartbeat_at > first)

    perform(job.pk, work)
    assert Job.objects.get().status == "done"


@pytest.mark.django_db(transaction=True)
def test_the_job_of_a_killed_worker_is_finished_by_the_next(tmp_path):
    job = new_job("tests.count_slowly", {"to": 60, "saved": str(tmp_path / "saved")}, requested_by=None, at=MONDAY)
    first = worker(tmp_path)
    try:
        wait_until(lambda: Job.objects.get().done >= 5)
    finally:
        kill(first)
    reached = Job.objects.get()
    assert (reached.status, reached.attempts) == ("running", 1)
    second = worker(tmp_path)
    try:
        wait_until(lambda: Job.objects.get().status == "done")
    finally:
        kill(second)
    job.refresh_from_db()
    assert job.attempts == 2
    assert job.result["began"] >= reached.done, "it went on from its last save"
    assert [point.done for point in read_points(job.pk)] == sorted(point.done for point in read_points(job.pk))
    assert read_points(job.pk)[-1].done == 60


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process on the test's database, with a folder of data."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings",
        **database_addresses(),
        "SECRET_KEY": settings.SECRET_KEY,
        "PSEUDONYM_KEY": settings.PSEUDONYM_KEY,
        "RECORD_KEY": settings.RECORD_KEY,
        "ALLOWED_HOSTS": "localhost",
        "CELERY_BROKER_URL": "filesystem://",
        "CELERY_IMPORTS": "tests.sample_tasks",
        "HTTPS": "0",
        "VAR_DIR": str(folder),
    }


def worker(folder: Path) -> subprocess.Popen[bytes]:
    """`manage.py work` as an installation starts it, on the test's database, in a session of its own."""
    command = [sys.executable, "manage.py", "work", "--queue", "cpu"]
    log = (folder / "worker.log").open("ab")
    return subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=log, stderr=log, start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The worker with its child, without a warning."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(is_so) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
