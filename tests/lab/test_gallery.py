"""The gallery shows twins beside their real images, filters them, and lets a researcher exclude one; not the sealed."""

import io

import pytest
from django.urls import reverse
from PIL import Image

from readerstudy.experiments.models import CheckpointKind
from readerstudy.studies.actions import close_study
from readerstudy.truth.actions import keep_scores, unseal_study
from readerstudy.truth.models import Exclusion, Truth
from tests import make
from tests.lab.conftest import checkpoint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in(client, rosa):
    client.force_login(rosa)


def shown(client, **asked) -> int:
    return client.get(reverse("lab:stimuli"), asked).context["page"].paginator.count


def test_filters_narrow_the_gallery(client, scored):
    assert shown(client) == 24
    assert shown(client, direction="insert") + shown(client, direction="remove") == 24
    assert shown(client, attack="gan-insert", pathology="malignant") == 0
    assert shown(client, pathology="malignant") == shown(client, direction="remove") == 8
    assert sum(shown(client, split=split) for split in ("train", "tuning", "test")) == 24
    assert shown(client, classifier="cad", fooled="yes") == 1
    assert shown(client, resolution="huge") == 24, "what no filter knows is passed over"


def test_the_largest_change_of_the_score_comes_first_when_asked(client, scored):
    page = client.get(reverse("lab:stimuli"), {"sort": "strong"}).context["page"]
    assert page.object_list[0] == scored
    assert (page.object_list[0].before, page.object_list[0].after) == (0.1, 0.9)


@pytest.mark.parametrize("panel", ["real", "adversarial", "difference"])
def test_the_panels_are_8_bit_pictures_small_or_at_native_pixels(client, twin, panel):
    address = reverse("lab:picture", args=[twin.pk, panel])
    for size in ("", "full"):
        answer = client.get(address, {"size": size})
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert (picture.mode, picture.size) == ("L", (52, 64))


def test_the_difference_is_grey_where_nothing_was_changed(client, twin):
    body = client.get(reverse("lab:picture", args=[twin.pk, "difference"]), {"size": "full"}).content
    with Image.open(io.BytesIO(body)) as picture:
        levels = picture.tobytes()
    assert 125 <= levels[51] <= 131, "the corner opposite the chest wall is air"
    brightest, darkest = max(levels), min(levels)
    # Real minus adversarial: black where the attack added light, white where it took light away.
    assert darkest < 55 if twin.direction == "insert" else brightest > 200


def test_a_researcher_excludes_a_twin_with_a_reason_and_sees_who_did_it(client, twin, rosa):
    page = reverse("lab:stimulus", args=[twin.pk])
    assert "cannot be undone" in client.get(page).content.decode()
    client.post(reverse("lab:exclude", args=[twin.pk]), {"reason": "a seam"})
    assert (Exclusion.objects.get().by, Exclusion.objects.get().reason) == (rosa, "a seam")
    assert "a seam" in client.get(page).content.decode()
    assert (shown(client, excluded="yes"), shown(client, excluded="no")) == (1, 23)


def test_a_detector_s_score_is_said_to_be_of_alteration_and_a_classifier_s_of_malignancy(client, scored):
    page = reverse("lab:stimulus", args=[scored.pk])
    body = client.get(page).content.decode()
    assert ("of malignancy" in body, "that it was altered" in body) == (True, False)
    checkpoint("watch", CheckpointKind.DETECTOR)
    keep_scores({scored.stimulus_id: 0.8}, classifier="watch", size=(64, 52))
    assert "that it was altered" in client.get(page).content.decode()


def test_an_exclusion_without_a_reason_is_refused_with_a_sentence(client, twin):
    answer = client.post(reverse("lab:exclude", args=[twin.pk]), {"reason": " "})
    assert answer.status_code == 400
    assert not Exclusion.objects.exists()


def test_images_of_a_sealed_study_are_not_shown_in_any_way(client, study):
    held = {row.stimulus.image_id for plan in study.session_plans.all() for row in plan.allocations.all()}
    assert shown(client) == 44 - len(held)
    assert f"{len(held)} more are in sealed studies" in client.get(reverse("lab:stimuli")).content.decode()
    hidden = Truth.objects.filter(stimulus__image__in=held, authenticity="adversarial").first()
    for door in ("stimulus", "picture", "full-size"):
        panel = [] if door == "stimulus" else ["adversarial"]
        assert client.get(reverse(f"lab:{door}", args=[hidden.pk, *panel])).status_code == 404
    assert client.post(reverse("lab:exclude", args=[hidden.pk]), {"reason": "x"}).status_code == 404


def test_once_unsealed_they_are_shown(client, study, rosa):
    close_study(study=study, actor=None, at=make.MONDAY)
    unseal_study(study=study, actor=rosa, reason="all have read", at=make.MONDAY)
    assert shown(client) == 44
