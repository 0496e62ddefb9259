"""Jobs outlive a database and a broker that are away; only workers that die count as dead."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils.timezone import now
from kombu.exceptions import OperationalError as BrokerAway

from readerstudy.jobs import actions, heartbeat, outages, queue
from readerstudy.jobs.actions import MAXIMUM_DEATHS, requeue_lost_jobs, resend_forgotten_jobs
from readerstudy.jobs.heartbeat import BEAT, database_time, is_lost, new_worker_name
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import read_log
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import MAXIMUM_OUTAGES, enqueue, new_job, perform
from readerstudy.jobs.sweeper import Sweeper
from readerstudy.results.progress import Activity, ActivityKind
from tests.jobs.outage import come_back, database_away, go_away
from tests.jobs.test_lost import running, wait_until
from tests.make import MONDAY

READING = Activity(ActivityKind.READING_IMAGES)


@pytest.fixture
def sent(monkeypatch) -> list[int]:
    """The jobs of the messages that went to the broker. It holds none of them: workers take them at once."""
    sent: list[int] = []
    monkeypatch.setattr(
        "readerstudy.jobs.queue.app.send_task", lambda task, kwargs, queue: sent.append(kwargs["job_id"])
    )
    monkeypatch.setattr(actions, "count_messages", lambda queue: 0)
    return sent


def queued(**changes) -> Job:
    return new_job("tests.count_slowly", changes, requested_by=None, at=MONDAY)


# --- a database that is away ------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_run_outlives_an_outage_of_the_database(monkeypatch):
    monkeypatch.setattr(queue, "EVERY_SECONDS", 0)
    monkeypatch.setattr(queue, "EVERY_SECONDS_AWAY", 0)
    job = queued()

    def work(parameters, report):
        report(1, 4, READING, {})
        with database_away():
            report(2, 4, READING, {})
            report(3, 4, READING, {})
        report(4, 4, READING, {})
        return "trained"

    perform(job.pk, work)
    job.refresh_from_db()
    assert (job.status, job.result, job.done) == ("done", "trained", 4)
    assert (job.attempts, job.deaths, job.outages) == (1, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_run_waits_for_the_database(monkeypatch):
    job, host = queued(), []
    monkeypatch.setattr(outages, "sleep", lambda seconds: come_back(host[0]))
    perform(job.pk, lambda parameters, report: host.append(go_away()) or "trained")
    job.refresh_from_db()
    assert (job.status, job.result) == ("done", "trained")


@pytest.mark.django_db(transaction=True)
def test_work_that_needs_the_database_begins_again_without_a_death(monkeypatch, sent):
    job, host = queued(), []
    monkeypatch.setattr(outages, "sleep", lambda seconds: come_back(host[0]))

    def work(parameters, report):
        host.append(go_away())
        Job.objects.count()

    perform(job.pk, work)
    job.refresh_from_db()
    assert (job.status, job.deaths, job.outages) == ("queued", 0, 1)
    assert sent == [job.pk]
    assert "goes on from its last save" in " ".join(read_log(job.pk))


@pytest.mark.django_db(transaction=True)
def test_a_step_that_always_ends_the_connection_fails_in_the_end(monkeypatch, sent):
    job, host = queued(), []
    Job.objects.update(outages=MAXIMUM_OUTAGES)
    monkeypatch.setattr(outages, "sleep", lambda seconds: come_back(host[-1]))

    def work(parameters, report):
        host.append(go_away())
        Job.objects.count()

    perform(job.pk, work)
    job.refresh_from_db()
    assert job.status == "failed"
    assert job.note == "The database ended the connection 21 times at this step; see its log."


@pytest.mark.django_db(transaction=True)
def test_a_refused_statement_is_no_outage():
    job = queued()

    def work(parameters, report):
        raise OperationalError("could not extend file: No space left on device")

    with pytest.raises(OperationalError):
        perform(job.pk, work)
    job.refresh_from_db()
    assert (job.status, job.note) == (
        "failed",
        "Stopped by OperationalError: could not extend file: No space left on device",
    )


@pytest.mark.django_db(transaction=True)
def test_a_claim_and_an_end_whose_answers_were_lost_count_once():
    job, name = queued(), new_worker_name()
    claimed = queue._claimed(job.pk, name)
    assert queue._claimed(job.pk, name).attempts == claimed.attempts == 1
    assert claimed.finish("done", at=now())
    assert not claimed.finish("done", at=now())
    assert queue._is_ours(claimed, name)
    assert not queue._is_ours(claimed, new_worker_name())


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_survives_an_outage(monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT", 0.02)
    failures = []
    monkeypatch.setattr(outages.logger, "warning", lambda text, *values: failures.append(text % values))

    def work(parameters, report):
        with database_away():
            wait_until(lambda: len(failures) >= 2)
        before = Job.objects.get().heartbeat_at
        wait_until(lambda: Job.objects.get().heartbeat_at > before)

    perform(queued().pk, work)
    assert Job.objects.get().status == "done"
    assert "No heartbeat of job" in failures[0]


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_survives_an_outage_and_gives_workers_time_for_a_heartbeat(sent):
    job, sweeper = running(heartbeat_at=now() - timedelta(minutes=5)), Sweeper()
    with database_away():
        assert not sweeper.sweep()
    assert sweeper.sweep()
    job.refresh_from_db()
    assert job.status == "running", "its worker could not say that it lives"
    assert not is_lost(job, at=now() + timedelta(seconds=59), since=sweeper._back_since)
    assert is_lost(job, at=now() + timedelta(seconds=61), since=sweeper._back_since)


@pytest.mark.django_db
def test_a_database_that_has_just_started_loses_no_job():
    job = running(heartbeat_at=now() - timedelta(minutes=5))
    assert requeue_lost_jobs(at=now(), since=now() - timedelta(seconds=20)) == []
    assert requeue_lost_jobs(at=now(), since=now() - timedelta(seconds=61)) == [job]


@pytest.mark.django_db(transaction=True)
def test_the_thread_of_the_sweeper_goes_on_after_any_error(monkeypatch):
    looks = threading.Semaphore(0)

    def fails():
        looks.release()
        raise RuntimeError("no time")

    monkeypatch.setattr("readerstudy.jobs.sweeper.INTERVAL", 0.01)
    monkeypatch.setattr("readerstudy.jobs.sweeper.database_time", fails)
    sweeper = Sweeper()
    sweeper.start()
    assert all(looks.acquire(timeout=60) for _look in range(3))
    sweeper.stop()


# --- forgotten jobs ---------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_forgotten_jobs_are_sent_again_at_every_look(sent):
    first, second = queued(number=1), queued(number=2)
    assert resend_forgotten_jobs() == [first, second]
    assert resend_forgotten_jobs() == [first, second]
    assert sent == 2 * [first.pk, second.pk]


@pytest.mark.django_db
def test_jobs_whose_messages_wait_are_not_sent_again(sent, monkeypatch):
    queued(number=1), queued(number=2)
    monkeypatch.setattr(actions, "count_messages", lambda queue: 2)
    assert resend_forgotten_jobs() == []


@pytest.mark.django_db
def test_a_job_started_without_a_broker_waits_and_says_so(monkeypatch, django_capture_on_commit_callbacks, sent):
    def refuse(*args, **options):
        raise BrokerAway("Connection refused")

    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr("readerstudy.jobs.queue.app.send_task", refuse)
        job = queued()
        enqueue(job)
        assert resend_forgotten_jobs() == []
    job.refresh_from_db()
    assert (job.status, job_note(job)) == (
        "queued",
        "It waits for the broker, which does not answer. It is sent when the broker does.",
    )
    assert resend_forgotten_jobs() == [job]
    job.refresh_from_db()
    assert (job.note, job.sentence) == ("", None)


# --- dead workers -----------------------------------------------------------------------------------------------
def die(job: Job, **changes) -> Job:
    """The job after its worker has died, having come as far as the changes say."""
    Job.objects.update(status="running", heartbeat_at=now() - timedelta(minutes=2), **changes)
    requeue_lost_jobs(at=now())
    job.refresh_from_db()
    return job


@pytest.mark.django_db
def test_the_deaths_begin_anew_when_steps_were_done_in_between(sent):
    job = queued()
    for done in (10, 10, 10, 20, 20):
        assert die(job, done=done).status == "queued"
    assert (job.deaths, job.furthest) == (2, 20)


@pytest.mark.django_db
def test_attempts_that_were_no_deaths_fail_no_job(sent):
    assert die(queued(), attempts=50).status == "queued"


@pytest.mark.django_db
def test_a_job_that_kills_its_workers_at_one_step_fails(sent, capsys):
    job = queued()
    for _death in range(MAXIMUM_DEATHS - 1):
        assert die(job, done=10).status == "queued"
    Job.objects.update(status="running", heartbeat_at=now() - timedelta(minutes=20))
    Job.objects.update(worker="elsewhere:1")
    (lost,) = requeue_lost_jobs(at=now())
    assert lost.status == "failed"
    assert lost.note.startswith("5 workers died at the same step of this job")


@pytest.mark.django_db
def test_the_command_says_what_became_of_lost_jobs(sent, capsys, monkeypatch):
    monkeypatch.setattr(heartbeat, "_is_dead", lambda worker: True)
    job = running()
    Job.objects.update(deaths=MAXIMUM_DEATHS - 1)
    call_command("requeue_lost_jobs")
    assert f"Job {job.pk} (tests.count_slowly) has failed: 5 workers died" in capsys.readouterr().out
    call_command("requeue_lost_jobs")
    assert "No job is lost." in capsys.readouterr().out


# --- who lives --------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_process_of_another_container_with_the_same_host_name_is_not_judged_by_its_number():
    host, _process, machine, _random = new_worker_name().split(":")
    gone = 2**22 + 1  # above the largest number of a process
    assert is_lost(running(worker=f"{host}:{gone}:{machine}:00000000"), at=now())
    Job.objects.update(worker=f"{host}:{gone}:another:00000000")
    assert not is_lost(Job.objects.get(), at=now())


def test_no_two_names_of_workers_are_equal():
    assert len({new_worker_name() for _name in range(100)}) == 100


@pytest.mark.django_db
def test_a_worker_whose_clock_is_wrong_beats_by_the_clock_of_the_database(monkeypatch):
    for wrong in (timedelta(hours=2), timedelta(hours=-2)):
        monkeypatch.setattr(queue, "now", lambda wrong=wrong: now() + wrong)
        job = queued(hours=wrong.total_seconds())

        def work(parameters, report, job=job):
            report(1, 2, READING, {})
            job.refresh_from_db()
            assert abs(job.heartbeat_at - database_time().now) < timedelta(minutes=30)
            assert not is_lost(job, at=database_time().now)

        perform(job.pk, work)
        job.refresh_from_db()
        assert job.status == "done", job.note


def test_a_beat_comes_several_times_before_a_worker_is_lost():
    assert timedelta(seconds=3 * BEAT) < heartbeat.LOST_AFTER
