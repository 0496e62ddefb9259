"""The modality seam: only readerstudy/modalities knows kinds of images, and each has all words that others ask for."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from django.utils.functional import Promise

from readerstudy.modalities import MODALITIES
from readerstudy.modalities.modality import Modality
from readerstudy.vocabulary import Pathology

ROOT = Path(__file__).parent.parent
FOLDERS = ("readerstudy", "models_ml", "attacks", "templates", "static")
SUFFIXES = {".py", ".html", ".txt", ".js", ".css", ".json", ".toml", ".svg"}
# What may stand in no file outside readerstudy/modalities, as regular expressions; the codes in capitals only.
FORBIDDEN = {
    "MG": (
        "mammo",
        "breast",
        "cancer",
        "malignan",
        "benign",
        r"chest.?wall",
        r"(?-i:\bMG\b)",
        r"(?-i:\bMLO\b)",
        "craniocaudal",
        "tomosynth",
    ),
    "DX": ("radiograph", r"\blungs?\b", "nodule", "thorax", "thorac", r"\bchest\b", r"(?-i:\bDX\b)", r"x-ray"),
}
# The places that a text must have.
PLACES = {"patients_with_finding": {"count"}, "with_finding": {"parts"}}


def files() -> Iterator[Path]:
    """Yield every module, template, script and style outside readerstudy/modalities."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.suffix in SUFFIXES and parts[:2] != ("readerstudy", "modalities") and "vendor" not in parts:
                yield path


def texts(modality: Modality) -> list[tuple[str, object]]:
    """Return every text of a modality's words with its name."""
    groups = (getattr(modality.words, group.name) for group in fields(modality.words))
    return [(field.name, getattr(group, field.name)) for group in groups for field in fields(group)]


def test_every_modality_has_words_that_must_not_appear_elsewhere():
    assert set(MODALITIES) <= set(FORBIDDEN)


@pytest.mark.parametrize("code", FORBIDDEN)
def test_no_file_outside_the_modalities_names_one(code):
    pattern = re.compile("|".join(FORBIDDEN[code]), re.IGNORECASE)
    checked = list(files())
    assert len(checked) > 400
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in checked
        for number, line in enumerate([path.name, *path.read_text(encoding="utf-8").splitlines()])
        if pattern.search(line)
    ]
    assert named == []


@pytest.mark.parametrize("modality", MODALITIES.values(), ids=str)
def test_every_text_of_a_modality_is_there_and_translated_when_it_is_shown(modality):
    assert [name for name, text in texts(modality) if not isinstance(text, Promise) or not str(text).strip()] == []


@pytest.mark.parametrize("modality", MODALITIES.values(), ids=str)
def test_the_texts_of_a_modality_have_the_places_that_are_filled_in(modality):
    places = {name: set(re.findall(r"%\((\w+)\)s", str(text))) for name, text in texts(modality)}
    assert {name: found for name, found in places.items() if found} == PLACES


@pytest.mark.parametrize("modality", MODALITIES.values(), ids=str)
def test_a_modality_names_every_pathology(modality):
    assert [pathology for pathology, finding in modality.findings.items() if not str(finding.label).strip()] == []
    assert list(modality.findings) == list(Pathology)
