"""Synthetic images: checked, stored on the real path without a real image, compared with the real ones."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from readerstudy.cohort.models import Image, Patient, Stimulus
from readerstudy.cohort.pairs import PixelRules
from readerstudy.errors import BadInput, StudyError
from readerstudy.experiments.models import Attack
from readerstudy.imaging.background import background_level
from readerstudy.imaging.grey_levels import bit_depth_levels
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities import MODALITIES
from readerstudy.truth.models import AdversarialImport, ImageTruth, Truth
from readerstudy.truth.queries import (
    adversarial_images,
    count_cohorts,
    count_pathologies_by_split,
    real_images,
    synthetic_images,
)
from readerstudy.truth.tells import tell_sentences
from tests import elsewhere
from tests.sources.make_files import write_png

pytestmark = pytest.mark.django_db
HEADER = "image,pathology"


@pytest.fixture(params=MODALITIES.values(), ids=str)
def each(request, tmp_path, monkeypatch):
    return elsewhere.set_up(request.param, tmp_path, monkeypatch, patients=4)


@pytest.fixture
def films(tmp_path, monkeypatch):
    return elsewhere.set_up(MODALITIES["MG"], tmp_path, monkeypatch, patients=6)


def bring(films, rows, *, header=HEADER, **changes):
    return films.bring(table=films.table(header=header, rows=rows), **changes)


def sentences(result) -> dict[str, str]:
    return {problem.name: problem.sentence for problem in result.problems}


def test_each_image_is_stored_as_adversarial_without_a_source(each):
    real = len(real_images(each.cohort, each.cohort.resolutions[0]))
    result = bring(each, each.write_synthetic(4))
    assert (result.problems, result.is_stored, len(result.rows)) == ((), True, 4)
    truths = Truth.objects.filter(generator="theirs").select_related("stimulus__image")
    assert len(truths) == 4 * len(each.cohort.resolutions) == result.images
    for truth in truths:
        assert (truth.authenticity, truth.source_image, truth.direction) == ("adversarial", None, "")
        assert truth.label == ImageTruth.objects.get(image=truth.stimulus.image).label
        assert set(truth.quality) >= {"sharpness", "entropy"}
        assert "psnr_db" not in truth.quality
        stored = decode_png(truth.stimulus.path)
        assert stored.shape == each.cohort.size_of(truth.stimulus.resolution)
        assert np.isin(stored, bit_depth_levels(elsewhere.BITS)).all()
    assert Attack.objects.get().method == "synthetic"
    # A real image keeps its counts: nothing that trains a network or describes the cohort sees the others.
    assert len(real_images(each.cohort, each.cohort.resolutions[0])) == real
    counts = count_cohorts()[each.cohort.pk]
    assert (sum(counts.images.values()), counts.attacks) == (real, {"theirs": 4})
    assert sum(split.images for split in count_pathologies_by_split(each.cohort).values()) == real


def test_groups_stay_together_and_splits_are_those_of_the_table(films):
    words = [row.partition(",")[2] for row in films.write_synthetic(4)]
    groups = ("a,train", "a,train", ",tuning", ",")
    rows = [f"made-{number}.png,{word},{groups[number]}" for number, word in enumerate(words)]
    before = set(Patient.objects.values_list("pk", flat=True))
    bring(films, rows, header=f"{HEADER},group,split")
    patients = Patient.objects.exclude(pk__in=before)
    assert sorted((patient.split, patient.exams.get().images.count()) for patient in patients) == [
        ("test", 1), ("train", 2), ("tuning", 1)
    ]  # fmt: skip
    splits = {image.split for image in synthetic_images(films.cohort, films.cohort.resolutions[0], ["theirs"])}
    assert splits == {"train", "tuning", "test"}
    assert all(image.is_synthetic for image in adversarial_images(films.cohort, "low", ["theirs"]).values())


def test_every_refused_row_says_why(films):
    rows = films.write_synthetic(3)
    pathology = rows[0].partition(",")[2]
    copy, near = films.names[:2]
    noisy = films.values(near).astype(int) + np.random.default_rng(1).integers(-1, 2, films.values(near).shape)
    write_png(films.folder / "near.png", np.clip(noisy, 0, 4095).astype(np.uint16), significant_bits=elsewhere.BITS)
    table = [
        f"{rows[0]},,,",
        f"{rows[0]},,,",
        f"{copy},{pathology},,,",
        f"near.png,{pathology},,,",
        f"gone.png,{pathology},,,",
        "made-1.png,unclear,,,",
        f"made-1.png,{pathology},,nowhere,",
        f"made-1.png,{pathology},g,train,",
        f"made-2.png,{pathology},g,test,",
        f"made-1.png,{pathology},,,not a name",
        f",{pathology},,,",
    ]
    result = bring(films, table, header=f"{HEADER},group,split,attack")
    told = sentences(result)
    assert told["row 3"].startswith("made-0.png is a copy of made-0.png (correlation 1.00)")
    assert "is a copy of an image of patient P" in told["row 4"]
    assert "is a copy of an image of patient P" in told["row 5"]
    assert told["row 6"] == "gone.png is not there."
    assert told["row 7"].startswith("has the pathology 'unclear'")
    assert told["row 8"] == "has the split 'nowhere'; train, tuning and test are understood."
    assert told["row 10"] == "puts the group g into another split than row 9."
    assert "names the attack 'not a name'" in told["row 11"]
    assert told["row 12"] == "names no image."
    assert (len(told), result.is_stored) == (9, False)
    assert not Attack.objects.exists()


def test_a_dry_run_stores_nothing_and_leaves_no_file(films):
    files = set(Stimulus.objects.values_list("file", flat=True))
    images = Image.objects.count()
    result = bring(films, films.write_synthetic(2), is_dry_run=True)
    assert (len(result.rows), result.is_stored) == (2, False)
    assert (Image.objects.count(), set(Stimulus.objects.values_list("file", flat=True))) == (images, files)


def test_the_real_background_is_put_around_the_tissue_if_asked_for(films):
    rows = films.write_synthetic(2)
    for number in range(2):
        values = np.maximum(films.values(f"made-{number}.png"), 60)
        write_png(films.folder / f"made-{number}.png", values, significant_bits=elsewhere.BITS)
    bring(films, rows, options={"rules": PixelRules(keep_background=True)})
    real = decode_png(real_images(films.cohort, "low")[0].path)
    for image in adversarial_images(films.cohort, "low", ["theirs"]).values():
        assert background_level(decode_png(image.path)) == background_level(real)


def test_a_rule_that_needs_a_real_image_is_refused(films):
    with pytest.raises(BadInput, match="keep_grid"):
        bring(films, films.write_synthetic(2), options={"rules": PixelRules(keep_grid=True)})


def test_the_import_records_its_files_and_is_made_once(films, rosa):
    rows = films.write_synthetic(2)
    bring(films, rows, actor=rosa)
    stored = AdversarialImport.objects.get()
    assert [len(pair["adversarial_sha256"]) for pair in stored.pairs] == [64, 64]
    assert not any("real_sha256" in pair for pair in stored.pairs)
    with pytest.raises(StudyError, match="'theirs' already"):
        bring(films, rows)


def test_what_gives_synthetic_images_away_is_found(films):
    result = bring(films, films.write_synthetic(4, bits=8, factor=2), is_dry_run=True)
    (tells,) = result.tells.values()
    codes = {finding["code"] for finding in tells["findings"]}
    assert {"bits_fewer", "enlarged", "few_images"} <= codes
    assert tells["real_images"] > 0
    assert all("%(" not in found.what + found.advice for found in tell_sentences(tells))


def test_the_command_says_what_it_understood(films, capsys):
    table = films.table(header=HEADER, rows=films.write_synthetic(2))
    call_command("import_adversarial", "p3", table=table, attack="theirs", dry_run=True)
    out = capsys.readouterr().out
    assert "row 2: made-0.png is synthetic (test, " in out
    assert "2 synthetic images for the cohort p3 understood; nothing was stored." in out
    bad = films.table(header=HEADER, rows=["gone.png,normal"])
    with pytest.raises(CommandError, match=r"row 2: gone.png is not there"):
        call_command("import_adversarial", "p3", table=bad, attack="theirs", json=True)
    assert json.loads(capsys.readouterr().out)["is_stored"] is False
