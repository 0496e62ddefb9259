"""The minutes that are left, at the reader's own pace."""

import pytest

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
