"""`make architecture`: the counts and cycles that tools/architecture.py prints."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "tools" / "architecture.py"
MODULES = {
    "sample/__init__.py": "",
    "sample/report.py": "from sample.formats import number, table\n",
    "sample/formats/__init__.py": "",
    "sample/formats/table.py": "import sample.formats.number\n",
    "sample/formats/number.py": "",
    "sample/formats/migrations/__init__.py": "",
    "sample/formats/migrations/m1.py": "import sample.report\n",
}


@pytest.fixture
def printed(tmp_path):
    """Return a function that writes the modules, with changes, and returns what the script prints about them."""

    def run(**changes: str) -> str:
        for name, text in {**MODULES, **changes}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        command = [sys.executable, SCRIPT, "sample"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    return run


def test_counts_modules_and_imports_of_each_package(printed):
    rows = [line.split() for line in printed().splitlines()]
    # own modules, with subpackages, parts, imports between parts, imports inside
    assert ["sample", "1", "3", "2", "1", "3"] in rows
    assert ["formats", "2", "2", "2", "1", "1"] in rows
    assert "3 modules in 2 packages, 3 imports among them." in printed()


def test_names_a_cycle_of_modules(printed):
    assert "No import cycle among modules." in printed()
    text = printed(**{"sample/formats/number.py": "import sample.formats.table\n"})
    assert "Import cycle among modules: sample.formats.number <-> sample.formats.table" in text


def test_names_a_cycle_of_packages_whose_modules_have_none(printed):
    text = printed(**{"sample/formats/text.py": "import sample.report\n"})
    assert "No import cycle among modules." in text
    assert "Import cycle among parts of sample: sample.formats <-> sample.report" in text
