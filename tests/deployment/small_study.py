"""A program of the service test: draws a small study with a reader, and hands a job to the worker. Prints the job.

It runs as the commands do, in a process of its own on the service's database.
"""

import json
import sys
from pathlib import Path
from uuid import uuid4

import django


class Items:
    """Changes that last as long as this process."""

    setitem = staticmethod(dict.__setitem__)


def write_archive(folder: Path, count: int = 3) -> None:
    from tests import make
    from tests.sources.make_files import write_png, write_table

    rows = []
    for number in range(count):
        pixels = make.drawn(number)
        write_png(folder / f"image-{number}.png", pixels.values, significant_bits=pixels.bits)
        rows.append(f"image-{number}.png,patient-{number},L,CC,malignant")
    write_table(folder, rows)


def main(archive: Path) -> None:
    django.setup()
    from django.utils.timezone import now

    from readerstudy.accounts.models import Role
    from readerstudy.image_import.actions import begin_import
    from readerstudy.image_import.models import ImportKind
    from readerstudy.image_import.options import CohortOptions
    from tests import make

    make.small_resolutions(Items)
    make.reader_in(make.study())
    rosa = make.user("rosa", Role.RESEARCHER)
    write_archive(archive)
    options = CohortOptions(modality="MG")
    checked = begin_import(
        key=uuid4(), kind=ImportKind.COHORT, cohort="later", options=options, actor=rosa, at=now(),
        server_folder="archive",
    )  # fmt: skip
    print(json.dumps({"job": checked.check_job_id}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
