"""How the reading path grows: `make bench PART=reading` prints ratios and writes var/bench/reading.json.

Ratios are taken within one run, because machines are noisy. Runs on a database and files of its own.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

HOME = Path(__file__).resolve().parents[2]


def main() -> None:
    with tempfile.TemporaryDirectory() as var:
        os.environ["VAR_DIR"] = var
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings")
        import django

        django.setup()
        from tests.bench.table import write

        write("reading", list(measure()))


def measure():
    from django.conf import settings
    from django.core.management import call_command

    from readerstudy.cohort.pixels import RESOLUTIONS
    from tests import make, walk

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    for name in RESOLUTIONS:
        RESOLUTIONS[name] = (256, 208)
    quarter, whole = (timed(lambda n=n: make.cohort(f"grow-{n}", patients=n)) for n in (60, 240))
    yield "import, 4 times the images", whole / quarter, "times as long"

    study = big_study()
    client = walk.client_of(make.reader_in(study, "rita"))
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
    """88 images in session 3: long enough to see growth, short enough to wait for."""
    from readerstudy.truth.actions import create_study
    from tests import make

    films = make.cohort("bench", patients=160)
    make.twins_for(films)
    return create_study(
        code="bench",
        title="Bench",
        template="zhou2021",
        cohort=films,
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
