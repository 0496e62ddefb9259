"""The wheel: statistics and client with numpy, scipy and httpx alone; the web side with the packages of its extra."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deployment.test_lock import PROJECT, ROOT, normalised
from tools import wheel

PLAIN_PROGRAM = """
import doctest, importlib, pkgutil, sys
import readerstudy.client, readerstudy.statistics
assert not readerstudy.__file__.startswith({root!r}), readerstudy.__file__
for package in (readerstudy.client, readerstudy.statistics):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert not result.failed, module.name
        print(module.name, result.attempted)
for document in {documents!r}:
    result = doctest.testfile(document, module_relative=False, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 10 and not result.failed, document
"""

WEB_PROGRAM = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "readerstudy.configuration.settings"
django.setup()
from pathlib import Path
from django.conf import settings
from django.template.loader import get_template
from django.utils.translation import gettext, override
from readerstudy.designer.starting_points import DESIGNS
with override("de"):
    print(gettext("Sign in"))
print(Path(get_template("base.html").origin.name).relative_to(settings.BASE_DIR), len(list(DESIGNS.iterdir())))
print((Path(settings.BASE_DIR) / "manage.py").exists(), settings.BASE_DIR)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.main(tmp_path_factory.mktemp("wheel"))


def dependencies(names: list[str]) -> set[str]:
    """Return the names of these distributions and of all that they need, as they are installed here."""
    found: set[str] = set()
    waiting = [normalised(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needs = map(Requirement, requires(name) or [])
            waiting += [normalised(each.name) for each in needs if not each.marker or each.marker.evaluate()]
    return found


class Installed:
    """An empty environment of its own, with the wheel and copies by link of some distributions of this one."""

    def __init__(self, folder: Path, built: Path, names: set[str]) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        self.folder = folder
        options = ["--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "--python", self.python, "install", *options, built]
        subprocess.run(command, check=True)
        (self.packages,) = folder.glob("lib/python*/site-packages")
        for name in names:
            for file in distribution(name).files or ():
                if file.parts[0] != "..":
                    target = self.packages / file.parts[0]
                    if not target.exists():
                        target.symlink_to(Path(str(distribution(name).locate_file(file.parts[0]))).resolve())

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run Python or, given a path, a program of the environment, in a folder that is not the checkout."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **environment}
        return subprocess.run(
            [str(self.python), *arguments], cwd=self.folder, env=clean, capture_output=True, text=True
        )


@pytest.fixture(scope="module")
def plain(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    names = [Requirement(each).name for each in PROJECT["dependencies"]]
    return Installed(tmp_path_factory.mktemp("plain") / "environment", built, dependencies(names))


def test_a_plain_installation_needs_three_packages(plain: Installed) -> None:
    assert [Requirement(each).name for each in PROJECT["dependencies"]] == ["httpx", "numpy", "scipy"]
    assert not {"django", "pyarrow", "pandas", "pillow"} & {path.name.lower() for path in plain.packages.iterdir()}


def test_its_examples_run_without_a_checkout(plain: Installed) -> None:
    (plain.folder / "tests" / "statistics").mkdir(parents=True, exist_ok=True)
    (plain.folder / "tests" / "statistics" / "oracles").symlink_to(ROOT / "tests" / "statistics" / "oracles")
    documents = [str(ROOT / "docs" / name) for name in ("explanation/statistics.md", "guides/mrmc-programs.md")]
    run = plain.run("-c", PLAIN_PROGRAM.format(root=str(ROOT), documents=documents))
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    attempted = dict(re.findall(r"(readerstudy\S+) (\d+)", run.stdout))
    assert len(attempted) > 40
    assert sum(map(int, attempted.values())) > 15


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("readerstudy.studies.models", "web"),
        ("readerstudy.api.urls", "web"),
        ("readerstudy.configuration.settings", "web"),
        ("readerstudy.imaging.image", "web"),
        ("readerstudy.command_line", "web"),
        ("models_ml.presets", "web,ml"),
        ("attacks.registry", "web,ml"),
    ],
)
def test_what_needs_an_extra_names_it(plain: Installed, module: str, extra: str) -> None:
    run = plain.run("-c", f"import {module}")
    assert run.returncode == 1
    assert f"pip install 'readerstudy[{extra}]'" in run.stderr.splitlines()[-1]


def test_an_excel_file_without_openpyxl_names_its_extra(plain: Installed) -> None:
    program = """
import io
from readerstudy.statistics.rating_files import ratings_of, write_rjafroc
write_rjafroc(ratings_of([1, 2], [0, 1], ["R1", "R1"], ["a", "b"], ["x", "x"]), io.BytesIO())
"""
    run = plain.run("-c", program)
    assert "pip install 'readerstudy[excel]'" in run.stderr.splitlines()[-1]
    assert any(each.startswith("openpyxl==") for each in PROJECT["optional-dependencies"]["excel"])


def test_every_extra_that_a_message_names_is_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    source = (ROOT / "readerstudy" / "missing_packages.py").read_text()
    named = {extra for found in re.findall(r"readerstudy\[([a-z,]+)\]", source) for extra in found.split(",")}
    assert named == {"web", "ml"}
    assert named < set(extras)
    assert any(each.startswith("pyarrow==") for each in extras["parquet"])


def test_the_wheel_has_everything_that_the_pages_need(built: Path) -> None:
    held = set(zipfile.ZipFile(built).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "templates", "static", "locale", "docs/designs", "manage.py"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert {name for name in tracked if f"readerstudy/beside/{name}" not in held} == set()
    code = {name for name in held if name.endswith(".py")}
    assert "readerstudy/studies/models.py" in code or "readerstudy/studies/models/__init__.py" in code
    assert not {
        name for name in held if re.match(r"(readerstudy/beside/)?(tests|tools|deploy|build|node_modules)/", name)
    }


@pytest.mark.slow
def test_the_web_side_runs_from_the_wheel(built: Path, tmp_path: Path) -> None:
    """Beside the packages of this environment: settings, templates, German, static files, another process."""
    installed = Installed(tmp_path / "environment", built, set())
    (installed.packages / "beside.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    var = tmp_path / "var"
    environment = {"VAR_DIR": str(var), "DATABASE_URL": "postgres://web:x@localhost/x", "SECRET_KEY": "x" * 50,
                   "SEALED_DATABASE_URL": "postgres://sealed:x@localhost/x", "RECORD_KEY": "x" * 50,
                   "ALLOWED_HOSTS": "localhost", "CELERY_BROKER_URL": "redis://localhost/0"}  # fmt: skip
    program = str(installed.folder / "bin" / "readerstudy")
    collected = installed.run(program, "collectstatic", "--noinput", "--verbosity", "0", **environment)
    assert collected.returncode == 0, collected.stderr[-2000:]
    assert (var / "static_files.json").exists()
    shown = installed.run("-c", WEB_PROGRAM, **environment)
    assert shown.returncode == 0, shown.stderr[-2000:]
    signed_in, template, manage = shown.stdout.splitlines()
    assert signed_in == "Anmelden"
    assert template == f"templates/base.html {len(list((ROOT / 'docs' / 'designs').iterdir()))}"
    assert manage == f"True {installed.packages / 'readerstudy' / 'beside'}"
    helped = installed.run(
        str(installed.packages / "readerstudy" / "beside" / "manage.py"), "run_job", "--help", **environment
    )
    assert helped.returncode == 0, helped.stderr[-2000:]
