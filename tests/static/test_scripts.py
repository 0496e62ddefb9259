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

# Files at the top (main.js, dom.js) and in forms/ stand for themselves.
FORMS = [f"forms/{path.name}" for path in sorted((READING / "forms").iterdir()) if path.is_dir()]
ALLOWED = {
    "main.js": {"session", "display_check", "forms/index.js", "network", "dom.js"},
    "session": {"controls", "forms/form.js", "network", "dom.js"},
    "controls": {"forms/form.js", "network", "dom.js"},
    "display_check": {"network", "dom.js"},
    "network": {"dom.js"},
    "forms/index.js": {"forms/form.js", *FORMS},
    **{form: {"forms/form.js", "decoding", "dom.js"} for form in FORMS},
    "forms/form.js": set(),
    "decoding": set(),
    "dom.js": set(),
}
# Scripts that a page loads by address: the session's, the list of sessions', and two of each form.
LOADED = {"reading/main.js", "reading/session/reload_on_back.js"}
LOADED_OF_FORM = {"form.js", "decode_worker.js"}
WITHOUT_CODE = {"forms/form.js"}  # types only

AT_RUN_TIME = re.compile(r"""^(?:import (?:[^"]* from )?|  \w+: \(\) => import\()"([^"]+)"\)?[;,]""", re.MULTILINE)
IN_TYPES = re.compile(r"""(?:import\(|@import [^"]* from )"([^"]+)""")


def imports(path: Path, *patterns: re.Pattern[str]) -> Iterator[Path]:
    """Yield the modules that a script imports."""
    text = path.read_text()
    for pattern in patterns:
        for address in pattern.findall(text):
            yield (path.parent / address).resolve()


def folder(path: Path) -> str:
    """Return the folder of a script below static/reading; at the top and in forms/ also its own name."""
    parts = path.relative_to(READING).parts
    return "/".join(parts[:2]) if parts[0] == "forms" else parts[0]


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
    of_forms = {f"reading/{form}/{name}" for form in FORMS for name in LOADED_OF_FORM}
    names = {str(path.relative_to(STATIC)) for path in set(SCRIPTS) - imported}
    assert names <= LOADED | of_forms | {f"reading/{name}" for name in WITHOUT_CODE}
    pages = "".join(path.read_text() for path in (STATIC.parent / "templates").rglob("*.html"))
    for address in [f"static '{name}'" for name in LOADED] + [f"form.scripts|add:'{name}'" for name in LOADED_OF_FORM]:
        assert address in pages


@pytest.mark.parametrize("path", OWN_SCRIPTS, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_module_has_no_mutable_state_and_no_long_lines(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [line for line in lines if line.startswith(("let ", "var ", "export let "))] == []
    assert [line for line in lines if len(line) > 120] == []
    assert len(lines) <= 400
