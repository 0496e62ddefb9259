"""Parallel work on images, and what every attack checks and declares."""

import threading

import numpy as np
import pytest
import torch

from attacks.base import pixels_drawn, require_grey_image
from attacks.constraints.post_processing import NO_POST_PROCESSING
from attacks.constraints.sham import Sham
from attacks.gradient import FGSM
from attacks.gradient.full_size import GradientAttack
from attacks.parallel import CHUNK, parallel_map
from attacks.registry import attack_images
from models_ml.errors import WrongImages
from tests.attacks.small import EPSILON, small_classifier
from tests.attacks.test_gradient_attack import make_image


def test_results_come_in_order_whichever_call_ends_first():
    first_may_end = threading.Event()

    def square(number: int) -> int:
        if number == 1:
            first_may_end.set()
        if number == 0 and torch.get_num_threads() == 1:
            first_may_end.wait(timeout=1)
        return number**2

    assert list(parallel_map(square, range(2 * CHUNK + 3))) == [number**2 for number in range(2 * CHUNK + 3)]


def test_no_more_than_a_chunk_is_computed_ahead():
    calls: list[int] = []
    results = parallel_map(lambda number: calls.append(number) or number, range(3 * CHUNK))
    assert next(results) == 0
    assert len(calls) <= CHUNK
    results.close()


def test_torch_has_its_threads_again_after_an_error():
    threads = torch.get_num_threads()

    def fail(_number: int) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(parallel_map(fail, range(3)))
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    "pixels", [np.zeros((8, 6), np.uint8), np.zeros((1, 8, 6), np.uint16)], ids=["8 bits", "batch"]
)
def test_only_one_16_bit_image_is_accepted(pixels):
    with pytest.raises(WrongImages, match="one 16-bit grey image"):
        require_grey_image(pixels)
    require_grey_image(np.zeros((8, 6), np.uint16))


def test_an_attack_without_generator_draws_no_pixels():
    assert pixels_drawn(Sham((6, 5), NO_POST_PROCESSING)) == 0


def test_a_batch_gives_the_images_that_single_calls_give():
    images = [make_image(seed, bits=12) for seed in (1, 2)]
    gradient = GradientAttack(FGSM(EPSILON), 1, small_classifier(), "", 3)
    for attack in (gradient, Sham((6, 5), NO_POST_PROCESSING)):
        for real, adversarial in zip(images, attack_images(attack, images), strict=True):
            assert np.array_equal(adversarial, attack(real))
            assert (adversarial != real).any()
