"""The outline of what was imaged: its side lies at the edge of the screen, and the air around it stays black."""

import base64

import numpy as np
import pytest

from tests.browser.test_viewer_pixels import AS_A_GRAPHICS_CARD, KIND, screen_of

HEIGHT, WIDTH = 240, 200
CANVAS = (500, 300)
PANELS = ("image",), ("real", "adversarial", "difference")
BUILD = """async ([base, height, width, panels, pictures, flip]) => {
  const { Panels } = await import(base + "panels.js");
  const { outlineOf } = await import(base + "outline.js");
  const canvas = (name) => `<figure><div class="picture"><canvas data-panel="${name}"></canvas></div></figure>`;
  const ends = "<span data-lowest></span><canvas></canvas><span data-highest></span>";
  const legend = `<p data-legend><span data-lesson></span>${ends}</p><p id="line"></p>`;
  document.body.innerHTML = `<div id="own" class="panels triptych">${panels.map(canvas).join("")}</div>${legend}`;
  const beside = document.querySelectorAll("[data-legend], #line");
  if (panels.length > 1) document.querySelector(".triptych").append(...beside);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("#own { display: block } #own figure { margin: 0 } #own .picture { width: 500px; height: 300px; }");
  document.adoptedStyleSheets = [sheet];
  const pictureOf = (encoded) => {
    const samples = new Uint16Array(Uint8Array.from(atob(encoded), (text) => text.charCodeAt(0)).buffer);
    const picture = { width, height, samples, levels: { low: 0, high: 40000, change: 2000 } };
    return { ...picture, outline: outlineOf(picture) };
  };
  window.panels = new Panels(document.body);
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await frame();
  const shown = Object.fromEntries(panels.map((name, i) => [name, pictureOf(pictures[i])]));
  await window.panels.show(shown, { flip });
  return shown[panels[0]].outline?.side ?? null;
}"""
RUN = """async (name) => {
  const { viewport, windowLevel } = window.panels;
  ({
    invert: () => windowLevel.invert(),
    brighter: () => windowLevel.adjust(-0.5, 0),
    flip: () => viewport.flipAcross(),
    turn: () => viewport.turnRight(),
    zoom: () => viewport.zoomBy(1.2),
  })[name]();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def breast(side: str | None, *, label: bool = False) -> np.ndarray:
    """Half an ellipse at one side, or a whole one in the middle, in front of noisy air; perhaps a label in the air."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    across = {"left": columns, "right": WIDTH - 1 - columns, None: columns - WIDTH / 2}[side]
    inside = ((rows - HEIGHT / 2) / 90) ** 2 + (across / (90 if side is None else 120)) ** 2 < 1
    noise = np.random.default_rng(1).integers(0, 400, (HEIGHT, WIDTH))
    image = np.where(inside, 20000, 1000) + noise
    if label:
        image[5:20, 90:110] = 30000
    return image


@pytest.fixture(params=["processor", "card"])
def shown(request, page, server):
    """Returns a function that shows pictures in panels, and returns the side that was found."""
    if request.param == "card":
        page.add_init_script(AS_A_GRAPHICS_CARD)
    page.goto(f"{server.url}/account/sign-in/")
    page.add_style_tag(url=f"{server.url}/static/css/forms/picture.css")

    def show(*images, flip=False):
        encoded = [base64.b64encode(image.astype("<u2").tobytes()).decode() for image in images]
        names = ["image"] if len(images) == 1 else ["real", "adversarial", "difference"]
        base = f"{server.url}/static/reading/forms/picture/"
        side = page.evaluate(BUILD, [base, HEIGHT, WIDTH, names, encoded, flip])
        assert page.locator(f"canvas[data-panel={names[0]}]").evaluate(KIND) == request.param
        return side

    return show


def bright_columns(page, panel="image"):
    """The first and the last column of a canvas that show tissue, in its middle row."""
    row = screen_of(page, panel)[CANVAS[1] // 2, :, 0]
    found = np.flatnonzero(row > 90)
    return found[0], found[-1]


@pytest.mark.parametrize(
    ("side", "flip", "edge"),
    [("left", False, 0), ("right", False, CANVAS[0] - 1), ("left", True, CANVAS[0] - 1), ("right", True, 0)],
)
def test_the_side_where_the_picture_is_cut_off_lies_at_the_edge_of_the_screen(shown, page, side, flip, edge):
    assert shown(breast(side), flip=flip) == side
    assert edge in bright_columns(page)
    page.evaluate(RUN, "zoom")
    assert edge in bright_columns(page)  # it stays there without a pointer
    page.evaluate(RUN, "flip")


def test_a_picture_that_is_cut_off_nowhere_lies_in_the_middle(shown, page):
    assert shown(breast(None)) is None
    first, last = bright_columns(page)
    assert abs(first - (CANVAS[0] - 1 - last)) <= 2


def test_a_picture_without_air_has_no_outline_and_stays_whole(shown, page):
    everywhere = np.random.default_rng(2).integers(15000, 25000, (HEIGHT, WIDTH))
    assert shown(everywhere) is None
    page.evaluate(RUN, "invert")
    assert np.count_nonzero(screen_of(page)[:, :, 0]) == pytest.approx(250 * 300, rel=0.01)  # 200 x 240, at 125 %


@pytest.mark.parametrize("turns", [[], ["flip"], ["turn"], ["zoom", "turn", "flip"]])
@pytest.mark.parametrize("window", ["invert", "brighter"])
def test_the_air_stays_black_when_the_window_would_show_it(shown, page, window, turns):
    shown(breast("left"))
    for turn in turns:
        page.evaluate(RUN, turn)
    before = screen_of(page)[:, :, 0].astype(int)
    assert before[before < 30].max() > 0  # the standard window shows the picture as it is, noise and all
    page.evaluate(RUN, window)
    after = screen_of(page)[:, :, 0].astype(int)
    tissue = before > 100
    expected = 255 - before[tissue] if window == "invert" else np.minimum(255, before[tissue] + 128)
    inner = np.abs(after[tissue] - expected) <= 1
    assert inner.all()
    # Beyond the margin around the tissue nothing is left.
    lit = np.flatnonzero((after > 0) & ~tissue)
    rows, columns = np.divmod(lit, after.shape[1])
    solid = np.argwhere(tissue)
    near = [
        np.abs(solid - (row, column)).sum(axis=1).min() for row, column in zip(rows[::50], columns[::50], strict=True)
    ]
    assert max(near, default=0) <= 40


def test_a_label_in_the_air_is_black_with_it(shown, page):
    shown(breast("left", label=True))
    label = screen_of(page)[:, :, 0] > 180
    assert label.any()
    page.evaluate(RUN, "brighter")
    assert not screen_of(page)[label].any()


def test_the_difference_has_no_grey_rectangle_around_the_object(shown, page):
    real = breast("left")
    difference = np.full_like(real, 32768)
    difference[100:120, 30:50] += 1000
    shown(real, real, difference)
    colours = screen_of(page, "difference").astype(int)
    lit = colours.max(axis=2) > 0
    tissue = screen_of(page, "real")[:, :, 0] > 100
    assert lit[tissue].all()
    assert not lit[:, 260:].any()  # the picture's box ends at 250, the object at 150
    assert not lit[:30].any()
    assert lit.sum() < 1.4 * tissue.sum()
