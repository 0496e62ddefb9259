"""The description of a bundle as an RO-Crate 1.1: https://www.researchobject.org/ro-crate/specification/1.1/"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import readerstudy
from readerstudy.bundle.manifest import file_hash

NAME: Final = "ro-crate-metadata.json"
_CONTEXT: Final = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}]
_FORMATS: Final = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".py": "text/x-python",
    ".yaml": "application/yaml",
}
_SOFTWARE: Final = "#software"
_LICENCE: Final = "#licence"


def crate_metadata(
    folder: Path, *, code: str, title: str, language: str, descriptions: Mapping[str, str], on: date
) -> dict[str, Any]:
    """Return the metadata of all files in the folder. `descriptions` are by file."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = [_file(folder, name, descriptions.get(name, "")) for name in names]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "identifier": code,
        "name": title,
        "description": (
            f"De-identified record of the reader study {code}: protocol, plans with hashes, allocation, readings with "
            "codebook, images without pixels, audit trail, log with hashes, and the tables of the report."
        ),
        "datePublished": on.isoformat(),
        "inLanguage": language,
        "license": {"@id": _LICENCE},
        "hasPart": [{"@id": name} for name in names],
    }
    descriptor = {
        "@id": NAME,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    licence = {
        "@id": _LICENCE,
        "@type": "CreativeWork",
        "name": "None stated",
        "description": "The study team states the licence when it publishes the bundle.",
    }
    software = {
        "@id": _SOFTWARE,
        "@type": "SoftwareApplication",
        "name": "readerstudy",
        "version": readerstudy.__version__,
        "softwareVersion": readerstudy.__version__,
    }
    made = {
        "@id": "#export",
        "@type": "CreateAction",
        "name": "Export of the study",
        "instrument": {"@id": _SOFTWARE},
        "result": {"@id": "./"},
    }
    return {"@context": _CONTEXT, "@graph": [descriptor, root, licence, software, made, *files]}


def _file(folder: Path, name: str, description: str) -> dict[str, Any]:
    path = folder / name
    values = {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "encodingFormat": _FORMATS[path.suffix],
        "contentSize": str(path.stat().st_size),
        "sha256": file_hash(path),
    }
    return {**values, "description": description} if description else values
