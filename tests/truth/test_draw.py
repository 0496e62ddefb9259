"""The draw: half real, half adversarial, both pathologies, no image twice, the same for the same seed."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from readerstudy.studies.protocol import ZHOU2021
from readerstudy.truth.draw import Candidate, CohortTooSmall, draw

SHARE = 0.17  # about the article's share of malignant images


def cohort(train: int = 3470, held_out: int = 876, *, without_adversarial: int = 0) -> list[Candidate]:
    splits = ["train"] * train + ["tuning"] * (held_out // 2) + ["test"] * (held_out - held_out // 2)
    return [
        Candidate(
            number, label=int(number % 100 < 100 * SHARE), split=split, has_adversarial=number >= without_adversarial
        )
        for number, split in enumerate(splits)
    ]


def test_the_article_s_numbers_fit_the_article_s_cohort():
    lists = draw(cohort(), ZHOU2021, seed=1)
    sizes = {number: Counter(pick.adversarial for pick in picks) for number, picks in lists.items()}
    assert sizes == {
        1: {False: 100},
        2: {False: 100},
        3: {False: 218, True: 218},
        4: {False: 100},
        5: {False: 220, True: 220},
    }
    # 436 + 440 = 876: every held-out image serves once, as itself or as a source image.
    held_out = [pick.image for number in (3, 5) for pick in lists[number]]
    assert sorted(held_out) == list(range(3470, 3470 + 876))


def test_no_image_serves_twice_in_a_study():
    images = [pick.image for picks in draw(cohort(), ZHOU2021, seed=2).values() for pick in picks]
    assert len(images) == len(set(images))


def test_images_come_from_the_session_s_splits():
    split = {candidate.image: candidate.split for candidate in cohort()}
    lists = draw(cohort(), ZHOU2021, seed=3)
    for session in ZHOU2021:
        assert {split[pick.image] for pick in lists[session.number]} <= set(session.splits)


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.1, 0.03])
def test_both_pathologies_are_in_each_half_in_the_cohort_s_share(scale):
    label = {candidate.image: candidate.label for candidate in cohort()}
    share = {("train",): _share(cohort(), "train"), ("tuning", "test"): _share(cohort(), "tuning", "test")}
    sessions = [session.scaled(scale) for session in ZHOU2021]
    for session, picks in zip(sessions, draw(cohort(), sessions, seed=4).values(), strict=True):
        for adversarial, count in ((False, session.real), (True, session.adversarial)):
            positives = sum(label[pick.image] for pick in picks if pick.adversarial is adversarial)
            assert not count or 1 <= positives < count
            assert abs(positives - share[session.splits] * count) <= 1


def _share(candidates: list[Candidate], *splits: str) -> float:
    labels = [candidate.label for candidate in candidates if candidate.split in splits]
    return sum(labels) / len(labels)


def test_the_same_seed_draws_the_same_and_another_seed_something_else():
    assert draw(cohort(), ZHOU2021, seed=5) == draw(cohort(), ZHOU2021, seed=5)
    assert draw(cohort(), ZHOU2021, seed=5) != draw(cohort(), ZHOU2021, seed=6)


def test_the_order_of_the_candidates_does_not_matter():
    assert draw(cohort()[::-1], ZHOU2021, seed=5) == draw(cohort(), ZHOU2021, seed=5)


def test_the_reading_order_mixes_real_and_adversarial():
    order = [pick.adversarial for pick in draw(cohort(), ZHOU2021, seed=7)[3]]
    runs = 1 + sum(a != b for a, b in pairwise(order))
    assert 180 < runs < 260  # 219 expected of 436 in random order; 2 if one half stood before the other


def test_the_seed_alone_does_not_give_away_which_places_are_adversarial():
    """Two cohorts of the same shape and other images: who knows seed and plan still does not know the places."""
    others = [replace(candidate, image=candidate.image + 10_000) for candidate in cohort()]
    one, other = (
        [pick.adversarial for pick in draw(candidates, ZHOU2021, seed=5)[3]] for candidates in (cohort(), others)
    )
    agreeing = sum(a == b for a, b in zip(one, other, strict=True))
    assert 150 < agreeing < 286  # 218 expected of 436 by chance


def test_only_attacked_images_are_sources_or_education():
    candidates = cohort(train=500, without_adversarial=250)
    lists = draw(candidates, ZHOU2021, seed=8)
    assert all(pick.image >= 250 for pick in lists[4])


def test_a_cohort_that_is_too_small_lists_what_each_session_lacks():
    with pytest.raises(CohortTooSmall) as told:
        draw(cohort(train=150, held_out=876), ZHOU2021, seed=1)
    sentence = str(told.value)
    # 34 of the 150 are malignant: session 1 takes 23 + 77, so 11 + 39 are left for session 2's 22 + 78.
    assert "session 1" not in sentence
    assert "session 2 lacks 11 real positive images (needs 22 from train, 11 left)" in sentence
    assert "session 2 lacks 39 real other images (needs 78 from train, 39 left)" in sentence
    assert "session 4 lacks" in sentence
    assert "session 5" not in sentence
