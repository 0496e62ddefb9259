"""Architecture: import contracts, what the web side loads, names of modules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parent.parent
PACKAGES = ("readerstudy", "models_ml", "attacks")
NO_NAMES = {"utils", "util", "helpers", "helper", "services", "service", "signals", "misc", "common"}
IMPORT_ALL = """
import importlib, json, pkgutil, sys
import django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
import readerstudy
from readerstudy.configuration import start_checks
# What is imported is of interest here, not whether this folder is ready to serve.
start_checks.require_static_files = start_checks.require_migrated = lambda: None
names = [m.name for m in pkgutil.walk_packages(readerstudy.__path__, "readerstudy.")]
for name in names:
    importlib.import_module(name)
print(json.dumps({"imported": len(names), "modules": sorted(sys.modules)}))
"""


def test_every_import_contract_is_kept():
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert "0 broken" in run.stdout


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("readerstudy/reading/flow.py", "readerstudy.truth.models", "The reader's path"),
        ("readerstudy/lab/gallery.py", "readerstudy.truth.models", "Only truth"),
        ("models_ml/tasks/dataset.py", "readerstudy.truth.models", "Only truth"),
        ("readerstudy/cohort/models.py", "readerstudy.studies.models", "A lower layer"),
        ("readerstudy/commands.py", "readerstudy.jobs.queue", "Root modules"),
        ("readerstudy/lab/urls.py", "models_ml.config", "The web side"),
        ("readerstudy/statistics/delong.py", "django.db", "client, imaging, sources, statistics"),
        ("models_ml/config.py", "attacks.base", "attacks may import"),
        ("models_ml/presets.py", "django.db", "In models_ml and attacks"),
        ("attacks/registry.py", "models_ml.tasks", "Only tasks"),
        ("readerstudy/cohort/models.py", "readerstudy.modalities.mammography.modality", "Only modalities"),
        ("models_ml/tasks/dataset.py", "readerstudy.modalities.chest_radiography.region", "Only modalities"),
    ],
)
def test_lint_imports_reports_a_broken_contract(tmp_path, module, imported, contract):
    """Plant one forbidden import in a tree of empty modules with this project's names."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            empty = tmp_path / path.relative_to(ROOT)
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    assert (tmp_path / module).exists()
    (tmp_path / module).write_text(f"import {imported}\n")
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode != 0
    broken = [line for line in run.stdout.splitlines() if "BROKEN" in line or line.startswith(contract)]
    assert any(line.startswith(contract) for line in broken), run.stdout + run.stderr
    importer = module.removesuffix(".py").replace("/", ".")
    assert f"{importer} -> {imported.split('.')[0]}" in run.stdout


def test_the_web_starts_without_torch_and_the_lab():
    """Every module of the web in a fresh process, whose settings use the server of this test run."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings",
        "VAR_DIR": str(settings.VAR_DIR),
    }
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    result = json.loads(run.stdout)
    assert result["imported"] > 60
    tops = {name.partition(".")[0] for name in result["modules"]}
    assert not tops & {"torch", "safetensors", "models_ml", "attacks"}


@pytest.mark.parametrize("package", PACKAGES)
def test_files_keep_the_vocabulary(package):
    modules = [path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts]
    assert modules
    assert not [path for path in modules if path.stem in NO_NAMES or path.parent.name in NO_NAMES]
