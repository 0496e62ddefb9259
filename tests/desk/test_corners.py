"""The corners of all images: shown without the truth, and recorded when somebody has looked."""

import io
import re

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Image, Patient, Stimulus
from readerstudy.designer.checklist.advice import find_advice
from readerstudy.errors import StudyError
from readerstudy.imaging.corners import SIDE, contact_sheet, corners_block
from readerstudy.studies.actions import confirm_corners
from readerstudy.studies.corners import last_look, squares_of
from readerstudy.studies.models import Study
from readerstudy.truth.models import Truth
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
    assert not [name for name in Patient.objects.values_list("pseudonym", flat=True) if name in page]
    stranger = Client()
    stranger.force_login(make.stranger("carl", Role.COORDINATOR))
    assert stranger.get(reverse("desk:corner-sheet", args=[draft.code, 1])).status_code == 404


def codes_of(study, desk) -> list[str]:
    """The codes on all sheets, in their order."""
    codes = []
    address = reverse("desk:corners", args=[study.code])
    for number in desk.get(address).context["page"].paginator.page_range:
        page = desk.get(address, {"page": number}).content.decode()
        codes += re.findall(r"<td><code>([0-9a-f]+)</code></td>", page)
    return codes


@pytest.mark.django_db
def test_neither_order_nor_code_tells_a_synthetic_image(draft, desk, capsys):
    """Synthetic images are imported last: patients, keys and pseudonyms of theirs are the highest."""
    make.synthetic_images_for(draft.cohort)
    codes = codes_of(draft, desk)
    assert len(codes) == len(set(codes)) == Image.objects.filter(exam__patient__cohort=draft.cohort).count()
    known = {square.code: square.image for square in squares_of(draft)}
    synthetic = set(Truth.objects.filter(generator="made").values_list("stimulus__image_id", flat=True))
    is_synthetic = [known[code] in synthetic for code in codes]
    assert sum(is_synthetic) == 40
    patients = [Image.objects.get(pk=known[code]).exam.patient.pseudonym for code in codes]
    assert auc(is_synthetic, patients) == 1  # what the page showed before
    for fact in (codes, list(range(len(codes)))):
        assert 0.3 < auc(is_synthetic, fact) < 0.7
    other = Study.objects.create(code="other", title="x", cohort=draft.cohort, protocol_data={}, created_at=make.MONDAY)
    assert not set(codes) & {square.code for square in squares_of(other)}
    call_command("find_corner", draft.code, codes[0])
    assert patients[0] in capsys.readouterr().out
    with pytest.raises(CommandError, match="has the code"):
        call_command("find_corner", draft.code, "0123456789")


def auc(altered: list[bool], values: list) -> float:
    """The share of pairs of a synthetic and another image in which the synthetic one has the higher value."""
    pairs = [
        (a, b)
        for a, one in zip(values, altered, strict=True)
        if one
        for b, other in zip(values, altered, strict=True)
        if not other
    ]
    return sum(a > b for a, b in pairs) / len(pairs)
