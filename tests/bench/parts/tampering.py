"""1,000 random tamperings by a superuser of the database: `make bench PART=tampering` prints how many are found.

A study with two sessions read, in a database of its own. Each tampering is undone before the next. After every tenth,
the untouched study gets one more verdict and is verified, so that false alarms are counted too.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from random import Random

from tests.bench.output import write

Row = tuple[str, float, str]
TAMPERINGS = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"VAR_DIR": var, "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings"}
        write("tampering", list(rows()))


def rows() -> Iterator[Row]:
    import django

    django.setup()
    import pytest
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with pytest.MonkeyPatch.context() as patch:
        done, found, alarms, verified = _play(patch)
    yield "found", sum(found.values()) / sum(done.values()), f"of {sum(done.values())} tamperings"
    yield "false alarms", alarms, f"of {verified} verifications of an untouched study"
    for kind, count in done.items():
        yield kind, found[kind], f"of {count} found"


def _play(patch) -> tuple[Counter, Counter, int, int]:
    from django.conf import settings
    from django.db import transaction

    from tests import make, roles, tampering, walk

    settings.ALLOWED_HOSTS = ["testserver"]
    make.small_resolutions(patch)
    study = make.study()
    rita = make.reader_in(study, "rita")
    client = walk.client_of(rita)
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    step = walk.open_session(client, study.code, 3)
    done, found, kinds = Counter(), Counter(), list(tampering.KINDS)
    alarms = verified = 0
    for number in range(TAMPERINGS):
        kind = kinds[number % len(kinds)]
        with roles.around_tests():
            tampering.tamper(kind, Random(f"{kind} {number}"), study)
            done[kind] += 1
            found[kind] += not _agrees(study)
            transaction.set_rollback(True)
        if number % 10 == 9:
            if step["kind"] == "read":
                step = walk.answer(client, study.code, 3, step, "real").json()["step"]
            verified += 1
            alarms += not _agrees(study)
    return done, found, alarms, verified


def _agrees(study) -> bool:
    from readerstudy.truth.verification import verify_record
    from tests import make

    return verify_record(study.code, at=make.MONDAY).passed


if __name__ == "__main__":
    main()
