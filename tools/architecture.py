"""Print the packages of this repository, the imports inside each, and import cycles.

Usage: python tools/architecture.py [PACKAGE ...]

Without arguments, the root packages of import-linter's configuration in pyproject.toml are read. Migrations and
`__init__.py` files are not counted as modules; imports below `if TYPE_CHECKING:` count as imports.
"""

import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import grimp
from rich.console import Console
from rich.table import Table

Imports = set[tuple[str, str]]


@dataclass(frozen=True)
class PackageSummary:
    """Counts of one package. `parts` are its direct children: modules and subpackages."""

    name: str
    modules: int
    modules_below: int
    parts: int
    imports_between_parts: int
    imports_inside: int


def main(arguments: list[str]) -> None:
    roots = arguments or tomllib.loads(Path("pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    modules, imports = read_imports(roots)
    packages = sorted({parent for module in modules for parent in parents_of(module)})
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(summary_table([summarise(package, modules, imports) for package in packages]))
    total = f"{len(modules)} modules in {len(packages)} packages, {len(imports)} imports among them."
    console.print(total, soft_wrap=True)
    print_cycles(console, "modules", cycles(imports))
    for package in packages:
        between = imports_between_parts(package, imports)
        print_cycles(console, f"parts of {package}", cycles(between), quiet=True)


def read_imports(roots: Iterable[str]) -> tuple[set[str], Imports]:
    """Return the names of all modules below `roots` and the imports among them, as (importer, imported)."""
    sys.path.insert(0, ".")
    graph = grimp.build_graph(*roots, cache_dir=None)
    modules = {name for name in graph.modules if ".migrations" not in name and not graph.find_children(name)}
    imports = {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if ".migrations" not in importer
    }
    return modules, imports


def summarise(package: str, modules: set[str], imports: Imports) -> PackageSummary:
    below = {module for module in modules if is_inside(module, package)}
    between = imports_between_parts(package, imports)
    return PackageSummary(
        name=package,
        modules=sum(module.rpartition(".")[0] == package for module in below),
        modules_below=len(below),
        parts=len({part_of(module, package) for module in below}),
        imports_between_parts=len(between),
        imports_inside=sum(is_inside(a, package) and is_inside(b, package) for a, b in imports),
    )


def imports_between_parts(package: str, imports: Imports) -> Imports:
    """Return which direct children of `package` import each other, each pair once."""
    inside = ((a, b) for a, b in imports if is_inside(a, package) and is_inside(b, package))
    pairs = {(part_of(a, package), part_of(b, package)) for a, b in inside}
    return {(a, b) for a, b in pairs if a != b}


def cycles(imports: Imports) -> list[list[str]]:
    """Return the strongly connected components with more than one node (Tarjan, 1972), largest first."""
    targets: dict[str, list[str]] = {}
    for importer, imported in sorted(imports):
        targets.setdefault(importer, []).append(imported)
    indices: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        indices[node] = lowest[node] = len(indices)
        stack.append(node)
        for target in targets.get(node, []):
            if target not in indices:
                visit(target)
                lowest[node] = min(lowest[node], lowest[target])
            elif target in stack:
                lowest[node] = min(lowest[node], indices[target])
        if lowest[node] == indices[node]:
            start = stack.index(node)
            component = sorted(stack[start:])
            del stack[start:]
            if len(component) > 1:
                components.append(component)

    for node in targets:
        if node not in indices:
            visit(node)
    return sorted(components, key=lambda component: (-len(component), component))


def parents_of(module: str) -> list[str]:
    """Return the packages around `module`, innermost last."""
    names = module.split(".")
    return [".".join(names[:length]) for length in range(1, len(names))]


def is_inside(module: str, package: str) -> bool:
    return module.startswith(f"{package}.")


def part_of(module: str, package: str) -> str:
    """Return the direct child of `package` that is or contains `module`."""
    return f"{package}.{module.removeprefix(f'{package}.').partition('.')[0]}"


def summary_table(packages: Iterable[PackageSummary]) -> Table:
    table = Table("package", box=None, pad_edge=False)
    for heading in ("own modules", "with subpackages", "parts", "imports between parts", "imports inside"):
        table.add_column(heading, justify="right")
    for package in packages:
        depth = package.name.count(".")
        table.add_row(
            "  " * depth + package.name.rpartition(".")[2],
            str(package.modules),
            str(package.modules_below),
            str(package.parts),
            str(package.imports_between_parts),
            str(package.imports_inside),
        )
    return table


def print_cycles(console: Console, nodes: str, components: list[list[str]], *, quiet: bool = False) -> None:
    if not components and not quiet:
        console.print(f"No import cycle among {nodes}.", soft_wrap=True)
    for component in components:
        console.print(f"Import cycle among {nodes}: {' <-> '.join(component)}", soft_wrap=True)


if __name__ == "__main__":
    main(sys.argv[1:])
