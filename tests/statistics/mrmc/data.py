"""Readings that the oracles know: published ones from the shared folder, and our own simulated study."""

import csv
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.statistics.oracle import ORACLES, SHARED

EXACT = 1e-10
published = pytest.mark.skipif(not SHARED.is_dir(), reason="the published rating data are not in the repository")


@dataclass(frozen=True)
class Study:
    """Readings in long form, as the analyses take them."""

    score: np.ndarray
    truth: np.ndarray
    reader: np.ndarray
    case: np.ndarray
    condition: np.ndarray

    def __iter__(self):
        return iter((self.score, self.truth, self.reader, self.case, self.condition))

    def only(self, chosen: np.ndarray) -> "Study":
        return Study(*(column[chosen] for column in self))


def expected(name: str) -> dict[str, Any]:
    folder = ORACLES if (ORACLES / name).exists() else SHARED
    return json.loads((folder / name).read_text())


def near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=EXACT, abs=EXACT)


@cache
def van_dyke() -> Study:
    """Van Dyke et al. (1993): 2 treatments, 5 readers, 114 cases, five categories."""
    rows = _rows(SHARED / "vandyke.csv")
    score, truth = ([float(row[name]) for row in rows] for name in ("rating", "truth"))
    labels = ([row[name] for row in rows] for name in ("reader", "case", "treatment"))
    return Study(np.array(score), np.array(truth, dtype=int), *map(np.array, labels))


@cache
def imrmc(name: str) -> Study:
    """A file with the truth among the readings, as "reader" truth."""
    rows = _rows(SHARED / f"imrmc_{name}.csv")
    truth = {row["caseID"]: int(float(row["score"])) for row in rows if row["readerID"] == "truth"}
    rows = [row for row in rows if row["readerID"] != "truth"]
    score = np.array([float(row["score"]) for row in rows])
    labels = (np.array([row[name] for row in rows]) for name in ("readerID", "caseID", "modalityID"))
    return Study(score, np.array([truth[row["caseID"]] for row in rows]), *labels)


@cache
def simulated() -> Study:
    """Sessions 3 and 5 of our own simulated study: the same five readers, no image in common."""
    rows = [row for row in _rows(ORACLES / "simstudy.csv") if row["session"] in "35"]
    levels = {"real": 0, "unsure": 1, "fake": 2}
    return Study(
        np.array([levels[row["answer"]] for row in rows]),
        np.array([int(row["truth"] == "fake") for row in rows]),
        np.array([row["reader"] for row in rows]),
        np.array([row["case"] for row in rows]),
        np.array([int(row["session"]) for row in rows]),
    )


def crossed(
    rng: np.random.Generator,
    *,
    conditions: int = 2,
    readers: int = 4,
    negatives: int = 9,
    positives: int = 8,
    levels: int | None = 4,
) -> Study:
    """Synthetic readings that have something in common by reader and case; `levels` None for continuous scores."""
    truth = np.repeat([0, 1], [negatives, positives])
    shape = (conditions, readers, truth.size)
    score = truth + rng.normal(size=truth.size) + 0.5 * rng.normal(size=(readers, 1)) + rng.normal(size=shape)
    if levels is not None:
        score = np.clip(np.round(score), 0, levels - 1)
    condition, reader, case = (axis.ravel() for axis in np.indices(shape))
    return Study(score.ravel(), truth[case], reader, case, condition)


def _rows(path: Any) -> list[dict[str, str]]:
    with path.open() as lines:
        return list(csv.DictReader(lines))
