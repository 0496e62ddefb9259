"""The minutes that are left, at the reader's own pace."""

import pytest
from playwright.sync_api import expect

from tests import walk

PACE = """async ([address, times, images]) => {
  const { Pace } = await import(address);
  const pace = new Pace();
  let now = 1000;
  times.forEach((time, i) => pace.reach(i + 1, (now += time)));
  return pace.minutesFor(images);
}"""


@pytest.mark.parametrize(
    ("seconds", "images", "minutes"),
    [
        ([0, 10, 10, 10, 10], 30, None),  # four times are too few
        ([0, 10, 10, 10, 10, 10], 30, 5),
        ([0, 10, 10, 10, 600, 10, 10], 30, 5),  # a break is no reading
        ([0, 2, 30, 10, 10, 10], 60, 10),
        ([0, 1, 1, 1, 1, 1], 1, 1),
    ],
)
def test_the_minutes_left_follow_the_median_time_of_an_image(page, server, seconds, images, minutes):
    page.goto(f"{server.url}/account/sign-in/")
    address = f"{server.url}/static/reading/session/pace.js"
    assert page.evaluate(PACE, [address, [1000 * time for time in seconds], images]) == minutes


def test_the_strip_says_how_many_minutes_are_left(room, page, rita):
    client = walk.client_of(rita)
    for number in (1, 2):
        walk.finish_session(client, room.study, number)
    room.enter(3)
    height = page.locator(".strip").bounding_box()["height"]
    for position in range(1, 7):
        room.stands_at(position)
        expect(page.locator("#progress")).to_have_text(f"{position} of 14" + (" 1 min left" if position == 6 else ""))
        room.press("1")
    room.stands_at(7)
    assert page.locator(".strip").bounding_box()["height"] == height
