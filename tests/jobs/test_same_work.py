"""Two starts of the same work are one job; a message that is delivered twice has no effect."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from readerstudy.jobs.models import Job, fingerprint
from readerstudy.jobs.queue import new_job, perform
from tests.make import MONDAY


def start(**parameters) -> Job:
    return new_job("tests.count", parameters, requested_by=None, at=MONDAY)


@pytest.mark.django_db
def test_the_order_of_parameters_does_not_matter():
    assert start(seed=1, name="a") == start(name="a", seed=1)
    assert start(seed=2, name="a") != start(seed=1, name="a")
    assert fingerprint("one", {}) != fingerprint("two", {})


@pytest.mark.django_db
def test_a_second_start_takes_no_number():
    first = start(seed=1)
    assert start(seed=1) == first
    assert start(seed=2).pk == first.pk + 1


@pytest.mark.django_db
def test_work_that_is_over_can_be_started_again():
    first = start(seed=1)
    Job.objects.filter(pk=first.pk).update(status="done", ended_at=MONDAY)
    assert start(seed=1) != first


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_the_same_moment_are_one_job():
    barrier, numbers = Barrier(4), []

    def press() -> None:
        barrier.wait()
        numbers.append(start(seed=1).pk)
        connection.close()

    people = [Thread(target=press) for _person in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(numbers) == 4
    assert set(numbers) == {Job.objects.get().pk}


@pytest.mark.django_db
def test_a_message_delivered_twice_runs_the_job_once():
    job, runs = start(seed=1), []

    def work(parameters, report):
        runs.append(Job.objects.get().worker)
        perform(job.pk, work)  # the broker delivers it again, in the middle
        return "done"

    perform(job.pk, work)
    perform(job.pk, work)  # and once more when it is over
    assert runs == [Job.objects.get().worker]
    assert (Job.objects.get().status, Job.objects.get().attempts) == ("done", 1)


@pytest.mark.django_db
def test_only_one_of_two_workers_claims_a_job():
    first = start(seed=1)
    second = Job.objects.get()
    assert first.claim(worker="one:1", at=MONDAY)
    assert not second.claim(worker="other:2", at=MONDAY)
    assert Job.objects.get().worker == "one:1"
