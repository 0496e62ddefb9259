"""The detector and the cross-validation by the commands that a researcher types, and evaluations as rows."""

import json
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from attacks.tasks.evaluating import _evaluate
from models_ml.evaluation.detector import load_detector
from models_ml.evaluation.predictions import scores
from models_ml.presets import PRESETS, Preset
from readerstudy.cohort.models import Image, Stimulus
from readerstudy.cohort.storage import write_media
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind, Evaluation
from readerstudy.experiments.tables.results import result_sections
from readerstudy.imaging.difference import signed_difference
from readerstudy.imaging.image import quantise
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.jobs.models import Job
from readerstudy.modalities.mammography.geometry import GEOMETRY
from readerstudy.truth.actions import AttackProvenance, register_adversarial_image
from readerstudy.truth.queries import real_images, scores_by
from readerstudy.vocabulary import Direction
from tests import make
from tests.models_ml import tiny

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]

# In the place of the demo preset, which the catalogue of jobs lists, at the shape of the study's pictures.
SHAPE = {"preset": "demo", "rows": 32, "columns": 26}


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    gans = {way: replace(tiny.gan_config(way), **SHAPE) for way in ("remove", "insert")}
    classifier = replace(tiny.classifier_config(steps=4), **SHAPE)
    monkeypatch.setitem(PRESETS, "demo", Preset("demo", classifier, **gans))


@pytest.fixture
def films(db):
    """22 patients, adversarial images by two GANs and by the attack "shade"."""
    films = make.cohort()
    make.adversarial_images_for(films)
    target = trained("target")
    shade = attack("shade", method="pgd", classifier=target)
    for direction in ("insert", "remove"):
        attack(f"gan-{direction}", method="gan", direction=direction)
    attack("idle", method="pgd")  # it has made nothing yet
    for picture in real_images(films, "low"):
        real = decode_png(picture.path)
        altered = quantise(real * 0.7)
        direction = Direction.REMOVE if picture.label else Direction.INSERT
        register_adversarial_image(
            Stimulus.objects.get(pk=picture.stimulus_id),
            picture=write_media(encode_png(altered)),
            difference=write_media(encode_png(signed_difference(real, altered))),
            provenance=AttackProvenance(direction=direction, generator="shade", seed=1),
            attack=shade,
        )
    return films


def attack(name, **what):
    given = {"seed": 1, "code_version": "1", "cohort": "films", "made_at": make.MONDAY}
    return Attack.objects.create(name=name, **given, **what)


def trained(name, seed=1):
    call_command("train_classifier", "films", preset="demo", name=name, seed=seed)
    return Checkpoint.named(name, CheckpointKind.CLASSIFIER)


def printed(capsys, command, *arguments, **options):
    capsys.readouterr()
    call_command(command, *arguments, json=True, **options)
    return json.loads(capsys.readouterr().out)


def test_a_detector_is_judged_on_all_other_attacks_and_its_scores_are_sealed_with_the_others(films, capsys, settings):
    found = printed(capsys, "train_detector", "films", attack=["gan-insert", "gan-remove"], preset="demo", name="guard")
    assert found["held_out"] == ["shade"]
    assert [(row["attack"], row["pool"], row["seen"]) for row in found["rows"]] == [
        ("gan-insert", None, True),
        ("gan-remove", None, True),
        ("shade", None, False),
        ("", "seen", True),
    ]
    run = Checkpoint.named("guard", CheckpointKind.DETECTOR)
    assert run.metrics["threshold"] == found["threshold"]
    detector, config = load_detector(settings.RUNS_DIR / "guard")
    assert config.attacks == ("gan-insert", "gan-remove")
    held_out = Stimulus.objects.exclude(image__exam__patient__split="train")
    kept = scores_by("guard", list(held_out.values_list("pk", flat=True)))
    assert set(kept) == set(held_out.values_list("pk", flat=True))
    assert len(kept) == len(scores_by("guard", list(Stimulus.objects.values_list("pk", flat=True))))
    one = held_out.last()
    alone = scores(detector, GEOMETRY.resize(decode_png(one.path), (32, 26))[None])[0]
    assert kept[one.pk] == pytest.approx(alone, abs=1e-6)


def test_a_detector_is_no_classifier_to_be_fooled(films):
    call_command("train_detector", "films", attack=["shade"], preset="demo", name="guard")
    with pytest.raises(CommandError, match="no classifier run named 'guard'"):
        call_command("evaluate_attack", "films", attack=["shade"], classifier=["guard"])


def test_an_attack_without_images_cannot_be_trained_on(films):
    with pytest.raises(CommandError, match="by the attack idle at low resolution"):
        call_command("train_detector", "films", attack=["idle"], preset="demo", name="guard")


def test_each_classifier_gets_a_row_with_each_attack(films, capsys):
    trained("second", seed=2)
    found = printed(
        capsys,
        "evaluate_attack",
        "films",
        attack=["shade"],
        classifier=["target", "second"],
    )
    rows = {row.classifier.name: row for row in Evaluation.objects.all()}
    assert set(rows) == {"target", "second"}
    assert [printed["classifier"] for printed in found["evaluations"]] == ["target", "second"]
    job = Job.objects.get(kind="evaluate")
    for row in rows.values():
        assert (row.job, row.resolution, row.cohort) == (job, "low", "films")
        assert set(row.attacks.values_list("name", flat=True)) == {"shade"}
    second = rows["second"].read()
    assert [(attack.name, attack.against) for attack in second.attacks] == [("shade", "target")]
    assert (second.reference, set(second.compared.attacks)) == ("target", {"shade"})
    transfers = [row for row in rows["target"].read().transfers if row.variant == "adversarial"]
    own = {transfer.classifier: transfer.is_target for transfer in transfers}
    assert own == {"target": True, "second": False}


def test_an_evaluation_that_runs_again_writes_its_rows_once(films):
    parameters = {"cohort": "films", "classifiers": ["target"], "attacks": ["shade"], "resolutions": ["low"]}
    job = Job.objects.create(kind="evaluate", parameters=parameters, queued_at=make.MONDAY)
    first = _evaluate(job.pk, parameters, lambda *_: None)
    again = _evaluate(job.pk, parameters, lambda *_: None)
    assert first == again
    assert Evaluation.objects.count() == 1


def test_every_patient_is_scored_by_a_fold_trained_without_them(films, capsys):
    found = printed(capsys, "cross_validate", "films", preset="demo", folds=3, name="folds")
    images = len(real_images(films, "low"))
    assert sum(fold["images"] for fold in found["folds"]) == images
    assert found["pooled"] is None
    assert 0 <= found["mean_auc"] <= 1
    header = found["controls"][0]
    assert (header["name"], header["auc"]["value"], header["values"]) == ("header", 0.5, 1)
    assert not Checkpoint.objects.filter(name__startswith="folds").exists()  # a fold is no classifier to attack


def test_a_header_that_tells_is_shown_beside_the_folds(films, capsys):
    positive = [image.image_id for image in real_images(films, "low") if image.label]
    Image.objects.filter(pk__in=positive).update(source_bits=16)
    call_command("cross_validate", "films", preset="demo", folds=3, name="folds-of-telling-files")
    text = capsys.readouterr().out
    assert "Trivial controls over all folds" in text
    assert "1.000 1.000–1.000" in text.split("width, height and bits of the file")[1].splitlines()[0]
    result = Job.objects.latest("pk").result
    page = "".join(str(section.tables) for section in result_sections(result))
    assert "the classifiers of all folds" in page


def test_what_is_not_named_gets_a_sentence(films):
    for options, said in (
        ({"classifier": ["target"]}, "--attack: name at least one attack"),
        ({"classifier": ["target"], "gan_remove": "x"}, "--gan-remove: There is no generator run named 'x'"),
        ({"attack": ["shade"]}, "--classifier: this is required"),
        ({"attack": ["shade"], "classifier": ["nobody"]}, "no classifier run named 'nobody'"),
        ({"attack": ["nothing"], "classifier": ["target"]}, "no attack named 'nothing'"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("evaluate_attack", "films", **options)
    with pytest.raises(CommandError, match="--attack: this is required"):
        call_command("train_detector", "films", preset="demo")


def test_a_defended_classifier_says_how_it_was_defended(films, settings):
    call_command("train_classifier", "films", preset="demo", name="hard", adversarial_training=1028)
    config = json.loads((settings.RUNS_DIR / "hard" / "config.json").read_text())
    assert config["config"]["adversarial_training"]["epsilon"] == 1028
    call_command(
        "train_classifier", "films", preset="demo", name="taught", augment=["gan-insert", "shade"], augment_labels="own"
    )
    plain, taught = (Checkpoint.named(name, CheckpointKind.CLASSIFIER) for name in ("target", "taught"))
    assert taught.split_hash != plain.split_hash  # adversarial images of the training split are added
    with pytest.raises(CommandError, match="no adversarial image of a training image"):
        call_command("train_classifier", "films", preset="demo", name="none", augment=["idle"])
    with pytest.raises(CommandError, match="--adversarial-training: -1 is not from 1 to 65535"):
        call_command("train_classifier", "films", preset="demo", name="none", adversarial_training=-1)


def test_the_command_sets_how_stages_end_and_the_background(films, settings):
    """Weights of the training images lie beside their pixels, so that a region was looked for."""
    options = {"direction": "remove", "classifier": "target"}
    call_command("train_gan", "films", name="spared", spare_background=True, ends="epochs", **options)
    call_command("train_gan", "films", name="plain", **options)
    spared, plain = (json.loads((settings.RUNS_DIR / run / "config.json").read_text()) for run in ("spared", "plain"))
    assert (spared["config"]["keep_background"], spared["config"]["ends"]) == (True, "epochs")
    assert (plain["config"]["keep_background"], plain["config"]["ends"]) == (False, "rules")
    assert [stage["steps"] for stage in spared["stages"]] == [
        stage.limit.in_steps(1) for stage in PRESETS["demo"].remove.stages
    ]
    assert list(settings.CACHE_DIR.glob("*.region.npy"))


def test_gans_of_a_fold_may_spare_the_background(films, capsys, settings):
    found = printed(
        capsys, "cross_validate", "films", preset="demo", folds=3, name="folds", gans=True, spare_background=True
    )
    config = json.loads((settings.RUNS_DIR / "folds" / "fold-1-insert" / "config.json").read_text())
    assert config["config"]["keep_background"]
    assert found["pooled"] is not None
