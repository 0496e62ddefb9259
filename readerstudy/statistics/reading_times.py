"""Reading times: minutes per session, seconds per image, the declared idle rule, and a model of log time."""

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import ArrayLike, NDArray

from readerstudy.statistics.linear_mixed import LinearModel, linear

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReadingTimes:
    """Reading times of one reader's session. `minutes` are as measured; the other times are under the idle rule.

    The rule counts at most `idle_after` seconds per image; longer times mean that the reader was away.
    """

    readings: int
    minutes: float
    idle_after: float | None
    idle_readings: int
    idle_minutes: float  # subtracted by the rule
    active_minutes: float
    median_seconds: float | None
    lower_quartile: float | None
    upper_quartile: float | None


@dataclass(frozen=True)
class ClockTimes:
    """Clock time of one reader's session, from the first image shown to the last answer, and the gaps in it.

    A gap is more than `gap_after` seconds between an answer and the next image (a pause, a lost connection).
    """

    span_minutes: float
    gap_after: float | None
    gaps: int
    gap_minutes: float
    active_minutes: float


@dataclass(frozen=True)
class TimeRatio:
    """The factor by which an effect multiplies reading time: the exponential of a coefficient of log time."""

    name: str
    ratio: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class LogTimeModel:
    """The model of log seconds, with its effects as ratios of times."""

    model: LinearModel
    ratios: tuple[TimeRatio, ...]
    idle_readings: int


def reading_times(seconds: ArrayLike, *, idle_after: float | None = None) -> ReadingTimes:
    """Return minutes (the article's Table 4), and median and quartiles of seconds per image, of one session.

    `seconds` has shape (n,). Quartiles are linearly interpolated (Hyndman and Fan, 1996, type 7, as in R and numpy).
    Raises ValueError for negative times.
    """
    measured = _checked(seconds)
    active = _apply_idle_rule(measured, idle_after)
    quartiles = np.quantile(active, (0.25, 0.5, 0.75)).tolist() if active.size else (None, None, None)
    return ReadingTimes(
        readings=measured.size,
        minutes=float(measured.sum() / 60),
        idle_after=idle_after,
        idle_readings=int((active < measured).sum()),
        idle_minutes=float((measured - active).sum() / 60),
        active_minutes=float(active.sum() / 60),
        median_seconds=quartiles[1],
        lower_quartile=quartiles[0],
        upper_quartile=quartiles[2],
    )


def clock_times(shown_at: ArrayLike, answered_at: ArrayLike, *, gap_after: float | None = None) -> ClockTimes:
    """Return the session's span in minutes and the gaps that the declared rule subtracts.

    Both arrays (n,) are in seconds. Raises ValueError if an answer precedes its image.
    """
    shown, answered = np.asarray(shown_at, dtype=float), np.asarray(answered_at, dtype=float)
    if shown.ndim != 1 or shown.shape != answered.shape or not np.isfinite(shown).all():
        raise ValueError("shown_at and answered_at must be one-dimensional arrays of finite times of the same length.")
    if not (answered >= shown).all():
        raise ValueError("answered_at must not be before shown_at.")
    if gap_after is not None and not gap_after > 0:
        raise ValueError(f"gap_after must be above 0 seconds, not {gap_after}.")
    if not shown.size:
        return ClockTimes(0.0, gap_after, 0, 0.0, 0.0)
    order = np.argsort(shown, kind="stable")
    waits = shown[order][1:] - answered[order][:-1]
    gaps = waits[waits > (np.inf if gap_after is None else gap_after)]
    span, gap_minutes = float(answered.max() - shown.min()) / 60, float(gaps.sum()) / 60
    return ClockTimes(span, gap_after, int(gaps.size), gap_minutes, span - gap_minutes)


def log_time_model(
    seconds: ArrayLike,
    session: ArrayLike,
    position: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    *,
    idle_after: float | None = None,
    own_pace: bool = False,
    confidence: float = 0.95,
) -> LogTimeModel:
    """Fit log(seconds) ~ session + position + truth + (1 | reader) + (1 | case), REML with Satterthwaite's df.

    Arrays have shape (n,). `truth` is 1 for adversarial. Position is scaled from −1 (first) to 1 (last reading of a
    reader's session), so its ratio refers to half a session. The first session is the reference.

    `own_pace` adds slopes of readers for the sessions, (1 + session || reader). Use it to test a change of pace: if
    readers change their pace individually, the test rejects .785 of true nulls without it and .050 with it
    (docs/results/statistics-calibration.md). Raises ValueError for times of 0 or if the model cannot be estimated.
    """
    measured, sessions, adversarial = _checked(seconds), np.asarray(session), np.asarray(truth)
    if not measured.all():
        raise ValueError("seconds must be above 0 for each reading: the logarithm of 0 does not exist.")
    if not measured.shape == sessions.shape == adversarial.shape == np.shape(position) == np.shape(reader):
        raise ValueError("seconds, session, position, truth and reader must be arrays of the same length.")
    active = _apply_idle_rule(measured, idle_after)
    by_session = {f"session {number}": sessions == number for number in np.unique(sessions).tolist()[1:]}
    fixed = dict(by_session)
    fixed["position"] = relative_position(position, reader, sessions)
    if np.unique(adversarial).size == 2:
        fixed["adversarial"] = adversarial == 1
    slopes = by_session if own_pace else None
    model = linear(np.log(active), fixed, reader, case, slopes=slopes, confidence=confidence)
    ratios = tuple(
        TimeRatio(effect.name, exp(effect.estimate), exp(effect.low), exp(effect.high), effect.p)
        for effect in model.fixed[1:]
    )
    return LogTimeModel(model, ratios, int((active < measured).sum()))


def relative_position(position: ArrayLike, reader: ArrayLike, session: ArrayLike) -> Floats:
    """Return each reading's position in its reader's session, scaled from −1 to 1; 0 if the session has one reading."""
    positions = np.asarray(position, dtype=float)
    cell = _codes(reader) * (np.max(_codes(session), initial=0) + 1) + _codes(session)
    first, last = np.full(cell.max(initial=0) + 1, np.inf), np.full(cell.max(initial=0) + 1, -np.inf)
    np.minimum.at(first, cell, positions)
    np.maximum.at(last, cell, positions)
    length = (last - first)[cell]
    doubled = 2 * (positions - first[cell]) - length
    scaled: Floats = np.divide(doubled, length, out=np.zeros_like(positions), where=length > 0)
    return scaled


def _codes(values: ArrayLike) -> NDArray[np.int64]:
    return np.unique(np.asarray(values), return_inverse=True)[1]


def _apply_idle_rule(measured: Floats, idle_after: float | None) -> Floats:
    if idle_after is None:
        return measured
    if not idle_after > 0:
        raise ValueError(f"idle_after must be above 0 seconds, not {idle_after}.")
    return np.minimum(measured, idle_after)


def _checked(seconds: ArrayLike) -> Floats:
    measured = np.asarray(seconds, dtype=float)
    if measured.ndim != 1 or not (np.isfinite(measured) & (measured >= 0)).all():
        raise ValueError("seconds must be a one-dimensional array of finite numbers, none of them negative.")
    return measured
