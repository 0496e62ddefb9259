"""Radiographs from a table, from DICOM files and as phantoms become a cohort of this modality."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from readerstudy.cohort.models import Cohort, Exam, Image, Stimulus
from readerstudy.errors import StudyError
from readerstudy.imaging.image import Grey16
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import Anchor
from readerstudy.modalities import get_modality
from readerstudy.modalities.chest_radiography.modality import CHEST_RADIOGRAPHY
from readerstudy.modalities.chest_radiography.phantom import lesion_box, render, sample_patients
from readerstudy.modalities.modality import Hanging
from readerstudy.sources.source import ImportBatch
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.queries import real_images
from readerstudy.vocabulary import Pathology
from tests.make import MONDAY
from tests.sources.make_files import write_dicom, write_png, write_table

FINDINGS = ("nodule", "other", "normal")


def phantom(number: int, size: int = 96) -> Grey16:
    return render(sample_patients(number + 1, seed=1)[number], (size, size)).values


def import_radiographs(batch: ImportBatch) -> Cohort:
    import_cohort("radiographs", batch, seed=1, at=MONDAY, resolutions=["standard"], processes=1)
    return Cohort.named("radiographs")


def read(source: str, path: Path, table: Path | None = None) -> ImportBatch:
    return CHEST_RADIOGRAPHY.sources[source].read(path, table=table, columns={}, folder=None)


def write_pngs(folder: Path) -> Path:
    """Six patients whose images have a table of image, patient and finding and no other column."""
    for number in range(6):
        write_png(folder / f"{number}.png", phantom(number))
    rows = [f"{number}.png,p{number},{FINDINGS[number % 3]}" for number in range(6)]
    return write_table(folder, rows, header="image,patient,pathology")


def test_the_modality_is_known_by_its_code() -> None:
    assert get_modality("DX") is CHEST_RADIOGRAPHY
    assert str(CHEST_RADIOGRAPHY) == "DX"
    assert CHEST_RADIOGRAPHY.demo.layout in CHEST_RADIOGRAPHY.layouts
    assert CHEST_RADIOGRAPHY.presets[CHEST_RADIOGRAPHY.demo.preset] == CHEST_RADIOGRAPHY.demo.layout


def test_every_text_of_the_modality_is_there_and_speaks_of_no_other_one() -> None:
    words = CHEST_RADIOGRAPHY.words
    texts = [str(getattr(part, one.name)) for part in (words.reading, words.lab, words.report) for one in fields(part)]
    assert all(texts)
    assert "%(count)s" in str(words.report.patients_with_finding)
    assert "%(parts)s" in str(words.report.with_finding)
    assert not [text for text in texts if any(word in text.lower() for word in ("mammo", "breast", "cancer", "malig"))]


@pytest.mark.django_db
def test_png_files_with_a_table_become_a_cohort(tmp_path: Path) -> None:
    batch = read("table", write_pngs(tmp_path))
    assert batch.problems == ()
    cohort = import_radiographs(batch)
    assert cohort.modality is CHEST_RADIOGRAPHY
    assert [image.attributes for image in Image.objects.all()] == [{}] * 6
    assert set(Stimulus.objects.values_list("resolution", flat=True)) == {"standard"}
    images = list(real_images(cohort, "standard"))
    assert len(images) == 6
    assert sum(image.label for image in images) == 2
    assert {decode_png(image.path).shape for image in images} == {(512, 512)}


@pytest.mark.django_db
def test_dicom_files_of_both_kinds_of_detectors_become_a_cohort(tmp_path: Path) -> None:
    folder = tmp_path / "dicom"
    folder.mkdir()
    for number in range(6):
        values = phantom(number) >> 4
        header = {"Modality": "DX" if number % 2 else "CR", "ImageLaterality": None, "ViewPosition": "PA"}
        if number == 3:  # stored with bright air
            values, header["PhotometricInterpretation"] = 4095 - values, "MONOCHROME1"
        write_dicom(folder / f"{number}.dcm", values, bits=12, **header)
    rows = [f"{number}.dcm,p{number},{FINDINGS[number % 3]}" for number in range(6)]
    batch = read("dicom", folder, write_table(tmp_path, rows, header="image,patient,pathology"))
    assert batch.problems == ()
    assert np.array_equal(batch.images[3].load().values, phantom(3) >> 4)
    cohort = import_radiographs(batch)
    assert cohort.modality is CHEST_RADIOGRAPHY
    assert sorted(Exam.objects.values_list("modality", flat=True)) == ["CR"] * 3 + ["DX"] * 3
    assert [image.attributes for image in Image.objects.all()] == [{}] * 6
    assert Stimulus.objects.count() == 6


@pytest.mark.django_db
def test_phantoms_become_a_cohort_with_the_boxes_of_their_lesions() -> None:
    batch = CHEST_RADIOGRAPHY.draw_phantoms(12, seed=3, size=(64, 64))
    views = sample_patients(12, seed=3)
    assert [image.pathology for image in batch.images] == [Pathology(view.finding) for view in views]
    assert len({image.patient_key for image in batch.images}) == 12
    for image, view in zip(batch.images, views, strict=True):
        boxes = [
            (box["top"] * 64, box["left"] * 64, box["bottom"] * 64, box["right"] * 64) for box in image.lesions or ()
        ]
        assert boxes == ([pytest.approx(lesion_box(view, (64, 64)))] if view.lesion else [])
    assert np.array_equal(batch.images[0].load().values, render(views[0], (64, 64)).values)
    assert import_radiographs(batch).modality is CHEST_RADIOGRAPHY


@pytest.mark.parametrize(
    ("word", "pathology"),
    [
        ("Nodule", "positive"),
        ("pulmonary nodule", "positive"),
        ("other", "other"),
        ("No Finding", "normal"),
        ("normal", "normal"),
    ],
)
def test_a_table_may_use_the_words_of_the_modality(word: str, pathology: str) -> None:
    assert CHEST_RADIOGRAPHY.vocabulary.pathology_of(word) == pathology


def test_a_word_of_another_modality_is_refused() -> None:
    with pytest.raises(ValueError, match="nodule, other and normal are understood"):
        CHEST_RADIOGRAPHY.vocabulary.pathology_of("malignant")


@pytest.mark.django_db
def test_the_modality_has_no_other_size(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="it has: standard"):
        import_cohort(
            "radiographs", read("table", write_pngs(tmp_path)), seed=1, at=MONDAY, resolutions=["low"], processes=1
        )


def test_nothing_is_measured_or_mirrored() -> None:
    measured = CHEST_RADIOGRAPHY.measure(phantom(0))
    assert (measured.anchor, dict(measured.attributes)) == (Anchor.MIDDLE, {})
    assert CHEST_RADIOGRAPHY.hang({}) == Hanging(is_mirrored=False)


def test_a_wide_image_lies_in_the_middle_of_its_frame() -> None:
    image = phantom(1)[20:70]
    placement = CHEST_RADIOGRAPHY.geometry.find_placement(image, (96, 96))
    assert (placement.top, placement.rows, placement.left, placement.columns) == (23, 50, 0, 96)
