"""A picture that was got ready while the one before it stood is drawn as if it had been worked out anew."""

import numpy as np
import pytest

from tests import walk


@pytest.fixture(params=[False, True], ids=["plain", "flipped"])
def next_image(request, room):
    """The image at position 2, in one case displayed mirrored as long as the test lasts: all tests share the study."""
    image = room.presentation(2, 2).stimulus.image
    row = type(image).objects.filter(pk=image.pk)
    if request.param:
        row.update(attributes={"chest_wall": "right", "laterality": "L"})
    yield image
    row.update(attributes=image.attributes)


@pytest.mark.usefixtures("next_image")
def test_a_prefetched_image_has_the_pixels_of_a_new_one(room, page, rita, study):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    room.enter(2)
    page.wait_for_timeout(500)  # the next one is fetched, and got ready when the browser is idle
    room.press("1")
    room.stands_at(2)
    ahead = room.pixels()
    room.press("+")  # another view, so that the levels on screen are worked out anew
    room.press("=")
    room.settle()
    assert np.array_equal(room.pixels(), ahead)
    assert ahead.std() > 10  # a picture, not a blank
