"""The corners of all images: shown without the truth, and recorded when somebody has looked."""

import io

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Image, Stimulus
from readerstudy.designer.checklist.advice import find_advice
from readerstudy.errors import StudyError
from readerstudy.imaging.corners import SIDE, contact_sheet, corners_block
from readerstudy.studies.actions import confirm_corners
from readerstudy.studies.corners import last_look
from tests import make
from tests.designer.conftest import desk, draft, films

__all__ = ["desk", "draft", "films"]


def warnings(study) -> str:
    return " ".join(advice.sentence for advice in find_advice(study, study.protocol))


def test_a_block_shows_each_corner_with_its_own_contrast():
    values = np.zeros((400, 320), np.uint16)
    values[5:10, 310:315] = 3000  # faint text at the top right
    values[395:, :5] = 65535
    block = corners_block(values)
    halves = [block[:SIDE, :SIDE], block[:SIDE, -SIDE:], block[-SIDE:, :SIDE], block[-SIDE:, -SIDE:]]
    brightest = [int(half[half != 128].max(initial=0)) for half in halves]
    assert brightest[0] == brightest[3] == 0
    assert brightest[1] == brightest[2] == 255


def test_a_sheet_has_its_rows_filled_up():
    blocks = [np.full((10, 10), level, np.uint8) for level in (10, 20, 30)]
    sheet = contact_sheet(blocks, columns=2)
    assert sheet.shape == (20, 20)
    assert [int(sheet[y, x]) for y, x in ((0, 0), (0, 10), (10, 0), (10, 10))] == [10, 20, 30, 128]


@pytest.mark.django_db
def test_clara_looks_at_every_image_and_it_is_recorded(draft, desk, clara):
    page = desk.get(reverse("desk:corners", args=[draft.code]))
    assert "Nobody has looked at the corners of all images yet." in page.content.decode()
    images = Image.objects.filter(exam__patient__cohort=draft.cohort).count()
    pages = page.context["page"].paginator
    assert pages.count == images
    picture = desk.get(reverse("desk:corner-sheet", args=[draft.code, 1]))
    assert Picture.open(io.BytesIO(picture.content)).format == "JPEG"
    assert desk.get(reverse("desk:corner-sheet", args=[draft.code, pages.num_pages + 1])).status_code == 404
    desk.post(reverse("desk:corners-looked", args=[draft.code]), {"images": images})
    event = Event.objects.get(verb="corners.looked_at")
    assert (event.actor, event.study, event.data) == (clara, draft.code, {"images": images})
    assert (
        f"The corners of all {images} images were looked at by clara"
        in desk.get(reverse("desk:corners", args=[draft.code]), {"page": pages.num_pages}).content.decode()
    )


@pytest.mark.django_db
def test_the_checklist_warns_until_somebody_has_looked_at_all(draft, clara):
    assert "Nobody has looked at the corners" in warnings(draft)
    images = Image.objects.filter(exam__patient__cohort=draft.cohort).count()
    for wrong in (0, images - 1):
        with pytest.raises(StudyError, match="Look at the corners again"):
            confirm_corners(study=draft, images=wrong, actor=clara, at=make.MONDAY)
    confirm_corners(study=draft, images=images, actor=clara, at=make.MONDAY)
    assert "corners" not in warnings(draft)
    known = Image.objects.filter(exam__patient__cohort=draft.cohort).first()
    Image.objects.create(exam=known.exam, fingerprint="new", source_bits=8, source_rows=1, source_columns=1)
    assert last_look(draft) is None


@pytest.mark.django_db
def test_the_page_names_no_stimulus_and_no_truth(draft, desk):
    page = desk.get(reverse("desk:corners", args=[draft.code])).content.decode()
    assert not [key for key in Stimulus.objects.values_list("pk", flat=True) if str(key) in page]
    assert not any(word in page.lower() for word in ("adversarial", "altered", "malignant", "benign"))
    stranger = Client()
    stranger.force_login(make.stranger("carl", Role.COORDINATOR))
    assert stranger.get(reverse("desk:corner-sheet", args=[draft.code, 1])).status_code == 404
