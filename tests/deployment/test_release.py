"""What `make release` writes: an archive that installs without an index, and the list of components."""

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator

from tests.deployment.test_lock import normalised, pins_in, text_of
from tools import offline, release, sbom

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offline")
    archive = offline.main(folder)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def test_the_archive_has_every_locked_package(unpacked: Path) -> None:
    found = {normalised(path.name.split("-")[0]) for path in (unpacked / "wheels").iterdir()}
    missing = set(pins_in(text_of("web"))) - found
    assert {name for name in missing if not re.search(rf"(?m)^{name}==.*;", text_of("web"))} == set()
    assert (unpacked / "collected" / "static_files.json").exists()


@pytest.mark.slow
def test_the_pages_are_installed_from_it_without_an_index(unpacked: Path) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_CONFIG_FILE": "/dev/null",
        "PYTHON": sys.executable,
        "PIP_NO_COMPILE": "1",
    }
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(unpacked), **nowhere}
    run = subprocess.run([unpacked / "deploy" / "install"], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    show = "import django, readerstudy, readerstudy.client, numpy, pydicom; print(readerstudy.__file__)"
    shown = subprocess.run(
        [".venv/bin/python", "-c", show], cwd=unpacked, env=environment, capture_output=True, text=True
    )
    assert shown.stdout.strip() == str(unpacked / "readerstudy" / "__init__.py"), shown.stderr
    assert json.loads((unpacked / "var" / "static_files.json").read_text())["paths"]


def test_the_list_of_components_is_valid_and_complete(tmp_path: Path) -> None:
    path = sbom.main(tmp_path / "list.json")
    assert make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(path.read_text()) is None
    components = {component["bom-ref"]: component for component in json.loads(path.read_text())["components"]}
    for lock in sbom.LOCKS:
        for name, versions in pins_in(text_of(lock)).items():
            assert all(f"pkg:pypi/{name}@{version}" in components for version in versions), name
    assert any(reference.startswith("pkg:pypi/torch@") for reference in components)
    for file, about in json.loads((ROOT / "static" / "vendor" / "versions.json").read_text()).items():
        script = components[f"pkg:npm/{about['package']}@{about['version']}#{Path(file).name}"]
        assert script["hashes"] == [{"alg": "SHA-256", "content": about["sha256"]}], file
    assert "pkg:deb/debian/fonts-dejavu-core?distro=debian-13" in components
    without = [
        reference for reference, component in components.items() if "pypi" in reference and "licenses" not in component
    ]
    assert len(without) < len(components) / 4, without


def test_the_sums_of_a_release_are_checked_by_sha256sum(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for path in files:
        path.write_text(path.name)
    release.write_sums(tmp_path, files)
    check = ["sha256sum", "--check", "--quiet", release.SUMS]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0
    files[0].write_text("changed")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 1
