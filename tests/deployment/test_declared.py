"""Every package that the application imports is declared, not only brought by another one."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"readerstudy", "models_ml", "attacks", "tools", "tests"}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared() -> set[str]:
    extras = (each for extra in PROJECT["optional-dependencies"].values() for each in extra)
    return {_normal(re.split(r"[\[=<>;~! ]", each)[0]) for each in (*PROJECT["dependencies"], *extras)}


def _imported(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            yield from ((name.partition(".")[0], str(file.relative_to(ROOT))) for name in names)


def test_every_package_that_is_imported_is_declared():
    declared, known = _declared(), packages_distributions()
    undeclared = {
        (name, file)
        for folder in ("readerstudy", "models_ml", "attacks")
        for name, file in _imported(ROOT / folder)
        if name not in OWN and name not in sys.stdlib_module_names
        if not {
            _normal(distribution) for distribution in known.get(name, ["python-ldap"] if name == "ldap" else [name])
        }
        & declared
    }
    assert not undeclared
