"""Reports that were not made yet: made by a job, once for all who ask, with pages that show how far it is."""

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import Role, User
from readerstudy.analysis.models import ReportVersion, VersionReason
from readerstudy.analysis.report import making
from readerstudy.analysis.report.cache import cached_report
from readerstudy.analysis.report.making import MAKE_REPORT, reason_of, report_or_job, start_new_version
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.jobs.actions import retry_job
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.queue import run_here
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.seal import StillSealed
from tests import make
from tests.analysis import rows

ENGLISH, GERMAN, POLL = {"Accept-Language": "en"}, {"Accept-Language": "de"}, {"HX-Request": "true"}
WHY = "The evaluation was repeated."


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs for which a process was started; tests run them."""
    numbers: list[int] = []
    monkeypatch.setattr("readerstudy.jobs.own_process.start_process", numbers.append)
    return numbers


@pytest.fixture
def rehearsal(db: None) -> Study:
    """Still being read; two readers have read it."""
    return rows.study(code="copy", is_rehearsal=True)


def address_of(study: Study, name: str = "study", *parts: object) -> str:
    return reverse(f"report:{name}", args=[study.code, *parts])


def poll(client: Client, study: Study, to: str = "report") -> tuple[str, str]:
    """Where the page is led to, and what it shows else."""
    answer = client.get(address_of(study, "making"), {"to": to}, headers={**ENGLISH, **POLL})
    return answer.headers.get("HX-Redirect", ""), answer.content.decode()


def test_two_people_who_ask_at_once_get_one_computation(
    unsealed_study: Study, as_rosa: Client, started: list[int]
) -> None:
    ruth = make.user("ruth", Role.RESEARCHER)
    as_ruth = Client()
    as_ruth.force_login(ruth)
    for client, name in ((as_rosa, "study"), (as_ruth, "versions"), (as_ruth, "pdf"), (as_rosa, "page")):
        answer = client.get(address_of(unsealed_study, name), headers=GERMAN)
        assert (answer.status_code, answer["Retry-After"]) == (202, "2")
        assert "wird berechnet" in answer.content.decode()
    job = Job.objects.get()
    assert started == [job.pk]
    assert not ReportVersion.objects.exists()
    run_here(job)
    assert ReportVersion.objects.get().number == 1
    assert "Table 3" in as_rosa.get(address_of(unsealed_study), headers=ENGLISH).content.decode()
    assert Job.objects.count() == 1


def test_the_page_shows_every_stage_and_leads_to_the_report(unsealed_study: Study, as_rosa: Client) -> None:
    page = as_rosa.get(address_of(unsealed_study), headers=ENGLISH).content.decode()
    assert "hx-get" in page
    shown: list[str] = []

    def watch(done: int, total: int, text: str) -> None:
        shown.append(f"{done}/{total} {text}")

    run_here(Job.objects.get(), watch)
    assert shown == [
        "0/6 Adding up the readings",
        "1/6 Comparing the sessions over readers and images",
        "2/6 Testing each reader’s sessions",
        "3/6 Drawing the tables and figures",
        "4/6 Writing the files",
        "5/6 Writing the files",
    ]
    assert poll(as_rosa, unsealed_study) == (address_of(unsealed_study), "")
    assert poll(as_rosa, unsealed_study, "versions") == (address_of(unsealed_study, "versions"), "")
    assert as_rosa.get(address_of(unsealed_study, "making"))["Location"] == address_of(unsealed_study)


def test_the_progress_is_that_of_the_job(unsealed_study: Study, as_rosa: Client) -> None:
    as_rosa.get(address_of(unsealed_study))
    job = Job.objects.get()
    address, part = poll(as_rosa, unsealed_study)
    assert (address, "Queued" in part, "manage.py work" in part) == ("", True, False)
    Job.objects.filter(pk=job.pk).update(
        status=JobStatus.RUNNING, done=2, total=6, worker="", heartbeat_at=make.MONDAY, started_at=make.MONDAY
    )
    assert 'value="2"' in poll(as_rosa, unsealed_study)[1]


def test_a_file_of_a_report_in_the_making_is_offered_at_its_end(unsealed_study: Study, as_rosa: Client) -> None:
    table = address_of(unsealed_study, "table", "table3")
    answer = as_rosa.get(table, headers=ENGLISH)
    assert (answer.status_code, answer["Content-Type"]) == (202, "text/html; charset=utf-8")
    assert "?to=file" in answer.content.decode()
    run_here(Job.objects.get())
    assert 'href=""' in poll(as_rosa, unsealed_study, "file")[1]
    assert as_rosa.get(table)["Content-Type"] == "text/csv; charset=utf-8"


def test_unsealing_starts_the_report_and_does_not_wait_for_it(
    closed_study: Study, rosa: User, started: list[int], django_capture_on_commit_callbacks: Callable
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        unseal_study(study=closed_study, actor=rosa, reason="All have read.", at=make.MONDAY)
    job = Job.objects.get(kind=MAKE_REPORT)
    assert (started, job.parameters, job.requested_by) == ([job.pk], {"study": "small", "number": 1}, None)
    assert not ReportVersion.objects.exists()


def test_a_broker_server_gets_the_job(
    unsealed_study: Study, as_rosa: Client, started: list[int], settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOBS_BY_WORKER = True
    handed: list[Job] = []
    monkeypatch.setattr("readerstudy.jobs.own_process.enqueue", handed.append)
    page = as_rosa.get(address_of(unsealed_study), headers=ENGLISH).content.decode()
    assert (handed, started) == ([Job.objects.get()], [])
    assert "manage.py work" in page


def test_a_job_whose_process_died_is_started_again(
    unsealed_study: Study, as_rosa: Client, rosa: User, started: list[int]
) -> None:
    as_rosa.get(address_of(unsealed_study))
    job = Job.objects.get()
    as_rosa.get(address_of(unsealed_study))
    assert started == [job.pk]
    Job.objects.update(status=JobStatus.RUNNING, worker="", heartbeat_at=make.MONDAY, started_at=make.MONDAY)
    as_rosa.get(address_of(unsealed_study))
    assert started == [job.pk, job.pk]
    Job.objects.update(status=JobStatus.QUEUED, queued_at=make.MONDAY)  # it never came up
    as_rosa.get(address_of(unsealed_study))
    assert started == 3 * [job.pk]
    run_here(job)
    assert "Table 3" in as_rosa.get(address_of(unsealed_study), headers=ENGLISH).content.decode()


def test_a_report_that_failed_says_why_and_can_be_made_again(
    unsealed_study: Study, as_rosa: Client, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **options: object) -> None:
        raise StudyError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr("readerstudy.analysis.report.versions.study_record", fails)
        as_rosa.get(address_of(unsealed_study))
        with pytest.raises(StudyError, match="full"):
            run_here(Job.objects.get())
    address, part = poll(as_rosa, unsealed_study)
    assert (address, "The disk is full." in part, "hx-get" in part) == ("", True, False)
    assert f'href="{address_of(unsealed_study)}"' in part
    results = f"/api/v1/studies/{unsealed_study.code}/results/"
    refused = as_rosa.get(results)
    assert (refused.status_code, "The disk is full." in refused.content.decode()) == (409, True)
    assert len(started) == 1
    as_rosa.get(address_of(unsealed_study))
    assert len(started) == 2
    run_here(Job.objects.latest("pk"))
    assert as_rosa.get(results).status_code == 200


# --- versions -------------------------------------------------------------------------------------------------
def test_a_new_version_is_stored_by_a_job_and_shown_at_its_end(
    unsealed_study: Study, as_rosa: Client, rosa: User
) -> None:
    cached_report(unsealed_study, at=make.MONDAY)
    answer = as_rosa.post(address_of(unsealed_study, "store"), {"reason": WHY})
    assert answer["Location"] == address_of(unsealed_study, "making")
    assert "hx-get" in as_rosa.get(answer["Location"]).content.decode()
    assert as_rosa.get(address_of(unsealed_study)).status_code == 200  # the first one, meanwhile
    run_here(Job.objects.get())
    version = ReportVersion.objects.get(number=2)
    assert (version.reason, version.by) == (WHY, rosa)
    assert poll(as_rosa, unsealed_study) == (address_of(unsealed_study, "differences", 2), "")


def test_a_job_that_is_run_again_stores_no_second_version(unsealed_study: Study, rosa: User) -> None:
    cached_report(unsealed_study, at=make.MONDAY)
    job = start_new_version(study=unsealed_study, actor=rosa, reason=WHY, at=make.MONDAY)
    run_here(job)
    Job.objects.update(status=JobStatus.QUEUED, ended_at=None)  # its answer was lost
    run_here(job)
    assert ReportVersion.objects.count() == 2


def test_one_version_is_made_at_a_time(unsealed_study: Study, rosa: User, started: list[int]) -> None:
    cached_report(unsealed_study, at=make.MONDAY)
    job = start_new_version(study=unsealed_study, actor=rosa, reason=WHY, at=make.MONDAY)
    assert start_new_version(study=unsealed_study, actor=rosa, reason=WHY, at=make.MONDAY) == job
    with pytest.raises(StudyError, match="being made"):
        start_new_version(study=unsealed_study, actor=rosa, reason="Another one.", at=make.MONDAY)
    assert set(started) == {job.pk}
    assert Job.objects.count() == 1


def test_researchers_of_other_studies_see_no_reason_in_the_jobs(
    unsealed_study: Study, rosa: User, as_rosa: Client
) -> None:
    cached_report(unsealed_study, at=make.MONDAY)
    job = start_new_version(study=unsealed_study, actor=rosa, reason=WHY, at=make.MONDAY)
    stranger = Client()
    stranger.force_login(make.stranger("ralph", Role.RESEARCHER))
    seen = [
        stranger.get(f"/api/v1/jobs/{job.pk}/"),
        stranger.get("/api/v1/jobs/"),
        stranger.get(f"/lab/jobs/{job.pk}/"),
    ]
    assert [answer.status_code for answer in seen] == [200, 200, 200]
    assert not [answer for answer in seen if WHY in answer.content.decode()]
    run_here(job)
    assert WHY not in stranger.get(f"/api/v1/jobs/{job.pk}/").content.decode()
    assert WHY in as_rosa.get(address_of(unsealed_study, "versions")).content.decode()
    assert not VersionReason.objects.exists()


def test_a_retried_version_keeps_its_reason(unsealed_study: Study, rosa: User) -> None:
    cached_report(unsealed_study, at=make.MONDAY)
    job = start_new_version(study=unsealed_study, actor=rosa, reason=WHY, at=make.MONDAY)
    Job.objects.update(status=JobStatus.FAILED, ended_at=make.MONDAY)
    job.refresh_from_db()
    run_here(retry_job(job=job, actor=rosa, at=make.MONDAY, here=True))
    assert ReportVersion.objects.get(number=2).reason == WHY


def test_reasons_in_jobs_of_earlier_versions_are_taken_out(unsealed_study: Study) -> None:
    code = unsealed_study.code
    ends = {"failed": make.MONDAY, "done": make.MONDAY, "queued": None}
    for state, ended in ends.items():
        parameters = {"study": code, "number": 2, "reason": f"{WHY} {state}", "by": 1}
        Job.objects.create(
            kind="make-report", parameters=parameters, status=state, queued_at=make.MONDAY, ended_at=ended
        )
    import_module("readerstudy.analysis.migrations.0003_reasons_of_versions").take_out_of_jobs(apps, None)
    assert WHY not in str(list(Job.objects.values_list("parameters", flat=True)))
    reasons = {job.status: reason_of(job.parameters) for job in Job.objects.all()}
    assert reasons == {"failed": f"{WHY} failed", "queued": f"{WHY} queued", "done": ""}


def test_nobody_starts_a_version_who_may_not_store_it(unsealed_study: Study, rosa: User) -> None:
    clara = make.user("clara", Role.COORDINATOR)
    for study, actor, reason, error in (
        (unsealed_study, clara, WHY, NotAllowed),
        (unsealed_study, rosa, " ", BadInput),
        (Study(code="none", status="open", created_at=make.MONDAY), rosa, WHY, StillSealed),
    ):
        with pytest.raises(error):
            start_new_version(study=study, actor=actor, reason=reason, at=make.MONDAY)
    assert not Job.objects.exists()


# --- rehearsals -----------------------------------------------------------------------------------------------
def test_a_running_rehearsal_shows_what_was_computed_while_it_grows(
    rehearsal: Study, as_rosa: Client, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_rosa.get(address_of(rehearsal), headers=GERMAN).status_code == 202
    monkeypatch.setattr(making, "count_readings", lambda study: 99)  # somebody goes on reading
    run_here(Job.objects.get())
    monkeypatch.undo()
    monkeypatch.setattr("readerstudy.jobs.own_process.start_process", started.append)
    readings = Job.objects.get().result["readings"]
    german = as_rosa.get(address_of(rehearsal, "making"), headers={**GERMAN, **POLL})
    assert german["HX-Redirect"] == f"{address_of(rehearsal)}?readings={Job.objects.get().parameters['readings']}"
    monkeypatch.setattr("readerstudy.analysis.report.cache.count_readings", lambda study: readings + 5)
    for address in (german["HX-Redirect"], address_of(rehearsal, "table", "table3")):
        assert as_rosa.get(address, headers=GERMAN).status_code == 200
    assert as_rosa.get(address_of(rehearsal), headers=GERMAN).status_code == 202  # that of now
    assert as_rosa.get(address_of(rehearsal), {"readings": "x"}).status_code == 400


def test_a_rehearsal_gets_no_versions(rehearsal: Study, rosa: User) -> None:
    with pytest.raises(StudyError, match="no versions"):
        start_new_version(study=rehearsal, actor=rosa, reason=WHY, at=make.MONDAY)


def test_another_language_of_a_rehearsal_is_another_job(rehearsal: Study, as_rosa: Client) -> None:
    for language in (GERMAN, ENGLISH, ENGLISH):
        as_rosa.get(address_of(rehearsal), headers=language)
    assert {job.parameters["language"] for job in Job.objects.all()} == {"de", "en"}
    assert Job.objects.count() == 2


def test_the_pdf_of_a_rehearsal_is_laid_out_by_a_job(
    rehearsal: Study, as_rosa: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readerstudy.analysis.report.pdf.lay_out", lambda page: b"%PDF-1.7")
    cached_report(rehearsal, at=make.MONDAY)
    progress = address_of(rehearsal, "rehearsal-pdf")
    assert as_rosa.get(address_of(rehearsal, "pdf"), headers=ENGLISH)["Location"] == progress
    assert "hx-get" in as_rosa.get(progress, headers=ENGLISH).content.decode()
    run_here(Job.objects.get())
    assert "Download the PDF" in as_rosa.get(progress, headers={**ENGLISH, **POLL}).content.decode()
    answer = as_rosa.get(address_of(rehearsal, "pdf"), headers=ENGLISH)
    assert b"".join(answer.streaming_content) == b"%PDF-1.7"
    assert Job.objects.count() == 1


def test_workers_of_another_version_make_no_report_that_nobody_finds(rehearsal: Study, as_rosa: Client) -> None:
    as_rosa.get(address_of(rehearsal))
    job = Job.objects.get()
    Job.objects.update(parameters={**job.parameters, "software": "0" * 16})
    with pytest.raises(StudyError, match="Restart"):
        run_here(Job.objects.get())


# --- who may ------------------------------------------------------------------------------------------------
def test_nobody_else_sees_the_progress_or_starts_a_report(unsealed_study: Study, started: list[int]) -> None:
    stranger = Client()
    stranger.force_login(make.stranger("stranger", Role.RESEARCHER))
    for name in ("study", "making", "rehearsal-pdf", "versions"):
        assert stranger.get(address_of(unsealed_study, name)).status_code == 404
    assert stranger.post(address_of(unsealed_study, "store"), {"reason": WHY}).status_code == 404
    assert started == []


def test_a_sealed_study_starts_nothing(open_study: Study, as_rosa: Client, rosa: User, started: list[int]) -> None:
    assert as_rosa.get(address_of(open_study)).status_code == 200
    assert as_rosa.get(address_of(open_study, "making"))["Location"] == address_of(open_study)
    for name in ("pdf", "page", "store"):
        as_rosa.get(address_of(open_study, name))
    with pytest.raises(StillSealed):
        report_or_job(open_study, actor=rosa, at=make.MONDAY)
    assert not Job.objects.exists()


def test_a_program_learns_when_to_ask_again(unsealed_study: Study, as_rosa: Client) -> None:
    results = f"/api/v1/studies/{unsealed_study.code}/results/"
    answer = as_rosa.get(results)
    job = Job.objects.get()
    assert (answer.status_code, answer["Retry-After"]) == (202, "2")
    assert answer.json() == {"job": job.pk, "status": "queued", "done": 0, "total": 0, "note": ""}
    run_here(job)
    assert as_rosa.get(results).json()["version"]["number"] == 1
