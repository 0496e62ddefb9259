"""How often intervals contain the true value, on simulated studies whose truth is known."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from readerstudy.statistics import agreement, bootstrap, delong, mrmc
from readerstudy.statistics.proportions import clopper_pearson, newcombe, newcombe_paired, wilson
from readerstudy.statistics.signal_detection import detection
from tests.bench.nulls.across_readers import REPLICATES, THRESHOLD
from tests.bench.nulls.truths import (
    ADVERSARIAL_MEAN,
    CASE,
    READERS,
    SD_READER,
    Floats,
    Session,
    Study,
    Truth,
    level_shares,
    long_form,
)
from tests.bench.nulls.within_reader import Outcome

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
CHANCES = WEIGHTS / WEIGHTS.sum()
COEFFICIENTS = ("percent", "fleiss_kappa", "krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1")


def of_one_reader(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """Shares, their differences, d′ and an area, each against this reader's own truth."""
    for reader in range(READERS):
        third, fifth = study.sessions[3], study.sessions[5]
        sessions = (("3", third), ("5", fifth), ("again", study.again))
        hits = {name: _right(session, reader) for name, session in sessions}
        shares = {name: float(level_shares(session.mean[reader, 0])[0]) for name, session in sessions[:2]}
        share = wilson(int(hits["3"].sum()), hits["3"].size)
        yield "Wilson, a share", _holds(share.low, shares["3"], share.high)
        exact = clopper_pearson(int(hits["3"].sum()), hits["3"].size)
        yield "Clopper–Pearson, a share", _holds(exact.low, shares["3"], exact.high)
        apart = newcombe(share, wilson(int(hits["5"].sum()), hits["5"].size))
        yield "Newcombe, a difference", _holds(apart.low, shares["5"] - shares["3"], apart.high)
        yield _paired(study, reader, hits["3"], hits["again"], shares["3"])
        yield from _detected(third, reader)


def _right(session: Session, reader: int) -> np.ndarray:
    return session.correct[reader, session.adversarial == 0] == 1


def _paired(study: Study, reader: int, once: np.ndarray, twice: np.ndarray, share: float) -> Outcome:
    counts = (once & twice, once & ~twice, ~once & twice, ~once & ~twice)
    result = newcombe_paired(*(int(count.sum()) for count in counts))
    true = float(level_shares(study.again.mean[reader, 0])[0]) - share
    return "Newcombe paired, the same images twice", _holds(result.low, true, result.high)


def _detected(session: Session, reader: int) -> Iterator[Outcome]:
    called, adversarial = session.level[reader] == 2, session.adversarial == 1
    hits, false_alarms = int((called & adversarial).sum()), int((called & ~adversarial).sum())
    result = detection(hits, int(adversarial.sum()), false_alarms, int((~adversarial).sum()))
    assert result is not None
    true = float(session.mean[reader, 1] - session.mean[reader, 0])
    yield "d′ of one reader", _holds(result.d_prime_low, true, result.d_prime_high)
    area = delong.area(session.adversarial, session.level[reader])
    yield "DeLong, an area of verdicts", _holds(area.low, float(_auc(session.mean[reader])), area.high)


def of_agreement(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """Every coefficient of session 3, these readers and other images."""
    session = study.sessions[3]
    for kind, name in ((0, "real"), (1, "adversarial")):
        chosen = session.adversarial == kind
        level = session.level[:, chosen]
        case = np.broadcast_to(np.arange(level.shape[1]), level.shape)
        result = agreement.agreement(level.ravel(), case.ravel(), levels=(0, 1, 2))
        for coefficient, true in _agreement(session.mean[:, kind]).items():
            interval = getattr(result, coefficient)
            yield f"{coefficient}, {name}", _holds(interval.low, true, interval.high)


def of_all_readers(study: Study, rng: np.random.Generator) -> Iterator[Outcome]:
    """One session's mean and the difference of two, over readers and cases like these."""
    data = long_form(study.sessions[3], study.sessions[5], shared=False)
    truth = _population(study.truth)
    for figure in ("auc", "sensitivity", "accuracy"):
        options: dict[str, Any] = {"figure": figure, "threshold": THRESHOLD}
        result = mrmc.obuchowski_rockette(**data, **options, design="cases_in_condition")
        interval = result.intervals[0]
        yield f"OR, one session, {figure}", _holds(interval.low, truth[figure], interval.high)
        difference = result.differences[0]
        yield f"OR, a difference, {figure}", _holds(difference.low, 0.0, difference.high)
        drawn = bootstrap.reader_by_case(**data, **options, rng=rng, replicates=REPLICATES)
        yield f"bootstrap, one session, {figure}", _holds(drawn.means[0].low, truth[figure], drawn.means[0].high)
        change = drawn.differences[0]
        yield f"bootstrap, a difference, {figure}", _holds(change.low, 0.0, change.high)


def _holds(low: float | None, value: float, high: float | None) -> bool | None:
    return None if low is None or high is None else bool(low <= value <= high)


def _auc(mean: Floats) -> Floats:
    """Of the three levels, from latent means (…, 2) of real and adversarial images."""
    real, adversarial = level_shares(mean[..., 0]), level_shares(mean[..., 1])
    area: Floats = (adversarial * (np.cumsum(real, axis=-1) - real / 2)).sum(axis=-1)
    return area


def _population(truth: Truth) -> dict[str, float]:
    """Expected figures of a reader drawn at random, at 1.5 for all but the area."""
    sd = float(np.hypot(SD_READER, truth.sd_reader_session))
    mean = np.stack(np.meshgrid(sd * NODES, ADVERSARIAL_MEAN + sd * NODES, indexing="ij"), axis=-1)
    specificity = float(CHANCES @ (1 - level_shares(sd * NODES)[:, 2]))
    sensitivity = float(CHANCES @ level_shares(ADVERSARIAL_MEAN + sd * NODES)[:, 2])
    auc = float(CHANCES @ _auc(mean) @ CHANCES)
    return {"auc": auc, "sensitivity": sensitivity, "accuracy": (specificity + sensitivity) / 2}


def _agreement(mean: Floats) -> dict[str, float]:
    """Return the coefficients for these readers (their means for one kind of image) and infinitely many images."""
    chances = level_shares(mean[:, None] + np.sqrt(CASE) * NODES, spread=float(np.sqrt(1 - CASE)))
    everyone = chances.sum(axis=0)  # (nodes, levels)
    pairs = np.einsum("n,nk,nl->kl", CHANCES, everyone, everyone) - np.einsum(
        "n,rnk,rnl->kl", CHANCES, chances, chances
    )
    pairs /= len(mean) * (len(mean) - 1)
    shares = pairs.sum(axis=1)
    observed, expected, at_random = float(np.trace(pairs)), float(shares @ shares), float(shares @ (1 - shares)) / 2
    middle = np.cumsum(shares) - shares / 2
    distance = (middle[:, None] - middle) ** 2
    kappa = (observed - expected) / (1 - expected)
    return {
        "percent": observed,
        "fleiss_kappa": kappa,
        "krippendorff_nominal": kappa,
        "krippendorff_ordinal": float(1 - (pairs * distance).sum() / (shares @ distance @ shares)),
        "gwet_ac1": (observed - at_random) / (1 - at_random),
    }
