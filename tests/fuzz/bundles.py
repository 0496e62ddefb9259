"""Bundles in which one file is damaged before the installation signs them again."""

import json
import shutil
import zipfile
from pathlib import Path
from random import Random

from django.db import connection

from readerstudy.bundle.checking.importing import import_bundle
from readerstudy.bundle.writing.exporting import export_bundle
from readerstudy.errors import BadInput
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows
from tests.bundle.conftest import files_of
from tests.bundle.test_import import resign
from tests.fuzz.mutate import mutated, mutated_json


def exported_files(path: Path) -> dict[str, bytes]:
    """Return the files of the bundle of a small study, unsealed."""
    study = rows.study()
    rows.closed(study)
    rosa = make.user("rosa", "researcher")
    make.join([rosa], [study])
    unseal_study(study=study, actor=rosa, reason="Done.", at=make.MONDAY)
    study.refresh_from_db()
    connection.check_constraints()
    export_bundle(study=study, target=path, actor=None, at=make.MONDAY)
    return files_of(path)


def try_signed(files: dict[str, bytes], folder: Path, rng: Random) -> str:
    """Import a bundle with a damaged file; return "" if it was accepted, else the message. Nothing stays."""
    name = rng.choice(sorted(files.keys() - {"manifest.json"}))
    return try_file(files, name, _damaged(rng, name, files[name]), folder)


def try_file(files: dict[str, bytes], name: str, content: bytes, folder: Path) -> str:
    """As `try_signed`, with this content of one file."""
    files = {**files, name: content}
    resign(files, None)
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in files.items():
            archive.writestr(each, content)
    try:
        imported = import_bundle(path=path, folder=folder, at=make.MONDAY)
    except BadInput as error:
        assert not list(folder.iterdir())
        return str(error)
    shutil.rmtree(imported.folder)
    assert not list(folder.iterdir())
    return ""


def _damaged(rng: Random, name: str, content: bytes) -> bytes:
    if name.endswith(".json"):
        return mutated_json(rng, [json.loads(content)])
    if name.endswith(".jsonl"):
        lines = content.splitlines()
        at = rng.randrange(len(lines))
        lines[at] = mutated_json(rng, [json.loads(lines[at])])
        return b"\n".join(lines)
    return mutated(rng, [content])
