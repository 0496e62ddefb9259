"""Makes a study with readers and jobs in the installation, and prints what the harness needs to know.

python -m tests.faults.seed READERS JOBS STEPS SCALE
"""

import json
import sys
from pathlib import Path

import django


class Items:
    """Changes that last as long as this process."""

    setitem = staticmethod(dict.__setitem__)


def main(readers: int, jobs: int, steps: int, scale: float) -> None:
    django.setup()
    from django.conf import settings
    from django.utils.timezone import now

    from readerstudy.accounts.tokens import make_token
    from readerstudy.jobs.queue import enqueue, new_job
    from tests import make

    make.small_resolutions(Items)
    study = make.study(scale=scale)
    tokens = {}
    for number in range(readers):
        reader = make.reader_in(study, f"reader-{number:03d}")
        _row, tokens[reader.username] = make_token(user=reader, name="faults", at=now(), days=30)
    started = []
    for number in range(jobs):
        folder = Path(settings.VAR_DIR) / "work" / str(number)
        folder.mkdir(parents=True)
        job = new_job("tests.own_and_count", {"to": steps, "folder": str(folder)}, requested_by=None, at=now())
        enqueue(job)
        started.append({"id": job.pk, "folder": str(folder)})
    print(json.dumps({"study": study.code, "tokens": tokens, "jobs": started}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
