"""What a GAN's steps learn from depends on the seed and the step's number, and on nothing before it."""

from dataclasses import replace
from itertools import islice

import torch

from models_ml.config import Augmentation
from models_ml.data.gan_batches import GanBatch, GanBatches
from models_ml.data.images import Pairing
from tests.models_ml import tiny

CONFIG = replace(tiny.gan_config(), augmentation=Augmentation())


def batches(seed: int = 1) -> GanBatches:
    images = tiny.images()
    pairing = Pairing(images.rows("train", 0), images.rows("train", 1), CONFIG.images_per_class)
    return GanBatches(images, pairing, CONFIG, seed)


def parts(batch: GanBatch) -> list[torch.Tensor]:
    return [batch.x, batch.y, *batch.generator_y, torch.tensor(batch.seeds)]


def test_steps_begun_in_the_middle_are_those_of_a_run_from_the_start():
    whole = list(islice(batches().pairing.batches(1), 12))
    for first in (5, 11):
        rows = next(batches().pairing.batches(1, first=first))
        assert [each.tolist() for each in rows] == [each.tolist() for each in whole[first]]
        again, before = batches().prepare(first, rows), batches().prepare(first, whole[first])
        assert all(torch.equal(one, other) for one, other in zip(parts(again), parts(before), strict=True))


def test_the_same_images_are_moved_otherwise_in_another_step_and_by_another_seed():
    rows = next(batches().pairing.batches(1))
    first = batches().prepare(0, rows)
    for other in (batches().prepare(1, rows), batches(seed=2).prepare(0, rows)):
        assert not any(torch.equal(one, another) for one, another in zip(parts(first), parts(other), strict=True))
