"""The small study with people who have names, unsealed and exported."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from readerstudy.accounts.models import User
from readerstudy.bundle.writing.exporting import ExportedBundle, export_bundle
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows

PEOPLE = {"rita": ("Margarita", "Fernweh"), "rolf": ("Rudolf", "Zwischenzeit")}
Change = Callable[[dict[str, bytes]], None]


@pytest.fixture
def study(db: None) -> Study:
    """Unsealed by rosa; R2 did not finish."""
    made = rows.study()
    for name, (first, last) in PEOPLE.items():
        values = {"first_name": first, "last_name": last, "email": f"{name}@klinik.example"}
        User.objects.filter(username=name).update(**values)
    rows.closed(made)
    rosa = make.user("rosa", "researcher", first_name="Rosalinde", last_name="Quellwasser")
    make.join([rosa], [made])
    unseal_study(study=made, actor=rosa, reason="Rudolf Zwischenzeit is ill.", at=make.MONDAY)
    made.refresh_from_db()
    connection.check_constraints()  # entries of the record are written at commit
    return made


@pytest.fixture
def exported(study: Study, tmp_path: Path) -> ExportedBundle:
    return export_bundle(study=study, target=tmp_path / "small.zip", actor=None, at=make.MONDAY)


@pytest.fixture
def changed(exported: ExportedBundle, tmp_path: Path) -> Callable[[Change], Path]:
    """Return a function that writes a copy of the bundle after a change of its files, by name."""

    def write(change: Change) -> Path:
        files = files_of(Path(exported.path))
        change(files)
        path = tmp_path / "changed.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path

    return write


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def json_of(path: Path, name: str):
    return json.loads(files_of(path)[name])
