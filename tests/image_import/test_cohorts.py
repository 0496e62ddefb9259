"""A cohort sent from a browser: checked without a trace, imported as the command does, by those who may."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import override

from readerstudy.cohort.models import Cohort, Image, Patient, Stimulus
from readerstudy.image_import.actions import remove_old_uploads
from readerstudy.image_import.models import ImageImport, ImportStep
from readerstudy.image_import.report import read_report
from readerstudy.image_import.tasks import import_images_task
from readerstudy.image_import.work import run_import
from readerstudy.jobs.queue import JobCancelled
from readerstudy.layout.sentences import say
from readerstudy.truth.models import ImageTruth, Truth
from tests.image_import import sending
from tests.sources.make_files import write_table
from tests.tamper import without_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]


def everything() -> dict[str, object]:
    """Return what an import may change: rows by table, and the files of the media folder."""
    media = Path(settings.MEDIA_ROOT)
    tables = {model.__name__: model.objects.count() for model in (Cohort, Patient, Image, Stimulus, ImageTruth, Truth)}
    return {**tables, "files": sorted(str(path) for path in media.rglob("*")) if media.exists() else []}


def stored() -> set[tuple[object, ...]]:
    """Return every stored image of all cohorts by its content, with its truth."""
    truths = dict(ImageTruth.objects.values_list("image_id", "pathology"))
    labels = dict(Truth.objects.values_list("stimulus_id", "label"))
    return {
        (row.sha256, row.resolution, row.image.exam.patient.split, row.image.exam.patient.pseudonym,
         str(row.image.attributes), truths[row.image_id], labels[row.pk])
        for row in Stimulus.objects.select_related("image__exam__patient")
    }  # fmt: skip


def test_a_zip_is_checked_without_a_trace_and_then_imported_as_the_command_does(researcher, folder):
    before = everything()
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    assert row.step == ImportStep.CHECKED
    assert everything() == before
    report = read_report(row.folder)
    assert (report.new, report.known, report.patients, report.problems) == (12, 0, 12, ())
    row = sending.imported(researcher, row)
    assert row.step == ImportStep.IMPORTED
    by_page = stored()
    splits = {(each.name, each.split) for each in report.rows}
    assert len(splits) == 12
    # The command on the same folder, under the same name in an empty database.
    with without_triggers():
        for model in (Truth, ImageTruth, Stimulus, Image):
            model.objects.all().delete()
        for patient in Patient.objects.all():
            patient.exams.all().delete()
        Patient.objects.all().delete()
        Cohort.objects.all().delete()
    call_command(
        "import_cohort", "images", table=folder / "table.csv", split="40/30/30", seed=1, pathology_per="patient"
    )
    assert stored() == by_page
    assert sorted(patient.split for patient in Patient.objects.all()) == sorted(split for _name, split in splits)


def test_the_page_can_say_that_a_computer_drew_the_images(researcher, folder):
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder), is_drawn="on"))
    sending.imported(researcher, row)
    assert Cohort.objects.get().is_drawn


def test_files_one_by_one_and_a_folder_are_taken_like_a_zip(researcher, folder):
    row = sending.checked(sending.sent(researcher, sending.files_of(folder)))
    assert read_report(row.folder).new == 12


def test_a_browsers_folder_keeps_its_folders(researcher, folder, tmp_path):
    """The table names images in a folder below; the browser states the path of each file."""
    nested = tmp_path / "nested"
    shutil.copytree(folder, nested / "images")
    (nested / "images" / "table.csv").unlink()
    rows = [f"images/image-{number}.png,p{number},L,CC,{sending.PATHOLOGIES[number % 3]}" for number in range(12)]
    write_table(nested, rows)
    boundary, body = "x123x", b""
    for name, value in sending.OPTIONS.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for path in sorted(nested.rglob("*")):
        if path.is_file():
            place = f"nested/{path.relative_to(nested).as_posix()}"
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="folder"; filename="{place}"\r\n\r\n'
            body += head.encode() + path.read_bytes() + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    address = reverse("images:send", args=["cohort"])
    response = researcher.generic("POST", address, body, content_type=f"multipart/form-data; boundary={boundary}")
    assert response.status_code == 302
    row = sending.checked(ImageImport.objects.get())
    assert (read_report(row.folder).new, read_report(row.folder).problems) == (12, ())
    assert (row.folder / "sent" / "nested" / "images" / "image-0.png").exists()


@pytest.mark.parametrize("name", ["../../evil.png", "/etc/evil.png", "a/../../../evil.png"])
def test_a_stated_path_leads_nowhere_else(researcher, name, tmp_path):
    body = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\ndata\r\n'
    for field, value in sending.OPTIONS.items():
        body += f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
    address = reverse("images:send", args=["cohort"])
    response = researcher.generic(
        "POST", address, (body + "--x--\r\n").encode(), content_type="multipart/form-data; boundary=x"
    )
    assert response.status_code == 400
    assert "not allowed" in response.content.decode()
    assert not list(tmp_path.rglob("evil.png"))
    assert not ImageImport.objects.exists()


def test_rows_that_cannot_be_used_are_listed_with_their_number(researcher, folder):
    (folder / "image-3.png").write_bytes((folder / "image-3.png").read_bytes()[:200])
    (folder / "image-4.png").unlink()
    with (folder / "table.csv").open("a") as table:
        table.write(
            "image-5.png,patient-5,L,CC,perhaps\n../../../etc/passwd,x,L,CC,normal\n/etc/passwd,y,L,CC,normal\n"
        )
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    sentences = " ".join(problem.sentence for problem in read_report(row.folder).problems)
    assert "image-3.png is damaged or cut off" in sentences
    assert "Row 6 (image-4.png) names a file that is not there" in sentences
    assert "Row 14 (image-5.png) has the pathology 'perhaps'" in sentences
    assert "Row 15 (../../../etc/passwd) names a file outside the folder of the import" in sentences
    assert "Row 16 (/etc/passwd) names a file outside" in sentences
    text = sending.page(researcher, row)
    assert "Row 6 (image-4.png) names a file that is not there." in text
    assert sending.imported(researcher, row).step == ImportStep.IMPORTED
    assert Image.objects.count() == 10


def test_an_interrupted_import_goes_on_where_it_was(coordinator, tmp_path, monkeypatch):
    """Patients that were stored before stay; the coordinator whose import made the cohort may start it again."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # 16 images in each commit
    folder = sending.write_images(tmp_path / "many", 36)
    row = sending.checked(sending.sent(coordinator, sending.zip_of(folder)))
    row = sending.act(coordinator, row, "start")

    def killed(done, total, activity, values):
        if done > 20:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run_import({"import": str(row.pk), "skips_refused": False}, killed)
    assert 0 < Image.objects.count() < 36
    splits = dict(Patient.objects.values_list("fingerprint", "split"))
    assert Truth.objects.count() == Stimulus.objects.count()
    import_images_task(job_id=row.import_job_id)
    assert ImageImport.objects.get(pk=row.pk).step == ImportStep.IMPORTED
    assert (Image.objects.count(), len(stored())) == (36, 72)
    assert Truth.objects.count() == 72
    assert splits.items() <= dict(Patient.objects.values_list("fingerprint", "split")).items()


def test_near_copies_are_found_by_the_check_as_by_the_import(researcher, folder):
    (folder / "image-11.png").write_bytes((folder / "image-2.png").read_bytes())
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    check = read_report(row.folder)
    row = sending.imported(researcher, row)
    result = read_report(row.folder, is_result=True)
    assert len(check.copies) == 1
    assert (check.copies, check.problems, check.new) == (result.copies, result.problems, result.new)


def test_a_check_of_a_cohort_that_exists_says_what_is_there_already(researcher, folder):
    sending.imported(researcher, sending.checked(sending.sent(researcher, sending.zip_of(folder))))
    before = everything()
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    report = read_report(row.folder)
    assert (report.new, report.known, report.patients) == (0, 12, 12)
    assert everything() == before
    assert "nothing new to import" in sending.page(researcher, row)


def test_the_page_shows_a_picture_of_every_image(researcher, folder):
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    report = read_report(row.folder)
    for each in report.rows:
        response = researcher.get(reverse("images:preview", args=[row.pk, each.number, "image"]))
        assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert researcher.get(reverse("images:preview", args=[row.pk, 99, "image"])).status_code == 404
    assert researcher.get(reverse("images:preview", args=[row.pk, 1, "passwd"])).status_code == 404


def test_files_are_deleted_after_the_import_and_reports_after_a_day(researcher, folder):
    row = sending.imported(researcher, sending.checked(sending.sent(researcher, sending.zip_of(folder))))
    assert {path.name for path in row.folder.iterdir()} == {"check.json", "import.json", "previews"}
    other = sending.checked(sending.sent(researcher, sending.zip_of(folder), cohort="others"))
    assert remove_old_uploads(at=now()) == 0
    assert remove_old_uploads(at=now() + timedelta(days=1, minutes=1)) == 2
    assert not row.folder.exists()
    assert not other.folder.exists()
    assert "The files were deleted." in sending.page(researcher, other)
    sending.act(researcher, other, "start")
    assert ImageImport.objects.get(pk=other.pk).import_job is None


def test_an_import_is_discarded_with_its_files(researcher, folder):
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    row = sending.act(researcher, row, "discard")
    assert row.removed_at is not None
    assert not row.folder.exists()
    assert Cohort.objects.count() == 0


# --- what is refused at once ----------------------------------------------------------------------------------------
def test_a_form_without_files_or_with_a_broken_zip_is_shown_again(researcher, folder):
    torn = SimpleUploadedFile("a.zip", sending.zip_of(folder).read()[:-40])
    for files, sentence in (((), "No file was sent."), (torn, "damaged or cut off")):
        response = sending.send(researcher, files)
        assert (response.status_code, sentence in response.content.decode()) == (400, True)
    assert not ImageImport.objects.exists()
    assert not list(Path(settings.UPLOADS_DIR).iterdir())


def test_too_much_is_refused(researcher, folder, settings):
    settings.IMPORT_BYTES = 30_000
    response = sending.send(researcher, sending.files_of(folder))
    assert (response.status_code, "too large" in response.content.decode()) == (400, True)
    settings.IMPORT_BYTES, settings.IMPORT_FILES = 10**9, 5
    response = sending.send(researcher, sending.files_of(folder))
    assert (response.status_code, "Too many files" in response.content.decode()) == (400, True)
    settings.IMPORT_BYTES = 1
    response = researcher.post(
        reverse("images:send", args=["cohort"]), {**sending.OPTIONS, "files": SimpleUploadedFile("a", b"x" * 2_000_000)}
    )
    assert response.status_code == 413
    assert not ImageImport.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("cohort", "a b"), ("cohort", ""), ("split", "80/20"), ("split", "a/b/c"), ("seed", "-1"), ("modality", "XX"),
     ("columns", "pathology"), ("columns", "nothing=a"), ("pathology_per", "week"), ("resolutions", "huge")],
)  # fmt: skip
def test_a_wrong_value_has_a_message_at_its_field(researcher, folder, field, value):
    response = sending.send(researcher, sending.zip_of(folder), **{field: value})
    assert response.status_code == 400
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not ImageImport.objects.exists()


def test_columns_with_other_names_are_mapped(researcher, folder):
    table = (folder / "table.csv").read_text().replace("pathology", "diagnosis", 1)
    (folder / "table.csv").write_text(table)
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder), columns="pathology = diagnosis"))
    assert read_report(row.folder).new == 12


def test_of_several_tables_one_has_to_be_named(researcher, folder):
    shutil.copy(folder / "table.csv", folder / "other.csv")
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    assert row.step == ImportStep.CHECK_FAILED
    assert "There are several tables: mine/other.csv, mine/table.csv." in sending.page(researcher, row)
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder), table="mine/table.csv"))
    assert row.step == ImportStep.CHECKED


def test_a_request_without_the_token_stores_nothing(folder, rosa):
    client = Client(enforce_csrf_checks=True)
    client.force_login(rosa)
    assert sending.send(client, sending.zip_of(folder)).status_code == 403
    client.get(reverse("images:send", args=["cohort"]))  # the cookie alone is not enough
    assert sending.send(client, sending.zip_of(folder)).status_code == 403
    assert not ImageImport.objects.exists()
    assert not list(Path(settings.UPLOADS_DIR).iterdir())


def test_other_pages_take_few_files(coordinator, study):
    files = [SimpleUploadedFile(f"{number}.txt", b"a") for number in range(25)]
    response = coordinator.post(reverse("desk:people-check", args=[study.code]), {"file": files})
    assert response.status_code == 400


# --- a folder on the server -----------------------------------------------------------------------------------------
@pytest.fixture
def allowed(settings, tmp_path):
    root = tmp_path / "archive"
    root.mkdir()
    settings.IMPORT_FOLDERS = {"archive": root}
    return root


def test_a_folder_on_the_server_is_imported_where_it_lies(researcher, folder, allowed):
    shutil.move(folder, allowed / "mine")
    before = sorted(allowed.rglob("*"))
    row = sending.checked(sending.sent(researcher, (), server_folder="archive", server_path="mine"))
    assert read_report(row.folder).new == 12
    assert sending.imported(researcher, row).step == ImportStep.IMPORTED
    assert sorted(allowed.rglob("*")) == before


@pytest.mark.parametrize("path", ["..", "../mine", "/etc", "mine/../../mine", "gone", "link", "table.csv"])
def test_a_path_out_of_the_allowed_folder_is_refused(researcher, folder, allowed, path):
    (allowed / "link").symlink_to(folder)
    (allowed / "table.csv").write_text("a")
    response = sending.send(researcher, (), server_folder="archive", server_path=path)
    assert response.status_code == 400
    assert not ImageImport.objects.exists()


def test_links_out_of_the_allowed_folder_are_refused(researcher, folder, allowed):
    inside = allowed / "mine"
    inside.mkdir()
    shutil.copy(folder / "image-0.png", inside)
    for number in range(1, 12):
        (inside / f"image-{number}.png").symlink_to(folder / f"image-{number}.png")
    shutil.copy(folder / "table.csv", inside)
    row = sending.checked(sending.sent(researcher, (), server_folder="archive", server_path="mine"))
    report = read_report(row.folder)
    assert report.new == 1
    assert len([problem for problem in report.problems if "outside the folder" in problem.sentence]) == 11
    (inside / "table.csv").unlink()
    (inside / "table.csv").symlink_to(folder / "table.csv")
    row = sending.checked(sending.sent(researcher, (), server_folder="archive", server_path="mine"))
    assert row.step == ImportStep.CHECK_FAILED


def test_a_folder_that_the_operator_has_not_allowed_is_no_choice(researcher, folder, allowed):
    assert sending.send(researcher, (), server_folder="etc", server_path="").status_code == 400


def test_the_notes_on_a_source_are_in_the_reader_s_language(researcher, folder):
    row = sending.checked(sending.sent(researcher, sending.zip_of(folder)))
    page = researcher.get(reverse("images:import", args=[row.pk]), headers={"accept-language": "de"}).content.decode()
    (note,) = read_report(row.folder).notes
    with override("de"):
        assert say(note) != note
        assert say(note) in page
    assert "Files of these formats" not in page
