"""The page that checks a bundle: the file is sent, a job checks it, and nothing of it enters the database."""

import zipfile
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.bundle.checking.actions import KEPT, check_folder, remove_old_checks
from readerstudy.bundle.writing.exporting import ExportedBundle
from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from tests import make
from tests.bundle.conftest import Change, json_of
from tests.bundle.test_import import resign

ENGLISH, GERMAN = {"Accept-Language": "en"}, {"Accept-Language": "de"}
SEND = "/bundles/"


@pytest.fixture(autouse=True)
def worker(settings, tmp_path, monkeypatch) -> None:
    import_module("readerstudy.bundle.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    settings.REPORTS_DIR = tmp_path / "reports"
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)


@pytest.fixture
def ralph(db: None) -> Client:
    """A researcher who takes part in no study."""
    client = Client()
    client.force_login(make.stranger("ralph", Role.RESEARCHER))
    return client


def send(client: Client, content: bytes, name: str = "small.zip", headers: dict[str, str] = ENGLISH):
    return client.post(SEND, {"bundle": SimpleUploadedFile(name, content)}, headers=headers)


def rows_of_all_tables() -> dict[str, int]:
    """How many rows each table has, without those about the job and its events."""
    about_jobs = ("jobs_job", "audit_event", "django_session")
    models = [model for model in apps.get_models() if model._meta.db_table not in about_jobs]
    return {model._meta.db_table: model._default_manager.count() for model in models}


def test_a_bundle_is_checked_and_nothing_of_it_is_stored(exported: ExportedBundle, ralph: Client) -> None:
    before = rows_of_all_tables()
    content = Path(exported.path).read_bytes()
    answer = send(ralph, content)
    job = Job.objects.get()
    assert answer["Location"] == f"/bundles/{job.pk}/"
    assert b"hx-get" in ralph.get(answer["Location"]).content
    run_here(job)
    page = ralph.get(answer["Location"], headers=ENGLISH).content.decode()
    assert "Everything agrees: the bundle of small is as it was signed" in page
    assert "hx-get" not in page.split('id="job"')[1]
    job.refresh_from_db()
    found = job.result
    assert (found["sha256"], found["is_same"], found["is_own_key"]) == (exported.sha256, True, True)
    assert found["sha256"] in page
    assert found["public_key"] == json_of(Path(exported.path), "manifest.json")["public_key"]
    assert [table["is_same"] for table in found["tables"]] == [True] * exported.tables
    for table in found["tables"]:
        assert f'<td class="number">{table["cells"]}</td>' in page
    assert rows_of_all_tables() == before
    folder = check_folder(job.parameters["key"])
    assert [path.name for path in folder.iterdir()] == ["comparison.html"]
    comparison = ralph.get(f"/bundles/{job.pk}/comparison/")
    assert b"computed again" in b"".join(comparison.streaming_content)
    assert "All the same" in ralph.get(SEND, headers=ENGLISH).content.decode()
    assert Event.objects.filter(verb="job.started").count() == 1


def test_a_table_that_is_computed_otherwise_is_marked(
    changed: Callable[[Change], Path], exported: ExportedBundle, ralph: Client
) -> None:
    def change(files: dict[str, bytes]) -> None:
        files["analysis/report.json"] = files["analysis/report.json"].replace(b'"table3"', b'"table99"', 1)
        resign(files, None)

    send(ralph, changed(change).read_bytes())
    job = Job.objects.get()
    run_here(job)
    page = ralph.get(f"/bundles/{job.pk}/", headers=ENGLISH).content.decode()
    assert "Everything agrees" not in page
    assert page.count("<strong>differs</strong>") == 2
    assert "Some differ" in ralph.get(SEND, headers=ENGLISH).content.decode()


def big_zip() -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"zeros{number}.csv", b"\0" * 900_000)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda whole: b"", "The zip file is damaged"),
        (lambda whole: b"\x00binary\xff" * 100, "The zip file is damaged"),
        (lambda whole: whole[: len(whole) // 2], "The zip file is damaged"),
        (lambda whole: whole[:4000] + b"\xff" * 40 + whole[4040:], "damaged|Changed since the export"),
        (lambda whole: big_zip(), "unpacks to more than a bundle can have"),
    ],
    ids=["empty", "binary", "cut", "overwritten", "inflated"],
)
def test_a_damaged_file_gets_a_sentence_and_leaves_nothing(
    exported: ExportedBundle, ralph: Client, settings, content, sentence
) -> None:
    settings.BUNDLE_BYTES = 1_000_000
    send(ralph, content(Path(exported.path).read_bytes()))
    job = Job.objects.get()
    with pytest.raises(StudyError, match=sentence):
        run_here(job)
    page = ralph.get(f"/bundles/{job.pk}/", headers=ENGLISH).content.decode()
    assert "The bundle was refused." in page
    assert not check_folder(job.parameters["key"]).exists()
    assert ralph.get(f"/bundles/{job.pk}/comparison/").status_code == 404
    Job.objects.filter(pk=job.pk).update(status="queued", ended_at=None)
    with pytest.raises(StudyError, match="Send it again"):
        run_here(Job.objects.get())


def test_hostile_texts_in_a_signed_bundle_are_shown_as_text(
    changed: Callable[[Change], Path], exported: ExportedBundle, ralph: Client
) -> None:
    def change(files: dict[str, bytes]) -> None:
        hostile = rb"<script>alert(1)</script>\u0000"
        files["analysis/report.json"] = files["analysis/report.json"].replace(b'"table3"', b'"%s"' % hostile, 1)
        resign(files, None)

    send(ralph, changed(change).read_bytes())
    job = Job.objects.get()
    run_here(job)
    page = ralph.get(f"/bundles/{job.pk}/").content.decode()
    assert "<script>alert" not in page


def test_files_that_are_too_large_or_missing_are_refused(ralph: Client, settings) -> None:
    settings.BUNDLE_BYTES = 1000
    answer = send(ralph, b"x" * 2000)
    assert answer.status_code == 400
    assert "too large" in answer.content.decode()
    assert send(ralph, b"x" * 2_000_000).status_code == 413
    missing = ralph.post(SEND, headers=GERMAN)
    assert missing.status_code == 400
    assert "die Zip-Datei eines Bündels." in missing.content.decode()
    assert not Job.objects.exists()
    assert not list(check_folder("").glob("*"))


def test_only_the_researcher_who_sent_a_file_sees_its_check(exported: ExportedBundle, ralph: Client) -> None:
    send(ralph, Path(exported.path).read_bytes())
    address = f"/bundles/{Job.objects.get().pk}/"
    other, coordinator, reader = Client(), Client(), Client()
    other.force_login(make.user("roxane", "researcher"))
    coordinator.force_login(make.user("clara", "coordinator"))
    reader.force_login(make.user("rita-two", "reader"))
    assert other.get(address).status_code == 404
    assert address not in other.get(SEND).content.decode()
    for client in (coordinator, reader):
        assert client.get(address).status_code == 403
        assert send(client, b"x").status_code == 403
    assert Client().get(SEND).status_code == 302
    assert Job.objects.count() == 1
    csrf = Client(enforce_csrf_checks=True)
    csrf.force_login(make.user("rolf-two", "researcher"))
    assert send(csrf, b"x").status_code == 403
    assert len(list(check_folder("").glob("*"))) == 1


def test_files_of_old_checks_are_deleted(exported: ExportedBundle, ralph: Client) -> None:
    send(ralph, Path(exported.path).read_bytes())
    run_here(Job.objects.get())
    remove_old_checks(at=now())
    assert len(list(check_folder("").glob("*"))) == 1
    remove_old_checks(at=now() + 2 * KEPT)
    assert not list(check_folder("").glob("*"))


def test_the_page_is_in_german(ralph: Client) -> None:
    page = ralph.get(SEND, headers=GERMAN).content.decode()
    assert "Bündel prüfen" in page
    assert reverse("bundles:send") in ralph.get("/report/", headers=GERMAN).content.decode()
