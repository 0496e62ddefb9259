"""Images ahead: they are fetched in turn, and one that was prepared is drawn as if it had been computed anew."""

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


@pytest.fixture
def requested(room, page, rita):
    """The positions of the images that the page requests, in the order of the requests."""
    for number in (1, 2):
        walk.finish_session(walk.client_of(rita), room.study, number)
    codes = {room.presentation(3, position).code: position for position in range(1, 8)}
    positions = []
    page.on("request", lambda request: positions.extend(codes[code] for code in codes if code in request.url))
    return positions


def wait_for(page, requested, positions):
    """Until so many images are requested, and half a second longer for others."""
    while len(requested) < len(positions):
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)
    assert requested == positions


def test_two_images_are_fetched_ahead_one_after_the_other(room, page, requested):
    room.enter(3)
    wait_for(page, requested, [1, 2, 3])
    room.press("1")
    room.stands_at(2)
    wait_for(page, requested, [1, 2, 3, 4])


def test_the_second_image_ahead_waits_for_the_first(room, page, requested):
    late = []
    page.route(f"**/images/{room.presentation(3, 2).code}/", lambda route: late.append(route))
    room.enter(3)
    wait_for(page, requested, [1, 2])
    late[0].continue_()
    wait_for(page, requested, [1, 2, 3])


def test_a_device_with_little_memory_fetches_one_image_ahead(room, page, requested):
    # The images of this study are small: three of them take more than 1/32 of 256 kB.
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 1 / 4096 })")
    room.enter(3)
    wait_for(page, requested, [1, 2])
