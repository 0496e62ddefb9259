"""What the rows of an import of adversarial images refer to: the cohort's real images, found by their pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_noop

from readerstudy.cohort.copies import CopySearch
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pairs import NotAPair, PairFiles, PairTask, StoredReal
from readerstudy.cohort.prepare import prepare
from readerstudy.cohort.storage import pixel_fingerprint
from readerstudy.errors import Sentence as _
from readerstudy.names import name_error
from readerstudy.sources.any_file import load_file
from readerstudy.sources.label_table import OUTSIDE, is_within
from readerstudy.sources.pair_table import PairRow, row_problem
from readerstudy.sources.source import ImportImage, ImportProblem
from readerstudy.truth.queries.images import find_own_file
from readerstudy.truth.queries.pairs import RealVersions, real_versions_by_pixels
from readerstudy.vocabulary import Direction, Pathology


@dataclass(frozen=True)
class MatchedRow:
    """A row whose real file is an image of the cohort. `digest` is that of the real file's pixels."""

    row: PairRow
    files: PairFiles
    real: RealVersions
    digest: str
    attack: str
    direction: Direction

    @property
    def task(self) -> PairTask:
        paths = {name: stimulus.path for name, stimulus in self.real.stimuli.items()}
        return PairTask(self.files, StoredReal(paths, self.real.lesions), self.digest)


_SAME_IMAGE: Final = gettext_noop("names a version of the same real image by the attack %(attack)s as row %(first)s.")
_SAME_FILE: Final = gettext_noop("names the same adversarial file as row %(first)s.")


class BadPair(ValueError):
    """A row that cannot be used; the message continues "row 7: "."""


def files_of(row: PairRow, folder: Path) -> PairFiles:
    """Return the files that a row names; its paths start at the folder."""
    names = {"real_name": row.real, "adversarial_name": row.adversarial}
    return PairFiles(folder / row.real, folder / row.adversarial, **names, bits=row.bits, box=row.box)


def within(rows: Sequence[PairRow], folder: Path, root: Path | None) -> tuple[list[PairRow], list[ImportProblem]]:
    """Return the rows whose files are below `root`, all without one, and a problem for each other row."""
    inside, problems = [], []
    for row in rows:
        if all(is_within(folder / name, root) for name in (row.real, row.adversarial)):
            inside.append(row)
        else:
            problems.append(row_problem(row.number, OUTSIDE))
    return inside, problems


def attack_name(of_row: str, default: str | None) -> str:
    """Return the attack that a row names, or the one of rows that name none. Raises BadPair."""
    name = of_row or default or ""
    if not name:
        raise BadPair(_("names no attack; fill the column attack, or give --attack."))
    if error := name_error(name):
        raise BadPair(_("names the attack %(name)s: %(error)s", name=repr(name), error=error))
    return name


class Matcher:
    """Finds the real image of each row in a cohort, and what speaks against the row."""

    def __init__(self, cohort: Cohort, *, attack: str | None) -> None:
        self._cohort, self._attack = cohort, attack
        self._by_pixels = real_versions_by_pixels(cohort)
        self._search: CopySearch | None = None
        self._seen: dict[tuple[str, object], int] = {}

    def match(self, row: PairRow, files: PairFiles, digests: Sequence[str] | NotAPair) -> MatchedRow | ImportProblem:
        """Return the row with its real image, or the reason why it has none."""
        try:
            if isinstance(digests, NotAPair):
                raise BadPair(_("the real file %(reason)s", reason=digests))
            attack = attack_name(row.attack, self._attack)
            digest, real = self._real_of(files, digests)
            direction = self._direction_of(row, real)
            self._require_new(row, attack, real.image_id, _SAME_IMAGE)
            self._require_new(row, attack, files.adversarial, _SAME_FILE)
            return MatchedRow(row, files, real, digest, attack, direction)
        except BadPair as bad:
            return row_problem(row.number, bad)

    def _real_of(self, files: PairFiles, digests: Sequence[str]) -> tuple[str, RealVersions]:
        for digest in digests:
            if real := self._by_pixels.get(pixel_fingerprint(digest)):
                return digest, real
        raise BadPair(
            _(
                "the real file %(real)s is not in the cohort %(cohort)s%(alike)s.",
                real=files.real_name,
                cohort=self._cohort.name,
                alike=self._resembling(files),
            )
        )

    def _resembling(self, files: PairFiles) -> str:
        """Return what the cohort has instead, as the rest of a sentence; "" if nothing is alike."""
        self._search = self._search or CopySearch(
            self._cohort, find_file=partial(find_own_file, resolution=self._cohort.resolutions[-1])
        )
        smallest = self._cohort.resolutions[-1]
        source = ImportImage(
            name=files.real_name,
            patient_key="",
            pathology=Pathology.NORMAL,
            pixel_spacing_mm=None,
            modality=self._cohort.modality_code,
            load=lambda: load_file(files.real, name=files.real_name).pixels,
        )
        prepared = prepare(
            source, modality=self._cohort.modality_code, sizes={smallest: self._cohort.size_of(smallest)}
        )
        if isinstance(prepared, ImportProblem):
            return ""
        _image, links = self._search.add("", prepared)
        stored = next((link for link in links if link.image.key is not None), None)
        if stored is None:
            return ""
        return _(
            "; it resembles an image of patient %(patient)s (correlation %(correlation)s), but its pixels differ: name "
            "the file that was imported",
            patient=stored.image.pseudonym,
            correlation=f"{stored.correlation:.2f}",
        )

    def _direction_of(self, row: PairRow, real: RealVersions) -> Direction:
        """Return what the attack did: images without the finding get it, the others lose it."""
        word = self._cohort.modality.vocabulary.word
        if row.pathology is not None and row.pathology != real.pathology:
            raise BadPair(
                _(
                    "says %(word)s, but the cohort has this image as %(stored)s.",
                    word=word(row.pathology),
                    stored=word(real.pathology),
                )
            )
        possible = Direction.REMOVE if real.label else Direction.INSERT
        if row.direction is not None and row.direction != possible:
            raise BadPair(
                _(
                    "has the direction %(direction)s, but the real image is %(word)s; only %(possible)s is possible.",
                    direction=row.direction.value,
                    word=word(real.pathology),
                    possible=possible.value,
                )
            )
        return possible

    def _require_new(self, row: PairRow, attack: str, key: object, text: str) -> None:
        first = self._seen.setdefault((attack, key), row.number)
        if first != row.number:
            raise BadPair(_(text, attack=attack, first=first))
