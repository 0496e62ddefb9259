"""The administration lists jobs; a researcher cancels and tries again there too, a coordinator looks."""

import pytest
from django.urls import reverse

from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import new_job
from tests import make

pytestmark = pytest.mark.django_db
LIST = "admin:jobs_job_changelist"


@pytest.fixture
def job(monkeypatch) -> Job:
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)
    return new_job("train-gan", {"cohort": "films"}, requested_by=None, at=make.MONDAY)


def press(client, action: str, job: Job):
    return client.post(reverse(LIST), {"action": action, "_selected_action": [job.pk]}, follow=True)


def test_rosa_cancels_and_retries_and_sees_why_it_is_refused(job, rosa, signed_in):
    client = signed_in(rosa)
    assert reverse("lab:job", args=[job.pk]) in client.get(reverse(LIST)).content.decode()
    press(client, "cancel", job)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert "there is nothing to cancel" in press(client, "cancel", job).content.decode()
    press(client, "try_again", job)
    assert Job.objects.get(retried_from=job).status == "queued"


def test_clara_sees_jobs_without_what_they_were_given_and_stops_none(job, clara, signed_in):
    client = signed_in(clara)
    page = client.get(reverse(LIST)).content.decode()
    assert "Train a GAN" in page
    assert reverse("lab:job", args=[job.pk]) not in page  # it would be refused to her
    press(client, "cancel", job)
    job.refresh_from_db()
    assert job.status == "queued"
    row = client.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()
    assert "films" not in row


def test_a_training_that_a_rule_ended_has_done_everything(job, clara, signed_in):
    Job.objects.filter(pk=job.pk).update(status="done", done=232, total=302, ended_at=make.MONDAY)
    page = signed_in(clara).get(reverse(LIST), headers={"accept-language": "de"}).content.decode()
    assert "232 von 232" in page
    assert "GAN trainieren" in page
    assert "beantragt von" in page.lower()
