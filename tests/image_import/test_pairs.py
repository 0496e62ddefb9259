"""Pairs sent from a browser: for researchers, checked without a trace, whole or not at all."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from readerstudy.audit.models import Event
from readerstudy.cohort.models import Stimulus
from readerstudy.experiments.models import Attack
from readerstudy.image_import.models import ImageImport, ImportStep
from readerstudy.image_import.report import read_report
from readerstudy.image_import.tasks import import_images_task
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.modalities import MODALITIES
from readerstudy.truth.models import AdversarialImport, Truth
from tests import elsewhere
from tests.image_import import sending
from tests.jobs.test_lost import ROOT, environment

pytestmark = pytest.mark.django_db
GIVEN = {"cohort": "p3", "attack": "theirs", "description": "A diffusion network.", "made_by": "Group B"}


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    folder = tmp_path / "pairs"
    folder.mkdir()
    pairs = elsewhere.set_up(MODALITIES["MG"], folder, monkeypatch, patients=4)
    pairs.write_versions()
    pairs.table()
    return pairs


@pytest.fixture
def researcher(client, rosa):
    client.force_login(rosa)
    return client


def media() -> list[str]:
    return sorted(str(path) for path in Path(settings.MEDIA_ROOT).rglob("*"))


def unnamed_files() -> set[str]:
    """Return the media files that no row names, and what else is in their folder."""
    files = {path.relative_to(settings.MEDIA_ROOT).as_posix() for path in Path(settings.MEDIA_ROOT).rglob("*.*")}
    named = {*Stimulus.objects.values_list("file", flat=True), *Truth.objects.values_list("difference_file", flat=True)}
    return files - named


def adversarial(attack: str = "theirs") -> dict[tuple[int, str], tuple[object, ...]]:
    """Return what is stored of every adversarial image, by image and resolution."""
    rows = Truth.objects.filter(authenticity="adversarial", generator=attack).select_related("stimulus")
    return {
        (row.stimulus.image_id, row.stimulus.resolution): (
            row.stimulus.sha256, row.direction, row.label, row.quality, row.difference_bytes
        )
        for row in rows
    }  # fmt: skip


def test_pairs_are_checked_without_a_trace_and_imported_as_the_command_does(researcher, pairs):
    before = media()
    row = sending.checked(sending.sent(researcher, sending.zip_of(pairs.folder), "pairs", **GIVEN))
    report = read_report(row.folder)
    assert (report.new, report.problems) == (len(pairs.names), ())
    assert (media(), Attack.objects.count(), adversarial()) == (before, 0, {})
    text = sending.page(researcher, row)
    for panel in ("real", "adversarial", "difference"):
        address = reverse("images:preview", args=[row.pk, report.rows[0].number, panel])
        assert address in text
        assert researcher.get(address)["Content-Type"] == "image/jpeg"
    assert "What would give the images of theirs away" in text
    sending.imported(researcher, row)
    assert AdversarialImport.objects.get().by.username == "rosa"
    pairs.bring(attack="again")
    assert adversarial("again") == adversarial("theirs")
    assert Attack.objects.get(name="again").settings == Attack.objects.get(name="theirs").settings


def test_the_result_says_what_would_give_the_images_away(researcher, pairs):
    pairs.write_versions(lambda values: values >> 4, bits=8)
    row = sending.checked(sending.sent(researcher, sending.zip_of(pairs.folder), "pairs", **GIVEN))
    row = sending.imported(researcher, row)
    assert row.step == ImportStep.IMPORTED
    text = sending.page(researcher, row)
    assert "The adversarial files have 8 bits, the real ones 12" in text
    assert "Median of the adversarial images" in text


def test_refused_rows_stop_the_import_unless_they_are_to_be_left_out(researcher, pairs):
    rows = [f"{name},altered-{name}" for name in pairs.names]
    pairs.table(rows=[*rows, "gone.png,altered-gone.png", f"{pairs.names[0]},../../secret.png"])
    row = sending.checked(sending.sent(researcher, sending.zip_of(pairs.folder), "pairs", **GIVEN))
    text = sending.page(researcher, row)
    assert f"row {len(rows) + 2}: the real file gone.png is not there." in text
    assert f"row {len(rows) + 3}: names a file outside the folder of the import." in text
    researcher.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    german = sending.page(researcher, row)
    assert f"Zeile {len(rows) + 2}: die echte Datei gone.png fehlt." in german
    assert f"Zeile {len(rows) + 3}: nennt eine Datei außerhalb des Ordners des Imports." in german
    row = sending.imported(researcher, row)
    assert row.step == ImportStep.IMPORT_FAILED
    assert "Nichts wurde gespeichert: 2 Zeilen wurden abgelehnt." in sending.page(researcher, row)
    del researcher.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert "Nothing was stored: 2 rows were refused." in sending.page(researcher, row)
    assert Attack.objects.count() == 0
    row = sending.imported(researcher, row, skips_refused="on")
    assert row.step == ImportStep.IMPORTED
    assert Truth.objects.filter(generator="theirs").count() == len(rows) * len(pairs.cohort.resolutions)


def test_synthetic_images_are_checked_and_imported(researcher, pairs):
    pairs.table(rows=pairs.write_synthetic(2), header="image,pathology")
    row = sending.checked(sending.sent(researcher, sending.zip_of(pairs.folder), "pairs", **GIVEN))
    text = sending.page(researcher, row)
    assert "made-0.png" in text
    assert "2 synthetic images, and real images with the same pathology" in text
    previews = {panel: reverse("images:preview", args=[row.pk, 2, panel]) for panel in ("adversarial", "real")}
    assert researcher.get(previews["adversarial"])["Content-Type"] == "image/jpeg"
    assert researcher.get(previews["real"]).status_code == 404
    row = sending.imported(researcher, row)
    assert row.step == ImportStep.IMPORTED
    assert Truth.objects.filter(generator="theirs", source_image=None).count() == 2 * len(pairs.cohort.resolutions)


def test_a_coordinator_learns_nothing_of_pairs(client, researcher, pairs, clara):
    row = sending.imported(
        researcher, sending.checked(sending.sent(researcher, sending.zip_of(pairs.folder), "pairs", **GIVEN))
    )
    name = pairs.names[0]
    pairs.table(
        rows=[f"{name},altered-{name},{'remove' if pairs.sign(name) > 0 else 'insert'}"],
        header="real,adversarial,direction",
    )
    refused = sending.checked(
        sending.sent(researcher, sending.zip_of(pairs.folder), "pairs", **{**GIVEN, "attack": "wrong"})
    )
    assert "but the real image is" in sending.page(researcher, refused)
    researcher.post(reverse("images:act", args=[refused.pk, "start"]))
    import_images_task(job_id=ImageImport.objects.get(pk=refused.pk).import_job_id)
    client.force_login(clara)
    for address in (
        reverse("images:import", args=[row.pk]),
        reverse("images:preview", args=[row.pk, 2, "adversarial"]),
    ):
        assert client.get(address).status_code == 404
    assert client.get("/images/send/pairs/").status_code == 403
    seen = [client.get("/images/").content.decode(), client.get("/api/v1/jobs/").content.decode()]
    seen += [client.get(f"/api/v1/jobs/{job.pk}/").content.decode() for job in Job.objects.all()]
    seen += [str(event.data) for event in Event.objects.all()]
    for text in seen:
        assert "image-" not in text
        assert "altered" not in text
        assert "the real image is" not in text
        assert str(row.pk) not in text.replace(f"imports/{row.pk}", "")


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_no_image_and_the_job_goes_on(researcher, pairs, tmp_path):
    row = sending.checked(sending.sent(researcher, sending.zip_of(pairs.folder), "pairs", **GIVEN))
    row = sending.act(researcher, row, "start")
    layout = MODALITIES["MG"].layouts["low"]
    program = [sys.executable, "-m", "tests.image_import.killed", *map(str, (row.import_job_id, *layout.size))]
    killed = subprocess.run(program, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Job.objects.get(pk=row.import_job_id).status == JobStatus.RUNNING
    assert (Attack.objects.count(), adversarial()) == (0, {})
    assert len([name for name in unnamed_files() if name.endswith(".png")]) == 5  # written before the kill
    import_images_task(job_id=row.import_job_id)  # the next worker sees that the first is gone
    assert unnamed_files() == set()
    row = ImageImport.objects.get(pk=row.pk)
    assert row.step == ImportStep.IMPORTED
    assert len(adversarial()) == len(pairs.names) * len(pairs.cohort.resolutions)
    assert {path.name for path in row.folder.iterdir()} == {"check.json", "import.json", "previews"}
    assert Stimulus.objects.count() == 2 * len(adversarial())
