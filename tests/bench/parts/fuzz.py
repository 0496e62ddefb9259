"""A million damaged inputs: `make bench PART=fuzz` prints how many were accepted and refused, and which crashed.

`python -m tests.bench.parts.fuzz PNG=50000 tables=1000` takes other numbers of inputs, and only of these targets.
FUZZ_SEED (default 0) makes other inputs. An input that crashed is kept in var/bench/fuzz. The targets are those of
tests/fuzz: reading by the limited process, by the verifier and by the parsers, a reader's requests against a database,
and whole bundles that are damaged and signed again. Targets that begin with "guided-" are guided by coverage
(tests/fuzz/guided.py); without atheris, which the newest Python lacks, they are left out.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from random import Random
from time import perf_counter

from tests.bench.output import FOLDER, write

INPUTS = {
    "upload-path": 150_000,
    "tables": 150_000,
    "zip-bundle": 150_000,
    "PGM": 120_000,
    "zip-upload": 100_000,
    "protocol": 70_000,
    "request-body": 70_000,
    "multipart-upload": 70_000,
    "TIFF": 70_000,
    "PNG": 40_000,
    "DICOM": 8_000,
    "record": 5_000,
    "wire": 5_000,
    "signed-bundle": 200,
}
GUIDED = {
    "guided-request-body": 60_000,
    "guided-tables": 40_000,
    "guided-protocol": 20_000,
    "guided-record": 40_000,
    "guided-zip-bundle": 40_000,
    "guided-PNG": 40_000,
    "guided-TIFF": 40_000,
    "guided-DICOM": 40_000,
    "guided-verdict": 5_000,
    "guided-signed-bundle": 500,
}
IN_DATABASE = ("wire", "signed-bundle")
Row = tuple[str, float, str]
Try = Callable[[Random], str]


def main() -> None:
    wanted = dict(each.split("=") for each in sys.argv[1:])
    known = {**INPUTS, **GUIDED} if find_spec("atheris") else INPUTS
    inputs = {name: int(count) for name, count in wanted.items()} or known
    if unknown := inputs.keys() - known.keys():
        sys.exit(f"There is no target {min(unknown)}; there are: {', '.join(known)}.")
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {"VAR_DIR": var, "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings"}
        import django

        django.setup()
        logging.disable()
        write("fuzz", list(_rows(inputs, Path(var))))


def _rows(inputs: dict[str, int], var: Path) -> Iterator[Row]:
    import pytest

    from readerstudy.sources import limited
    from tests.fuzz.targets import TARGETS

    limited.SECONDS = 20
    total: Counter[str] = Counter()
    folder = var / "folder"
    folder.mkdir()
    tries: dict[str, Try] = {
        target.name: lambda rng, target=target: target.try_one(folder, target.damaged(rng)) for target in TARGETS
    }
    with pytest.MonkeyPatch.context() as patch:
        if inputs.keys() & set(IN_DATABASE):
            tries |= _in_database(patch, var, inputs)
        for name, count in inputs.items():
            yield _guided(name, count, total) if name in GUIDED else _row(name, count, tries[name], total)
    yield "all", total.total(), _words(total)


def _row(name: str, count: int, try_one: Try, total: Counter[str]) -> Row:
    from tests.fuzz.targets import ENDED

    found: Counter[str] = Counter()
    start = perf_counter()
    for number in range(count):
        seed = f"{os.environ.get('FUZZ_SEED', '0')} {name} {number}"
        try:
            message = try_one(Random(seed))
            ended = any(words in message for words in ENDED)
            found["decoder ended" if ended else "refused" if message else "accepted"] += 1
        except Exception:
            found["crashed"] += 1
            kept = FOLDER / "fuzz" / f"{seed.replace(' ', '-')}.txt"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(f"{seed}\n{traceback.format_exc()}", errors="backslashreplace")
    total.update(found)
    row = (name, count, f"{_words(found)}, {perf_counter() - start:.0f} s")
    print(*row, flush=True)
    return row


def _guided(name: str, count: int, total: Counter[str]) -> Row:
    """Run a target under atheris in a process of its own; it ends at the first input that crashes."""
    report = FOLDER / "fuzz" / f"{name}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    start = perf_counter()
    command = [sys.executable, "-m", "tests.fuzz.guided", name.removeprefix("guided-"), str(count), str(report)]
    own = {"PYTHONHASHSEED": "0", "TMPDIR": os.environ["VAR_DIR"]}
    with report.with_suffix(".log").open("w") as log:
        subprocess.run(command, env={**os.environ, **own}, stdout=log, stderr=subprocess.STDOUT)
    found: Counter[str] = Counter(json.loads(report.read_text()) if report.exists() else {"crashed": 1})
    total.update(found)
    row = (name, found.total(), f"{_words(found)}, {perf_counter() - start:.0f} s")
    print(*row, flush=True)
    return row


def _words(found: Counter[str]) -> str:
    return ", ".join(f"{found[kind]} {kind}" for kind in ("refused", "accepted", "crashed", "decoder ended"))


def _in_database(patch, var: Path, inputs: dict[str, int]) -> dict[str, Try]:
    from django.conf import settings
    from django.core.management import call_command

    from tests import make, walk
    from tests.fuzz.bundles import exported_files, try_signed
    from tests.fuzz.wire import Wire

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    make.small_resolutions(patch)
    tries: dict[str, Try] = {}
    if "wire" in inputs:
        study = make.study(changes={"every": {"questions": ["confidence", "mark"]}})
        client = walk.client_of(make.reader_in(study, "wilma"))
        tries["wire"] = Wire(client, study.code, 1, walk.open_session(client, study.code, 1)).try_one
    if "signed-bundle" in inputs:
        tries["signed-bundle"] = partial(try_signed, exported_files(var / "small.zip"), var / "bundles")
    return tries


if __name__ == "__main__":
    main()
