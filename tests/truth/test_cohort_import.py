"""Importing: pseudonyms at the door, nothing twice, every problem by name, the rest all the same."""

from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image as PillowImage

from readerstudy.cohort.models import Cohort, Image, Patient, Stimulus
from readerstudy.errors import StudyError
from readerstudy.imaging.image import Pixels, UnreadableImage
from readerstudy.imaging.png16 import decode_png
from readerstudy.sources.source import ImportBatch
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Pathology
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]


def bring(found: ImportBatch, **changes):
    values = {"seed": 1, "at": make.MONDAY, "resolutions": ("low",), "processes": 1}
    return import_cohort("films", found, **{**values, **changes})


def broken() -> Pixels:
    raise UnreadableImage("torn.png ends in the middle of the picture.")


def test_every_image_gets_its_stimuli_and_its_sealed_truth():
    imported = bring(make.found(6), resolutions=("high", "low"))
    assert (imported.images_new, imported.patients, imported.problems) == (12, 6, ())
    assert Counter(Stimulus.objects.values_list("resolution", flat=True)) == {"high": 12, "low": 12}
    assert Truth.objects.filter(authenticity=Authenticity.REAL).count() == 24
    assert Counter(row.pathology for row in ImageTruth.objects.all()) == {"positive": 4, "other": 4, "normal": 4}
    assert {decode_png(stimulus.path).shape for stimulus in Stimulus.objects.all()} == {(64, 52)}


def test_importing_twice_adds_nothing_twice():
    bring(make.found(6))
    files = set(Stimulus.objects.values_list("file", flat=True))
    again = bring(make.found(6))
    assert (again.images_new, again.images_known, again.patients) == (0, 12, 6)
    assert set(Stimulus.objects.values_list("file", flat=True)) == files


def test_a_later_import_adds_new_images_and_keeps_splits():
    bring(make.found(10))
    before = dict(Patient.objects.values_list("fingerprint", "split"))
    later = bring(make.found(20))
    after = dict(Patient.objects.values_list("fingerprint", "split"))
    assert (later.images_new, later.images_known, later.patients) == (20, 20, 20)
    assert {mark: after[mark] for mark in before} == before


def test_patients_are_split_whole_and_by_pathology():
    bring(make.found(60), fractions=(0.8, 0.1, 0.1))
    assert Counter(Patient.objects.values_list("split", flat=True)) == {"train": 48, "tuning": 6, "test": 6}
    positive = ImageTruth.objects.filter(pathology="positive").values("image")
    sick = Patient.objects.filter(exams__images__in=positive).distinct()
    assert Counter(patient.split for patient in sick) == {"train": 16, "tuning": 2, "test": 2}


def test_nothing_of_the_source_s_names_is_stored(settings):
    bring(make.found(4))
    rows = [*Patient.objects.values(), *Image.objects.values(), *Stimulus.objects.values(), *Cohort.objects.values()]
    assert "patient-" not in str(rows)
    assert "film-" not in str(rows)
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if "film" in path.name or "woman" in path.name]


def test_an_unreadable_file_is_named_and_the_others_come_in():
    found = make.found(4)
    torn = replace(found.images[3], name="torn.png", load=broken)
    imported = bring(replace(found, images=(*found.images[:3], torn, *found.images[4:])))
    assert imported.images_new == 7
    assert [(p.name, p.sentence) for p in imported.problems] == [
        ("torn.png", "torn.png ends in the middle of the picture.")
    ]


def test_a_patient_with_two_pathologies_stays_out_and_is_named():
    found = make.found(4)
    turned = replace(found.images[0], pathology=Pathology.OTHER)
    imported = bring(replace(found, images=(turned, *found.images[1:])))
    assert imported.patients == 3
    assert "patient-0" in imported.problems[0].sentence
    assert "malignant" in imported.problems[0].sentence
    assert "benign" in imported.problems[0].sentence


def test_with_pathology_per_image_both_breasts_come_in():
    found = make.found(4)
    turned = replace(found.images[0], pathology=Pathology.NORMAL)
    imported = bring(replace(found, images=(turned, *found.images[1:])), pathology_per="image")
    assert (imported.patients, imported.problems) == (4, ())
    assert Counter(row.label for row in ImageTruth.objects.all()) == {0: 5, 1: 3}


def test_a_patient_whose_pathology_changed_since_the_last_import_is_named():
    found = make.found(4)
    bring(found)
    new = replace(found.images[0], pathology=Pathology.NORMAL, load=partial(make.drawn, 99), name="new.png")
    imported = bring(replace(found, images=(new,)))
    assert imported.images_new == 0
    assert "was imported as malignant" in imported.problems[0].sentence


def test_a_cohort_keeps_its_seed_and_split():
    bring(make.found(4))
    with pytest.raises(StudyError, match="exists with seed 1"):
        bring(make.found(4), seed=2)


def test_import_in_many_processes_gives_the_same_pixels(tmp_path):
    """Real source images must survive the way to another process; 16 make the import use several."""
    rows = ["image,patient,laterality,view,pathology"]
    for number in range(16):
        PillowImage.fromarray(make.drawn(number).values.astype(np.uint16)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,p{number // 2},L,CC,{'malignant' if number < 6 else 'normal'}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    call_command("import_cohort", "many", table=tmp_path / "table.csv", resolution=["low"])
    assert Image.objects.count() == 16
    # The child processes know nothing of this test's small sizes: they get those of the cohort.
    assert {decode_png(s.path).shape for s in Stimulus.objects.all()} == {(64, 52)}


def test_the_command_names_what_went_wrong_and_fails(tmp_path, capsys):
    PillowImage.fromarray(make.drawn(1).values).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    (tmp_path / "table.csv").write_text(
        "image,patient,laterality,view,pathology\n"
        "good.png,p1,L,CC,malignant\nbad.png,p2,R,MLO,normal\nmissing.png,p3,L,CC,benign\n"
    )
    with pytest.raises(CommandError) as told:
        call_command("import_cohort", "mixed", table=tmp_path / "table.csv", resolution=["low"])
    assert "2 could not be imported" in str(told.value)
    assert "bad.png" in str(told.value)
    assert "missing.png" in str(told.value)
    assert Image.objects.count() == 1


@pytest.mark.parametrize("split", ["80/20", "80/10/20", "a/b/c", "100/0/0"])
def test_a_wrong_split_is_refused_by_a_sentence(split, tmp_path):
    (tmp_path / "t.csv").write_text("image,patient,pathology\n")
    with pytest.raises(CommandError, match="three positive percentages"):
        call_command("make_phantoms", "x", patients=3, split=split)
