"""On a slow line the screen is dark between two images and says what it waits for."""

import pytest
from playwright.sync_api import expect

from tests import walk


@pytest.fixture
def reading(room, rita):
    for number in (1, 2):
        walk.finish_session(walk.client_of(rita), room.study, number)
    return room


@pytest.fixture
def held(page):
    """All images but the first wait until `held.go` is called."""

    class Held:
        routes: list = []
        is_open = False

        def handle(self, route):
            if self.is_open:
                route.continue_()
            else:
                self.routes.append(route)

        def go(self):
            self.is_open = True
            for route in self.routes:
                route.continue_()

    return Held()


def test_a_late_image_is_awaited_in_the_dark_with_a_ring_and_a_sentence(reading, page, held):
    reading.enter(3)
    page.wait_for_timeout(500)  # the second and the third are fetched by now
    page.route("**/images/**", held.handle)
    for position in (2, 3):
        reading.press("1")
        reading.stands_at(position)
        reading.settle()
    reading.press("1")
    ring = page.locator("#loading")
    expect(ring).to_be_visible()
    assert not reading.pixels().any()
    expect(ring).to_contain_text("The image is still loading. The clock has not started.")
    held.go()
    reading.stands_at(4)
    expect(ring).to_be_hidden()
    assert reading.pixels().any()
    assert not ring.inner_text().strip()
