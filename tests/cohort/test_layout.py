"""A cohort's modality and layout: chosen at the first import, and fixed once an image is in."""

import pytest
from django.db import InternalError, connection, transaction

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.storage import ensure_cohort
from readerstudy.errors import BadInput, StudyError
from readerstudy.modalities import DEFAULT, MODALITIES, get_modality
from tests import make

pytestmark = pytest.mark.django_db
PLAN = {"seed": 1, "fractions": [0.8, 0.1, 0.1], "at": make.MONDAY}


def run_sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_cohort_knows_the_sizes_of_its_images(small):
    cohort = make.cohort(patients=3, fractions=(1, 0, 0), resolutions=("high", "low"))
    assert cohort.modality is DEFAULT
    assert cohort.resolutions == ("high", "low")
    for stimulus in Stimulus.objects.all():
        assert (stimulus.rows, stimulus.columns) == cohort.size_of(stimulus.resolution) == (64, 52)
        assert (stimulus.bits, stimulus.frames) == (16, 1)


def test_a_size_that_is_not_stored_is_refused(small):
    with pytest.raises(StudyError, match="no images at high resolution"):
        make.cohort(patients=3, fractions=(1, 0, 0)).size_of("high")


@pytest.mark.parametrize("change", ["modality = 'XX'", "layout = '[]'", "modality = 'XX', name = 'other'"])
def test_modality_and_layout_are_fixed_once_an_image_is_in(small, change):
    cohort = make.cohort(patients=3, fractions=(1, 0, 0))
    with pytest.raises(InternalError, match="modality and layout cannot be changed"):
        run_sql(f"UPDATE cohort_cohort SET {change}")
    assert Cohort.objects.get() == cohort
    assert Cohort.objects.get().layout == cohort.layout


def test_a_cohort_without_images_can_change_its_layout_and_one_with_images_its_other_columns(small):
    cohort = ensure_cohort("empty", modality=DEFAULT, resolutions=["low"], **PLAN)
    run_sql("UPDATE cohort_cohort SET layout = '[]'")
    cohort.refresh_from_db()
    assert cohort.resolutions == ()
    make.cohort(patients=3, fractions=(1, 0, 0))
    run_sql("UPDATE cohort_cohort SET rewritten_files = 7")
    assert set(Cohort.objects.values_list("rewritten_files", flat=True)) == {7}


def test_a_cohort_keeps_its_modality_and_its_resolutions():
    ensure_cohort("films", modality=DEFAULT, resolutions=["low"], **PLAN)
    with pytest.raises(StudyError, match=r"exists with resolutions \['low'\]"):
        ensure_cohort("films", modality=DEFAULT, resolutions=["high", "low"], **PLAN)
    for modality in MODALITIES.values():
        if modality is not DEFAULT:
            with pytest.raises(StudyError, match=f"exists with modality {DEFAULT.code}"):
                ensure_cohort("films", modality=modality, resolutions=list(modality.layouts), **PLAN)


def test_a_resolution_that_the_modality_lacks_is_refused_with_those_that_it_has():
    with pytest.raises(BadInput, match="no resolution 'medium'; it has: high, low"):
        ensure_cohort("films", modality=DEFAULT, resolutions=["medium"], **PLAN)
    assert not Cohort.objects.exists()


def test_an_unknown_modality_is_refused_with_those_that_there_are():
    with pytest.raises(BadInput, match=f"no modality 'XX'; there are: {', '.join(MODALITIES)}"):
        get_modality("XX")
