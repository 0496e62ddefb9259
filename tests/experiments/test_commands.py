"""The commands that start jobs have the options that the catalogue describes."""

import json

import pytest
from django.core.management import CommandError, call_command, load_command_class

from readerstudy.experiments.catalogue import KINDS
from readerstudy.jobs.models import Job
from tests.lab.conftest import checkpoint

COMMANDS = {
    "train_classifier": {"train-classifier"},
    "train_gan": {"train-gan"},
    "train_inpainting": {"train-inpainting"},
    "train_detector": {"train-detector"},
    "cross_validate": {"cross-validate"},
    "generate_stimuli": {"generate", "attack"},
    "evaluate_attack": {"evaluate"},
}
# Options that the documentation names.
DOCUMENTED = {
    "train_classifier": [
        "--preset",
        "--vgg-weights",
        "--adversarial-training",
        "--augment",
        "--augment-labels",
        "--processes",
    ],
    "train_gan": ["--direction", "--classifier", "--ends", "--spare-background", "--threads", "--processes"],
    "train_inpainting": ["--direction", "--classifier", "--threads"],
    "train_detector": ["--attack", "--held-out", "--preset", "--resolution"],
    "cross_validate": ["--preset", "--folds", "--gans", "--spare-background"],
    "generate_stimuli": [
        *("--gan-remove", "--gan-insert", "--suffix", "--without", "--resolution", "--split"),
        *("--method", "--classifier", "--name", "--epsilon", "--set"),
    ],
    "evaluate_attack": ["--classifier", "--attack", "--gan-remove", "--gan-insert", "--recalibration", "--resolution"],
}


def parser_of(command: str):
    return load_command_class("readerstudy.experiments", command).create_parser("manage.py", command)


def test_every_kind_has_one_command():
    kinds = [key for keys in COMMANDS.values() for key in keys]
    assert sorted(kinds) == sorted(kind.key for kind in KINDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_field_has_an_option_with_choices_and_help(command):
    actions = {option: action for action in parser_of(command)._actions for option in action.option_strings}
    assert {*DOCUMENTED[command], "--queue", "--json"} <= set(actions)
    if command != "evaluate_attack":
        assert "--seed" in actions
    command_class = load_command_class("readerstudy.experiments", command)
    assert {kind.key for kind in command_class.kinds} == COMMANDS[command]
    titles = [str(field.title) for kind in command_class.kinds for field in kind.fields if "keep_" not in field.name]
    text = " ".join(parser_of(command).format_help().split())
    assert [title for title in titles if title not in text.replace("- ", "-")] == []


@pytest.mark.django_db
def test_options_become_the_parameters_of_a_job(cohort, run, capsys, django_capture_on_commit_callbacks, sent):
    options = ["--classifier=cad", "--method=pgd", "--epsilon=4/255", "--name=pgd4", "--set=momentum=0.5", "--steps=3"]
    more = [
        "--set=iterate=last",
        "--split=test",
        "--split=tuning",
        "--without=grid",
        "--gradient=upsampled",
        "--steps=3",
    ]
    with django_capture_on_commit_callbacks(execute=True):
        call_command("generate_stimuli", "films", *options, *more, "--queue", "--json")
    job = Job.objects.get()
    assert json.loads(capsys.readouterr().out) == {"job": job.pk}
    assert sent == [("attack", job.pk, "gpu")]
    assert job.kind == "attack"
    assert job.parameters == {
        "cohort": "films",
        "attack": {
            "classifier": "cad",
            "method": "pgd",
            "name": "pgd4",
            "epsilon": 1028,
            "steps": 3,
            "seed": 1,
            "gradient": "upsampled",
            "settings": "momentum=0.5; iterate=last",
        },
        "resolutions": ["low"],
        "splits": ["test", "tuning"],
        "keep_background": True,
        "keep_grid": False,
        "keep_range": True,
    }


@pytest.mark.django_db
def test_generate_stimuli_with_two_gans_starts_the_other_kind(cohort, run):
    checkpoint("r", "generator", direction="remove")
    checkpoint("i", "generator", direction="insert")
    call_command("generate_stimuli", "films", "--gan-remove=r", "--gan-insert=i", "--queue")
    assert Job.objects.get().kind == "generate"
    with pytest.raises(CommandError, match="--gan-remove: not an option of “Generate adversarial images by gradient”"):
        call_command("generate_stimuli", "films", "--gan-remove=r", "--method=pgd", "--classifier=cad")
    with pytest.raises(CommandError, match="--epsilon: not an option of"):
        call_command("generate_stimuli", "films", "--gan-remove=r", "--gan-insert=i", "--epsilon=4")


@pytest.mark.django_db
def test_a_relative_path_is_resolved_for_the_worker(cohort, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call_command("train_classifier", "films", "--vgg-weights=vgg11.pth", "--queue")
    assert Job.objects.get().parameters["vgg_weights"] == str(tmp_path / "vgg11.pth")
