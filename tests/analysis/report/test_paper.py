"""The PDF of a version: laid out once, stored with its hash, served unchanged, by a worker where there is one."""

from hashlib import sha256
from importlib import import_module
from pathlib import Path

import pytest
from django.db import InternalError, connection, transaction
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import Role
from readerstudy.analysis.models import ReportFile, ReportPdf
from readerstudy.analysis.report import paper
from readerstudy.analysis.report.cache import cached_report
from readerstudy.analysis.report.paper import store_pdf, stored_pdf
from readerstudy.analysis.report.pdf import PdfUnavailable
from readerstudy.analysis.report.versions import DamagedVersion, find_version, version_facts
from readerstudy.bundle.writing.exporting import export_bundle
from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from readerstudy.record.models import Entry
from readerstudy.studies.models import Study
from readerstudy.truth.verification import verify_record
from tests import make
from tests.bundle.conftest import json_of
from tests.tamper import without_triggers

ENGLISH, GERMAN = {"Accept-Language": "en"}, {"Accept-Language": "de"}


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that are laid out; each layout gives other bytes, as another version of the library would."""
    pages: list[str] = []

    def lay_out(page: str) -> bytes:
        pages.append(page)
        return f"%PDF-1.7 layout {len(pages)}".encode()

    monkeypatch.setattr(paper, "lay_out", lay_out)
    return pages


@pytest.fixture
def worker(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is configured; tests run its jobs."""
    import_module("readerstudy.analysis.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    settings.JOBS_BY_WORKER = True
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def findings_about_the_pdf(study: Study) -> list[str]:
    """What the verification of the record finds in the table of PDFs; it is sure to compare it."""
    checks = verify_record(study.code, at=make.MONDAY).checks
    (check,) = (check for check in checks if check["name"] == ReportPdf._meta.db_table)
    assert check["compared"] == 1
    return list(check["findings"])


def pdf_address(study: Study) -> str:
    return reverse("report:version-pdf", args=[study.code, 1])


def test_the_pdf_is_laid_out_once_and_is_the_same_ever_after(
    unsealed_study: Study, as_rosa: Client, layouts: list[str]
) -> None:
    first = body(as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH))
    path = cached_report(unsealed_study, at=make.MONDAY).file("report.pdf")
    assert path is not None
    path.write_bytes(b"another file")  # the folder is only a copy
    again = body(as_rosa.get(reverse("report:pdf", args=[unsealed_study.code]), headers=ENGLISH))
    assert (first, len(layouts)) == (again, 1)
    pdf = ReportPdf.objects.get()
    assert (pdf.sha256, pdf.bytes) == (sha256(first).hexdigest(), len(first))
    german = body(as_rosa.get(pdf_address(unsealed_study), headers=GERMAN))
    assert (german != first, len(layouts)) == (True, 2)
    assert "Bericht" in layouts[1]


def test_its_hash_is_in_the_record_the_api_and_the_bundle(
    unsealed_study: Study, as_rosa: Client, layouts: list[str], tmp_path: Path
) -> None:
    content = body(as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH))
    digest = sha256(content).hexdigest()
    connection.check_constraints()  # entries of the record are written at commit
    entry = Entry.objects.get(log=unsealed_study.code, relation="analysis_reportpdf")
    assert digest in entry.data
    assert findings_about_the_pdf(unsealed_study) == []
    results = as_rosa.get(f"/api/v1/studies/{unsealed_study.code}/results/").json()
    (shown,) = results["version"]["pdfs"]
    assert shown["sha256"] == digest
    with_images = "-with-images" if shown["with_images"] else ""
    export_bundle(study=unsealed_study, target=tmp_path / "b.zip", actor=None, at=make.MONDAY)
    hashes = json_of(tmp_path / "b.zip", "protocol/hashes.json")
    assert hashes["pdfs_of_report"] == {"1": {f"en{with_images}": digest}}
    page = as_rosa.get(reverse("report:versions", args=[unsealed_study.code])).content.decode()
    assert digest in page


def test_a_stored_pdf_cannot_be_changed_and_a_changed_one_is_not_served(
    unsealed_study: Study, as_rosa: Client, layouts: list[str]
) -> None:
    as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH)
    connection.check_constraints()  # a table with events of triggers cannot be truncated anyway
    table = ReportPdf._meta.db_table
    for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET sha256 = ''", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    with without_triggers():
        ReportFile.objects.filter(name__endswith=".pdf").update(content=b"%PDF-1.7 forged")
    answer = as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH)
    assert answer.status_code == 409
    assert "report.pdf of version 1 of the report" in answer.content.decode()
    version = find_version(unsealed_study, 1)
    assert version is not None
    with without_triggers():
        ReportFile.objects.filter(name__endswith=".pdf").delete()
    with pytest.raises(DamagedVersion):
        stored_pdf(version, language="en")
    with without_triggers():
        ReportPdf.objects.update(sha256="0" * 64)
    assert "sha256 differs" in findings_about_the_pdf(unsealed_study)[0]


def test_the_first_layout_counts_if_two_are_made_at_once(
    unsealed_study: Study, layouts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = cached_report(unsealed_study, at=make.MONDAY).version
    assert version is not None

    def slow(page: str) -> bytes:
        monkeypatch.setattr(paper, "lay_out", lambda page: b"%PDF the faster one")
        store_pdf(version, at=make.MONDAY, language="en")
        return b"%PDF the slower one"

    monkeypatch.setattr(paper, "lay_out", slow)
    assert store_pdf(version, at=make.MONDAY, language="en") == b"%PDF the faster one"
    assert ReportPdf.objects.count() == 1


def test_images_leave_the_pdf_while_a_sealed_study_shows_them(
    unsealed_study: Study, as_rosa: Client, layouts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(value: bool) -> None:
        for module in ("versions", "cache"):
            target = f"readerstudy.analysis.report.{module}.may_show_images_of_cohort"
            monkeypatch.setattr(target, lambda cohort: value)

    shown(True)
    with_images = body(as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH))
    assert 'id="gallery"' in layouts[0]
    shown(False)
    without = body(as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH))
    assert 'id="gallery"' not in layouts[1]
    shown(True)
    assert body(as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH)) == with_images != without
    assert {pdf.with_images for pdf in ReportPdf.objects.all()} == {True, False}


def test_a_worker_lays_out_and_the_page_shows_how_far_it_is(
    unsealed_study: Study, as_rosa: Client, layouts: list[str], worker: None
) -> None:
    cached_report(unsealed_study, at=make.MONDAY)
    address = pdf_address(unsealed_study)
    progress = reverse("report:pdf-progress", args=[unsealed_study.code, 1])
    assert as_rosa.get(address, headers=GERMAN)["Location"] == progress
    as_rosa.get(address, headers=GERMAN)  # the same job
    job = Job.objects.get()
    assert layouts == []
    assert "hx-get" in as_rosa.get(progress, headers=GERMAN).content.decode()
    run_here(job)
    page = as_rosa.get(progress, headers={**GERMAN, "HX-Request": "true"}).content.decode()
    assert "PDF herunterladen" in page
    assert "hx-get" not in page
    assert "Bericht" in layouts[0]
    assert body(as_rosa.get(address, headers=GERMAN)).startswith(b"%PDF")
    assert len(layouts) == 1
    assert "PDF" in as_rosa.get(progress, headers=ENGLISH).content.decode()
    assert as_rosa.get(address, headers=ENGLISH)["Location"] == progress  # another language, another job
    assert Job.objects.count() == 2


def test_a_layout_that_failed_says_why_and_can_be_started_again(
    unsealed_study: Study, as_rosa: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(page: str) -> bytes:
        raise PdfUnavailable

    monkeypatch.setattr(paper, "lay_out", missing)
    cached_report(unsealed_study, at=make.MONDAY)
    as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH)
    with pytest.raises(StudyError, match="Pango"):
        run_here(Job.objects.get())
    progress = reverse("report:pdf-progress", args=[unsealed_study.code, 1])
    page = as_rosa.get(progress, headers=ENGLISH).content.decode()
    assert "Pango" in page
    assert pdf_address(unsealed_study) in page
    assert not ReportPdf.objects.exists()
    as_rosa.get(pdf_address(unsealed_study), headers=ENGLISH)
    assert Job.objects.count() == 2


def test_nobody_else_sees_the_progress(unsealed_study: Study, worker: None) -> None:
    progress = reverse("report:pdf-progress", args=[unsealed_study.code, 1])
    stranger = Client()
    stranger.force_login(make.stranger("stranger", Role.RESEARCHER))
    assert stranger.get(progress).status_code == 404
    assert Client().get(progress).status_code == 302


def test_the_facts_of_a_version_without_a_pdf_have_none(unsealed_study: Study) -> None:
    version = cached_report(unsealed_study, at=make.MONDAY).version
    assert version is not None
    assert version_facts(version)["pdfs"] == []
