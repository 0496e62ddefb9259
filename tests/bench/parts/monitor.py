"""The monitor of a study: `make bench PART=monitor` prints how it grows and what ten open ones cost, ratios first.

In a database of its own. Times are the shortest of several; compare ratios, because seconds depend on the machine.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from time import perf_counter

from tests.bench.output import write

Row = tuple[str, float, str]
SIZES = ((10, 1_000), (100, 1_000), (100, 100))  # readers, images of each
OPEN_MONITORS, EVERY_S = 10, 15

# Every reader is half way through each session.
_SESSIONS = """
INSERT INTO reading_readingsession (reading_list_id, opened_at, answered, practice_code)
SELECT list.id, now(), plan.total / 2, md5('practice-' || list.id)
FROM studies_readinglist list
JOIN studies_sessionplan plan ON plan.id = list.session_plan_id
WHERE plan.study_id = %s
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"VAR_DIR": var, "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings"}
        write("monitor", list(rows()))


def rows() -> Iterator[Row]:
    import django

    django.setup()
    taken = {size: _seconds(*size) for size in SIZES}
    few, many, short = (taken[size] for size in SIZES)
    yield "query, 100 readers to 10", many[0] / few[0], "times as long, for 10 times as many"
    yield "query, 1000 images to 100", many[0] / short[0], "times as long, for 10 times as many readings"
    yield "ten open monitors", OPEN_MONITORS / EVERY_S * many[1], "of one processor, 100 readers with 1000 images"
    for (readers, images), (query, page) in taken.items():
        yield f"query, {readers} readers, {images} images", 1000 * query, "ms"
        yield f"page, {readers} readers, {images} images", 1000 * page, "ms"


def _seconds(readers: int, images: int) -> tuple[float, float]:
    """Return how long the query and the whole page take, for a study of this size."""
    from django.db import connection
    from django.test import Client, override_settings
    from django.urls import reverse
    from django.utils.timezone import now

    from readerstudy.accounts.models import Role
    from readerstudy.desk.monitor import readers_of
    from readerstudy.studies.models import Study
    from tests import make
    from tests.bench.report_growth import fill

    code = f"m{readers}x{images}"
    fill(code, readers, images)
    study = Study.objects.get(code=code)
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS, [study.pk])
        cursor.execute("ANALYZE")
    client = Client()
    client.force_login(make.user(f"clara-{code}", Role.COORDINATOR))
    address = reverse("desk:monitor", args=[code])
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        assert client.get(address).status_code == 200
        page = _shortest(lambda: client.get(address))
    return _shortest(lambda: readers_of(study, at=now())), page


def _shortest(work: Callable[[], object], repeats: int = 7) -> float:
    times = []
    for _ in range(repeats):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()
