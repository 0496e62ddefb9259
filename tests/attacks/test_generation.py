"""Jobs that generate adversarial images: each method, its row, quality, and resuming after a kill."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from attacks.tasks.generating import _attack, _generate, _make_groups
from models_ml.presets import PRESETS, Preset
from models_ml.runs import checkpoint
from models_ml.runtime.progress import silent
from models_ml.training.inpainting import inpainting_config
from readerstudy import serialise
from readerstudy.cohort.models import Cohort
from readerstudy.errors import StudyError
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind, Evaluation
from readerstudy.imaging.difference import read_signed_difference
from readerstudy.imaging.png16 import decode_png
from readerstudy.jobs.models import Job
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.modalities.mammography.phantom import phantom_images
from readerstudy.rehearsal.management.commands.demo import _Demonstration
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.queries import real_images
from tests import make
from tests.attacks.small import small_classifier
from tests.models_ml import tiny
from tests.tamper import without_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small", "runs")]

SIZE = (tiny.ROWS, 26)  # the shape of the study's pictures


@pytest.fixture
def runs(settings, tmp_path, monkeypatch):
    settings.RUNS_DIR = str(tmp_path / "runs")
    settings.CACHE_DIR = str(tmp_path / "cache")
    # Similarity over five scales needs 176 pixels on a side; the pictures of these tests have fewer.
    monkeypatch.setattr("readerstudy.imaging.quality.MS_SSIM_WEIGHTS", (1.0,))
    monkeypatch.setattr("readerstudy.imaging.quality.MS_SSIM_LEAST", 11)
    return tmp_path / "runs"


@pytest.fixture
def cohort(runs) -> Cohort:
    return make.cohort(patients=8, fractions=(0.4, 0.2, 0.4))


@pytest.fixture
def target_classifier(cohort, runs) -> Checkpoint:
    """An untrained classifier as a finished run."""
    classifier = small_classifier()
    config = replace(classifier.config, rows=SIZE[0], columns=SIZE[1])
    identity = {"kind": "classifier", "seed": 1, "split_hash": "", "data_hash": "", "config": serialise.to_dict(config)}
    description = checkpoint.Provenance(
        **identity,
        preset="tiny",
        code_version="",
        torch_version="",
        device="cpu",
        precision="fp32",
        metrics={},
        history=[],
    )
    checkpoint.write_run(runs / "cad", description, classifier)
    return Checkpoint.objects.create(
        name="cad",
        kind=CheckpointKind.CLASSIFIER,
        cohort=cohort.name,
        preset="tiny",
        seed=1,
        split_hash="",
        code_version="",
        folder="cad",
        made_at=make.MONDAY,
    )


def generate(cohort: Cohort, **options):
    parameters = {"cohort": cohort.name, "resolutions": ["low"]} | options
    work = _attack if "attack" in options else _generate
    return work(0, parameters, silent)


PGD = {"method": "pgd", "classifier": "cad", "name": "pgd-4", "epsilon": "4/255", "steps": 3}


def test_each_image_gets_an_adversarial_image_within_the_budget(cohort, target_classifier):
    result = generate(cohort, attack=PGD)
    pictures = real_images(cohort, "low")
    assert result == {"made": len(pictures), "known": 0, "attacks": ["pgd-4"]}
    row = Attack.named("pgd-4")
    assert (row.method, row.direction, row.classifier, row.generator) == ("pgd", "", target_classifier, None)
    assert row.settings["epsilon"] == 1028
    assert row.settings["epsilon_share"] == "4/255"
    assert row.settings["weights"]
    for truth in Truth.objects.filter(attack=row):
        real, adversarial = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
        assert 0 < np.abs(adversarial.astype(int) - real).max() <= 1028
        assert truth.quality["linf_levels"] == np.abs(adversarial.astype(int) - real).max()
        assert truth.generator == "pgd-4"
        positive = ImageTruth.objects.get(image=truth.source_image.image).label
        assert (truth.direction, truth.label) == (("remove", 0) if positive else ("insert", 1))


def test_the_stored_difference_is_that_of_the_two_files(cohort, target_classifier, settings):
    generate(cohort, attack={**PGD, "method": "fgsm", "steps": None}, splits=["test"])
    truth = Truth.objects.filter(generator="pgd-4").first()
    real, adversarial = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
    stored = decode_png(Path(settings.MEDIA_ROOT) / truth.difference_file)
    assert np.abs(read_signed_difference(stored) - (real.astype(int) - adversarial)).max() <= 1


def test_an_interrupted_job_continues_and_a_finished_one_stops(cohort, target_classifier):
    def kill(done: int, *_) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _attack(0, {"cohort": cohort.name, "resolutions": ["low"], "attack": PGD}, kill)
    assert Truth.objects.filter(generator="pgd-4").count() == 5
    rest = generate(cohort, attack=PGD)
    assert (rest["known"], rest["made"]) == (5, len(real_images(cohort, "low")) - 5)
    assert generate(cohort, attack=PGD)["made"] == 0


def test_images_attacked_in_one_batch_give_the_same_files(cohort, target_classifier, monkeypatch):
    generate(cohort, attack=PGD, splits=["test"])
    monkeypatch.setattr("attacks.tasks.generating._make_groups", partial(_in_threes, _make_groups))
    generate(cohort, attack={**PGD, "name": "together"}, splits=["test"])
    alone, together = (
        {truth.source_image_id: truth.stimulus.path.read_bytes() for truth in Truth.objects.filter(generator=name)}
        for name in ("pgd-4", "together")
    )
    assert alone == together


def _in_threes(make_groups, pictures, size):
    groups = make_groups(pictures, 3)
    assert size < 3 == max(map(len, groups))
    return groups


def test_an_attack_name_is_unique(cohort, target_classifier):
    generate(cohort, attack=PGD, splits=["tuning"])
    with pytest.raises(StudyError, match="pgd-4"):
        generate(cohort, attack={**PGD, "epsilon": "8/255"})


def test_only_the_chosen_splits_are_attacked(cohort, target_classifier):
    generate(cohort, attack=PGD, splits=["test"])
    wanted = {picture.image_id for picture in real_images(cohort, "low") if picture.split == "test"}
    assert {truth.source_image.image_id for truth in Truth.objects.filter(generator="pgd-4")} == wanted


def test_a_step_after_the_attack_can_be_left_out(cohort, target_classifier):
    generate(cohort, attack=PGD, splits=["test"])
    generate(cohort, attack={**PGD, "name": "bare"}, splits=["test"], keep_background=False)
    outside = {
        name: sum(truth.quality["changed_outside_share"] for truth in Truth.objects.filter(generator=name))
        for name in ("pgd-4", "bare")
    }
    assert outside["pgd-4"] == 0 < outside["bare"]
    assert Attack.named("bare").settings["keep_background"] is False


def test_a_known_lesion_gives_the_figures_about_it(cohort, target_classifier):
    box = {"top": 0.2, "left": 0.1, "bottom": 0.7, "right": 0.6}
    with without_triggers():
        ImageTruth.objects.filter(pathology="positive").update(lesions=[box])
    generate(cohort, attack=PGD, splits=["test"])
    for truth in Truth.objects.filter(generator="pgd-4"):
        assert ("lesion_enrichment" in truth.quality) == (truth.direction == "remove")


def test_a_phantom_s_lesion_is_used_for_quality_measures(target_classifier):
    found = phantom_images(3, seed=1, size=(64, 52))
    settings = {"seed": 1, "fractions": (0.4, 0.2, 0.4), "resolutions": ("low",), "processes": 1}
    import_cohort("phantoms", found, at=make.MONDAY, **settings)
    generate(Cohort.named("phantoms"), attack={**PGD, "steps": 1})
    known = ImageTruth.objects.filter(image__exam__patient__cohort__name="phantoms").values_list("image", "lesions")
    with_lesion = {image for image, lesions in known if lesions}
    adversarial_truths = Truth.objects.filter(generator="pgd-4")
    assert 0 < len(with_lesion) < adversarial_truths.count()
    assert [lesions for image, lesions in known if image not in with_lesion] == [[]] * (len(known) - len(with_lesion))
    for truth in adversarial_truths:
        figures = {"lesion_energy_share", "lesion_enrichment"} & set(truth.quality)
        assert len(figures) == (2 if truth.source_image.image_id in with_lesion else 0)


def test_a_patch_is_trained_and_placed(cohort, target_classifier):
    options = {"method": "patch", "classifier": "cad", "name": "sticker", "diameter": 0.2, "steps": 4}
    generate(cohort, attack=options, splits=["test"])
    row = Attack.named("sticker")
    assert row.settings["diameter"] == 0.2
    assert row.settings["texture_0"] != row.settings["texture_1"]
    assert all(0 < truth.quality["changed_share"] < 0.06 for truth in Truth.objects.filter(attack=row))


def test_inpainters_can_replace_gans(cohort, target_classifier, monkeypatch):
    preset = Preset("tiny", replace(small_classifier().config, rows=SIZE[0], columns=SIZE[1]), None, None)
    monkeypatch.setitem(PRESETS, "tiny", preset)
    short = partial(inpainting_config, steps=4, channels=(4, 6))
    monkeypatch.setattr("models_ml.training.inpainting.inpainting_config", short)
    for direction in ("remove", "insert"):
        call_command("train_inpainting", "films", direction=direction, classifier="cad", name=f"inp-{direction}")
    call_command("generate_stimuli", "films", gan_remove="inp-remove", gan_insert="inp-insert", split=["test"])
    row = Attack.named("inp-remove")
    assert (row.method, row.direction, row.generator.name, row.classifier) == (
        "inpainting",
        "remove",
        "inp-remove",
        target_classifier,
    )
    both = {"gan_remove": "inp-remove", "gan_insert": "inp-insert", "split": ["test"]}
    with pytest.raises(CommandError, match="--suffix: the attack inp-remove exists already"):
        call_command("generate_stimuli", "films", without=["range"], **both)
    with pytest.raises(CommandError, match="suffix: use letters"):
        call_command("generate_stimuli", "films", without=["range"], suffix=" bare", **both)
    call_command("generate_stimuli", "films", without=["range"], suffix="-bare", **both)
    first, bare = (Truth.objects.filter(attack__name=name) for name in ("inp-remove", "inp-remove-bare"))
    assert 0 < first.count() == bare.count()
    assert Attack.named("inp-remove-bare").settings["keep_range"] is False

    # As little as fools the classifier is another attack by the same generators.
    least = {"strength": "least", "regions": "fewest", "margin": 0.01}
    with pytest.raises(CommandError, match="--suffix: the attack inp-remove exists already"):
        call_command("generate_stimuli", "films", **least, **both)
    call_command("generate_stimuli", "films", suffix="-least", **least, **both)
    whole, limited = Attack.named("inp-remove").settings, Attack.named("inp-remove-least").settings
    assert limited == {**whole, **least}
    for truth in Truth.objects.filter(attack__name="inp-remove-least"):
        real, adversarial = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
        full = decode_png(first.get(source_image=truth.source_image).stimulus.path)
        changed, most = (np.abs(image.astype(int) - real) for image in (adversarial, full))
        assert (changed <= most).all()
        assert truth.quality["linf_levels"] == changed.max()


def test_the_command_lists_what_is_missing(cohort, target_classifier, capsys):
    with pytest.raises(CommandError, match="--gan-remove"):
        call_command("generate_stimuli", "films")
    with pytest.raises(CommandError, match="--classifier"):
        call_command("generate_stimuli", "films", method="pgd")
    with pytest.raises(CommandError, match="NAME=VALUE"):
        call_command("generate_stimuli", "films", method="pgd", classifier="cad", set=["steps"])
    with pytest.raises(CommandError, match="pgd has no setting diameter"):
        call_command("generate_stimuli", "films", method="pgd", classifier="cad", set=["diameter=0.1"])


def test_the_command_makes_an_attack(cohort, target_classifier, capsys):
    call_command(
        "generate_stimuli",
        "films",
        method="pgd",
        classifier="cad",
        epsilon="2/255",
        set=["steps=2", "gradient=upsampled"],
        split=["test"],
        without=["grid"],
    )
    settings = Attack.named("pgd-cad").settings
    assert (settings["epsilon"], settings["steps"], settings["gradient"], settings["keep_grid"]) == (
        514,
        2,
        "upsampled",
        False,
    )
    assert "adversarial images written" in capsys.readouterr().out


@pytest.fixture
def inpainters(cohort, target_classifier, monkeypatch):
    """Generators of both directions under the names of a demonstration, trained for a few steps."""
    preset = Preset("tiny", replace(small_classifier().config, rows=SIZE[0], columns=SIZE[1]), None, None)
    monkeypatch.setitem(PRESETS, "tiny", preset)
    short = partial(inpainting_config, steps=4, channels=(4, 6))
    monkeypatch.setattr("models_ml.training.inpainting.inpainting_config", short)
    for direction in ("remove", "insert"):
        call_command(
            "train_inpainting", "films", direction=direction, classifier="cad", name=f"{cohort.name}-{direction}"
        )


def test_a_demonstration_of_the_least_change_evaluates_the_whole_beside_it(
    cohort, target_classifier, inpainters, monkeypatch
):
    same = {"kind": CheckpointKind.CLASSIFIER, "cohort": "films", "preset": "tiny", "seed": 1, "folder": "cad"}
    Checkpoint.objects.create(name="films-classifier", split_hash="", code_version="", made_at=make.MONDAY, **same)
    monkeypatch.setattr("readerstudy.rehearsal.management.commands.demo.TRAINING_IMAGES", 1)
    demo = _Demonstration(replace(MAMMOGRAPHY, demo=replace(MAMMOGRAPHY.demo, name="films")))
    assert demo.attacks == ("films-remove-least", "films-insert-least")
    for _time in range(2):  # the second time nothing is made again
        demo._generate("")
        demo._evaluate("")
        pictures = real_images(cohort, "low")
        of_test = [picture for picture in pictures if picture.split == "test"]
        held_out = [picture for picture in pictures if picture.split != "train"]
        labels = {picture.label for picture in pictures if picture.split == "train"}
        made = {name: Truth.objects.filter(attack__name__endswith=name).count() for name in ("least", "move", "sert")}
        assert made == {
            "least": len(held_out) + len(labels),
            "move": sum(picture.label for picture in of_test),
            "sert": sum(not picture.label for picture in of_test),
        }
        assert Job.objects.filter(kind="generate").count() == 2
    (evaluation,) = Evaluation.objects.all()
    names = [attack.name for attack in evaluation.read().attacks]
    whole = (attack.removesuffix("-least") for attack in demo.attacks)
    assert names == [" + ".join(whole), " + ".join(demo.attacks)]
