"""Coverage-guided fuzzing by atheris: `python -m tests.fuzz.guided TARGET INPUTS FILE`.

libFuzzer keeps what reaches new branches of the code and damages it further. The targets are those of
`tests.fuzz.targets`, and a reader's verdicts and signed bundles against a database. Images are decoded in this process,
not in the limited one, so that their branches count; a decoder that ends the process is a finding too. After that many
inputs the counts are written to FILE and the process ends. An input that crashed is written to the folder of FILE.
"""

import atexit
import json
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import atheris

from readerstudy.configuration import database_roles

# Names of modules begin with these. Their branches are counted, and so guide the search.
INSTRUMENTED = ("readerstudy", "pydicom", "yaml", "zipfile", "csv", "PIL")
LONGEST = 20_000  # bytes of an input
EVERY = 500  # inputs after which the counts are written, for a run that is ended from outside
Try = Callable[[bytes], str]


def main() -> None:
    name, inputs, report = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    var = Path(tempfile.mkdtemp(prefix="guided-"))
    os.environ |= {"VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings"}
    database_roles.process = database_roles.OWNER  # it makes its own database
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        import django

        django.setup()
        logging.disable()
        import tests.fuzz.targets  # noqa: F401 (its imports are instrumented)
    try_one, seeds = _target(name, var)
    corpus = var / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(seed[:LONGEST])
    options = [f"-max_len={LONGEST}", "-rss_limit_mb=4096", "-timeout=60", "-verbosity=0", "-print_final_stats=0"]
    artifacts = f"-artifact_prefix={report.parent}/{name}-"
    atheris.Setup([sys.argv[0], *options, artifacts, str(corpus)], _counted(try_one, inputs, report))
    atheris.Fuzz()


def _counted(try_one: Try, inputs: int, report: Path) -> Callable[[bytes], None]:
    found: Counter[str] = Counter()

    def test_one_input(data: bytes) -> None:
        found["accepted" if try_one(data) == "" else "refused"] += 1
        if found.total() % EVERY == 0 or found.total() >= inputs:
            report.write_text(json.dumps(found))
        if found.total() >= inputs:
            atexit._run_exitfuncs()
            os._exit(0)  # libFuzzer has no end by itself

    return test_one_input


def _target(name: str, var: Path) -> tuple[Try, Sequence[bytes]]:
    from tests.fuzz import targets

    folder = var / "folder"
    folder.mkdir()
    if name in ("verdict", "signed-bundle"):
        return _in_database(name, var)
    (target,) = (each for each in targets.TARGETS if each.name == name)
    _decode_here()
    return lambda data: target.try_one(folder, data), _seeds(name)


def _decode_here() -> None:
    from readerstudy.sources import any_file, limited

    def here(work: Callable[[], Any], *, name: str) -> Any:
        return work()

    apart = limited.limited
    # Every module that imported the function has it under its own name.
    for module in list(sys.modules.values()):
        if getattr(module, "limited", None) is apart:
            vars(module)["limited"] = here
    assert any_file.limited is here


def _seeds(name: str) -> Sequence[bytes]:
    from tests.fuzz import seeds

    match name:
        case "PNG":
            return seeds.pngs()
        case "TIFF":
            return seeds.tiffs()
        case "DICOM":
            return seeds.dicoms()
        case "tables":
            return seeds.TABLES
        case "protocol":
            return seeds.protocols()
        case "zip-bundle":
            return seeds.zips()
        case "record":
            record, receipt = seeds.record()
            return ["\n".join(map(json.dumps, record)).encode() + seeds.BETWEEN + json.dumps(receipt).encode()]
        case _:
            return [json.dumps(body).encode() for body in seeds.BODIES.values()]


def _in_database(name: str, var: Path) -> tuple[Try, Sequence[bytes]]:
    import pytest
    from django.conf import settings
    from django.core.management import call_command

    from tests import make, walk
    from tests.fuzz.bundles import exported_files, try_file
    from tests.fuzz.wire import Wire

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    make.small_resolutions(pytest.MonkeyPatch())
    if name == "verdict":
        study = make.study(changes={"every": {"questions": ["confidence", "mark"]}})
        client = walk.client_of(make.reader_in(study, "wilma"))
        wire = Wire(client, study.code, 1, walk.open_session(client, study.code, 1))
        bodies = [json.dumps(wire.valid(kind)).encode() for kind in ("verdicts", "problems", "display")]
        return lambda data: wire.send("verdicts", data, "application/json"), bodies
    files = exported_files(var / "small.zip")
    names = sorted(files.keys() - {"manifest.json"})

    def try_one(data: bytes) -> str:
        """The first byte says which file of the bundle has the rest as its content."""
        if not data:
            return "nothing"
        chosen = names[data[0] % len(names)]
        return try_file(files, chosen, data[1:], var / "bundles")

    return try_one, [bytes([number]) + files[each] for number, each in enumerate(names)]


if __name__ == "__main__":
    main()
