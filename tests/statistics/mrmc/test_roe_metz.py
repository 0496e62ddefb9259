"""Closed-form truths, and estimators held against them."""

import csv
from itertools import product

import numpy as np
import pytest

from readerstudy.statistics import mrmc
from readerstudy.statistics.mrmc.roe_metz import Effects, RoeMetz, exact_truth, simulate
from tests.statistics.oracle import ORACLES

READER_VARIANCES = {0.75: (0.0055, 0.011), 1.5: (0.0055, 0.03), 2.5: (0.0055, 0.056)}
# Cases, and readers by cases of negatives and of positives; each the same in both conditions and anew in each.
CORRELATIONS = ((0.3, 0.2, 0.2), (0.1, 0.2, 0.6))


def structures(separation: float) -> list[RoeMetz]:
    models = []
    for reader, (case, negative, positive) in product(READER_VARIANCES[separation], CORRELATIONS):
        pair = (Effects(reader, case, negative), Effects(reader, case, positive))
        models.append(RoeMetz((separation, separation), pair, pair))
    return models


def test_all_72_published_truths_of_crossed_designs_come_out() -> None:
    with (ORACLES / "roe_metz_truth.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 72
    for row in rows:
        sizes = {name: int(row[key]) for name, key in (("readers", "nr"), ("negatives", "n0"), ("positives", "n1"))}
        truths = [exact_truth(model, **sizes) for model in structures(float(row["uA"]))]
        mine = [(truth.auc[0], truth.variance[0], truth.difference_variance) for truth in truths]
        known = [float(row[name]) for name in ("auc", "varA", "varD")]
        # One of the four structures of that separation; the relative error of the reference's own integrals is 1e-9.
        assert any(values == pytest.approx(known, rel=1e-8) for values in mine), row["id"]


def test_the_u_statistic_is_right_on_average_and_so_are_its_moments() -> None:
    model = structures(1.5)[1]
    size = {"readers": 4, "negatives": 12, "positives": 10}
    truth = exact_truth(model, **size)
    rng = np.random.default_rng(5)
    found = [mrmc.u_statistic(*vars(simulate(model, rng=rng, **size)).values()) for _ in range(600)]
    for values, known in (
        ([result.means[0] for result in found], truth.auc[0]),
        ([result.variance[0] for result in found], truth.variance[0]),
        ([result.difference_variance for result in found], truth.difference_variance),
        *(([result.moments[0, 1].unbiased[k] for result in found], truth.moments[2][k]) for k in range(8)),
    ):
        assert abs(np.mean(values) - known) < 4 * np.std(values) / np.sqrt(len(values))


def test_an_area_below_chance_has_its_truth_too() -> None:
    effects = Effects(0.03, 0.3, 0.2)
    up = exact_truth(RoeMetz((1.0, 0.5), (effects,) * 2, (effects,) * 2), readers=5, negatives=50, positives=50)
    down = exact_truth(RoeMetz((-1.0, -0.5), (effects,) * 2, (effects,) * 2), readers=5, negatives=50, positives=50)
    assert down.auc == tuple(pytest.approx(1 - auc) for auc in up.auc)
    assert down.difference_variance == pytest.approx(up.difference_variance)
