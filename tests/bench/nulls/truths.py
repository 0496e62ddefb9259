"""Simulated studies of the article's shape in which nothing changes from session to session.

A reading is a latent score: the class's mean, the reader, the image, and what is left; two thresholds make it real,
unsure or not real. Three truths differ in what is left, and in whether a reader drifts between sessions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

READERS = 5
IMAGES = {2: (100, 0), 3: (218, 218), 5: (220, 220)}  # real, adversarial
POSITIVE = 0.27
ADVERSARIAL_MEAN = 0.9
REAL_BELOW, NOT_REAL_FROM = 0.9, 1.05  # thresholds of the latent score; unsure between them
SD_READER = 0.4  # of either kind of image, the same in all sessions
CASE, READER_CASE, REST = 0.25, 0.15, 0.60  # variances, 1 in all
PERSISTENCE = 0.9  # lag-one correlation of the wandering state
LOG_SECONDS, SD_TIME_READER, SD_TIME_CASE, SD_TIME = 2.2, 0.4, 0.25, 0.4


@dataclass(frozen=True)
class Truth:
    """What the null is made of; `serial` is the share of a single reading's variance that wanders in reading order."""

    name: str
    sd_reader_session: float
    serial: float


TRUTHS = (
    Truth("independent", 0.0, 0.0),
    Truth("reader-by-session", 0.22, 0.0),
    Truth("serial", 0.0, 0.42),  # gives verdicts a lag-one correlation of about .2
)


@dataclass(frozen=True)
class Session:
    """One session of all readers; tables are (readers, images), `order` holds images in reading order."""

    adversarial: Integers  # (images,)
    positive: NDArray[np.bool_]  # (images,)
    order: Integers
    level: Integers  # 0 real, 1 unsure, 2 not real
    log_seconds: Floats
    mean: Floats  # (readers, 2): of the latent score of a real and of an adversarial image

    @property
    def correct(self) -> Floats:
        """1 if the verdict is right; unsure is wrong."""
        return np.where(self.adversarial == 1, self.level == 2, self.level == 0).astype(float)

    def in_order(self, reader: int, *, adversarial: int | None = None, positive: bool | None = None) -> Floats:
        """One reader's correct readings in reading order, of one subset."""
        order = self.order[reader]
        chosen = np.ones(order.size, dtype=bool)
        if adversarial is not None:
            chosen &= self.adversarial[order] == adversarial
        if positive is not None:
            chosen &= self.positive[order] == positive
        return self.correct[reader, order[chosen]]


@dataclass(frozen=True)
class Study:
    """Sessions 2, 3 and 5, each with images of its own, and session 3's images read once more."""

    truth: Truth
    sessions: dict[int, Session]
    again: Session


def simulate(truth: Truth, rng: np.random.Generator) -> Study:
    """Draw readers, images and verdicts."""
    reader = rng.normal(0, SD_READER, (READERS, 2))
    pace = rng.normal(0, SD_TIME_READER, READERS)
    sessions, third = {}, np.zeros((0, 0))
    for number, (real_count, adversarial_count) in IMAGES.items():
        adversarial = np.repeat([0, 1], [real_count, adversarial_count])
        case = rng.normal(0, np.sqrt(CASE), adversarial.size)
        known = case + rng.normal(0, np.sqrt(READER_CASE), (READERS, adversarial.size))
        third = known if number == 3 else third
        sessions[number] = _read(truth, adversarial, known, reader, pace, rng)
    return Study(truth, sessions, _read(truth, sessions[3].adversarial, third, reader, pace, rng))


def _read(
    truth: Truth, adversarial: Integers, known: Floats, reader: Floats, pace: Floats, rng: np.random.Generator
) -> Session:
    order = np.array([rng.permutation(adversarial.size) for _ in range(READERS)])
    mean = np.array([0.0, ADVERSARIAL_MEAN]) + reader + rng.normal(0, truth.sd_reader_session, (READERS, 2))
    rest = _in_reading_order(truth.serial, REST, order, rng)
    latent = mean[:, adversarial] + known + rest
    slower = pace + rng.normal(0, truth.sd_reader_session, READERS)
    log_seconds = LOG_SECONDS + slower[:, None] + rng.normal(0, SD_TIME_CASE, adversarial.size)
    log_seconds = log_seconds + _in_reading_order(truth.serial * SD_TIME**2, SD_TIME**2, order, rng)
    level = (latent >= REAL_BELOW).astype(np.int64) + (latent >= NOT_REAL_FROM)
    return Session(adversarial, _positives(adversarial), order, level, log_seconds, mean)


def _in_reading_order(serial: float, variance: float, order: Integers, rng: np.random.Generator) -> Floats:
    """Normal deviates (readers, images) of that variance, `serial` of it an AR(1) process along each reader's order."""
    readers, images = order.shape
    shocks = rng.normal(0, np.sqrt(1 - PERSISTENCE**2), (readers, images))
    shocks[:, 0] /= np.sqrt(1 - PERSISTENCE**2)  # the process starts in its steady state
    wandering = np.empty((readers, images))
    np.put_along_axis(wandering, order, lfilter([1.0], [1.0, -PERSISTENCE], shocks, axis=1), axis=1)
    drawn: Floats = np.sqrt(serial) * wandering + np.sqrt(variance - serial) * rng.normal(0, 1, (readers, images))
    return drawn


def _positives(adversarial: Integers) -> NDArray[np.bool_]:
    """The first 27 % of either kind; pathology moves no verdict here."""
    rank = np.where(adversarial == 1, np.cumsum(adversarial), np.cumsum(1 - adversarial))
    size = np.where(adversarial == 1, adversarial.sum(), (1 - adversarial).sum())
    positive: NDArray[np.bool_] = rank <= np.round(POSITIVE * size)
    return positive


def level_shares(mean: Floats, *, spread: float = 1.0) -> Floats:
    """P(real, unsure, not real) of latent means (…,), with the SD of what is around them: (…, 3)."""
    below = ndtr((np.array([REAL_BELOW, NOT_REAL_FROM]) - np.asarray(mean)[..., None]) / spread)
    return np.diff(below, axis=-1, prepend=0.0, append=1.0)


def long_form(first: Session, second: Session, *, shared: bool) -> dict[str, Any]:
    """Two sessions as conditions 0 and 1 in long form; `shared` if both hold the same images."""
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in ("score", "truth", "reader", "case", "condition")}
    for condition, session in enumerate((first, second)):
        reader, case = (axis.ravel() for axis in np.indices(session.level.shape))
        columns["score"].append(session.level.ravel().astype(float))
        columns["truth"].append(session.adversarial[case])
        columns["reader"].append(reader)
        columns["case"].append(case if shared else case + 10_000 * condition)
        columns["condition"].append(np.full(case.size, condition))
    return {name: np.concatenate(parts) for name, parts in columns.items()}
