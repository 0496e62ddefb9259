"""Who may import images, and what coordinators see of it."""

from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from readerstudy.accounts.models import Role
from readerstudy.image_import.models import ImageImport, ImportStep
from tests import make
from tests.image_import import sending

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]


def test_a_coordinator_imports_a_new_cohort_and_sees_no_pathology_of_an_image(coordinator, folder):
    row = sending.checked(sending.sent(coordinator, sending.zip_of(folder)))
    text = sending.page(coordinator, row)
    table = text[text.index('class="rows"') :]
    assert "image-0.png" in table
    assert "alignant" not in table
    assert "enign" not in table
    assert sending.imported(coordinator, row).step == ImportStep.IMPORTED


def test_a_coordinator_cannot_ask_a_cohort_that_exists(coordinator, folder, clara):
    """The answer would compare the sent pathologies with those that are stored."""
    make.cohort("theirs", patients=3)
    response = sending.send(coordinator, sending.zip_of(folder), cohort="theirs")
    assert (response.status_code, "only a researcher may add" in response.content.decode()) == (400, True)
    row = sending.checked(sending.sent(coordinator, sending.zip_of(folder), cohort="later"))
    make.cohort("later", patients=3)
    sending.act(coordinator, row, "start")
    assert ImageImport.objects.get(pk=row.pk).import_job is None


def test_a_coordinator_sees_their_own_imports_only(client, folder, rosa, clara):
    client.force_login(rosa)
    theirs = sending.checked(sending.sent(client, sending.zip_of(folder)))
    client.force_login(clara)
    assert client.get(reverse("images:import", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("images:preview", args=[theirs.pk, 1, "image"])).status_code == 404
    assert client.post(reverse("images:act", args=[theirs.pk, "start"])).status_code == 404
    assert str(theirs.pk) not in client.get(reverse("images:cohorts")).content.decode()


@pytest.mark.parametrize("address", ["/images/", "/images/send/cohort/", "/images/send/pairs/"])
def test_readers_and_visitors_get_no_page_of_images(client, address):
    assert client.get(address).status_code == 302
    client.force_login(make.user("ronja"))
    assert client.get(address).status_code == 403
    assert client.post(address).status_code in (403, 405)
    assert not Path(settings.UPLOADS_DIR).exists()


def test_pairs_are_for_researchers(coordinator):
    assert coordinator.get("/images/send/pairs/").status_code == 403
    assert "/images/send/pairs/" not in coordinator.get("/images/").content.decode()


def test_the_list_shows_counts_and_the_gallery_to_researchers_only(client, study, rosa, clara):
    client.force_login(clara)
    text = client.get("/images/").content.decode()
    assert "images" in text
    assert "/lab/stimuli/" not in text
    assert reverse("desk:study", args=[study.code]) in text
    client.force_login(rosa)
    text = client.get("/images/").content.decode()
    assert "/lab/stimuli/?attack=" in text
    client.force_login(make.stranger("olga", Role.COORDINATOR))
    assert reverse("desk:study", args=[study.code]) not in client.get("/images/").content.decode()
