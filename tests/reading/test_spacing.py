"""Millimetres per pixel reach a reader only where they cannot tell one image from another."""

import pytest

from readerstudy.cohort.models import Image, Stimulus
from readerstudy.reading.queries import get_reading_list
from readerstudy.reading.spacing import spacing_for
from tests import make


@pytest.fixture
def reading_list(small, db):
    study = make.study()
    rows, columns = Stimulus.objects.values_list("rows", "columns").first()
    Image.objects.update(pixel_spacing_mm=0.07, source_rows=2 * rows, source_columns=columns)
    return get_reading_list(make.reader_in(study, "rita"), study.code, 3)


def test_the_spacing_is_that_of_the_stored_image(reading_list):
    assert spacing_for(reading_list) == 0.14  # half as high as its source


@pytest.mark.parametrize("other", [None, 0.1])
def test_one_image_without_it_or_with_another_hides_it_from_all(reading_list, other):
    image = reading_list.presentations.order_by("position").last().stimulus.image
    Image.objects.filter(pk=image.pk).update(pixel_spacing_mm=other)
    assert spacing_for(reading_list) is None
