"""The page on which researchers make a bundle, with its job, in both languages."""

from importlib import import_module

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.audit.models import Event
from readerstudy.bundle.actions import bundle_of
from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from readerstudy.studies.models import Study
from tests import make

GERMAN = {"Accept-Language": "de"}


@pytest.fixture
def page(study: Study, settings, tmp_path, monkeypatch) -> str:
    import_module("readerstudy.bundle.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    settings.REPORTS_DIR = tmp_path / "reports"
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)
    return reverse("bundle:page", args=[study.code])


def signed_in(study: Study, name: str, role: str) -> Client:
    person = make.user(name, role)
    make.join([person], [study])
    client = Client()
    client.force_login(person)
    return client


def test_a_researcher_makes_and_downloads_a_bundle(study: Study, page: str) -> None:
    client = signed_in(study, "ralph", "researcher")
    assert "Make the bundle" in client.get(page, headers={"Accept-Language": "en"}).content.decode()
    assert page.encode() in client.get(reverse("report:study", args=[study.code])).content
    assert client.get(reverse("bundle:file", args=[study.code])).status_code == 404
    assert client.post(reverse("bundle:make", args=[study.code]))["Location"] == page
    assert b"hx-get" in client.get(page).content
    client.post(reverse("bundle:make", args=[study.code]))  # the same job
    job = Job.objects.get(kind="export-bundle")
    run_here(job)
    shown = client.get(page).content.decode()
    assert job.result["sha256"] in shown
    assert "hx-get" not in shown.split('id="job"')[1]
    answer = client.get(reverse("bundle:file", args=[study.code]))
    assert b"".join(answer.streaming_content) == bundle_of(job).read_bytes()
    assert Event.objects.filter(verb="export.made", data__part="bundle").count() == 2  # made, and downloaded


def test_a_new_bundle_replaces_the_earlier_one(study: Study, page: str) -> None:
    client = signed_in(study, "ralph", "researcher")
    for _ in range(2):
        client.post(reverse("bundle:make", args=[study.code]))
        run_here(Job.objects.latest("pk"))
    first, second = Job.objects.order_by("pk")
    assert (bundle_of(first).exists(), bundle_of(second).exists()) == (False, True)


def test_the_page_and_a_refusal_are_in_german(study: Study, page: str) -> None:
    study.title = "Was Margarita Fernweh sieht"
    study.save()
    client = signed_in(study, "ralph", "researcher")
    shown = client.get(page, headers=GERMAN).content.decode()
    assert "Studie weitergeben" in shown
    assert "Bündel erstellen" in shown
    client.post(reverse("bundle:make", args=[study.code]), headers=GERMAN)
    with pytest.raises(StudyError, match="Das Bündel würde eine Person nennen"):
        run_here(Job.objects.get())
    assert "Das Bündel würde eine Person nennen" in client.get(page, headers=GERMAN).content.decode()


def test_a_coordinator_gets_no_page(study: Study, page: str) -> None:
    client = signed_in(study, "clara", "coordinator")
    for name, send in (("page", client.get), ("file", client.get), ("make", client.post)):
        assert send(reverse(f"bundle:{name}", args=[study.code])).status_code == 403
    assert not Job.objects.exists()
    assert b"bundle" not in client.get(reverse("report:list")).content
