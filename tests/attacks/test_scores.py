"""Scores of held-out images and their adversarial images that an evaluation stores."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from attacks.evaluation.measure import TargetClassifier, score_all
from attacks.tasks.evaluating import _attack_images, _source_images
from models_ml.errors import LabError
from models_ml.evaluation.predictions import scores
from models_ml.runtime.progress import silent
from readerstudy.cohort.models import Stimulus
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities.mammography.geometry import GEOMETRY
from readerstudy.truth.actions import exclude_image, store_scores
from readerstudy.truth.models import Score, Truth
from readerstudy.truth.queries import adversarial_images, real_images, scores_by
from tests import make
from tests.models_ml import tiny

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]

SIZE = (32, 26)  # the shape of the study's pictures


@pytest.fixture
def cohort():
    cohort = make.cohort()
    make.adversarial_images_for(cohort)
    return cohort


class Brightness(torch.nn.Module):
    """Calls bright pictures positive: no two pictures have one score, and the same picture has one in any batch."""

    config = replace(tiny.classifier_config(), rows=SIZE[0], columns=SIZE[1])

    def forward(self, images):
        grey = images[:, 0].mean(dim=(1, 2))
        return torch.stack([-grey, grey], dim=1)


@pytest.fixture
def classifier():
    return Brightness()


def score_cohort(cohort, classifier, left_out=()):
    attack = _attack_images(cohort, "low", ["gan-insert", "gan-remove"], SIZE)
    attack = replace(attack, files={image: file for image, file in attack.files.items() if image not in left_out})
    target = TargetClassifier("target", classifier)
    (result,) = score_all([target], _source_images(cohort, "low"), [attack], silent, geometry=GEOMETRY)
    return result


def test_each_held_out_image_has_the_score_of_its_own_file(cohort, classifier):
    result = score_cohort(cohort, classifier).by_stimulus
    held_out = [picture for picture in real_images(cohort, "low") if picture.split != "train"]
    adversarial = adversarial_images(cohort, "low", ["gan-insert", "gan-remove"])
    expected = {p.stimulus_id for p in held_out} | {adversarial[p.image_id].stimulus_id for p in held_out}
    assert set(result) == expected
    for stimulus in Stimulus.objects.filter(pk__in=expected):
        small = GEOMETRY.resize(decode_png(stimulus.path), SIZE)
        assert result[stimulus.pk] == pytest.approx(float(scores(classifier, small[None])[0]), abs=1e-6)
    assert len({round(value, 9) for value in result.values()}) == len(
        expected
    )  # each adversarial image has its own score


def test_a_tuning_image_without_adversarial_image_is_scored(cohort, classifier):
    single = next(picture for picture in real_images(cohort, "low") if picture.split == "tuning")
    missing = adversarial_images(cohort, "low", ["gan-insert", "gan-remove"])[single.image_id].stimulus_id
    whole, partly = score_cohort(cohort, classifier), score_cohort(cohort, classifier, left_out={single.image_id})
    assert set(whole.by_stimulus) - set(partly.by_stimulus) == {missing}
    assert partly.by_stimulus[single.stimulus_id] == pytest.approx(whole.by_stimulus[single.stimulus_id], abs=1e-6)
    # Table 1 is about the test split and does not move.
    (name,) = whole.attacks
    before, after = whole.attacks[name].adversarial, partly.attacks[name].adversarial
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-6)


def test_a_test_image_without_adversarial_image_is_an_error(cohort, classifier):
    single = next(picture for picture in real_images(cohort, "low") if picture.split == "test")
    with pytest.raises(LabError, match=r"1 of .* test images have no adversarial image by gan-insert, gan-remove"):
        score_cohort(cohort, classifier, left_out={single.image_id})


def test_an_image_excluded_from_studies_counts_in_table_1(cohort, classifier, rosa):
    whole = score_cohort(cohort, classifier)
    shown = {one.stimulus for one in whole.test}
    ugly = Truth.objects.filter(source_image__in=shown)[0].stimulus
    exclude_image(stimulus=ugly, actor=rosa, reason="A white line.", at=make.MONDAY)
    assert set(score_cohort(cohort, classifier).by_stimulus) == set(whole.by_stimulus)


def test_scores_are_stored_by_run_and_replaced_by_later_ones(cohort, classifier):
    result = score_cohort(cohort, classifier).by_stimulus
    store_scores(result, classifier="target", size=SIZE)
    assert scores_by("target", list(result)) == result
    assert scores_by("another", list(result)) == {}
    store_scores({pk: 1 - value for pk, value in result.items()}, classifier="target", size=SIZE)
    assert Score.objects.count() == len(result)
    np.testing.assert_allclose(
        [scores_by("target", [pk])[pk] for pk in result], [1 - value for value in result.values()], rtol=0, atol=0
    )
    assert set(Score.objects.values_list("rows", "columns")) == {SIZE}
