"""The output of every benchmark."""

import json
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "var" / "bench"


def write(part: str, rows: Iterable[tuple[str, float, str]]) -> None:
    """Print the rows and write them to var/bench/PART.json as a list of name, value, unit."""
    rows = list(rows)
    width = max(len(name) for name, _, _ in rows)
    for name, value, unit in rows:
        print(f"{name:<{width}}  {value:10.3f} {unit}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    listed = [{"name": name, "value": value, "unit": unit} for name, value, unit in rows]
    (FOLDER / f"{part}.json").write_text(json.dumps(listed, indent=2) + "\n")
