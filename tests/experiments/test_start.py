"""Parameters are checked before a job is queued, in the same way for pages, API and commands."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.catalogue import ATTACK, EVALUATE, GENERATE, TRAIN_CLASSIFIER, TRAIN_GAN
from readerstudy.experiments.check import InvalidParameter, check_parameters
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.experiments.start import start_job
from readerstudy.jobs.models import Job
from readerstudy.modalities import MODALITIES
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from tests import make, walk
from tests.lab.conftest import checkpoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cohort", "run")]

COHORT = "films"
LOW_ONLY = f"needs the high resolution; the cohort {COHORT} stores: low."
BY_GRADIENT = {"method": "pgd", "name": "new", "classifier": "cad"}


def start(kind, **parameters) -> Job:
    body = {"cohort": "films", **parameters}
    return start_job(kind=kind.key, parameters=body, requested_by=None, at=now())


# Kind, parameters, the parameter at fault, its message, and the same as options of a command.
INVALID = [
    (
        "attack",
        {"attack": {**BY_GRADIENT, "epsilon": "abc"}},
        "attack.epsilon",
        "'abc' is not a number of grey levels or a share such as 4/255.",
        ["generate_stimuli", "--method=pgd", "--name=new", "--classifier=cad", "--epsilon=abc"],
        "--epsilon",
    ),
    (
        "attack",
        {"attack": {**BY_GRADIENT, "epsilon": "0"}},
        "attack.epsilon",
        "0 is not from 1 to 65535 grey levels.",
        ["generate_stimuli", "--method=pgd", "--name=new", "--classifier=cad", "--epsilon=0"],
        "--epsilon",
    ),
    (
        "attack",
        {"attack": {**BY_GRADIENT, "epsilon": "300/255"}},
        "attack.epsilon",
        "300/255 is not from 1 to 65535 grey levels.",
        ["generate_stimuli", "--method=pgd", "--name=new", "--classifier=cad", "--epsilon=300/255"],
        "--epsilon",
    ),
    (
        "attack",
        {"attack": {**BY_GRADIENT, "name": "pgd-4"}},
        "attack.name",
        "the attack pgd-4 exists already, with other settings; choose another name.",
        ["generate_stimuli", "--method=pgd", "--name=pgd-4", "--classifier=cad"],
        "--name",
    ),
    (
        "attack",
        {"attack": BY_GRADIENT, "resolutions": ["high"]},
        "resolutions",
        LOW_ONLY,
        ["generate_stimuli", "--method=pgd", "--name=new", "--classifier=cad", "--resolution=high"],
        "--resolution",
    ),
    (
        "attack",
        {"attack": {**BY_GRADIENT, "settings": "diameter=0.1"}},
        "attack.settings",
        (
            "pgd has no setting diameter; it has: epsilon, steps, stride, random_start, momentum, iterate, gradient, "
            "threshold."
        ),
        ["generate_stimuli", "--method=pgd", "--name=new", "--classifier=cad", "--set=diameter=0.1"],
        "--set",
    ),
    (
        "train-classifier",
        {"preset": "demo", "name": "cad", "seed": 7},
        "name",
        "the run cad exists already, with other settings; choose another name.",
        ["train_classifier", "--name=cad", "--seed=7"],
        "--name",
    ),
    (
        "train-classifier",
        {"preset": "zhou2021-high", "name": "new"},
        "preset",
        LOW_ONLY,
        ["train_classifier", "--preset=zhou2021-high", "--name=new"],
        "--preset",
    ),
    (
        "train-classifier",
        {"name": "new", "adversarial_training": {"epsilon": "nan"}},
        "adversarial_training.epsilon",
        "'nan' is not a number of grey levels or a share such as 4/255.",
        ["train_classifier", "--name=new", "--adversarial-training=nan"],
        "--adversarial-training",
    ),
    (
        "train-classifier",
        {"name": "My run"},
        "name",
        "use letters, digits, hyphens and underscores, 64 at most, and no hyphen first.",
        ["train_classifier", "--name=My run"],
        "--name",
    ),
    (
        "train-detector",
        {"attacks": ["pgd-4"], "name": "new", "resolution": "high"},
        "resolution",
        LOW_ONLY,
        ["train_detector", "--attack=pgd-4", "--name=new", "--resolution=high"],
        "--resolution",
    ),
]


def case(row) -> str:
    return f"{row[0]} {row[2]} {row[3][:12]}"


@pytest.mark.parametrize("row", INVALID, ids=case)
def test_the_api_names_the_invalid_parameter_and_queues_nothing(row, attack, rosa):
    kind, parameters, field, message, _command, _option = row
    body = {"kind": kind, "parameters": {"cohort": "films", **parameters}}
    response = walk.client_of(rosa).post("/api/v1/jobs/", body)
    assert (response.status_code, response.json()["detail"]) == (400, f"{field}: {message}")
    assert not Job.objects.exists()


@pytest.mark.parametrize("row", INVALID, ids=case)
def test_the_form_shows_the_message_at_the_field_and_queues_nothing(row, attack, rosa, client):
    kind, parameters, field, message, _command, _option = row
    if kind == "train-detector":  # the form offers attacks that have images
        make.adversarial_images_for(Cohort.named(COHORT), attack=attack.name)
    client.force_login(rosa)
    data = {"cohort": "films"}
    for name, value in parameters.items():
        data |= {f"{name}.{key}": item for key, item in value.items()} if isinstance(value, dict) else {name: value}
    response = client.post(reverse("lab:start", args=[kind]), data)
    assert (response.status_code, response.context["form"].errors) == (400, {field: [message]})
    assert not Job.objects.exists()


@pytest.mark.parametrize("row", INVALID, ids=case)
def test_the_command_names_the_invalid_option_and_queues_nothing(row, attack):
    *_row, message, command, option = row
    with pytest.raises(CommandError) as error:
        call_command(command[0], "films", *command[1:], "--queue")
    assert str(error.value) == f"{option}: {message}"
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cohort": "nobody"}, "cohort: There is no cohort named 'nobody'"),
        ({"cohort": "a\0"}, "cohort: must be a text"),
        ({"cohort": "\ud800"}, "cohort: contains characters that are not text"),
        ({"cohort": ["films"]}, "cohort: must be a text"),
        ({"seed": 1.7}, "seed: 1.7 is not a whole number"),
        ({"seed": float("inf")}, "seed: inf is not a whole number"),
        ({"seed": True}, "seed: True is not a whole number"),
        ({"seed": 10**400}, "seed: "),
        ({"augmentation": {"attacks": [{}]}}, r"augmentation\.attacks: \[\{\}\] is not a list of names"),
        (
            {"adversarial_training": {"epsilon": 4, "share": float("nan")}},
            r"adversarial_training\.share: nan is not a number",
        ),
        ({"vgg_weights": "x" * 1001}, "vgg_weights: must be a text of at most 1000 characters"),
        ({"name": "x" * 65}, "name: use letters"),
        ({"name": "-x"}, "name: use letters"),
        ({"colour": "red"}, "colour: train-classifier has no such parameter"),
    ],
)
def test_values_of_the_wrong_type_are_rejected(parameters, message):
    with pytest.raises(InvalidParameter, match=message):
        check_parameters(TRAIN_CLASSIFIER, {"cohort": "films", **parameters})


def test_a_flag_is_true_or_false():
    with pytest.raises(InvalidParameter, match="keep_grid: 'false' is neither true nor false"):
        check_parameters(ATTACK, {"cohort": "films", "attack": BY_GRADIENT, "keep_grid": "false"})


def test_budgets_are_stored_as_grey_levels():
    for budget in ("4/255", 1028, "1028", 1028.0):
        assert (
            check_parameters(ATTACK, {"cohort": "films", "attack": {**BY_GRADIENT, "epsilon": budget}})["attack"][
                "epsilon"
            ]
            == 1028
        )


def test_a_group_without_its_first_parameter_is_left_out():
    body = {"cohort": "films", "preset": "demo", "name": "new"}
    clean = check_parameters(TRAIN_CLASSIFIER, body)
    assert "adversarial_training" not in clean
    assert "augmentation" not in clean
    chosen = check_parameters(TRAIN_CLASSIFIER, {**body, "adversarial_training": {"epsilon": 1028}})
    assert chosen["adversarial_training"] == {"epsilon": 1028, "steps": 3, "share": 0.5}


def test_a_missing_name_is_derived():
    assert check_parameters(TRAIN_CLASSIFIER, {"cohort": "films"})["name"] == "films-demo-1"
    assert (
        check_parameters(TRAIN_GAN, {"cohort": "films", "classifier": "cad", "direction": "remove"})["name"]
        == "cad-remove"
    )
    attack = {"method": "fgsm", "classifier": "cad"}
    assert check_parameters(ATTACK, {"cohort": "films", "attack": attack})["attack"]["name"] == "fgsm-cad"


@pytest.fixture
def bare(monkeypatch):
    """The modality of the cohort has one preset and one step of post-processing."""
    modality = replace(MAMMOGRAPHY, presets={"zhou2021-low": "low"}, post_processing=("keep_range",))
    monkeypatch.setitem(MODALITIES, modality.code, modality)


@pytest.mark.usefixtures("bare")
def test_rejects_a_preset_of_another_modality():
    message = "preset: the preset demo is not for Mammography; there are: zhou2021-low."
    with pytest.raises(InvalidParameter) as raised:
        check_parameters(TRAIN_CLASSIFIER, {"cohort": "films", "preset": "demo"})
    assert str(raised.value) == message
    assert check_parameters(TRAIN_CLASSIFIER, {"cohort": "films", "preset": "zhou2021-low"})["preset"] == "zhou2021-low"
    with pytest.raises(InvalidParameter, match="classifier: the preset demo is not for Mammography"):
        check_parameters(TRAIN_GAN, {"cohort": "films", "classifier": "cad", "direction": "remove"})


@pytest.mark.usefixtures("bare")
def test_post_processing_has_only_the_steps_of_the_modality():
    attack = {"method": "fgsm", "classifier": "cad"}
    checked = check_parameters(ATTACK, {"cohort": "films", "attack": attack})
    assert {name: value for name, value in checked.items() if name.startswith("keep_")} == {
        "keep_background": False,
        "keep_grid": False,
        "keep_range": True,
    }
    with pytest.raises(InvalidParameter, match="keep_grid: Mammography has no such step; it has: keep_range"):
        check_parameters(ATTACK, {"cohort": "films", "attack": attack, "keep_grid": True})


def test_rejects_a_generator_of_the_other_direction():
    checkpoint("gan-insert", "generator", direction="insert")
    with pytest.raises(InvalidParameter, match="gan_remove: gan-insert was trained to insert, not to remove"):
        check_parameters(GENERATE, {"cohort": "films", "gan_remove": "gan-insert", "gan_insert": "gan-insert"})


def test_an_evaluation_needs_attacks(attack):
    with pytest.raises(InvalidParameter, match="attacks: name at least one attack, or both GAN runs"):
        start(EVALUATE, classifiers=["cad"])
    checkpoint("gan-remove", "generator", direction="remove")
    with pytest.raises(InvalidParameter, match="gan_insert: give both GAN runs, or neither"):
        start(EVALUATE, classifiers=["cad"], attacks=["pgd-4"], gan_remove="gan-remove")


# --- names ----------------------------------------------------------------------------------------------------
def finish(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(status="done", ended_at=make.MONDAY)


def test_two_jobs_under_way_cannot_make_the_same_run():
    first = start(TRAIN_CLASSIFIER, name="new", seed=1)
    assert start(TRAIN_CLASSIFIER, name="new", seed=1) == first
    with pytest.raises(InvalidParameter, match="name: the run new exists already"):
        start(TRAIN_CLASSIFIER, name="new", seed=2)


def test_a_finished_run_is_returned_for_other_processes():
    first = start(TRAIN_CLASSIFIER, name="new")
    finish(first)
    checkpoint("new", CheckpointKind.CLASSIFIER, job=first)
    again = start(TRAIN_CLASSIFIER, name="new", processes=2)
    assert again != first
    with pytest.raises(InvalidParameter, match="name: the run new exists already"):
        start(TRAIN_CLASSIFIER, name="new", vgg_weights="/other.pth")


def test_the_name_of_a_failed_run_is_free():
    Job.objects.filter(pk=start(TRAIN_CLASSIFIER, name="new").pk).update(status="failed", ended_at=make.MONDAY)
    assert start(TRAIN_CLASSIFIER, name="new", seed=2).status == "queued"


def test_an_attack_is_continued_on_other_splits_only():
    first = start(ATTACK, attack=BY_GRADIENT, splits=["test"])
    with pytest.raises(InvalidParameter, match=r"attack\.name: the attack new exists already"):
        start(ATTACK, attack={**BY_GRADIENT, "epsilon": 4})
    finish(first)
    row = {"method": "pgd", "settings": {}, "seed": 1, "cohort": "films"}
    Attack.get_or_make("new", job=first, code_version="1", at=make.MONDAY, **row)
    assert start(ATTACK, attack=BY_GRADIENT, splits=["train"]).status == "queued"
    with pytest.raises(InvalidParameter, match=r"attack\.name: the attack new exists already"):
        start(ATTACK, attack=BY_GRADIENT, keep_grid=False)


def test_other_post_processing_of_the_same_generators_needs_a_suffix():
    remove = checkpoint("gan-remove", "generator", direction="remove")
    checkpoint("gan-insert", "generator", direction="insert")
    both = {"gan_remove": "gan-remove", "gan_insert": "gan-insert"}
    row = {"method": "gan", "generator": remove, "settings": {"keep_range": True}, "seed": 1, "cohort": "films"}
    Attack.get_or_make("gan-remove", job=None, code_version="1", at=make.MONDAY, **row)
    finish(start(GENERATE, **both))
    with pytest.raises(InvalidParameter, match="suffix: the attack gan-remove exists already"):
        start(GENERATE, **both, keep_range=False)
    with pytest.raises(InvalidParameter, match="suffix: use letters"):
        start(GENERATE, **both, suffix=" bare")
    assert start(GENERATE, **both, keep_range=False, suffix="-bare").parameters["suffix"] == "-bare"


def test_the_whole_change_is_the_default_and_another_strength_needs_a_suffix():
    target = Checkpoint.named("cad", CheckpointKind.CLASSIFIER)
    remove = checkpoint("gan-remove", "generator", direction="remove", made_from=target)
    checkpoint("gan-insert", "generator", direction="insert", made_from=target)
    both = {"gan_remove": "gan-remove", "gan_insert": "gan-insert"}
    row = {"method": "gan", "generator": remove, "settings": {"keep_range": True}, "seed": 1, "cohort": "films"}
    Attack.get_or_make("gan-remove", job=None, code_version="1", at=make.MONDAY, **row)
    first = start(GENERATE, **both)
    limits = ("strength", "regions", "texture", "margin")
    assert [first.parameters[name] for name in limits] == ["full", "all", "any", 0.05]
    finish(first)
    finish(start(GENERATE, **both, margin=0.2))  # of no account for the whole change
    for limited in ({"strength": "least"}, {"regions": "fewest"}, {"texture": "matched"}):
        with pytest.raises(InvalidParameter, match="suffix: the attack gan-remove exists already"):
            start(GENERATE, **both, **limited)
    finish(start(GENERATE, **both, strength="least", suffix="-least"))
    with pytest.raises(InvalidParameter, match=r"margin: 0\.5 is not from 0 to 0\.45"):
        start(GENERATE, **both, strength="least", margin=0.5)


def test_a_limited_change_needs_the_generator_s_target_classifier():
    for direction in ("remove", "insert"):
        checkpoint(f"gan-{direction}", "generator", direction=direction)
    with pytest.raises(InvalidParameter, match="gan_remove: the run gan-remove records no target classifier"):
        start(GENERATE, gan_remove="gan-remove", gan_insert="gan-insert", strength="least")
