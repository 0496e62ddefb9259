"""Our gradient attacks against torchattacks (Kim, 2020), on the same network and images.

The oracle is for tests only, and is installed without its dependencies (they would bring another torch).
"""

import pytest
import torch
import torchattacks
from torch import Tensor

import attacks.gradient.apgd as apgd
from attacks.constraints.budget import AttackBatch
from attacks.gradient import APGD, FAB, FGSM, PGD, CarliniWagner, Square
from attacks.gradient.base import cross_entropy, margin
from readerstudy.imaging.image import WHITE
from tests.attacks.small import EPSILON, small_batch, small_classifier

RADIUS = EPSILON / WHITE


@pytest.fixture(scope="module")
def classifier():
    return small_classifier()


@pytest.fixture(scope="module")
def batch(classifier) -> AttackBatch:
    """Without black pixels: ours leave them alone, the oracle does not."""
    batch = small_batch(classifier)
    images = batch.images.clamp(min=1e-3)
    return AttackBatch(images, classifier(images).argmax(1), batch.seeds)


def losses(classifier, images: Tensor, batch: AttackBatch) -> Tensor:
    with torch.no_grad():
        return cross_entropy(classifier(images), batch.labels)


def test_fgsm_is_the_oracle_s(classifier, batch) -> None:
    theirs = torchattacks.FGSM(classifier, eps=RADIUS)(batch.images, batch.labels)
    torch.testing.assert_close(FGSM(EPSILON)(classifier, batch), theirs, rtol=0, atol=1e-6)


def test_pgd_without_a_random_start_is_the_oracle_s(classifier, batch) -> None:
    ours = PGD(EPSILON, steps=10, random_start=False, iterate="last")(classifier, batch)
    oracle = torchattacks.PGD(classifier, eps=RADIUS, alpha=RADIUS / 4, steps=10, random_start=False)
    torch.testing.assert_close(ours, oracle(batch.images, batch.labels), rtol=0, atol=1e-6)


def test_pgd_with_momentum_is_the_oracle_s(classifier, batch) -> None:
    ours = PGD(EPSILON, steps=10, random_start=False, momentum=1.0, iterate="last")(classifier, batch)
    oracle = torchattacks.MIFGSM(classifier, eps=RADIUS, alpha=RADIUS / 4, steps=10, decay=1.0)
    torch.testing.assert_close(ours, oracle(batch.images, batch.labels), rtol=0, atol=1e-6)


def test_auto_pgd_walks_the_oracle_s_way(classifier, batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both start in the same corner of the ball; the greatest loss on the way is the same."""
    monkeypatch.setattr(apgd, "uniform_noise", lambda seeds, like, *where: torch.ones_like(like))
    ours = losses(classifier, APGD(EPSILON, steps=30)(classifier, batch), batch)
    monkeypatch.setattr(torch, "rand", lambda shape: torch.ones(shape))
    oracle = torchattacks.APGD(classifier, eps=RADIUS, steps=30)
    best, _, greatest, _ = oracle.attack_single_run(batch.images, batch.labels)
    torch.testing.assert_close(ours, greatest, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours, losses(classifier, best, batch), rtol=1e-4, atol=1e-5)


def test_carlini_wagner_at_one_c_is_as_good_as_the_oracle(classifier, batch) -> None:
    """The oracle searches no c and stops early, when the whole batch's cost rises; else it is the same descent."""
    ours = CarliniWagner(steps=50, searches=1, start=10.0, confidence=0.0)(classifier, batch)
    theirs = torchattacks.CW(classifier, c=10.0, kappa=0, steps=50, lr=0.01)(batch.images, batch.labels)
    squares = [(x - batch.images).flatten(1).square().sum(1) for x in (ours, theirs)]
    with torch.no_grad():
        our_lead, their_lead = (margin(classifier(x), batch.labels) < 0 for x in (ours, theirs))
    assert their_lead.any()
    assert (our_lead | ~their_lead).all()
    assert (squares[0][their_lead] <= squares[1][their_lead] * 1.001 + 1e-9).all()


def test_fab_finds_as_near_a_boundary_as_the_oracle(classifier, batch) -> None:
    ours = FAB(WHITE, steps=30)(classifier, batch)
    theirs = torchattacks.FAB(classifier, eps=1.0, steps=30, n_classes=2)(batch.images, batch.labels)
    near, oracle = ((x - batch.images).abs().flatten(1).amax(1) for x in (ours, theirs))
    torch.testing.assert_close(near, oracle, rtol=0.02, atol=1e-5)


def test_square_lowers_the_margin_as_far_as_the_oracle(classifier, batch) -> None:
    """Two random searches do not meet pixel by pixel: what they reach on average must be alike."""

    def reached(images: Tensor) -> float:
        with torch.no_grad():
            return margin(classifier(images), batch.labels).mean().item()

    clean = reached(batch.images)
    ours = reached(Square(EPSILON, queries=150)(classifier, batch))
    theirs = reached(torchattacks.Square(classifier, eps=RADIUS, n_queries=150)(batch.images, batch.labels))
    assert clean - ours > 0.8 * (clean - theirs) > 0
