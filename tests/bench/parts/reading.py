"""The reading path: `make bench PART=reading` prints its figures, ratios first, and writes var/bench/reading.json.

Four parts: the reading page in a real Chromium compared with Cornerstone3D, the memory of its tab, the bytes of an
image, and how the server's time grows. Ratios are taken within one run, because machines are noisy. Everything runs
on a database and files of its own. `python -m tests.bench.parts.reading --quick` reads fewer images, to try it out.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

HOME = Path(__file__).resolve().parents[3]
SCREEN = (1100, 1350)  # CSS pixels of the image's canvas: a monitor of two megapixels upright
FIVE_MEGAPIXELS = (2048, 2560)
Row = tuple[str, float, str]


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as var:
        os.environ["VAR_DIR"] = var
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from tests.bench.output import write

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        write("reading", [*in_the_browser(quick=quick), *growth()])


def in_the_browser(*, quick: bool) -> Iterator[Row]:
    """Yield the figures of the reading page and of Cornerstone3D."""
    from readerstudy.imaging.png16 import encode_png
    from readerstudy.studies.actions import enroll
    from tests import make
    from tests.bench import images, reading_page

    turns, memory, quiet = (20, 30, 40) if quick else (200, 500, 240)
    pixels = images.phantoms(4 if quick else images.DIFFERENT)
    files = [encode_png(image) for image in pixels]
    yield from transport(pixels, files)

    rita = make.user("rita")
    for code, frame_ms in (("long", 0), ("framed", 150)):
        study = images.long_study(files, images=memory + 60, frame_ms=frame_ms, code=code)
        enroll(study=study, reader=rita, at=make.MONDAY)
    with reading_page.served() as address, reading_page.browser() as opened:
        page = reading_page.signed_in(opened, address, rita, SCREEN)
        page.goto(f"{address}/read/long/1/")
        page.locator("#begin").click()
        page.wait_for_selector('body[data-position="1"][data-state="ready"]')
        window = reading_page.window_frame(page, *SCREEN, frames=quiet)
        tab: list[float] = []
        painted, acknowledged = reading_page.read_on(
            page, memory, lambda n: tab.append(reading_page.tab_megabytes(opened))
        )
        reading_page.fit_canvas(page, *SCREEN)
        window_five = reading_page.window_frame(page, *FIVE_MEGAPIXELS, frames=quiet)
        unprefetched = reading_page.reloads(page, 10 if quick else 30)
        page.goto(f"{address}/read/framed/1/")
        page.locator("#begin").click()
        page.wait_for_selector('body[data-position="1"][data-state="ready"]')
        framed, _ = reading_page.read_on(page, turns // 4, lambda n: None)
        page.close()
        theirs = {cpu: reading_page.cornerstone(opened, files, SCREEN, cpu=cpu) for cpu in (True, False)}
        theirs_five = reading_page.cornerstone(opened, files, FIVE_MEGAPIXELS, cpu=True)

    painted, acknowledged = painted[:turns], acknowledged[:turns]
    both = [max(pair) for pair in zip(painted, acknowledged, strict=True)]
    quickest = [min(pair) for pair in zip(*theirs.values(), strict=True)]
    yield "next_image_vs_cornerstone", median(painted) / quickest[0], "ours / theirs, the faster of their two ways"
    yield "window_frame_vs_cornerstone", window / quickest[1], "ours / theirs, the faster of their two ways"
    yield "window_frame_5mp_vs_cornerstone", window_five / theirs_five[1], "ours / theirs on the CPU"
    yield "tab_memory_last_fifth_to_second", fifth(tab, 4) / fifth(tab, 1), "ratio"
    yield "key_to_painted_p50_ms", median(painted), "ms"
    yield "key_to_painted_p95_ms", float(np.percentile(painted, 95)), "ms"
    yield "key_to_acknowledged_p50_ms", median(both), "ms, painted and acknowledged"
    yield "key_to_acknowledged_p95_ms", float(np.percentile(both, 95)), "ms, painted and acknowledged"
    yield "key_to_painted_behind_grey_p50_ms", median(framed), "ms, with the grey frame of 150 ms"
    yield "unprefetched_to_painted_p50_ms", median(unprefetched), "ms from the step's answer, nothing fetched ahead"
    yield "unprefetched_to_painted_p95_ms", float(np.percentile(unprefetched, 95)), "ms"
    yield "window_frame_ms", window, "ms a frame at 1100 x 1350"
    yield "window_frame_5mp_ms", window_five, "ms a frame at 2048 x 2560"
    for cpu, name in ((True, "cpu"), (False, "webgl")):
        yield f"cornerstone_{name}_next_image_ms", theirs[cpu][0], "ms"
        yield f"cornerstone_{name}_window_frame_ms", theirs[cpu][1], "ms a frame"
    yield "cornerstone_cpu_window_frame_5mp_ms", theirs_five[1], "ms a frame"
    yield f"tab_memory_mb_{memory}", max(tab), "MB resident at the most"
    yield "images_read", float(memory), "images"


def transport(pixels: list[np.ndarray], files: list[bytes]) -> Iterator[Row]:
    """Yield the bytes of an image compared with JPEG-LS, the densest usual lossless code, and the encoding speed."""
    import jpeg_ls

    from readerstudy.imaging.png16 import encode_png

    theirs = [len(jpeg_ls.encode_array(image)) for image in pixels]
    started = perf_counter()
    for image in pixels:
        encode_png(image)
    spent = perf_counter() - started
    yield "bytes_vs_jpegls", sum(map(len, files)) / sum(theirs), "ours / theirs"
    yield "bytes_sent_vs_jpegls", (max(map(len, files)) // 65536 + 1) * 65536 * len(files) / sum(theirs), "with padding"
    yield "bytes_per_image", sum(map(len, files)) / len(files), "bytes"
    yield "encode_images_per_s", len(pixels) / spent, "images/s"


def fifth(values: list[float], number: int) -> float:
    """Return the median of one fifth of the values; `number` is 0 to 4."""
    length = len(values) // 5
    return median(values[number * length : (number + 1) * length])


def growth() -> Iterator[Row]:
    """Yield how the server's time grows with the number of readings."""
    from django.conf import settings

    from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
    from tests import make, walk

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    for name, layout in list(MAMMOGRAPHY.layouts.items()):
        MAMMOGRAPHY.layouts[name] = replace(layout, rows=256, columns=208)
    quarter, whole = (timed(lambda n=n: make.cohort(f"grow-{n}", patients=n)) for n in (60, 240))
    yield "import, 4 times the images", whole / quarter, "times as long"

    study = big_study()
    client = walk.client_of(make.reader_in(study, "ruth"))
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    verdicts, steps, pictures, files = [], [], [], []
    step = walk.open_session(client, study.code, 3)
    while step["kind"] == "read":
        steps.append(timed(lambda: client.get(walk.address(study.code, 3, "step"))))
        address = step["stimulus"]["image"]
        pictures.append(timed(lambda address=address: client.get(address)))
        files.append(timed(lambda: os.urandom(study.image_bytes)))
        started = perf_counter()
        answer = walk.answer(client, study.code, 3, step, "real")
        verdicts.append(perf_counter() - started)
        step = answer.json()["step"]
    tenth = len(verdicts) // 5
    yield "verdict, last fifth of a session to the first", median(verdicts[-tenth:]) / median(verdicts[:tenth]), "ratio"
    yield "verdict to a step", median(verdicts) / median(steps), "ratio"
    yield "picture to its padding alone", median(pictures) / median(files), "ratio"
    yield "verdict", 1000 * median(verdicts), "ms"
    yield "picture", 1000 * median(pictures), "ms"


def big_study():
    """Create a study with 88 images in session 3: long enough to see growth, short enough to wait for."""
    from readerstudy.truth.actions import create_study
    from tests import make

    cohort = make.cohort("bench", patients=160)
    make.adversarial_images_for(cohort)
    return create_study(
        code="bench",
        title="Bench",
        template="zhou2021",
        cohort=cohort,
        seed=1,
        at=make.MONDAY,
        scale=0.2,
        resolution="low",
    )


def timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


if __name__ == "__main__":
    main()
