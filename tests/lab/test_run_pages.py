"""Runs, attacks and evaluations point to each other; only files of a run's folder are served."""

from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from PIL import Image

from readerstudy.experiments.models import CheckpointKind
from tests.lab.conftest import checkpoint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in(client, rosa):
    client.force_login(rosa)


def folder(name: str) -> Path:
    path = Path(settings.RUNS_DIR) / name
    (path / "samples").mkdir(parents=True)
    for picture in ("curves.png", "samples/step-1.png"):
        Image.new("L", (8, 8)).save(path / picture)
    (path / "card.md").write_text("What it is not for")
    return path


def test_a_run_shows_its_card_its_curves_and_what_came_of_it(client, run, attack, evaluation):
    folder("cad")
    checkpoint("gan", CheckpointKind.GENERATOR, made_from=run, direction="insert")
    page = client.get(reverse("lab:run", args=["cad"])).content.decode()
    for words in (
        "What it is not for",
        "curves.png",
        "step-1.png",
        ">Step 1<",
        reverse("lab:run", args=["gan"]),
        "pgd-4",
    ):
        assert words in page
    assert client.get(reverse("lab:run-picture", args=["cad", "step-1.png"])).status_code == 200


def test_no_other_file_is_served(client, run):
    (folder("cad") / "weights.safetensors").write_bytes(b"x")
    for name in ("weights.safetensors", "..", "card.md"):
        assert client.get(f"/lab/runs/cad/{name}").status_code == 404


def test_an_evaluation_shows_its_tables_and_serves_no_file_that_it_does_not_name(client, evaluation):
    page = client.get(reverse("lab:evaluation", args=[evaluation.pk])).content.decode()
    assert "As in the article" in page
    assert '<td class="number">0.89</td>' in page
    assert client.get(reverse("lab:figure", args=[evaluation.pk, "roc"])).status_code == 404
    figure = Path(settings.RUNS_DIR) / "evaluations" / "roc.svg"
    figure.parent.mkdir(parents=True)
    figure.write_text("<svg/>")
    evaluation.tables["figures"] = [{"key": "roc", "file": "evaluations/roc.svg", "title": "ROC", "description": "d"}]
    evaluation.save()
    assert client.get(reverse("lab:figure", args=[evaluation.pk, "roc"]))["Content-Type"] == "image/svg+xml"


def test_the_lists_and_an_attack_s_page_name_what_there_is(client, evaluation):
    page = client.get(reverse("lab:runs")).content.decode()
    for words in ("cad", "pgd-4", "one"):
        assert f">{words}</a>" in page
    assert "1028 grey levels" in client.get(reverse("lab:attack", args=["pgd-4"])).content.decode()
