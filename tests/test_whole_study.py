"""From mammograms to tables by the commands that a researcher types, with networks of a few neurons.

Small in every number, but nothing replaced: the pictures are drawn, the networks are trained, the adversarial
images are written and judged, a reader reads all five sessions over the API, and the report comes out.
"""

import csv
import json
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from models_ml.presets import PRESETS, Preset
from readerstudy.cohort.models import Stimulus
from readerstudy.experiments.models import Checkpoint
from readerstudy.imaging.difference import read_signed_difference
from readerstudy.imaging.png16 import decode_png
from readerstudy.jobs.models import Job
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Study
from readerstudy.truth.models import ImageTruth, Truth
from tests import make, walk
from tests.models_ml import tiny

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]

# In the place of the demo preset, which the catalogue of jobs lists, at the shape of the study's pictures.
SHAPE = {"preset": "demo", "rows": 32, "columns": 26}


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    gans = {direction: replace(tiny.gan_config(direction), **SHAPE) for direction in ("remove", "insert")}
    preset = Preset("demo", replace(tiny.classifier_config(), **SHAPE), **gans)
    monkeypatch.setitem(PRESETS, "demo", preset)
    # One process: others would not know the small sizes and the small preset.
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.fixture
def trained(capsys):
    """A cohort of phantoms, a classifier, two generators and the adversarial images."""
    call_command("make_phantoms", "films", patients=36, split="40/20/40")
    call_command("train_classifier", "films", preset="demo", name="target")
    for direction in ("remove", "insert"):
        call_command("train_gan", "films", direction=direction, classifier="target", name=direction)
    call_command("generate_stimuli", "films", gan_remove="remove", gan_insert="insert")
    capsys.readouterr()


def test_mammograms_in_tables_out(trained, capsys, settings):
    evaluation = printed(
        capsys, "evaluate_attack", "films", gan_remove="remove", gan_insert="insert", classifier=["target"]
    )
    (result,) = evaluation["evaluations"]
    (attack,) = result["attacks"]
    variants = [attack[name] for name in ("table", "identity", "sham")]
    assert [table["images"] for table in variants] == [images_of_the_test_split()] * 3
    assert attack["identity"]["changed"] == 0  # a residual generator leaves stage 1 as the identity
    assert attack["sham"]["changed"] == images_of_the_test_split()
    assert attack["sham"]["decisions"][1]["fooled"]["hits"] <= 1
    assert [at["rule"] for at in attack["table"]["decisions"]] == ["article", "youden", "sensitivity"]

    call_command("create_study", cohort="films", code="tiny", scale=0.02)
    study = Study.named("tiny")
    rita = make.reader_in(study, "rita")
    rosa = make.user("rosa", "researcher")
    given = walk.finish_study(walk.client_of(rita), "tiny", decide=lambda step: step["verdicts"][step["position"] % 3])
    assert given == Reading.objects.count()

    with pytest.raises(CommandError, match="sealed"):
        call_command("analyse_study", "tiny")
    call_command("unseal_study", "tiny", reason="Rita has finished.", by=rosa.username, close=True)
    with pytest.raises(CommandError, match="sealed"):
        call_command("analyse_study", "tiny")
    call_command("unseal_study", "tiny", confirm=True, by=make.overseer().username)
    call_command("analyse_study", "tiny")
    report = settings.REPORTS_DIR / "tiny"
    accuracy = list(csv.reader((report / "table3.csv").open()))
    assert len(accuracy) > 1
    assert (report / "report.html").stat().st_size > 10_000
    assert by_hand(study) == in_report(report)


def test_every_image_has_one_adversarial_image_with_provenance(trained, settings):
    for truth in Truth.objects.filter(authenticity="adversarial").select_related("source_image", "stimulus__image"):
        parent = Truth.objects.get(stimulus=truth.source_image)
        assert parent.authenticity == "real"
        assert truth.label == 1 - parent.label == 1 - ImageTruth.objects.get(image=truth.stimulus.image).label
        assert truth.generator == truth.direction == ("remove" if parent.label else "insert")
        assert truth.seed is not None
        real, adversarial = decode_png(truth.source_image.path), decode_png(truth.stimulus.path)
        stored = read_signed_difference(decode_png(settings.MEDIA_ROOT / truth.difference_file))
        assert abs(stored - (real.astype(int) - adversarial.astype(int))).max() <= 1
        assert not adversarial[real == 0].any()  # the background stays what it was
    assert Truth.objects.filter(authenticity="adversarial").count() * 2 == Stimulus.objects.count()

    # The second time nothing is made again.
    stimuli, runs = Stimulus.objects.count(), Checkpoint.objects.count()
    call_command("make_phantoms", "films", patients=36, split="40/20/40")
    call_command("train_classifier", "films", preset="demo", name="target")
    call_command("generate_stimuli", "films", gan_remove="remove", gan_insert="insert")
    assert (Stimulus.objects.count(), Checkpoint.objects.count()) == (stimuli, runs)


@pytest.mark.django_db(transaction=True)  # the rehearsal serves HTTP from threads, with connections of their own
def test_a_rehearsal_is_played_over_http_and_unsealed(trained):
    call_command("create_study", cohort="films", code="tiny", scale=0.02)
    call_command("rehearse_study", "tiny")
    copy = Study.named("tiny-rehearsal")
    assert (copy.status, copy.is_rehearsal) == ("unsealed", True)
    total = 5 * sum(plan.total for plan in copy.session_plans.all())
    assert Reading.objects.filter(presentation__reading_list__enrollment__study=copy).count() == total
    assert Study.named("tiny").status == "open"


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        (["train_classifier", "nobody"], {"preset": "demo"}, "no cohort named 'nobody'"),
        (["train_gan", "films"], {"direction": "remove", "classifier": "x"}, "no classifier run named 'x'"),
        (["analyse_study", "none"], {}, "no study with the code 'none'"),
        (["create_study"], {"cohort": "films"}, "no adversarial images"),
    ],
)
def test_a_wrong_name_gets_a_sentence(command, options, said):
    make.cohort("films", patients=4)
    with pytest.raises(CommandError, match=said):
        call_command(*command, **options)


def test_a_preset_that_is_not_there_is_refused_before_there_is_a_job():
    make.cohort("films", patients=4)
    with pytest.raises(CommandError, match="preset: 'huge' is none of demo"):
        call_command("train_classifier", "films", preset="huge")
    assert not Job.objects.exists()


def printed(capsys, command: str, *names: str, **options) -> dict:
    call_command(command, *names, json=True, **options)
    return json.loads(capsys.readouterr().out)


def images_of_the_test_split() -> int:
    return Stimulus.objects.filter(image__exam__patient__split="test").count() // 2


def by_hand(study: Study) -> dict[int, float]:
    """Share of adversarial images called not real, by session, straight from the rows."""
    adversarial = set(Truth.objects.filter(authenticity="adversarial").values_list("stimulus_id", flat=True))
    shares = {}
    for number in (3, 5):
        readings = Reading.objects.filter(
            presentation__reading_list__session_plan__number=number,
            presentation__reading_list__enrollment__study=study,
            presentation__stimulus__in=adversarial,
        )
        shares[number] = readings.filter(verdict="not_real").count() / readings.count()
    return shares


def in_report(folder) -> dict[int, float]:
    rows = csv.DictReader((folder / "table3.csv").open())
    return {int(row["session"]): float(row["adversarial"]) for row in rows if row["adversarial"]}
