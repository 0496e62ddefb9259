"""Dry run of an import into a cohort: what every image is, and the split that it would get. Nothing is stored."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from readerstudy.cohort.copies import CopySearch, FindFile
from readerstudy.cohort.importing import (
    Candidate,
    Importer,
    ImportResult,
    Progress,
    left_out,
    prepared_windows,
)
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.prepare import PreparedImage
from readerstudy.cohort.storage import StoredImage
from readerstudy.sources.source import ImportBatch


@dataclass(frozen=True)
class CheckedImage:
    """An image that would be imported, or is there already, with its split."""

    prepared: PreparedImage
    split: str
    is_new: bool


Preview = Callable[[CheckedImage], None]


def check_images(
    cohort: Cohort,
    batch: ImportBatch,
    *,
    find_file: FindFile,
    preview: Preview,
    scratch: Path,
    progress: Progress,
    processes: int | None = None,
) -> ImportResult:
    """Do what `importing.import_images` does, without storing anything, and return the same result.

    `cohort` need not be stored. `preview` is called with every image that would be imported or is there already.
    Images wait in the folder `scratch`, so that memory stays small.
    """
    search = CopySearch(cohort, find_file=find_file, is_dry_run=True)
    checker = _Checker(cohort, batch, search, progress, preview=preview, scratch=scratch)
    for window in prepared_windows(cohort, batch.images, processes):
        checker.take(window)
    return checker.result(new=checker.new)


class _Checker(Importer):
    """An import that stores images in a folder for a while, and nothing in the database."""

    def __init__(self, *args: Any, preview: Preview, scratch: Path) -> None:
        super().__init__(*args)
        self.new = 0
        self._preview, self._scratch = preview, scratch
        self._new_patients: set[str] = set()

    def result(self, *, new: int) -> ImportResult:
        found = super().result(new=new)
        return replace(found, patients=found.patients + len(self._new_patients))

    def _store(self, patient_key: str, candidate: Candidate) -> StoredImage | None:
        image, prepared = candidate.image, candidate.prepared
        if image.is_left_out:
            self.problems.append(left_out(candidate))
            image.signature = None
            return None
        if not candidate.is_new:
            self._known += 1
        else:
            self._search.join(image, candidate.links)
            self.new += 1
            file = self._scratch / f"{self.new}.png"
            file.write_bytes(list(prepared.pngs.values())[-1])
            self._search.was_checked(image, prepared, file)
            self._note_copy(candidate)
            if patient_key not in self._known_splits:
                self._new_patients.add(patient_key)
        self._preview(CheckedImage(prepared, image.split, candidate.is_new))
        return None
