"""A researcher excludes an unsuitable adversarial image from all future studies: once, with a recorded reason."""

from datetime import timedelta

import pytest
from django.db import Error

from readerstudy.audit.models import Event
from readerstudy.cohort.models import Stimulus
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.studies.models import Allocation
from readerstudy.truth.actions import create_study, exclude_image, same_draw
from readerstudy.truth.models import Exclusion, Truth
from readerstudy.truth.queries import adversarial_images
from tests import make

pytestmark = pytest.mark.django_db
BOTH = ["gan-insert", "gan-remove"]
LATER = make.MONDAY + timedelta(days=1)


@pytest.fixture
def cohort(small):
    cohort = make.cohort(resolutions=("high", "low"))
    make.adversarial_images_for(cohort, resolutions=("high", "low"))
    return cohort


def adversarial_at(cohort, resolution: str) -> list[Stimulus]:
    rows = Truth.objects.filter(authenticity="adversarial", stimulus__resolution=resolution).order_by("pk")
    return [row.stimulus for row in rows.select_related("stimulus")]


def test_an_excluded_image_is_drawn_at_no_resolution(cohort, rosa):
    bad = adversarial_at(cohort, "high")[0]
    exclude_image(stimulus=bad, actor=rosa, reason="a seam along the nipple", at=LATER)
    image = bad.image_id
    assert image not in adversarial_images(cohort, "high", BOTH)
    assert image not in adversarial_images(cohort, "low", BOTH)
    assert image in adversarial_images(cohort, "low", BOTH, with_excluded=True)
    assert len(adversarial_images(cohort, "low", BOTH)) == 43
    event = Event.objects.get(verb="stimulus.excluded")
    assert (event.actor, event.data) == (rosa, {"reason": "a seam along the nipple"})


def test_a_new_study_skips_excluded_images_and_an_old_draw_repeats(cohort, rosa):
    high = create_study(code="high", title="x", template="zhou2021", cohort=cohort, at=LATER, seed=7, scale=0.03)
    free = [stimulus for stimulus in adversarial_at(cohort, "high") if not is_drawn(stimulus)]
    exclude_image(stimulus=free[0], actor=rosa, reason="blurred", at=LATER + timedelta(hours=1))
    again = create_study(code="low", title="x", at=LATER + timedelta(days=1), **same_draw(high, resolution="low"))
    assert images_of(again) == images_of(high)
    other = create_study(
        code="newer", title="x", template="zhou2021", cohort=cohort, at=LATER + timedelta(days=1), seed=7, scale=0.03
    )
    assert not Allocation.objects.filter(session_plan__study=other, stimulus=free[0]).exists()


def test_what_a_study_has_drawn_can_no_longer_be_excluded(cohort, rosa):
    create_study(code="high", title="x", template="zhou2021", cohort=cohort, at=LATER, seed=7, scale=0.03)
    drawn = next(stimulus for stimulus in adversarial_at(cohort, "high") if is_drawn(stimulus))
    with pytest.raises(StudyError, match="The study high was drawn with this image"):
        exclude_image(stimulus=drawn, actor=rosa, reason="blurred", at=LATER)
    assert not Exclusion.objects.exists()


def test_an_exclusion_needs_a_reason_and_a_researcher_once(cohort, rosa, clara):
    bad = adversarial_at(cohort, "low")[0]
    source = Truth.objects.get(stimulus=bad).source_image
    with pytest.raises(BadInput, match="Say why"):
        exclude_image(stimulus=bad, actor=rosa, reason="  ", at=LATER)
    with pytest.raises(NotAllowed, match="Only a researcher"):
        exclude_image(stimulus=bad, actor=clara, reason="blurred", at=LATER)
    with pytest.raises(BadInput, match="Only adversarial"):
        exclude_image(stimulus=source, actor=rosa, reason="x", at=LATER)
    exclude_image(stimulus=bad, actor=rosa, reason="blurred", at=LATER)
    with pytest.raises(StudyError, match="excluded already"):
        exclude_image(stimulus=bad, actor=rosa, reason="blurred", at=LATER)


def test_an_exclusion_is_neither_changed_nor_deleted(cohort, rosa):
    exclude_image(stimulus=adversarial_at(cohort, "low")[0], actor=rosa, reason="blurred", at=LATER)
    with pytest.raises(Error, match="Cannot update or delete"):
        Exclusion.objects.update(reason="other")


def is_drawn(stimulus: Stimulus) -> bool:
    return Allocation.objects.filter(stimulus__image=stimulus.image_id).exists()


def images_of(study) -> list[int]:
    rows = Allocation.objects.filter(session_plan__study=study).order_by("session_plan__number", "position")
    return list(rows.values_list("stimulus__image_id", flat=True))
