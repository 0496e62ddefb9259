"""A researcher keeps a bad twin out of every study to come: once, with a reason, on the record."""

from datetime import timedelta

import pytest
from django.db import Error

from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.studies.models import Allocation
from readerstudy.truth.actions import create_study, exclude_twin, same_draw
from readerstudy.truth.models import Exclusion, Truth
from readerstudy.truth.queries import twins
from tests import make

pytestmark = pytest.mark.django_db
BOTH = ["gan-insert", "gan-remove"]
LATER = make.MONDAY + timedelta(days=1)


@pytest.fixture
def films(small):
    films = make.cohort(resolutions=("high", "low"))
    make.adversarial_images_for(films, resolutions=("high", "low"))
    return films


def twin_at(films, resolution: str) -> Truth:
    return next(iter(twins(films, resolution, BOTH).values()))


def test_an_excluded_twin_is_drawn_at_no_resolution(films, rosa):
    bad = twin_at(films, "high")
    exclude_twin(truth=bad, actor=rosa, reason="a seam along the nipple", at=LATER)
    image = bad.stimulus.image_id
    assert image not in twins(films, "high", BOTH)
    assert image not in twins(films, "low", BOTH)
    assert image in twins(films, "low", BOTH, with_excluded=True)
    assert len(twins(films, "low", BOTH)) == 43
    event = Event.objects.get(verb="stimulus.excluded")
    assert (event.actor, event.data) == (rosa, {"reason": "a seam along the nipple"})


def test_a_new_study_draws_no_excluded_twin_and_the_old_draw_can_still_be_made_again(films, rosa):
    high = create_study(code="high", title="x", template="zhou2021", cohort=films, at=LATER, seed=7, scale=0.03)
    free = [truth for truth in twins(films, "high", BOTH).values() if not held(truth)]
    exclude_twin(truth=free[0], actor=rosa, reason="blurred", at=LATER + timedelta(hours=1))
    again = create_study(code="low", title="x", at=LATER + timedelta(days=1), **same_draw(high, resolution="low"))
    assert images_of(again) == images_of(high)
    other = create_study(
        code="new", title="x", template="zhou2021", cohort=films, at=LATER + timedelta(days=1), seed=7, scale=0.03
    )
    assert not Allocation.objects.filter(session_plan__study=other, stimulus=free[0].stimulus).exists()


def test_what_a_study_has_drawn_can_no_longer_be_excluded(films, rosa):
    create_study(code="high", title="x", template="zhou2021", cohort=films, at=LATER, seed=7, scale=0.03)
    drawn = next(truth for truth in twins(films, "high", BOTH).values() if held(truth))
    with pytest.raises(StudyError, match="The study high was drawn with this image"):
        exclude_twin(truth=drawn, actor=rosa, reason="blurred", at=LATER)
    assert not Exclusion.objects.exists()


def test_an_exclusion_needs_a_reason_a_researcher_and_a_twin_and_is_said_once(films, rosa, clara):
    bad = twin_at(films, "low")
    with pytest.raises(BadInput, match="Say why"):
        exclude_twin(truth=bad, actor=rosa, reason="  ", at=LATER)
    with pytest.raises(NotAllowed, match="Only a researcher"):
        exclude_twin(truth=bad, actor=clara, reason="blurred", at=LATER)
    with pytest.raises(BadInput, match="Only adversarial"):
        exclude_twin(truth=Truth.objects.get(stimulus=bad.parent), actor=rosa, reason="x", at=LATER)
    exclude_twin(truth=bad, actor=rosa, reason="blurred", at=LATER)
    with pytest.raises(StudyError, match="excluded already"):
        exclude_twin(truth=bad, actor=rosa, reason="blurred", at=LATER)


def test_an_exclusion_is_neither_changed_nor_deleted(films, rosa):
    exclude_twin(truth=twin_at(films, "low"), actor=rosa, reason="blurred", at=LATER)
    with pytest.raises(Error, match="Cannot update or delete"):
        Exclusion.objects.update(reason="other")


def held(truth: Truth) -> bool:
    return Allocation.objects.filter(stimulus__image=truth.stimulus.image_id).exists()


def images_of(study) -> list[int]:
    rows = Allocation.objects.filter(session_plan__study=study).order_by("session_plan__number", "position")
    return list(rows.values_list("stimulus__image_id", flat=True))
