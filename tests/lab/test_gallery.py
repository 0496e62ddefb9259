"""The gallery of adversarial images: filters, exclusion, and no images of sealed studies."""

import io

import pytest
from django.urls import reverse
from PIL import Image

from readerstudy.experiments.models import CheckpointKind
from readerstudy.studies.actions import close_study
from readerstudy.truth.actions import store_scores, unseal_study
from readerstudy.truth.models import Exclusion, Truth
from tests import make
from tests.lab.conftest import checkpoint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in(client, rosa):
    client.force_login(rosa)


def count_shown(client, **filters) -> int:
    return client.get(reverse("lab:stimuli"), filters).context["page"].paginator.count


def test_filters_narrow_the_gallery(client, scored):
    assert count_shown(client) == 24
    assert count_shown(client, direction="insert") + count_shown(client, direction="remove") == 24
    assert count_shown(client, attack="gan-insert", pathology="positive") == 0
    assert count_shown(client, pathology="positive") == count_shown(client, direction="remove") == 8
    assert sum(count_shown(client, split=split) for split in ("train", "tuning", "test")) == 24
    assert count_shown(client, classifier="cad", fooled="yes") == 1
    assert count_shown(client, resolution="huge") == 24, "what no filter knows is ignored"


def test_images_can_be_sorted_by_the_change_of_the_score(client, scored):
    page = client.get(reverse("lab:stimuli"), {"sort": "strong"}).context["page"]
    first = page.object_list[0]
    assert (first.number, first.score_before, first.score_after) == (scored.pk, 0.1, 0.9)


@pytest.mark.parametrize("panel", ["real", "adversarial", "difference"])
def test_panels_are_8_bit_images_small_or_at_native_pixels(client, adversarial, panel):
    address = reverse("lab:picture", args=[adversarial.pk, panel])
    for size in ("", "full"):
        response = client.get(address, {"size": size})
        with Image.open(io.BytesIO(response.content)) as picture:
            assert (picture.mode, picture.size) == ("L", (52, 64))


def test_the_difference_is_grey_at_unchanged_pixels(client, adversarial):
    body = client.get(reverse("lab:picture", args=[adversarial.pk, "difference"]), {"size": "full"}).content
    with Image.open(io.BytesIO(body)) as picture:
        levels = picture.tobytes()
    assert 125 <= levels[51] <= 131, "the corner opposite the chest wall is air"
    brightest, darkest = max(levels), min(levels)
    # Real minus adversarial: black where the attack added light, white where it took light away.
    assert darkest < 55 if adversarial.direction == "insert" else brightest > 200


def test_a_page_of_an_image_has_its_attributes_and_the_words_of_its_modality(client, adversarial):
    image = adversarial.stimulus.image
    body = client.get(reverse("lab:stimulus", args=[adversarial.pk])).content.decode()
    side, view = image.attributes["laterality"], image.attributes["view_position"]
    assert f"{image.exam.patient.pseudonym} {side}{view}," in body
    assert {"insert": "the AI sees cancer", "remove": "the AI sees no cancer"}[adversarial.direction] in body


def test_a_researcher_excludes_an_image_with_a_reason(client, adversarial, rosa):
    page = reverse("lab:stimulus", args=[adversarial.pk])
    assert "cannot be undone" in client.get(page).content.decode()
    client.post(reverse("lab:exclude", args=[adversarial.pk]), {"reason": "a seam"})
    assert (Exclusion.objects.get().by, Exclusion.objects.get().reason) == (rosa, "a seam")
    assert "a seam" in client.get(page).content.decode()
    assert (count_shown(client, excluded="yes"), count_shown(client, excluded="no")) == (1, 23)


@pytest.mark.parametrize(("resolutions", "words"), [(("low",), False), (("high", "low"), True)])
def test_an_exclusion_names_resolutions_only_if_there_are_several(client, small, resolutions, words):
    cohort = make.cohort(patients=4, resolutions=resolutions)
    make.adversarial_images_for(cohort)
    number = Truth.objects.filter(generator__in=("gan-insert", "gan-remove")).values_list("pk", flat=True)[0]
    body = client.get(reverse("lab:stimulus", args=[number])).content.decode()
    assert "excluded from all future studies" in body
    assert ("at all 2 resolutions" in body) == words == ("resolutions" in body)


def test_the_box_of_a_panel_has_the_size_of_a_square_image(client, monkeypatch):
    make.small_resolutions(monkeypatch, size=(60, 60))
    make.adversarial_images_for(make.cohort(patients=4))
    body = client.get(reverse("lab:stimuli")).content.decode()
    assert body.count('width="60"') == body.count('height="60"') == 3 * 8


def test_scores_are_labelled_by_what_the_network_detects(client, scored):
    page = reverse("lab:stimulus", args=[scored.pk])
    body = client.get(page).content.decode()
    assert ("of malignancy" in body, "that it was altered" in body) == (True, False)
    checkpoint("watch", CheckpointKind.DETECTOR)
    store_scores({scored.stimulus_id: 0.8}, classifier="watch", size=(64, 52))
    assert "that it was altered" in client.get(page).content.decode()


def test_rejects_an_exclusion_without_a_reason(client, adversarial):
    response = client.post(reverse("lab:exclude", args=[adversarial.pk]), {"reason": " "})
    assert response.status_code == 400
    assert not Exclusion.objects.exists()


def test_images_of_a_sealed_study_are_not_shown(client, study):
    image_ids = {row.stimulus.image_id for plan in study.session_plans.all() for row in plan.allocations.all()}
    assert count_shown(client) == 44 - len(image_ids)
    assert (
        f"{len(image_ids)} images of sealed studies are left out, whatever the filter."
        in client.get(reverse("lab:stimuli")).content.decode()
    )
    hidden = Truth.objects.filter(stimulus__image__in=image_ids, authenticity="adversarial").first()
    for page in ("stimulus", "picture", "full-size"):
        panel = [] if page == "stimulus" else ["adversarial"]
        assert client.get(reverse(f"lab:{page}", args=[hidden.pk, *panel])).status_code == 404
    assert client.post(reverse("lab:exclude", args=[hidden.pk]), {"reason": "x"}).status_code == 404


def test_images_of_an_unsealed_study_are_shown(client, study, rosa):
    close_study(study=study, actor=None, reason="All have read.", at=make.MONDAY)
    unseal_study(study=study, actor=rosa, reason="all have read", at=make.MONDAY)
    assert count_shown(client) == 44
