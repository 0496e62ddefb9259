"""Pages of runs, attacks and evaluations. Only listed files of a run are served."""

from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from PIL import Image

from readerstudy.experiments.models import CheckpointKind
from tests import results
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


def test_a_run_page_shows_card_curves_and_descendants(client, run, attack, evaluation):
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


def test_other_files_of_a_run_are_not_served(client, run):
    (folder("cad") / "weights.safetensors").write_bytes(b"x")
    for name in ("weights.safetensors", "..", "card.md"):
        assert client.get(f"/lab/runs/cad/{name}").status_code == 404


def test_samples_are_hidden_while_a_study_of_the_cohort_is_sealed(client, study):
    checkpoint("gan", CheckpointKind.GENERATOR, cohort=study.cohort.name)
    folder("gan")
    page = client.get(reverse("lab:run", args=["gan"])).content.decode()
    assert "step-1.png" not in page
    assert "A sealed study draws from this cohort" in page
    assert client.get(reverse("lab:run-picture", args=["gan", "step-1.png"])).status_code == 404
    assert client.get(reverse("lab:run-picture", args=["gan", "curves.png"])).status_code == 200


def test_an_evaluation_shows_its_tables(client, evaluation):
    page = client.get(reverse("lab:evaluation", args=[evaluation.pk])).content.decode()
    for words in ("Table 1: cad", "0.820", "<span>0.700–0.900</span>", "251/363", "view: CC", "one class only"):
        assert words in page
    assert "Classifiers side by side" not in page


def test_an_evaluation_shows_trivial_controls_after_table_1(client, evaluation):
    page = client.get(reverse("lab:evaluation", args=[evaluation.pk])).content.decode()
    assert page.index("Table 1: cad") < page.index("Trivial controls") < page.index("The attacks")
    for words in ("for comparison: cad", "<span>0.710–0.880</span>", "Intervals above 0.5: width, height and bits"):
        assert words in page


def test_an_evaluation_of_several_classifiers_compares_them(client):
    first, second = results.store_evaluation(
        results.evaluation_result(), results.evaluation_result(classifier="cad-2"), cohort="films"
    )
    for row in (first, second):
        page = client.get(reverse("lab:evaluation", args=[row.pk])).content.decode()
        for words in ("Classifiers side by side", "Transferability", "cad-1</th>", "cad-2</th>"):
            assert words in page


def test_a_figure_has_a_description_with_its_numbers(client, evaluation):
    page = client.get(reverse("lab:evaluation", args=[evaluation.pk])).content.decode()
    assert "pgd-4, labels flipped: area 0.940 (0.800 to 0.990)" in page
    response = client.get(reverse("lab:figure", args=[evaluation.pk, "roc"]))
    assert response["Content-Type"] == "image/svg+xml"
    assert "area 0.940" in response.content.decode()
    assert client.get(reverse("lab:figure", args=[evaluation.pk, "other"])).status_code == 404


def test_lists_and_attack_pages_name_runs_and_settings(client, evaluation):
    page = client.get(reverse("lab:runs")).content.decode()
    for words in ("cad", "pgd-4", evaluation.name):
        assert f">{words}</a>" in page
    assert "1028 grey levels" in client.get(reverse("lab:attack", args=["pgd-4"])).content.decode()
