"""Simulated readers share the images' difficulty, so that agreement and case variance are seen at work."""

from random import Random

import numpy as np
import pytest

from readerstudy.rehearsal.simulated_readers import SKILLS, _SimulatedReader, chance_at, difficulty_of
from readerstudy.statistics.agreement import agreement_of_counts

IMAGES = 600
CODES = [f"image-{number}" for number in range(IMAGES)]
ADVERSARIAL = set(CODES[: IMAGES // 2])
SESSION = 3


def answers(skill, number: int) -> list[str]:
    """The verdicts of one reader on the images of session 3."""
    reader = _SimulatedReader.__new__(_SimulatedReader)
    reader.skill, reader.rng, reader.adversarial = skill, Random(f"1:{number}"), ADVERSARIAL
    reader.difficulty = {code: difficulty_of(index, 1) for index, code in enumerate(CODES)}
    return [reader._verdict({"code": code}, SESSION) for code in CODES]


@pytest.fixture(scope="module")
def verdicts():
    return np.array([answers(skill, number) for number, skill in enumerate(SKILLS)])


def test_the_share_of_right_verdicts_is_the_reader_s_skill(verdicts):
    for row, skill in zip(verdicts, SKILLS, strict=True):
        shares = (row[: IMAGES // 2] == "not_real").mean(), (row[IMAGES // 2 :] == "real").mean()
        for share, adversarial in zip(shares, (True, False), strict=True):
            assert share == pytest.approx(skill.chance(SESSION, adversarial=adversarial), abs=0.09)


@pytest.mark.parametrize("chance", [0.24, 0.5, 0.94])
def test_over_all_images_the_chance_is_as_stated(chance):
    difficulties = [difficulty_of(number, 2) for number in range(20_000)]
    assert np.mean([chance_at(chance, each) for each in difficulties]) == pytest.approx(chance, abs=0.01)
    assert chance_at(chance, 1.5) < chance_at(chance, -1.5)
    assert (chance_at(0.0, 2), chance_at(1.0, 2)) == (0, 1)


def test_readers_agree_beyond_their_skills(verdicts):
    """Within images of one kind, agreement comes from the images alone."""
    adversarial, real = verdicts[:, : IMAGES // 2], verdicts[:, IMAGES // 2 :]
    for right in (adversarial == "not_real", real == "real"):
        found = agreement_of_counts(np.stack([right.sum(0), (~right).sum(0)], axis=1))
        assert found.fleiss_kappa.low > 0.02


def test_right_verdicts_of_two_readers_go_together(verdicts):
    right = verdicts[:, : IMAGES // 2] == "not_real"
    together = np.corrcoef(right)[np.triu_indices(len(SKILLS), 1)]
    assert together.mean() > 0.15
