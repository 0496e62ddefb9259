"""Pages of jobs: start, follow, cancel and retry. They work as plain forms."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.storage import ensure_cohort
from readerstudy.experiments.catalogue import KINDS
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_log import Point, ProgressLog
from readerstudy.jobs.queue import new_job
from readerstudy.lab.forms import BY_COHORT
from readerstudy.modalities import MODALITIES
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


def chest_cohort(name: str = "radiographs") -> Cohort:
    values = {"seed": 1, "fractions": [0.8, 0.1, 0.1], "resolutions": ["standard"], "at": make.MONDAY}
    return ensure_cohort(name, modality=MODALITIES["DX"], **values)


def offered(client, kind: str, **query) -> dict[str, tuple[list[str], object]]:
    """Return the choices and the chosen value of each field of a form that depend on the cohort."""
    form = client.get(reverse("lab:start", args=[kind]), query).context["form"]
    fields = (name for name in BY_COHORT if name in form.fields)
    return {name: ([key for key, _title in form[name].field.choices], form[name].value()) for name in fields}


def test_a_form_offers_what_the_modality_of_the_cohort_has(client, cohort):
    chest_cohort()
    assert offered(client, "train-detector", cohort="radiographs") == {
        "preset": (["compact"], "compact"),
        "resolution": (["standard"], "standard"),
    }
    assert offered(client, "train-detector", cohort="films") == {
        "preset": (["demo", "zhou2021-low", "zhou2021-high"], "demo"),
        "resolution": (["low"], "low"),
    }
    assert offered(client, "attack", cohort="radiographs") == {"resolutions": (["standard"], None)}


def test_a_form_keeps_a_chosen_preset_only_if_the_cohort_has_it(client, cohort):
    chest_cohort()
    kept = offered(client, "train-classifier", cohort="films", preset="zhou2021-low")
    assert kept["preset"][1] == "zhou2021-low"
    assert offered(client, "train-classifier", cohort="radiographs", preset="zhou2021-low")["preset"][1] == "compact"


def test_the_default_preset_is_one_whose_size_the_cohort_stores(client, small):
    make.cohort(patients=2, resolutions=("high",))
    assert offered(client, "train-classifier")["preset"][1] == "zhou2021-high", "of the only cohort"


def test_a_form_offers_everything_until_a_cohort_is_chosen(client, cohort):
    chest_cohort()
    for query in ({}, {"cohort": "unknown"}):
        presets, chosen = offered(client, "train-classifier", **query)["preset"]
        assert {"demo", "compact"} <= set(presets)
        assert chosen == "demo"


def test_the_defaults_of_a_form_start_a_job_on_any_cohort(client, cohort):
    chest_cohort()
    for name in ("films", "radiographs"):
        form = client.get(reverse("lab:start", args=["train-classifier"]), {"cohort": name}).context["form"]
        data = {row.name: row.value() for row in (*form.rows(), *form.details()) if row.value() not in (None, "")}
        assert client.post(reverse("lab:start", args=["train-classifier"]), data).status_code == 302
    assert [job.parameters["preset"] for job in Job.objects.order_by("pk")] == ["demo", "compact"]


def test_a_sent_preset_of_another_modality_is_answered_with_the_right_ones(client, cohort):
    chest_cohort()
    data = {"cohort": "radiographs", "preset": "demo", "name": "cad", "seed": "3"}
    response = client.post(reverse("lab:start", args=["train-classifier"]), data)
    assert response.status_code == 400
    assert "there are: compact" in response.content.decode()


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
