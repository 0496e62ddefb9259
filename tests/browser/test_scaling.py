"""Below 1:1 each pixel of the screen is the mean of the area that it covers: compared with a reference in floats."""

import base64

import numpy as np
import pytest

from tests.browser.test_viewer_pixels import AS_A_GRAPHICS_CARD, KIND, screen_of

HEIGHT, WIDTH = 120, 95
CANVAS = {"width": 301, "height": 201}
ZOOMS = [0.4, 0.43, 0.5, 0.57, 0.66, 0.75, 0.8, 0.95, 0.999]
BUILD = """async ([address, height, width, encoded]) => {
  const { Panels } = await import(address);
  document.body.innerHTML = '<div id="own" class="picture"><canvas data-panel="image"></canvas></div>';
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("#own { width: 301px; height: 201px; }");
  document.adoptedStyleSheets = [sheet];
  window.panels = new Panels(document.body);
  const samples = new Uint16Array(Uint8Array.from(atob(encoded), (text) => text.charCodeAt(0)).buffer);
  const levels = { low: 0, high: 65535, change: 0 };
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await frame();
  await window.panels.show({ image: { width, height, samples, levels } });
}"""
ZOOM = """async (zoom) => {
  window.panels.viewport.zoomTo(zoom);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


MOVE = """async ([dx, dy]) => {
  window.panels.viewport.panBy(dx, dy);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
ANEW = """async (zoom) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  for (const each of [zoom * 1.01, zoom]) {
    window.panels.viewport.zoomTo(each, 0, 0);
    await frame();
  }
}"""


def weights_along(length: int, size: int, zoom: float):
    """The share of each of `size` samples in each of `length` canvas pixels, by area; no rows of pixels beside it."""
    origin = np.floor(length / 2 - size * zoom / 2 + 0.5)
    weights = np.zeros((length, size))
    for pixel in range(length):
        if not 0 <= (pixel + 0.5 - origin) / zoom < size:
            continue
        low, high = ((edge - origin) / zoom for edge in (pixel, pixel + 1))
        overlap = np.clip(np.minimum(np.arange(1, size + 1), high) - np.maximum(np.arange(size), low), 0, None)
        weights[pixel] = overlap / overlap.sum()
    return weights


def weights_at(zoom):
    return weights_along(CANVAS["height"], HEIGHT, zoom), weights_along(CANVAS["width"], WIDTH, zoom)


@pytest.fixture(params=["processor", "card"])
def shown_at(request, page, server):
    """Returns a function that shows samples at a zoom and reads back the grey levels."""
    if request.param == "card":
        page.add_init_script(AS_A_GRAPHICS_CARD)
    page.goto(f"{server.url}/account/sign-in/")
    page.add_style_tag(url=f"{server.url}/static/css/forms/picture.css")

    def show(samples, zooms):
        encoded = base64.b64encode(samples.astype("<u2").tobytes()).decode()
        page.evaluate(BUILD, [f"{server.url}/static/reading/forms/picture/panels.js", *samples.shape, encoded])
        assert page.locator("canvas[data-panel=image]").evaluate(KIND) == request.param
        for zoom in zooms:
            page.evaluate(ZOOM, zoom)
            yield zoom, screen_of(page)[:, :, 0].astype(float)

    return show


def test_a_reduced_image_is_the_mean_of_its_areas(shown_at):
    samples = np.random.default_rng(4).integers(0, 65536, (HEIGHT, WIDTH))
    for zoom, screen in shown_at(samples, ZOOMS):
        rows, columns = weights_at(zoom)
        expected = rows @ samples @ columns.T * 255 / 65535
        # Half a level for the screen's 8 bits, and at most 1 % of the range for weights in whole numbers.
        assert np.abs(screen - expected).max() <= 0.5 + 2.55, zoom
        assert np.abs(screen - expected).mean() <= 0.5, zoom


def test_a_detail_of_one_pixel_keeps_its_contrast_wherever_it_lies(shown_at):
    samples = np.zeros((HEIGHT, WIDTH), dtype=int)
    samples[5::10, 5::10] = 65535
    for zoom, screen in shown_at(samples, ZOOMS):
        rows, columns = weights_at(zoom)
        peaks, sums = [], []
        for row in range(5, HEIGHT, 10):
            for column in range(5, WIDTH, 10):
                share = np.outer(rows[:, row], columns[:, column])
                around = share > 0
                peaks.append(screen[around].max() / (255 * share.max()))
                sums.append(screen[around].sum() / (255 * zoom**2))
        assert 0.9 <= min(peaks) <= max(peaks) <= 1.1, (zoom, min(peaks), max(peaks))
        assert 0.9 <= min(sums) <= max(sums) <= 1.1, (zoom, min(sums), max(sums))


@pytest.mark.parametrize("turn", ["", "turnRight", "flipAcross"])
def test_a_moved_picture_has_the_pixels_of_one_computed_anew(shown_at, page, turn):
    """The processor moves what it has and computes the rest."""
    samples = np.random.default_rng(5).integers(0, 65536, (HEIGHT * 5, WIDTH * 5))
    for zoom, _ in shown_at(samples, [0.3, 0.57, 1, 1.7]):
        if turn:
            page.evaluate(f"window.panels.viewport.{turn}()")
        for step in ([37, -21], [-140, 90], [3, 0]):
            page.evaluate(MOVE, step)
        moved = screen_of(page)
        page.evaluate(ANEW, zoom)
        np.testing.assert_array_equal(moved, screen_of(page), err_msg=str(zoom))
