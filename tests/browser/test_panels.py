"""The panels as a session uses them: hanging, the grey between images, hiding, marks."""

import numpy as np
import pytest

from tests.browser.test_viewer_pixels import screen_of

HEIGHT, WIDTH = 40, 30
# Panels of their own beside the page: those of the page's script cannot be reached from outside.
BUILD = """async ([address, height, width]) => {
  const { Panels } = await import(address);
  document.body.innerHTML = '<div id="own" class="picture"><canvas data-panel="image"></canvas></div>';
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("#own { width: 301px; height: 201px; }");
  document.adoptedStyleSheets = [sheet];
  window.panels = new Panels(document.body);
  const samples = new Uint16Array(width * height).map((_, i) => 50 * i);
  const levels = { low: 0, high: 65535, change: 0 };
  window.picture = { width, height, samples, levels };
  window.frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await window.frame();
}"""


def grey_of(levels):
    return np.floor(np.clip(levels * 255 / 65535, 0, 255) + 0.5).astype(np.uint8)


PICTURE = grey_of(50.0 * np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH))


class Bench:
    """The panels under test."""

    def __init__(self, page, url):
        self.page = page
        page.goto(f"{url}/account/sign-in/")
        page.add_style_tag(url=f"{url}/static/css/forms/picture.css")
        page.evaluate(BUILD, [f"{url}/static/reading/forms/picture/panels.js", HEIGHT, WIDTH])

    def do(self, script):
        value = self.page.evaluate(f"async () => {{ const {{ panels, picture }} = window; return {script}; }}")
        self.page.evaluate("window.frame()")
        return value

    def show(self, flip=False):
        self.do(f"panels.show({{ image: picture }}, {{ flip: {str(flip).lower()} }})")
        self.do("panels.viewport.oneToOne()")

    def screen(self):
        return screen_of(self.page)[:, :, 0]

    def shown(self):
        rows, columns = self.screen().shape
        top, left = (rows - HEIGHT + 1) // 2, (columns - WIDTH + 1) // 2
        return self.screen()[top : top + HEIGHT, left : left + WIDTH]

    def click(self, row, column):
        """The middle of a pixel of the picture as it lies on the screen at 1:1."""
        rows, columns = self.screen().shape
        box = self.page.locator("#own").bounding_box()
        x = box["x"] + (columns - WIDTH + 1) // 2 + column + 0.5
        self.page.mouse.click(x, box["y"] + (rows - HEIGHT + 1) // 2 + row + 0.5)


@pytest.fixture
def bench(page, server):
    return Bench(page, server.url)


def test_reset_returns_to_the_orientation_given_by_the_server(bench):
    bench.show()
    np.testing.assert_array_equal(bench.shown(), PICTURE)
    bench.show(flip=True)
    np.testing.assert_array_equal(bench.shown(), PICTURE[:, ::-1])
    settings = bench.do("panels.settings")
    assert (settings["flipped"], settings["rotated"]) == (False, 0)  # the hanging is no act of the reader
    bench.do("panels.viewport.flipAcross()")
    np.testing.assert_array_equal(bench.shown(), PICTURE)
    assert bench.do("panels.settings.flipped") is True
    bench.do("panels.reset()")
    bench.do("panels.viewport.oneToOne()")
    np.testing.assert_array_equal(bench.shown(), PICTURE[:, ::-1])


def test_show_needs_no_word_about_the_hanging(bench):
    bench.do("panels.show({ image: picture })")
    bench.do("panels.viewport.oneToOne()")
    np.testing.assert_array_equal(bench.shown(), PICTURE)


def luminance_of(greys):
    """The relative luminance of grey levels of a screen (IEC 61966-2-1)."""
    share = np.asarray(greys) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("change", ["oneToOne()", "zoomBy(3)", "zoomBy(20)", "turnRight()"])
def test_between_images_the_screen_is_as_bright_as_the_image(bench, change):
    bench.show()
    bench.do(f"panels.viewport.{change}")
    mean = luminance_of(bench.screen()).mean()
    bench.do("panels.showGrey()")
    grey = int(bench.screen()[0, 0])
    assert np.all(bench.screen() == grey)
    assert luminance_of(grey) <= 1.02 * mean  # the mean is taken of some thousand points
    assert luminance_of(grey + 2) >= mean
    assert grey > 0


def test_a_grey_frame_after_nothing_is_black(bench):
    bench.do("panels.showGrey()")
    assert not bench.screen().any()


def test_between_images_all_is_one_grey_and_no_tool_acts(bench):
    bench.show()
    drawn = bench.do("panels.showGrey()")
    assert drawn > 0
    grey = bench.screen()[0, 0]
    assert np.all(bench.screen() == grey)
    assert bench.do("panels.hasImages") is False
    bench.do("panels.viewport.zoomBy(2)")
    bench.do("panels.windowLevel.invert()")
    assert np.all(bench.screen() == grey)
    bench.show()
    np.testing.assert_array_equal(bench.shown(), PICTURE)


def test_hiding_clears_the_canvas_and_the_image_returns_unchanged(bench, page):
    bench.show()
    bench.do("panels.windowLevel.invert()")
    bench.do("panels.viewport.turnRight()")
    before = bench.screen()
    assert before.max() > 0
    bench.do("panels.hide()")
    assert not bench.screen().any()
    assert bench.do("panels.hasImages") is False
    page.evaluate("document.adoptedStyleSheets[0].replaceSync('#own { width: 401px; height: 301px }')")
    bench.do("panels.windowLevel.invert()")
    assert not bench.screen().any()
    page.evaluate("document.adoptedStyleSheets[0].replaceSync('#own { width: 301px; height: 201px }')")
    bench.do("panels.windowLevel.invert()")
    bench.do("panels.unhide()")
    np.testing.assert_array_equal(bench.screen(), before)


def test_a_picture_put_up_while_hidden_appears_only_afterwards(bench):
    bench.do("panels.hide()")
    bench.show()
    assert not bench.screen().any()
    bench.do("panels.unhide()")
    np.testing.assert_array_equal(bench.shown(), PICTURE)


@pytest.mark.parametrize("flip", [False, True])
def test_marks_are_pixels_of_the_file_however_it_hangs_and_is_turned(bench, page, flip):
    bench.show(flip=flip)
    bench.do("panels.marks.start(3)")
    bench.click(5, 7)
    bench.do("panels.viewport.flipDown()")
    bench.click(5, 7)
    column = WIDTH - 1 - 7 if flip else 7
    marks = bench.do("panels.marks.stop()")
    assert marks == [[column, 5], [column, HEIGHT - 1 - 5]]
    assert bench.do("panels.marks.stop()") == []


def test_marks_are_rings_that_stay_where_they_were_set(bench, page):
    bench.show()
    bench.do("panels.marks.start(5)")
    empty = screen_of(page, element=".overlay")
    bench.click(20, 15)
    assert np.count_nonzero(screen_of(page, element=".overlay") != empty) > 100
    bench.do("panels.hide()")
    assert page.locator(".overlay").is_hidden()
    bench.do("panels.unhide()")
    assert page.locator(".overlay").is_visible()
    bench.do("panels.marks.stop()")
    assert page.locator(".overlay").is_hidden()


def test_backspace_removes_the_last_mark_first(bench, page):
    bench.show()
    page.evaluate("addEventListener('keydown', (event) => (window.others = (window.others ?? 0) + 1))")
    bench.do("panels.marks.start(2)")
    for row in (3, 6, 9):  # the third is one too many
        bench.click(row, 4)
    assert bench.do("panels.marks.count") == 2
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    assert bench.do("[panels.marks.count, window.others ?? 0]") == [0, 0]
    page.keyboard.press("Backspace")
    assert bench.do("window.others") == 1


def test_a_mark_is_a_click_on_the_picture_or_its_middle_by_key(bench, page):
    bench.show()
    bench.do("panels.marks.start(5)")
    box = page.locator("#own").bounding_box()
    page.mouse.click(box["x"] + 10, box["y"] + 10)  # beside the picture
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 9, middle[1])  # a drag
    page.mouse.up()
    assert bench.do("panels.marks.count") == 0
    bench.do("panels.marks.addAtCentre()")
    ((x, y),) = bench.do("panels.marks.stop()")
    assert abs(x - WIDTH / 2) <= 1
    assert abs(y - HEIGHT / 2) <= 1


def test_many_changes_within_a_frame_are_one_drawing(bench, page):
    bench.show()
    drawings = page.evaluate("""async () => {
      const put = CanvasRenderingContext2D.prototype.putImageData;
      let count = 0;
      CanvasRenderingContext2D.prototype.putImageData = function (...all) { count++; put.apply(this, all); };
      await new Promise(requestAnimationFrame);
      const { viewport, windowLevel } = panels;
      for (let i = 0; i < 30; i++) { windowLevel.adjust(0.01, 0.01); viewport.panBy(1, 0); viewport.zoomBy(1.01); }
      await window.frame();
      return count;
    }""")
    assert drawings == 1
