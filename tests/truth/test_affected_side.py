"""Only the affected breast of a patient with cancer, as in the article."""

import pytest
from django.core.management import call_command

from readerstudy.audit.models import Event
from readerstudy.cohort.models import Image
from readerstudy.errors import BadInput
from readerstudy.image_import.forms import CohortForm
from readerstudy.modalities import MODALITIES
from readerstudy.sources.affected_side import of_affected_sides
from readerstudy.sources.source import ImportBatch
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.models import ImageTruth
from tests import make
from tests.image_import import sending
from tests.sources.make_files import write_png, write_table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]

# Anna has cancer on the left, Berta on both sides, Clara on none; Dora's second image does not say its side.
ROWS = (
    ("anna", "malignant", "L", "CC"),
    ("anna", "malignant", "L", "MLO"),
    ("anna", "normal", "R", "CC"),
    ("berta", "malignant", "L", "CC"),
    ("berta", "malignant", "R", "CC"),
    ("clara", "normal", "L", "CC"),
    ("clara", "normal", "R", "CC"),
    ("dora", "malignant", "R", "CC"),
    ("dora", "normal", "", "MLO"),
)
STAYING = ["anna", "anna", "berta", "berta", "clara", "clara", "dora"]


def batch() -> ImportBatch:
    return ImportBatch(
        "MG", tuple(make.source(n, patient, what, side, view) for n, (patient, what, side, view) in enumerate(ROWS))
    )


def bring(**changes):
    values = {"seed": 1, "at": make.MONDAY, "resolutions": ("low",), "processes": 1, **changes}
    return import_cohort("films", batch(), **values)


def test_the_other_side_of_patients_with_the_finding_is_left_out():
    found, left_out = of_affected_sides(batch(), side="laterality")
    assert [image.patient_key for image in found.images] == STAYING
    assert left_out == 2
    assert "2 images of the other side were left out; 3 patients" in found.notes[0]


def test_a_benign_image_of_the_affected_side_is_still_a_contradiction():
    mixed = ImportBatch("MG", (make.source(0, "eva", "malignant"), make.source(1, "eva", "benign", view="MLO")))
    found, left_out = of_affected_sides(mixed, side="laterality")
    assert (len(found.images), left_out) == (2, 0)


def test_a_patient_whose_other_breast_is_normal_is_no_longer_lost():
    assert bring().images_new == 4  # Berta's and Clara's: the others have two pathologies
    assert bring(affected_side_only=True).images_new == 3
    assert Image.objects.count() == 7
    assert set(ImageTruth.objects.values_list("pathology", flat=True)) == {"positive", "normal"}


def test_with_a_pathology_for_each_image_it_is_no_negative():
    bring(affected_side_only=True, pathology_per="image")
    assert ImageTruth.objects.filter(pathology="normal").count() == 2  # Clara's


def test_the_trail_keeps_what_was_left_out_for_the_report():
    bring(affected_side_only=True)
    bring()
    first, second = Event.objects.filter(verb="cohort.imported").order_by("pk")
    assert first.data["other_sides"] == 2
    assert "other_sides" not in second.data


def test_images_without_sides_are_refused_with_the_reason():
    assert {code for code, modality in MODALITIES.items() if modality.side} == {"MG"}
    with pytest.raises(BadInput, match="no sides"):
        of_affected_sides(batch(), side="")
    other = next(code for code in MODALITIES if code != "MG")
    form = CohortForm({**sending.OPTIONS, "modality": other, "affected_side_only": "on"})
    assert "affected_side_only" in form.errors


def write_files(folder):
    rows = []
    for number, (patient, pathology, side, view) in enumerate(ROWS):
        pixels = make.drawn(number)
        write_png(folder / f"image-{number}.png", pixels.values.astype("uint16"), significant_bits=pixels.bits)
        rows.append(f"image-{number}.png,{patient},{side},{view},{pathology}")
    write_table(folder, rows)


def test_the_command_and_the_page_have_the_rule(tmp_path, client, rosa, capsys):
    folder = tmp_path / "images"
    folder.mkdir()
    write_files(folder)
    values = {"table": folder / "table.csv", "split": "40/30/30"}
    call_command("import_cohort", "by-command", affected_side_only=True, **values)
    assert "Only the affected side: 2 images" in capsys.readouterr().out
    client.force_login(rosa)
    row = sending.checked(sending.sent(client, sending.zip_of(folder), cohort="by-page", affected_side_only="on"))
    sending.imported(client, row)
    for name in ("by-command", "by-page"):
        assert Image.objects.filter(exam__patient__cohort__name=name).count() == len(STAYING)
