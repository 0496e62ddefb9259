"""The reading room's scripts: which folder imports which, and no state outside classes."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "static"
READING = STATIC / "reading"
SCRIPTS = sorted(READING.rglob("*.js"))
OWN_SCRIPTS = [path for path in sorted(STATIC.rglob("*.js")) if STATIC / "vendor" not in path.parents]

# Files at the top (main.js, dom.js) stand for themselves.
ALLOWED = {
    "main.js": {"session", "display_check", "dom.js"},
    "session": {"controls", "viewer", "network", "dom.js"},
    "controls": {"viewer", "dom.js"},
    "display_check": {"network", "dom.js"},
    "network": {"dom.js"},
    "viewer": {"dom.js"},
    "dom.js": set(),
}
# Scripts that a page loads by address: the session's, the list of sessions', the worker's.
LOADED = {"main.js", "session/reload_on_back.js", "viewer/decode_worker.js"}

AT_RUN_TIME = re.compile(r"""^import (?:[^"]* from )?"([^"]+)";""", re.MULTILINE)
IN_TYPES = re.compile(r"""(?:import\(|@import [^"]* from )"([^"]+)""")


def imports(path: Path, *patterns: re.Pattern[str]) -> Iterator[Path]:
    """Yield the modules that a script imports."""
    text = path.read_text()
    for pattern in patterns:
        for address in pattern.findall(text):
            yield (path.parent / address).resolve()


def folder(path: Path) -> str:
    """Return the folder of a script below static/reading, or its own name at the top."""
    return path.relative_to(READING).parts[0]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(READING)))
def test_a_script_imports_only_from_the_folders_below_its_own(path: Path) -> None:
    for imported in imports(path, AT_RUN_TIME, IN_TYPES):
        assert imported.exists()
        assert folder(imported) == folder(path) or folder(imported) in ALLOWED[folder(path)], imported


def test_no_imports_form_a_circle() -> None:
    graph = {path: set(imports(path, AT_RUN_TIME)) for path in SCRIPTS}
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_every_script_is_imported_or_loaded_by_a_page() -> None:
    imported = {module for path in SCRIPTS for module in imports(path, AT_RUN_TIME)}
    names = {str(path.relative_to(READING)) for path in set(SCRIPTS) - imported}
    assert names <= LOADED
    pages = "".join(path.read_text() for path in (STATIC.parent / "templates").rglob("*.html"))
    for name in LOADED:
        assert f"reading/{name}" in pages


@pytest.mark.parametrize("path", OWN_SCRIPTS, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_module_has_no_mutable_state_and_no_long_lines(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [line for line in lines if line.startswith(("let ", "var ", "export let "))] == []
    assert [line for line in lines if len(line) > 120] == []
    assert len(lines) <= 400
