"""make bench PART=adversarial: a generator's whole change and limited ones, side by side, on the demonstration.

It takes what `make demo` has made, or other cohorts: COHORTS="demo other". The runs of a cohort NAME are
NAME-classifier, NAME-remove and NAME-insert, and NAME-other, a classifier of another family, if there is one. Nothing
is stored. The contact sheet of each cohort goes to var/bench: columns are images, removals first; rows are the source,
the whole change, the least one, the least one with matched texture, and what each adds (white) and takes away (black).
"""

import os
from collections.abc import Iterator
from pathlib import Path

from tests.bench.limited_change import Row, Runs, contact_sheet, measure_all, rows, seconds_per_image
from tests.bench.output import FOLDER, write

RESOLUTION = "low"
MOST = 60  # test images of each label
TIMED = 8  # images


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")
    write("adversarial", list(_rows(os.environ.get("COHORTS", "demo").split())))


def _rows(names: list[str]) -> Iterator[Row]:
    import django

    django.setup()
    from django.conf import settings

    folder = Path(settings.RUNS_DIR)
    for name in names:
        other = folder / f"{name}-other"
        runs = Runs(
            *(folder / f"{name}-{part}" for part in ("classifier", "remove", "insert")),
            other if other.exists() else None,
        )
        images = _test_images(name)
        measured = measure_all(runs, images)
        yield from rows(name, measured)
        yield from seconds_per_image(runs, images[:TIMED])
        FOLDER.mkdir(parents=True, exist_ok=True)
        contact_sheet(measured).save(FOLDER / f"adversarial-{name}.png", optimize=True)


def _test_images(name: str) -> list[tuple[Path, int]]:
    from readerstudy.cohort.models import Cohort
    from readerstudy.truth.queries import real_images
    from readerstudy.vocabulary import Split

    images = real_images(Cohort.named(name), RESOLUTION)
    chosen = [(image.path, image.label) for image in images if image.split == Split.TEST]
    return [pair for label in (1, 0) for pair in [pair for pair in chosen if pair[1] == label][:MOST]]


if __name__ == "__main__":
    main()
