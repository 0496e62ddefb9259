"""The report of a check: what was understood of each row, what is refused, and small pictures. Kept in the folder."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from readerstudy.cohort.importing import FoundCopy
from readerstudy.imaging.thumbnails import Grey8, encode_jpeg, read_small
from readerstudy.serialise import from_dict, to_dict
from readerstudy.sources.source import ImportProblem

SMALL: Final = 160  # rows and columns of a preview at most
PANELS: Final = ("image", "real", "adversarial", "difference")
_QUALITY: Final = 80
_REPORT: Final = "check.json"
_RESULT: Final = "import.json"


@dataclass(frozen=True)
class CheckedRow:
    """One image or pair that would be imported. `number` names its previews; "" is what the import does not have."""

    number: int
    name: str
    patient: str
    split: str
    pathology: str
    is_new: bool = True
    size: str = ""
    bits: int = 0
    attributes: str = ""
    real: str = ""
    attack: str = ""
    direction: str = ""
    restored_pixels: int = 0
    psnr_db: float | None = None


@dataclass(frozen=True)
class CheckReport:
    """What a check has found, or an import has done."""

    rows: tuple[CheckedRow, ...] = ()
    problems: tuple[ImportProblem, ...] = ()
    copies: tuple[FoundCopy, ...] = ()
    new: int = 0
    known: int = 0
    patients: int = 0
    notes: tuple[str, ...] = ()  # on the source as a whole
    tells: Mapping[str, Any] = field(default_factory=dict)  # by attack, `truth.tells.Tells` as data

    @property
    def splits(self) -> dict[str, Counter[str]]:
        """Return the number of new images by split and pathology."""
        counts: dict[str, Counter[str]] = {}
        for row in self.rows:
            if row.is_new:
                counts.setdefault(row.split, Counter())[row.pathology] += 1
        return counts


def write_report(folder: Path, report: CheckReport, *, is_result: bool = False) -> None:
    """Write the report of a check, or the result of an import, whole or not at all."""
    path = folder / (_RESULT if is_result else _REPORT)
    draft = path.with_suffix(f".{uuid4().hex}.part")
    draft.write_text(json.dumps(to_dict(report)), encoding="utf-8")
    draft.replace(path)


def read_report(folder: Path, *, is_result: bool = False) -> CheckReport | None:
    """Return the report, None if there is none."""
    path = folder / (_RESULT if is_result else _REPORT)
    if not path.exists():
        return None
    return from_dict(CheckReport, json.loads(path.read_text(encoding="utf-8")))


def preview_path(folder: Path, number: int, panel: str) -> Path:
    return folder / "previews" / f"{number}-{panel}.jpg"


def write_preview(folder: Path, number: int, panel: str, values: Grey8) -> None:
    path = preview_path(folder, number, panel)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_jpeg(values, quality=_QUALITY))


def read_stored(png: bytes, scratch: Path) -> Any:
    """Return a stored image, made small, from the content of its file."""
    path = scratch / "preview.png"
    path.write_bytes(png)
    return read_small(path, largest=SMALL)
