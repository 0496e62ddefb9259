"""The rule by which one iterate of the last stage is kept."""

import numpy as np
import pytest
import torch

from models_ml.config import Snapshots
from models_ml.data.images import to_tensor
from models_ml.evaluation.predictions import scores
from models_ml.networks import build
from models_ml.networks.generator import Generator
from models_ml.training.generator_selection import snapshot_score, watched_rows
from models_ml.training.loop import BestWeights
from readerstudy.imaging.image import WHITE
from tests.models_ml import tiny

RULE = Snapshots(identity_bound=0.02, price=10.0)


def test_the_score_is_the_wanted_shift_less_the_price_of_visible_change() -> None:
    torch.manual_seed(0)
    config, pixels = tiny.gan_config(), tiny.images().pixels[:10]
    target, generator = build(tiny.classifier_config()).eval(), Generator(config.generator)
    with torch.no_grad():
        generator.last.bias.fill_(1.0)
    images = to_tensor(pixels, torch.device("cpu"))
    found = snapshot_score(generator, target, images, wanted=-1, rule=RULE, config=config)

    u = pixels / WHITE
    fakes = u * np.e / (1 - u + u * np.e)  # the logit raised by one
    shift = scores(target, np.rint(fakes * WHITE).astype(np.uint16)).mean() - scores(target, pixels).mean()
    identity = np.mean([((f - y) ** 2).sum() / ((y - 0.2) ** 2).sum() for f, y in zip(fakes, u, strict=True)])
    # The score is taken in training precision, which may be bfloat16: the shift is good to two digits.
    assert found == pytest.approx(-shift - 10 * (identity - 0.02), abs=0.02)
    assert identity > 0.1


def test_a_generator_that_changes_nothing_scores_nothing() -> None:
    config = tiny.gan_config()
    target, generator = build(tiny.classifier_config()).eval(), Generator(config.generator)
    images = to_tensor(tiny.images().pixels[:4], torch.device("cpu"))
    for wanted in (-1, 1):
        score = snapshot_score(generator, target, images, wanted=wanted, rule=RULE, config=config)
        assert score == pytest.approx(0, abs=1e-6)


def test_only_a_better_snapshot_replaces_the_kept_one() -> None:
    generator = Generator(tiny.gan_config().generator)
    first = BestWeights().updated(0.3, 10, generator)
    assert first.updated(0.3, 20, generator) is first
    with torch.no_grad():
        generator.last.bias.fill_(5.0)
    assert first.weights is not None
    assert first.weights["last.bias"].item() == 0  # a copy: later training does not reach it
    assert first.updated(0.4, 30, generator).step == 30


def test_the_watched_images_are_drawn_once_from_the_source_class() -> None:
    sources = np.arange(50, 90)
    config = tiny.gan_config()
    rows = watched_rows(sources, config, seed=1)
    assert len(rows) == config.snapshots.images
    assert set(rows) <= set(sources)
    np.testing.assert_array_equal(rows, watched_rows(sources, config, seed=1))
