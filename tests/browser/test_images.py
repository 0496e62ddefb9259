"""Images in a browser: a zip file is sent, checked, looked at and imported, without barriers."""

import os
import zipfile
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from readerstudy.accounts.models import Role
from readerstudy.cohort.models import Cohort
from readerstudy.image_import.models import ImageImport
from readerstudy.image_import.tasks import check_images_task, import_images_task
from tests import make
from tests.browser.test_page import complaints
from tests.image_import.sending import write_images

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def desk(page, server, sign_in, people, settings, tmp_path):
    """A coordinator's browser, without a mishap till the end."""
    settings.UPLOADS_DIR, settings.JOBS_DIR = tmp_path / "uploads", tmp_path / "jobs"
    mishaps = []
    page.on("console", lambda message: mishaps.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mishaps.append(str(error)))
    sign_in(page.context, make.user(f"coordinator-{next(people)}", Role.COORDINATOR))
    yield page
    assert mishaps == []


def look(page, name: str) -> list[str]:
    result = []
    for scheme, width in (("light", 1280), ("dark", 400)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
        result += complaints(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    return result


def test_a_zip_file_is_sent_checked_and_imported(desk, server, people, tmp_path):
    folder = write_images(tmp_path / "mine", 6)
    (folder / "notes.pdf").write_bytes(b"%PDF")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    name = f"sent-{next(people)}"
    desk.goto(server.url + reverse("images:cohorts"))
    barriers = look(desk, "cohorts")
    desk.get_by_role("link", name="Import images").click()
    barriers += look(desk, "send")
    desk.get_by_label("A zip file").set_input_files(tmp_path / "mine.zip")
    desk.get_by_label("Cohort", exact=True).fill(name)
    desk.get_by_role("button", name="Send and check").click()
    expect(desk.get_by_text("Being checked")).to_be_visible()
    row = ImageImport.objects.get(cohort=name)
    check_images_task(job_id=row.check_job_id)
    expect(desk.get_by_text("6 images can be imported.")).to_be_visible()
    expect(desk.get_by_text("notes.pdf is no PNG")).to_be_visible()
    picture = desk.locator("table.rows img").first
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 20
    barriers += look(desk, "checked")
    assert not Cohort.objects.filter(name=name).exists()
    desk.get_by_role("button", name="Import", exact=True).click()
    expect(desk.get_by_text("Being imported")).to_be_visible()
    row.refresh_from_db()
    import_images_task(job_id=row.import_job_id)
    expect(desk.get_by_text("6 images were imported.")).to_be_visible()
    barriers += look(desk, "imported")
    desk.get_by_role("link", name="Cohorts").click()
    expect(desk.get_by_role("heading", name=name)).to_be_visible()
    assert barriers == []
