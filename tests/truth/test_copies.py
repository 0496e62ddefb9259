"""Copies at import: found whatever was done to them, kept in one split, reported, and refused by the database."""

import json
from dataclasses import replace

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from PIL import Image as PillowImage

from readerstudy.analysis.queries.material import cohort_facts
from readerstudy.analysis.record.conduct import CopyGroups
from readerstudy.audit.models import Event
from readerstudy.cohort.importing import ImportResult
from readerstudy.cohort.models import Image, Patient, Stimulus
from readerstudy.cohort.storage import patient_fingerprint
from readerstudy.imaging.image import Pixels
from readerstudy.imaging.near_copies import sign
from readerstudy.imaging.png16 import decode_png
from readerstudy.sources.source import ImportBatch, ImportImage
from readerstudy.truth.actions import import_cohort
from readerstudy.vocabulary import Split
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]


def bring(*images: ImportImage, name: str = "films") -> ImportResult:
    batch = ImportBatch("MG", tuple(images))
    fractions = (0.4, 0.3, 0.3)
    return import_cohort(
        name, batch, seed=1, at=make.MONDAY, fractions=fractions, resolutions=("high", "low"), processes=1
    )


def picture(number: int, patient: str, *, change=lambda values: values, **fields) -> ImportImage:
    """Return a normal image; the same number is the same picture, before the change."""

    def load() -> Pixels:
        pixels = make.drawn(number)
        return Pixels(change(pixels.values), pixels.bits)

    source = replace(make.source(number, patient, "normal"), name=f"{patient}-{number}.png", load=load)
    return replace(source, **fields)


def brighter(values: np.ndarray) -> np.ndarray:
    return np.clip(1.2 * values + 40, 0, 4095).astype(np.uint16)


def mirrored(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values[:, ::-1])


def cropped(values: np.ndarray) -> np.ndarray:
    return values[:, :-2]


def splits(name: str = "films") -> dict[str, str]:
    """Return the split of each patient that is named p0, p1, ..."""
    marks = dict(Patient.objects.filter(cohort__name=name).values_list("fingerprint", "split"))
    cohort = Patient.objects.filter(cohort__name=name).first().cohort
    named = {f"p{number}": patient_fingerprint(cohort, f"p{number}") for number in range(20)}
    return {key: marks[mark] for key, mark in named.items() if mark in marks}


def ten() -> list[ImportImage]:
    """Return ten patients with a picture each; 4, 3 and 3 go to the three splits."""
    return [picture(number, f"p{number}") for number in range(10)]


def two_of_different_splits() -> tuple[str, str]:
    """Return the first patient in training and the first in test, after `ten` were imported."""
    stored = splits()
    return tuple(next(key for key in stored if stored[key] == split) for split in (Split.TRAIN, Split.TEST))


def test_a_cohort_without_copies_has_no_moments_and_reports_none():
    imported = bring(*ten())
    assert imported.near_copies == ()
    assert set(Image.objects.values_list("moment", flat=True)) == {""}


@pytest.mark.parametrize(
    ("change", "kind"), [(lambda values: values, "exact"), (brighter, "near"), (mirrored, "near"), (cropped, "near")]
)
def test_a_copy_under_a_new_patient_takes_the_split_of_its_original(change, kind):
    bring(*ten(), name="plain")
    first, last = (
        next(key for key, split in splits("plain").items() if split == wanted) for wanted in (Split.TRAIN, Split.TEST)
    )
    number = int(first[1:])
    images = [image for image in ten() if image.patient_key != last]
    imported = bring(*images, picture(number, last, change=change, name="again.png"))
    copy = imported.near_copies[0]
    assert (copy.name, copy.other, copy.kind, copy.split) == ("again.png", f"{first}-{number}.png", kind, "train")
    assert copy.correlation > 0.9
    assert imported.problems == ()
    assert splits() == {**splits("plain"), last: "train"}
    assert len(set(Image.objects.filter(exam__patient__cohort__name="films").exclude(moment=""))) == 2
    assert Image.objects.exclude(moment="").values("moment").distinct().count() == 1


def test_a_copy_of_an_image_of_an_earlier_import_is_found_in_its_file():
    bring(*ten())
    for patient in ("p11", "p12", "p13"):
        bring(picture(3, patient, change=brighter))
    assert {splits()[patient] for patient in ("p11", "p12", "p13")} == {splits()["p3"]}
    assert Image.objects.exclude(moment="").count() == 4


def test_what_is_stored_finds_the_same_signature_as_the_import():
    bring(*(picture(number, f"p{number}", change=cropped) for number in range(3)))
    for stimulus in Stimulus.objects.filter(resolution="low").select_related("image"):
        top, left, rows, columns = stimulus.image.signature["box"]
        content = decode_png(stimulus.path)[top : top + rows, left : left + columns]
        assert sign(content).text == stimulus.image.signature["hash"]


def test_an_earlier_image_is_named_by_its_patient_s_pseudonym():
    bring(*ten())
    imported = bring(picture(3, "p11"))
    pseudonym = Image.objects.earliest("pk").exam.patient.cohort.patients.order_by("pseudonym")[3].pseudonym
    assert imported.near_copies[0].other == f"an image of patient {pseudonym} from an earlier import"


def test_an_image_of_a_known_patient_with_a_copy_in_another_split_is_left_out():
    bring(*ten())
    before = splits()
    trained, tested = two_of_different_splits()
    number = int(trained[1:])
    imported = bring(*ten(), picture(number, tested, change=brighter, name="wrong.png"))
    problem = imported.problems[0]
    assert problem.name == "wrong.png"
    assert problem.sentence == (
        f"is a near-copy of {trained}-{number}.png in the split train, but its patient is in the split test. "
        "The image is left out."
    )
    assert (imported.images_new, imported.near_copies, splits()) == (0, (), before)


def test_a_new_patient_with_copies_in_two_splits_keeps_those_of_one():
    bring(*ten())
    trained, tested = two_of_different_splits()
    copies = [picture(int(key[1:]), "p12", name=f"of-{key}.png") for key in (trained, trained, tested)]
    copies[1] = replace(copies[1], load=picture(int(trained[1:]), "p12", change=brighter).load, name="twice.png")
    imported = bring(picture(30, "p12", name="own.png"), *copies)
    assert splits()["p12"] == "train"
    assert [problem.name for problem in imported.problems] == [f"of-{tested}.png"]
    assert {copy.name for copy in imported.near_copies} == {f"of-{trained}.png", "twice.png"}
    assert imported.images_new == 3


def test_a_patient_of_whom_every_image_is_left_out_is_not_stored():
    bring(*ten())
    trained, tested = two_of_different_splits()
    parts = [picture(int(key[1:]), f"p{number}", recording="night") for number, key in ((11, trained), (12, tested))]
    imported = bring(*parts)
    assert (imported.images_new, imported.patients) == (1, 11)
    assert [problem.name for problem in imported.problems] == [f"p12-{tested[1:]}.png"]


def test_the_same_file_again_after_it_was_left_out_is_left_out_again():
    bring(*ten())
    trained, tested = two_of_different_splits()
    wrong = picture(int(trained[1:]), tested, name="wrong.png")
    imported = bring(wrong, replace(wrong, name="again.png"))
    assert [problem.name for problem in imported.problems] == ["wrong.png", "again.png"]
    assert imported.problems[1].sentence == "has the same pixels as wrong.png, which was left out."
    assert len(bring(wrong).problems) == 1


def test_importing_copies_twice_adds_nothing_and_reports_them_once():
    images = [*ten(), picture(3, "p11", change=brighter)]
    first, again = bring(*images), bring(*images)
    assert len(first.near_copies) == 1
    assert (again.images_new, again.images_known, again.near_copies, again.problems) == (0, 11, (), ())


def test_copies_of_one_patient_share_a_moment_too():
    imported = bring(picture(1, "p1"), picture(1, "p1", change=mirrored, name="turned.png"))
    assert [copy.name for copy in imported.near_copies] == ["turned.png"]
    assert Image.objects.exclude(moment="").count() == 2


def test_the_order_of_rows_of_interleaved_patients_does_not_matter_for_the_split():
    apart = [picture(number, f"p{number % 5}") for number in range(10)]
    bring(*apart)
    bring(*sorted(apart, key=lambda image: image.patient_key), name="sorted")
    assert splits() == splits("sorted")
    pseudonyms = Patient.objects.filter(cohort__name="films").order_by("pk").values_list("pseudonym", flat=True)
    assert list(pseudonyms) == ["P00001", "P00002", "P00003", "P00004", "P00005"]


def test_parts_of_a_recording_share_a_moment_and_stay_in_one_split():
    parts = [picture(20 + number, f"p{number}", recording="night 7") for number in range(10)]
    imported = bring(*parts)
    assert len(set(splits().values())) == 1
    assert imported.near_copies == ()
    assert Image.objects.values("moment").distinct().count() == 1
    assert "night" not in str(list(Image.objects.values()))


def test_an_image_that_belongs_to_two_groups_makes_them_one():
    bring(*ten())
    alike = [key for key, split in splits().items() if split == "train"][:2]
    first, second = (int(key[1:]) for key in alike)
    bring(picture(first, "p11", change=brighter), picture(second, "p12", change=brighter, recording="night"))
    assert Image.objects.exclude(moment="").values("moment").distinct().count() == 2
    bring(picture(first, "p13", change=mirrored, recording="night"))
    assert {splits()[key] for key in ("p11", "p12", "p13")} == {"train"}
    assert Image.objects.exclude(moment="").count() == 5
    assert Image.objects.exclude(moment="").values("moment").distinct().count() == 1
    # The recording is found although its moment is another one now.
    bring(picture(33, "p14", recording="night"))
    assert splits()["p14"] == "train"
    assert Image.objects.exclude(moment="").values("moment").distinct().count() == 1


def test_a_flat_picture_is_compared_by_its_pixels_alone():
    def flat(values):
        return np.full_like(values, 700)

    imported = bring(picture(1, "p1", change=flat), picture(2, "p2", change=flat))
    assert [copy.kind for copy in imported.near_copies] == ["exact"]
    assert {json.dumps(signature) for signature in Image.objects.values_list("signature", flat=True)} == {"{}"}


def test_an_earlier_image_whose_file_is_missing_does_not_stop_an_import():
    bring(*ten())
    for stimulus in Stimulus.objects.all():
        stimulus.path.unlink()
    assert bring(picture(3, "p11", change=brighter)).images_new == 1


def test_the_import_s_event_counts_copies():
    bring(*ten(), picture(3, "p11"))
    assert Event.objects.get(verb="cohort.imported").data["near_copies"] == 1


def test_the_command_prints_copies_as_a_table_and_is_no_error(tmp_path, capsys):
    for name, change in (("a", lambda values: values), ("b", brighter)):
        PillowImage.fromarray(change(make.drawn(1).values)).save(tmp_path / f"{name}.png")
    (tmp_path / "table.csv").write_text("image,patient,pathology\na.png,p1,normal\nb.png,p2,normal\n")
    call_command("import_cohort", "films", table=tmp_path / "table.csv", resolution=["low"])
    printed = capsys.readouterr().out
    assert "Copies of other images" in printed
    row = next(line.split() for line in printed.splitlines() if "b.png" in line)
    assert row[:3] == ["b.png", "a.png", "near"]


def test_the_command_gives_copies_as_json(tmp_path, capsys):
    PillowImage.fromarray(make.drawn(1).values).save(tmp_path / "a.png")
    PillowImage.fromarray(make.drawn(1).values).save(tmp_path / "b.png")
    (tmp_path / "table.csv").write_text("image,patient,pathology\na.png,p1,normal\nb.png,p2,normal\n")
    call_command("import_cohort", "films", table=tmp_path / "table.csv", resolution=["low"], json=True)
    copies = json.loads(capsys.readouterr().out)["near_copies"]
    assert [(copy["name"], copy["other"], copy["kind"]) for copy in copies] == [("b.png", "a.png", "exact")]


def test_a_copy_in_two_splits_is_an_error_of_the_command(tmp_path):
    bring(*ten())
    trained, tested = two_of_different_splits()
    PillowImage.fromarray(make.drawn(int(trained[1:])).values).save(tmp_path / "wrong.png")
    (tmp_path / "table.csv").write_text(f"image,patient,pathology,bits\nwrong.png,{tested},normal,12\n")
    with pytest.raises(CommandError, match=r"wrong\.png: has the same pixels as an image of patient P\d+"):
        call_command("import_cohort", "films", table=tmp_path / "table.csv", split="40/30/30")


# --- the database refuses what the import avoids ------------------------------------------------------------
REFUSED = "would lie in two splits"


def two_images_of_different_splits() -> tuple[Image, Image]:
    bring(*ten())
    train, test = (Image.objects.filter(exam__patient__split=split).first() for split in (Split.TRAIN, Split.TEST))
    return train, test


def refused(statement: str, *values: object) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        cursor.execute(statement, values)


def test_the_database_refuses_a_moment_in_two_splits():
    train, test = two_images_of_different_splits()
    Image.objects.filter(pk=train.pk).update(moment="m")
    refused("UPDATE cohort_image SET moment = 'm' WHERE id = %s", test.pk)


def test_the_database_refuses_a_new_image_with_a_moment_of_another_split():
    train, test = two_images_of_different_splits()
    Image.objects.filter(pk=train.pk).update(moment="m")
    columns = "exam_id, attributes, source_bits, source_rows, source_columns, fingerprint, signature, recording, moment"
    insert = f"INSERT INTO cohort_image ({columns}) VALUES (%s, '{{}}', 8, 1, 1, 'new', '{{}}', '', %s)"
    refused(insert, test.exam_id, "m")
    with connection.cursor() as cursor:
        cursor.execute(insert, (train.exam_id, "m"))
        cursor.execute(insert.replace("'new'", "'newer'"), (test.exam_id, "another"))


def test_the_database_refuses_to_move_a_patient_away_from_a_copy():
    train, _ = two_images_of_different_splits()
    other = Image.objects.filter(exam__patient__split="train").exclude(pk=train.pk).first()
    Image.objects.filter(pk__in=[train.pk, other.pk]).update(moment="m")
    move = "UPDATE cohort_patient SET split = 'test' WHERE id = %s"
    refused(move, train.exam.patient_id)
    Image.objects.filter(pk=other.pk).update(moment="")
    with connection.cursor() as cursor:
        cursor.execute(move, (train.exam.patient_id,))


def test_the_database_refuses_to_give_an_exam_to_a_patient_of_another_split():
    train, test = two_images_of_different_splits()
    other = Image.objects.filter(exam__patient__split="train").exclude(pk=train.pk).first()
    Image.objects.filter(pk__in=[train.pk, other.pk]).update(moment="m")
    refused("UPDATE cohort_exam SET patient_id = %s, number = 2 WHERE id = %s", test.exam.patient_id, train.exam_id)


def test_the_same_moment_in_two_cohorts_is_no_conflict():
    train, _ = two_images_of_different_splits()
    bring(*ten(), name="others")
    elsewhere = Image.objects.filter(exam__patient__cohort__name="others", exam__patient__split="test").first()
    Image.objects.filter(pk=train.pk).update(moment="m")
    Image.objects.filter(pk=elsewhere.pk).update(moment="m")
    assert Image.objects.filter(moment="m").count() == 2


def test_a_study_s_record_counts_groups_of_copies_from_the_database(study):
    first = Image.objects.filter(exam__patient__cohort=study.cohort, exam__patient__split="train")[:3]
    Image.objects.filter(pk__in=[image.pk for image in first[:2]]).update(moment="pair")
    Image.objects.filter(pk=first[2].pk).update(moment="alone")
    assert cohort_facts(study, ()).copies == CopyGroups(images=2, groups=1, divided_groups=0)
