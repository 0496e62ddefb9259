"""What the Merkle log costs: `make bench PART=record` prints a verdict's request with and without it, ratios first.

In a database of its own. One reader, then twenty who read at the same time; compare ratios, because seconds depend on
the machine.
"""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from tests.bench.output import write

Row = tuple[str, float, str]
CROWD = 20
SESSIONS = (1, 2, 3)  # 20 verdicts of each reader
ROUNDS = 2
LOGGED = """
SELECT format('ALTER TABLE %%s {state} TRIGGER %%I', tgrelid::regclass, tgname) FROM pg_trigger
WHERE tgname LIKE 'pgtrigger_logged_%%' OR tgname LIKE 'pgtrigger_list_logged_%%'
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"VAR_DIR": var, "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings"}
        write("record", list(rows()))


def rows() -> Iterator[Row]:
    import django

    django.setup()
    import pytest
    from django.conf import settings
    from django.core.management import call_command

    from tests import make

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    seconds: dict[tuple[int, bool], list[float]] = {}
    with pytest.MonkeyPatch.context() as patch:
        make.small_resolutions(patch)
        for number in range(ROUNDS):
            for readers in (1, CROWD):
                for is_logged in (True, False):
                    _switch("ENABLE" if is_logged else "DISABLE")
                    code = f"r{readers}-{number}-{int(is_logged)}"
                    seconds.setdefault((readers, is_logged), []).append(_per_verdict(code, readers))
    best = {key: min(values) for key, values in seconds.items()}
    for readers in (1, CROWD):
        ratio = best[readers, True] / best[readers, False]
        yield f"a verdict with the log to one without, {readers} at once", ratio, "times as long"
    for (readers, is_logged), value in best.items():
        yield f"a verdict, {readers} at once, {'with' if is_logged else 'without'} the log", 1000 * value, "ms"


def _switch(state: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(LOGGED.format(state=state).replace("%%", "%"))
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


def _per_verdict(code: str, readers: int) -> float:
    """Return the seconds of all sessions, by the number of verdicts."""
    from django.db import connections

    from tests import make, walk

    study = make.study(code)
    people = [make.reader_in(study, f"{code}-{number}") for number in range(readers)]

    def read(person) -> int:
        try:
            return sum(walk.finish_session(walk.client_of(person), study.code, number) for number in SESSIONS)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(readers) as pool:
        began = perf_counter()
        verdicts = sum(pool.map(read, people))
        return (perf_counter() - began) / verdicts


if __name__ == "__main__":
    main()
