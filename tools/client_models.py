"""Write the types of readerstudy.client from the OpenAPI schema of the API.

Usage: python tools/client_models.py [--check]

Each component of the schema becomes a TypedDict or a Literal in readerstudy/client/models/: one module for each group
of addresses, and `shared` for what several of them use. The types of the reader's part are in
`readerstudy.client.messages`.
With --check nothing is written, and the exit code is 1 if a module differs from the schema.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "readerstudy" / "client" / "models"
SHARED = "shared"
# An address belongs to the first group whose pattern it has.
GROUPS = {
    "people": "/(readers|invitations|mails|monitor|reports)/",
    "data": r"/(readings|codebook|answers|bundle|results)[/.]",
    "studies": "/studies/",
    "lab": "",
}
READERS = "/api/v1/reading/"
POINTER = "#/components/schemas/"
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
TITLES = {
    "people": "Readers of a study, their invitations and mails, and the monitor.",
    "data": "Readings, answers and results of a study.",
    "studies": "Studies, their protocols and moves.",
    "lab": "Cohorts, jobs, runs, attacks, evaluations and tokens.",
    "shared": "What several parts of the API use.",
}
sys.path.insert(0, str(ROOT))

Schema = Mapping[str, Any]


def main() -> int:
    """Write or check every module; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only")
    only_check = parser.parse_args().check
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")
    import django

    django.setup()
    stale = update(write=not only_check)
    for path in stale:
        state = "is out of date: run make reference" if only_check else "was written"
        print(f"{path.relative_to(ROOT)} {state}.")
    return 1 if only_check and stale else 0


def update(*, write: bool) -> list[Path]:
    """Return the modules that differ from the schema."""
    from drf_spectacular.generators import SchemaGenerator

    stale = []
    for name, text in modules(SchemaGenerator().get_schema(request=None, public=True)).items():
        path = FOLDER / f"{name}.py"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if write:
                path.write_text(text, encoding="utf-8")
    return stale


def modules(schema: Schema) -> dict[str, str]:
    """Return the text of each module by its name."""
    components = schema["components"]["schemas"]
    homes: dict[str, set[str]] = {}
    for path, operations in schema["paths"].items():
        if path.startswith(READERS):
            continue
        home = next(group for group, pattern in GROUPS.items() if re.search(pattern, path))
        for operation in operations.values():
            for name in _reached(_contents(operation), components):
                homes.setdefault(name, set()).add(home)
    placed = {name: next(iter(found)) if len(found) == 1 else SHARED for name, found in homes.items()}
    return {name: _formatted(_module(name, placed, components)) for name in (SHARED, *GROUPS)}


def _contents(operation: Schema) -> Iterator[Schema]:
    """Yield the schemas of the body and of the answers that are no errors."""
    answers = [answer for status, answer in operation["responses"].items() if status < "300"]
    for part in (operation.get("requestBody", {}), *answers):
        for kind, content in part.get("content", {}).items():
            if kind == "application/json":
                yield content["schema"]


def _reached(schemas: Iterator[Schema], components: Schema) -> set[str]:
    """Return the names of all components that these schemas refer to, pages of lists left out."""
    waiting, found = [name for schema in schemas for name in _references(schema)], set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(components[name])
    return {name for name in found if not name.startswith("Paginated")}


def _references(value: Any) -> list[str]:
    """Return the components that a schema names, in its order."""
    if isinstance(value, Mapping):
        own = [value["$ref"].removeprefix(POINTER)] if isinstance(value.get("$ref"), str) else []
        return own + [name for part in value.values() for name in _references(part)]
    if isinstance(value, list):
        return [name for part in value for name in _references(part)]
    return []


def _module(home: str, placed: Mapping[str, str], components: Schema) -> str:
    own = _in_order([name for name in sorted(placed) if placed[name] == home], components)
    foreign = sorted({used for name in own for used in _references(components[name]) if placed[used] != home})
    body = "\n\n".join(_definition(name, components[name], components) for name in own)
    typing = [word for word in ("Any", "Literal", "NotRequired", "TypedDict") if re.search(rf"\b{word}\b", body)]
    imports = f"from typing import {', '.join(typing)}\n" if typing else ""
    if foreign:
        imports += f"\nfrom readerstudy.client.models.{SHARED} import {', '.join(foreign)}\n"
    title = f"{TITLES[home]}\n\nMade by `make reference` from the schema of the API: do not edit.\n"
    return f'"""{title}"""\n\n{imports}\n\n{body}\n'


def _in_order(names: list[str], components: Schema) -> list[str]:
    """Return the names so that each follows those it refers to."""
    ordered: list[str] = []

    def place(name: str) -> None:
        for used in _references(components[name]):
            if used in names and used not in ordered:
                place(used)
        if name not in ordered:
            ordered.append(name)

    for name in names:
        place(name)
    return ordered


def _definition(name: str, component: Schema, components: Schema) -> str:
    if "enum" in component:
        return f"{name} = {_type(component, components)}"
    required = set(component.get("required", ()))
    lines = [f"class {name}(TypedDict):", f'    """{_first_sentence(component, name)}"""', ""]
    for field, schema in component.get("properties", {}).items():
        kind = _type(schema, components)
        lines.append(f"    {field}: {kind if field in required else f'NotRequired[{kind}]'}")
    return "\n".join(lines)


def _first_sentence(component: Schema, name: str) -> str:
    text = component.get("description", name).partition("\n\n")[0]
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def _type(schema: Schema, components: Schema) -> str:
    """Return the annotation of a value. Moments stay text in ISO 8601, as JSON has them."""
    kind = _plain_type(schema, components)
    is_null = schema.get("nullable") and kind != "Any"
    return f"{kind} | None" if is_null else kind


def _plain_type(schema: Schema, components: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(POINTER)
    for word in ("allOf", "oneOf", "anyOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(_type(part, components) for part in schema[word]))
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    match schema.get("type"):
        case "array":
            return f"list[{_type(schema['items'], components)}]"
        case "object":
            values = schema.get("additionalProperties") or {}
            return f"dict[str, {_type(values, components)}]"
        case str(name):
            return SCALARS[name]
    return "Any"


def _formatted(text: str) -> str:
    """Return the module as ruff writes it, with its imports in order."""
    for command in (["check", "--quiet", "--select=I", "--fix"], ["format"]):
        call = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(FOLDER / "module.py"), "-"]
        text = subprocess.run(call, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


if __name__ == "__main__":
    sys.exit(main())
