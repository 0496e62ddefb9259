"""Pages of jobs: start, follow, cancel and retry. They work as plain forms."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.audit.models import Event
from readerstudy.experiments.catalogue import KINDS
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import Point, ProgressLog
from readerstudy.jobs.queue import new_job
from readerstudy.results.progress import Activity, ActivityKind
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in(client, rosa):
    client.force_login(rosa)


def test_an_empty_list_of_jobs_names_the_next_step(client):
    assert "First train a classifier" in client.get(reverse("lab:jobs")).content.decode()


def test_running_jobs_are_listed_first(client, reported, rosa):
    new_job("train-classifier", {"cohort": "films"}, requested_by=rosa, at=now())
    page = client.get(reverse("lab:jobs")).content.decode()
    assert page.index("Train a classifier</span>") < page.index("Train a GAN</span>")


def test_a_job_page_shows_curves_with_numbers_and_stages(client, reported):
    page = client.get(reverse("lab:job", args=[reported.pk])).content.decode()
    assert "<polyline" in page
    assert 'aria-label="Identity loss (running mean): 1 at step 1, 0.25 at step 4."' in page
    assert page.count('<td class="number">0.3333</td>') == 1
    assert page.count('<line class="stage"') == 1, "one stage began after the first"
    assert "Stage 1 of 2 (1 of 4)" in page, "the log"


def test_a_value_that_is_not_finite_leaves_a_gap(client, reported):
    ProgressLog(reported.pk).add(
        Point(5, 5, Activity(ActivityKind.TRAINING_GAN, 2, 2), 0.0, {"identity": float("nan")}), at=make.MONDAY
    )
    assert "0.25 at step 4" in client.get(reverse("lab:job", args=[reported.pk])).content.decode()


@pytest.mark.parametrize("kind", [kind.key for kind in KINDS])
def test_every_form_names_what_is_missing(client, kind):
    response = client.get(reverse("lab:start", args=[kind]))
    assert response.status_code == 200
    assert "This job cannot start yet. It needs: a cohort" in response.content.decode()


def test_a_form_starts_a_job_with_the_defaults_of_the_catalogue(
    client, cohort, rosa, sent, django_capture_on_commit_callbacks
):
    data = {"cohort": "films", "preset": "demo", "name": "cad", "seed": "3"}
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("lab:start", args=["train-classifier"]), data)
    job = Job.objects.get()
    assert response.url == reverse("lab:job", args=[job.pk])
    expected = {"cohort": "films", "preset": "demo", "name": "cad", "seed": 3}
    assert expected.items() <= job.parameters.items()
    assert (job.requested_by, job.queue) == (rosa, "gpu")
    assert sent == [("train-classifier", job.pk, "gpu")]
    assert Event.objects.get(verb="job.started").actor == rosa


def test_starting_the_same_twice_shows_the_first_job(client, cohort):
    data = {"cohort": "films", "preset": "demo", "name": "cad", "seed": "3"}
    first = client.post(reverse("lab:start", args=["train-classifier"]), data)
    second = client.post(reverse("lab:start", args=["train-classifier"]), data, follow=True)
    assert second.redirect_chain[0][0] == first.url
    assert "under way already" in second.content.decode()


def test_a_form_shows_errors_at_the_field_and_keeps_the_input(client, cohort):
    data = {"cohort": "films", "preset": "demo", "name": "My run!", "seed": "3"}
    response = client.post(reverse("lab:start", args=["train-classifier"]), data)
    page = response.content.decode()
    assert response.status_code == 400
    assert 'id="id_name_error"' in page
    assert 'value="My run!"' in page
    assert not Job.objects.exists()


def test_a_researcher_cancels_and_tries_again(client, rosa):
    job = new_job("train-gan", {"cohort": "films"}, requested_by=rosa, at=now())
    assert "Cancel this job" in client.get(reverse("lab:job", args=[job.pk])).content.decode()
    client.post(reverse("lab:cancel", args=[job.pk]))
    assert "Try again" in client.get(reverse("lab:job", args=[job.pk])).content.decode()
    response = client.post(reverse("lab:retry", args=[job.pk]))
    retried = Job.objects.get(retried_from=job)
    assert response.url == reverse("lab:job", args=[retried.pk])


def test_a_job_that_is_over_cannot_be_cancelled(client, reported):
    response = client.post(reverse("lab:cancel", args=[reported.pk]))
    assert response.status_code == 409
    assert "there is nothing to cancel" in response.content.decode()
