"""Gradient attacks on a small network: budgets, strength, chance."""

from copy import deepcopy
from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from torch import Tensor

from attacks.constraints.budget import AttackBatch
from attacks.gradient import APGD, FAB, FGSM, PGD, BinaryAutoAttack, CarliniWagner, Square
from attacks.gradient.base import GradientMethod, cross_entropy, margin
from attacks.gradient.fab import step_to_plane
from readerstudy.imaging.image import WHITE
from tests.attacks.small import EPSILON, only, small_batch, small_classifier

BUDGETED: list[GradientMethod] = [
    FGSM(EPSILON),
    PGD(EPSILON, steps=8),
    PGD(EPSILON, steps=8, momentum=1.0, iterate="last"),
    APGD(EPSILON, steps=12),
    FAB(EPSILON, steps=8),
    Square(EPSILON, queries=30),
    BinaryAutoAttack(EPSILON, steps=8, queries=20),
]
EVERY = [*BUDGETED, CarliniWagner(steps=8, searches=3, rate=0.1)]


def name(method: GradientMethod) -> str:
    return type(method).__name__


@pytest.fixture(scope="module")
def classifier():
    return small_classifier()


@pytest.fixture(scope="module")
def batch(classifier) -> AttackBatch:
    return small_batch(classifier)


def fooled(classifier, images: Tensor, batch: AttackBatch) -> Tensor:
    with torch.no_grad():
        return margin(classifier(images), batch.labels) < 0


def losses(classifier, images: Tensor, batch: AttackBatch) -> Tensor:
    with torch.no_grad():
        return cross_entropy(classifier(images), batch.labels)


@pytest.mark.parametrize("method", BUDGETED, ids=name)
def test_no_pixel_leaves_the_budget_and_black_stays_black(method, classifier, batch) -> None:
    attacked = method(classifier, batch)
    change = (attacked - batch.images).abs().amax().item() * WHITE
    assert 0 < change <= EPSILON + 0.01
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert (attacked[batch.images == 0] == 0).all()


@pytest.mark.parametrize("method", EVERY, ids=name)
def test_weight_zero_keeps_pixels_and_white_limits_changes(method, classifier, batch) -> None:
    weight = torch.zeros_like(batch.images)
    weight[..., 8:24, 6:20] = 1
    held = replace(batch, weight=weight, white=torch.full((len(batch.labels),), 0.45))
    attacked = method(classifier, held)
    assert torch.equal(attacked[weight == 0], batch.images[weight == 0])
    assert (attacked != batch.images).any()
    assert (attacked <= torch.maximum(batch.images, torch.tensor(0.45))).all()


@pytest.mark.parametrize("method", EVERY, ids=name)
def test_the_same_seed_gives_the_same_images_whatever_the_batch(method, classifier, batch) -> None:
    exact = name(method) in ("FGSM", "PGD", "APGD", "Square", "BinaryAutoAttack")
    if not exact:
        # Sums over a batch of another size may round otherwise, by processor, and methods that stop at the boundary
        # feel that. In double precision it is far below the tolerance.
        classifier, batch = deepcopy(classifier).double(), replace(batch, images=batch.images.double())
    whole = method(classifier, batch)
    assert torch.equal(whole, method(classifier, batch))
    alone = torch.cat([method(classifier, only(batch, row)) for row in range(len(batch.labels))])
    torch.testing.assert_close(whole, alone, rtol=0, atol=0.0 if exact else 0.5 / WHITE)


@pytest.mark.parametrize(
    "method", [PGD(EPSILON, steps=3), APGD(EPSILON, steps=3), Square(EPSILON, queries=3)], ids=name
)
def test_another_seed_gives_other_images(method, classifier, batch) -> None:
    other = replace(batch, seeds=tuple(seed + 1 for seed in batch.seeds))
    assert not torch.equal(method(classifier, batch), method(classifier, other))


def test_more_steps_and_more_budget_raise_the_loss(classifier, batch) -> None:
    def reached(method: GradientMethod) -> float:
        return losses(classifier, method(classifier, batch), batch).mean().item()

    clean = losses(classifier, batch.images, batch).mean().item()
    assert clean < reached(FGSM(EPSILON)) <= reached(PGD(EPSILON, steps=8)) * 1.001
    assert reached(PGD(EPSILON // 4, steps=8)) < reached(PGD(EPSILON // 2, steps=8)) < reached(PGD(EPSILON, steps=8))


def test_the_best_iterate_is_never_worse_than_the_last(classifier, batch) -> None:
    best, last = (PGD(EPSILON, steps=6, stride=1.5, iterate=iterate)(classifier, batch) for iterate in ("best", "last"))
    assert (losses(classifier, best, batch) >= losses(classifier, last, batch)).all()
    assert not torch.equal(best, last)


def test_carlini_wagner_fools_with_a_smaller_square_than_pgd(classifier, batch) -> None:
    least = CarliniWagner(steps=40, searches=5, confidence=0.0)(classifier, batch)
    pushed = PGD(EPSILON, steps=10)(classifier, batch)
    both = fooled(classifier, least, batch) & fooled(classifier, pushed, batch)
    squares = [(x - batch.images).flatten(1).square().sum(1)[both] for x in (least, pushed)]
    assert fooled(classifier, least, batch).all()
    assert both.any()
    assert (squares[0] < squares[1]).all()


def test_confidence_is_the_lead_of_the_other_class(classifier, batch) -> None:
    lead = CarliniWagner(steps=40, searches=5, confidence=0.2)(classifier, batch)
    with torch.no_grad():
        assert (margin(classifier(lead), batch.labels) <= -0.2).all()


def test_fab_finds_the_boundary_and_stops_a_little_beyond_it(classifier, batch) -> None:
    near = FAB(WHITE, steps=30)(classifier, batch)
    far = PGD(EPSILON, steps=10)(classifier, batch)
    assert fooled(classifier, near, batch).all()
    with torch.no_grad():
        assert margin(classifier(near), batch.labels).min() > margin(classifier(far), batch.labels).min()
    assert (near - batch.images).abs().amax() < EPSILON / WHITE


def test_the_step_to_the_plane_is_equal_for_pixels_within_bounds() -> None:
    gradient = torch.tensor([1.0, -2.0, 0.0, 4.0]).view(1, 1, 1, 4)
    point = torch.full((1, 1, 1, 4), 0.5)
    room = AttackBatch(point, torch.zeros(1, dtype=torch.long), (0,)).feasible_set(None)
    # gradient · z = 1.5 at the point; the plane is 0.8 higher: 0.7 in all, of which no pixel meets a wall.
    step = step_to_plane(point, gradient, torch.tensor([-2.2]), room)
    torch.testing.assert_close(step.flatten(), torch.tensor([0.1, -0.1, 0.0, 0.1]))
    # 3.3 higher: 7 · 0.5 = 3.5 is the most that the room gives; λ = 3.3 / 7.
    step = step_to_plane(point, gradient, torch.tensor([-4.8]), room)
    torch.testing.assert_close(step.abs().amax(), torch.tensor(3.3 / 7))
    # Out of reach: every pixel stands at its wall.
    step = step_to_plane(point, gradient, torch.tensor([-9.0]), room)
    torch.testing.assert_close(step.flatten(), torch.tensor([0.5, -0.5, 0.0, 0.5]))


def test_square_asks_for_scores_only_and_fools_some(classifier, batch) -> None:
    def scores_only(images: Tensor) -> Tensor:
        assert not images.requires_grad
        return classifier(images).detach()

    attacked = Square(EPSILON * 2, queries=60)(scores_only, batch)
    assert fooled(classifier, attacked, batch).any()


def test_the_ensemble_fools_whatever_one_of_its_parts_fools(classifier, batch) -> None:
    together = fooled(classifier, BinaryAutoAttack(EPSILON, steps=8, queries=20)(classifier, batch), batch)
    alone = fooled(classifier, APGD(EPSILON, steps=8)(classifier, batch), batch)
    assert (together | ~alone).all()


def test_auto_pgd_looks_at_its_step_where_the_article_says() -> None:
    # Croce & Hein: p₀ = 0, p₁ = 0.22, p_{j+1} = p_j + max(p_j − p_{j−1} − 0.03, 0.06).
    assert APGD(steps=100).checkpoints() == [22, 41, 57, 70, 80, 87, 93, 99]


@pytest.mark.parametrize("method", EVERY, ids=name)
def test_an_attack_is_a_frozen_value(method) -> None:
    with pytest.raises(FrozenInstanceError):
        method.steps = 3
