"""People stop jobs and try them retried; both stand on the record."""

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from readerstudy.audit.models import Event
from readerstudy.errors import StudyError
from readerstudy.jobs.actions import cancel_job, retry_job
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import read_log
from readerstudy.jobs.queue import new_job, perform
from readerstudy.results.progress import Activity, ActivityKind
from tests.make import MONDAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(sent) -> Job:
    return new_job("tests.count", {"to": 3}, requested_by=None, at=MONDAY, queue="gpu")


@pytest.fixture
def sent(monkeypatch, django_capture_on_commit_callbacks) -> list[tuple[int, str]]:
    """What went to the broker: job and queue."""
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr(
        "readerstudy.jobs.queue.app.send_task", lambda task, kwargs, queue: sent.append((kwargs["job_id"], queue))
    )
    return sent


def test_a_queued_job_is_cancelled_at_once(job, rosa):
    assert cancel_job(job=job, actor=rosa, at=now()).status == "cancelled"
    perform(job.pk, lambda parameters, report: pytest.fail("it ran"))
    assert Event.objects.get(verb="job.cancelled").actor == rosa


def test_a_running_job_stops_at_its_next_report(job, rosa):
    def work(parameters, report):
        cancel_job(job=Job.objects.get(), actor=rosa, at=now())
        assert Job.objects.get().status == "running"
        report(1, 3, Activity(ActivityKind.READING_IMAGES), {})
        pytest.fail("it went on")

    perform(job.pk, work)
    job.refresh_from_db()
    assert (job.status, job.cancel_requested_by, job.done) == ("cancelled", rosa, 1)
    assert read_log(job.pk)[-1].endswith("Cancelled.")


def test_jobs_that_are_over_cannot_be_cancelled(job, rosa):
    perform(job.pk, lambda parameters, report: "done")
    with pytest.raises(StudyError, match="is done; there is nothing to cancel"):
        cancel_job(job=job, actor=rosa, at=now())


def test_a_retry_is_a_new_job_in_the_same_queue(job, rosa, sent, django_capture_on_commit_callbacks):
    def fails(parameters, report):
        raise StudyError("The disk is full.")

    perform(job.pk, fails)
    job.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        retried = retry_job(job=job, actor=rosa, at=now())
        assert retry_job(job=job, actor=rosa, at=now()) == retried, "pressed twice"
    assert (retried.retried_from, retried.parameters, retried.requested_by) == (job, {"to": 3}, rosa)
    assert set(sent) == {(retried.pk, "gpu")}
    job.refresh_from_db()
    assert (job.status, job.note) == ("failed", "The disk is full."), "how the old one ended stays readable"


def test_running_and_done_jobs_cannot_be_retried(job):
    with pytest.raises(StudyError, match="only failed and cancelled"):
        retry_job(job=job, actor=None, at=now())
    perform(job.pk, lambda parameters, report: "done")
    job.refresh_from_db()
    with pytest.raises(StudyError, match="is done"):
        retry_job(job=job, actor=None, at=now())


def test_commands_list_cancel_and_retry_jobs(job, capsys):
    call_command("cancel_job", job.pk)
    call_command("retry_job", job.pk)
    call_command("jobs")
    output = capsys.readouterr().out
    assert f"Job {job.pk} is cancelled." in output
    retried = Job.objects.latest("pk")
    assert f"Job {retried.pk} is queued" in output
    assert output.index(f"{retried.pk}  Queued") < output.index(f"{job.pk}  Cancelled"), "what is under way comes first"
