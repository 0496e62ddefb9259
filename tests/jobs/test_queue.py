"""A job records its progress, its result or its failure."""

import errno
from contextlib import suppress

import pytest
from celery import shared_task

from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import job_folder
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import new_job, perform, run_here
from readerstudy.results.progress import Activity, ActivityKind
from tests.make import MONDAY

pytestmark = pytest.mark.django_db


@shared_task(name="tests.count")
def count(job_id: int) -> None:
    perform(job_id, _count)


def _count(parameters, report):
    for number in range(parameters["to"]):
        report(number + 1, parameters["to"], Activity(ActivityKind.READING_IMAGES), {"tuning_auc": 0.5 + number / 10})
    if parameters.get("fail"):
        raise StudyError("Somebody lost count.")
    if parameters.get("crash"):
        raise ZeroDivisionError("at seven")
    return {"counted": parameters["to"]}


def job(**parameters) -> Job:
    return new_job("tests.count", {"to": 3, **parameters}, requested_by=None, at=MONDAY)


def test_a_job_run_in_this_process_returns_its_result():
    seen = []
    assert run_here(job(), watch=lambda *report: seen.append(report)) == {"counted": 3}
    assert seen[-1] == (3, 3, "Reading images, tuning AUC 0.700")
    row = Job.objects.get()
    assert (row.status, row.done, row.total, job_note(row)) == ("done", 3, 3, "Reading images, tuning AUC 0.700")
    assert row.ended_at is not None


def test_the_message_of_a_study_error_becomes_the_note():
    with pytest.raises(StudyError, match="Somebody lost count"):
        run_here(job(fail=True))
    assert (Job.objects.get().status, Job.objects.get().note) == ("failed", "Somebody lost count.")


def test_an_unexpected_exception_is_recorded_and_raised():
    with pytest.raises(ZeroDivisionError):
        run_here(job(crash=True))
    assert "ZeroDivisionError" in Job.objects.get().note


def test_a_full_disk_ends_the_work_with_its_reason_and_not_the_record_of_it():
    def works(parameters, report):
        report(1, 1, Activity(ActivityKind.READING_IMAGES), {})
        return 1

    def fails(parameters, report):
        raise OSError(errno.ENOSPC, "No space left on device")

    for work, status, note in ((works, "done", ""), (fails, "failed", "No space left on device")):
        row = job()
        folder = job_folder(row.pk)
        folder.mkdir(parents=True)
        (folder / "log.txt").symlink_to("/dev/full")
        with suppress(OSError):
            perform(row.pk, work)
        row.refresh_from_db()
        assert row.status == status
        assert note in row.note
