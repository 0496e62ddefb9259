"""Scores, thresholds and Table 1 against hand-made and independent answers."""

import numpy as np
import pytest
import torch

from models_ml.errors import LabError, WrongImages
from models_ml.evaluation.attack_table import attack_table, decide
from models_ml.evaluation.predictions import scores, sensitivity_threshold, youden_threshold
from models_ml.networks.vgg import VggClassifier
from models_ml.presets import PRESETS
from models_ml.runtime.device import drawn_beside
from readerstudy.results.evaluation import ThresholdRule
from readerstudy.statistics import delong
from readerstudy.statistics.proportions import wilson, wilson_by_cluster
from readerstudy.statistics.roc import auc
from tests.models_ml import tiny


def test_the_youden_threshold_is_the_best_cut_there_is() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 50)
    score = rng.normal(labels * 0.8, 1)
    threshold = youden_threshold(score, labels)

    def index(cut: float) -> float:
        return float((score[labels == 1] > cut).mean() + (score[labels == 0] <= cut).mean())

    assert index(threshold) == pytest.approx(max(index(cut) for cut in score))


def test_the_youden_threshold_lies_between_the_scores_it_separates() -> None:
    assert youden_threshold(np.array([0.1, 0.3, 0.8]), np.array([0, 0, 1])) == pytest.approx(0.55)


@pytest.mark.parametrize("least", [0.5, 0.9, 0.95, 1.0])
def test_the_sensitive_threshold_is_the_greatest_that_is_sensitive_enough(least: float) -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 60)
    score = np.round(rng.normal(labels * 0.8, 1), 1)  # with ties
    threshold = sensitivity_threshold(score, labels, least=least)
    assert (score[labels == 1] > threshold).mean() >= least
    above = score[score > threshold].min()
    assert (score[labels == 1] > above).mean() < least


def test_where_all_must_be_called_the_sensitive_threshold_lies_below_all() -> None:
    assert sensitivity_threshold(np.array([0.2, 0.3, 0.8]), np.array([1, 0, 1]), least=1.0) < 0.2


def test_a_sensitivity_that_is_no_share_or_has_no_cancers_is_refused() -> None:
    with pytest.raises(LabError, match="above 0 and at most at 1"):
        sensitivity_threshold(np.array([0.2, 0.3]), np.array([1, 0]), least=1.5)
    with pytest.raises(LabError, match="positive and other"):
        sensitivity_threshold(np.array([0.2, 0.3]), np.array([0, 0]), least=0.9)


def test_scores_are_float32_probabilities_and_leave_the_network_as_it_was() -> None:
    images, net = tiny.images(), VggClassifier(tiny.classifier_config()).train()
    score = scores(net, images.pixels, batch=7)
    assert score.shape == (40,)
    assert ((score > 0) & (score < 1)).all()
    assert net.training
    np.testing.assert_allclose(scores(net, images.pixels, rows=np.array([5, 2])), score[[5, 2]], rtol=1e-6)
    with pytest.raises(WrongImages, match="reads 32 × 24"):
        scores(net, images.pixels[:, :16])


class Watched(VggClassifier):
    """Notes how many images enter together, and scores each by its mean grey without any arithmetic of its layers."""

    def __init__(self, config) -> None:
        with torch.device("meta"):
            super().__init__(config)
        self.entered: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.entered.append(len(images))
        grey = images.mean(dim=(1, 2, 3))
        return torch.stack([-grey, grey], dim=1)


@pytest.mark.parametrize(
    ("preset", "together"), [("zhou2021-high", 1), ("zhou2021-low", 4), ("demo", 16)], ids=["high", "low", "demo"]
)
def test_no_more_images_are_scored_together_than_the_memory_holds(preset: str, together: int) -> None:
    config = PRESETS[preset].classifier
    pixels = np.arange(17, dtype=np.uint16)[:, None, None] * np.ones((config.rows, config.columns), np.uint16)
    net = Watched(config)
    score = scores(net, pixels)
    assert max(net.entered) == together
    assert sum(net.entered) == len(score) == 17
    assert (np.diff(score) > 0).all()


def test_scores_are_the_same_however_many_are_scored_together() -> None:
    """Up to float32: the order in which a product is summed depends on the size of the batch."""
    torch.manual_seed(5)  # with other seeds, rounding alone reaches up to 9e-6
    images, net = tiny.images(), VggClassifier(tiny.classifier_config())
    expected = scores(net, images.pixels)
    for batch in (1, 3, 16):
        np.testing.assert_allclose(scores(net, images.pixels, batch=batch), expected, rtol=1e-6)


def test_no_more_images_are_drawn_beside_each_other_than_the_machine_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * 2**30 // 4096}
    monkeypatch.setattr("os.sysconf", pages.__getitem__)
    assert drawn_beside(16, 1728 * 1408) == 2
    assert drawn_beside(1, 1728 * 1408) == 1
    assert drawn_beside(16, 256 * 208) == 16
    assert drawn_beside(16, 4096 * 3328) == 1


REAL = np.array([0.9, 0.8, 0.3, 0.2, 0.1, 0.6])
FAKE = np.array([0.2, 0.7, 0.9, 0.8, 0.3, 0.1])
LABELS = np.array([1, 1, 1, 0, 0, 0])


def test_fooled_counts_only_images_whose_real_version_was_right() -> None:
    at = decide(REAL, FAKE, LABELS, np.arange(6), rule=ThresholdRule.ARTICLE, threshold=0.5)
    assert (at.positives_right.hits, at.positives_right.trials) == (2, 3)
    assert (at.negatives_right.hits, at.negatives_right.trials) == (2, 3)
    # Of two right positives one adversarial image is called negative; of two right negatives one is called positive.
    assert (at.fooled_by_removal.hits, at.fooled_by_removal.trials) == (1, 2)
    assert (at.fooled_by_insertion.hits, at.fooled_by_insertion.trials) == (1, 2)
    assert (at.fooled.hits, at.fooled.trials) == (2, 4)
    # On the adversarial set the labels are flipped: the negatives' adversarial images count as positives.
    assert (at.adversarial_positives_right.hits, at.adversarial_negatives_right.hits) == (1, 1)


PATIENTS = np.array(["a", "a", "b", "c", "c", "d"])


def make_table(**others):
    return attack_table(
        score_real=REAL,
        score_adversarial=FAKE,
        labels=LABELS,
        patients=PATIENTS,
        thresholds={ThresholdRule.YOUDEN: 0.25},
        rng=np.random.default_rng(0),
        replicates=300,
        **others,
    )


def test_the_table_holds_both_aucs_and_both_thresholds() -> None:
    table = make_table()
    assert (table.images, table.patients) == (6, 4)
    assert table.auc_real.value == auc(REAL, LABELS)
    assert table.auc_flipped.value == auc(FAKE, 1 - LABELS)
    assert [at.threshold for at in table.decisions] == [0.5, 0.25]


def test_shares_treat_the_images_of_a_patient_as_dependent() -> None:
    """Twenty images of five patients, four equal ones each: their interval is nearly that of five images."""
    score = np.repeat([0.9, 0.8, 0.7, 0.6, 0.2], 4)
    labels, patients = np.ones(20, int), np.repeat(list("abcde"), 4)
    at = decide(score, 1 - score, labels, patients, rule=ThresholdRule.ARTICLE, threshold=0.5)
    assert (at.positives_right.hits, at.positives_right.trials) == (16, 20)
    assert at.positives_right == wilson_by_cluster(score > 0.5, patients)
    assert at.positives_right.low < wilson(16, 20).low - 0.1
    assert at.fooled.low == wilson(4, 4).low  # all 16 images of four patients
    assert at.negatives_right.share is None
    assert make_table().is_by_patient


def test_the_areas_are_compared_on_the_same_images_by_patient() -> None:
    """Paired DeLong of flipped less real: the adversarial image of i is paired with real i."""
    compared = make_table(with_area_comparison=True).compared
    assert compared.difference == pytest.approx(auc(FAKE, 1 - LABELS) - auc(REAL, LABELS))
    straight = delong.paired(LABELS, 1 - FAKE, REAL, cluster=PATIENTS)
    assert (compared.low, compared.high, compared.p) == (straight.low, straight.high, straight.p)
    alone = delong.paired(LABELS, 1 - FAKE, REAL)
    assert compared.low != alone.low
    assert make_table().compared is None


def test_an_attack_on_one_class_has_no_area() -> None:
    positive = LABELS == 1
    table = attack_table(
        score_real=REAL[positive],
        score_adversarial=FAKE[positive],
        labels=LABELS[positive],
        patients=PATIENTS[positive],
        thresholds={},
        rng=np.random.default_rng(0),
        with_area_comparison=True,
    )
    assert (table.auc_real, table.auc_flipped, table.compared) == (None, None, None)
    assert table.decisions[0].fooled_by_insertion.share is None
