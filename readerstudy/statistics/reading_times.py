"""How long readers take: minutes per session, seconds per image, a declared idle rule, and a model of log time."""

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import ArrayLike, NDArray

from readerstudy.statistics.linear_mixed import LinearModel, linear

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReadingTimes:
    """The times of one reader's session. Minutes are as clocked; all the rest is under the idle rule.

    The rule takes an image that was on screen for longer than `idle_after` seconds as left alone after that long.
    """

    readings: int
    minutes: float
    idle_after: float | None
    idle_readings: int
    idle_minutes: float  # what the rule takes off
    active_minutes: float
    median_seconds: float | None
    lower_quartile: float | None
    upper_quartile: float | None


@dataclass(frozen=True)
class ClockTimes:
    """One reader's session by the clock, from the first image shown to the last answer, less the gaps.

    A gap is a wait of more than `gap_after` seconds from one answer to the next image: a pause, a lost connection.
    """

    span_minutes: float
    gap_after: float | None
    gaps: int
    gap_minutes: float
    active_minutes: float


@dataclass(frozen=True)
class TimeRatio:
    """By what factor readings take longer: the exponential of a coefficient of log time."""

    name: str
    ratio: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class LogTimeModel:
    """The model of log seconds, and its effects as ratios of times."""

    model: LinearModel
    ratios: tuple[TimeRatio, ...]
    idle_readings: int


def reading_times(seconds: ArrayLike, *, idle_after: float | None = None) -> ReadingTimes:
    """Minutes (the article's Table 4), and median and quartiles of seconds per image, of one session's readings.

    Quartiles are linearly interpolated (Hyndman and Fan, 1996, type 7, as R and numpy do it).
    """
    clocked = _checked(seconds)
    active = _under_rule(clocked, idle_after)
    quartiles = np.quantile(active, (0.25, 0.5, 0.75)).tolist() if active.size else (None, None, None)
    return ReadingTimes(
        readings=clocked.size,
        minutes=float(clocked.sum() / 60),
        idle_after=idle_after,
        idle_readings=int((active < clocked).sum()),
        idle_minutes=float((clocked - active).sum() / 60),
        active_minutes=float(active.sum() / 60),
        median_seconds=quartiles[1],
        lower_quartile=quartiles[0],
        upper_quartile=quartiles[2],
    )


def clock_times(shown_at: ArrayLike, answered_at: ArrayLike, *, gap_after: float | None = None) -> ClockTimes:
    """The session's span in minutes and the gaps in it that the declared rule takes off; times are in seconds."""
    shown, answered = np.asarray(shown_at, dtype=float), np.asarray(answered_at, dtype=float)
    if shown.ndim != 1 or shown.shape != answered.shape or not np.isfinite(shown).all():
        raise ValueError("shown_at and answered_at must be lists of finite times of the same length.")
    if not (answered >= shown).all():
        raise ValueError("answered_at must not lie before shown_at.")
    if gap_after is not None and not gap_after > 0:
        raise ValueError(f"gap_after must be above 0 seconds, not {gap_after}.")
    if not shown.size:
        return ClockTimes(0.0, gap_after, 0, 0.0, 0.0)
    order = np.argsort(shown, kind="stable")
    between = shown[order][1:] - answered[order][:-1]
    gaps = between[between > (np.inf if gap_after is None else gap_after)]
    span, left_out = float(answered.max() - shown.min()) / 60, float(gaps.sum()) / 60
    return ClockTimes(span, gap_after, int(gaps.size), left_out, span - left_out)


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
    """log(seconds) ~ session + position + truth + (1 | reader) + (1 | case), REML with Satterthwaite's df.

    With `own_pace` each reader has slopes for the sessions too, (1 + session || reader). Take it to test a change of
    pace: without it the test rejects .785 of true nulls where readers change their pace in their own ways, with it
    .050 (docs/results/statistics-calibration.md).

    Long form. `truth` is 1 for adversarial. Position runs from −1 for the first to 1 for the last reading of a
    reader's session, so its ratio is that of half a session. The first session is the reference.
    """
    clocked, sessions, fake = _checked(seconds), np.asarray(session), np.asarray(truth)
    if not clocked.all():
        raise ValueError("seconds must be above 0 for each reading: there is no logarithm of 0.")
    if not clocked.shape == sessions.shape == fake.shape == np.shape(position) == np.shape(reader):
        raise ValueError("seconds, session, position, truth and reader must be lists of the same length.")
    active = _under_rule(clocked, idle_after)
    by_session = {f"session {number}": sessions == number for number in np.unique(sessions).tolist()[1:]}
    fixed = dict(by_session)
    fixed["position"] = relative_position(position, reader, sessions)
    if np.unique(fake).size == 2:
        fixed["adversarial"] = fake == 1
    slopes = by_session if own_pace else None
    model = linear(np.log(active), fixed, reader, case, slopes=slopes, confidence=confidence)
    ratios = tuple(
        TimeRatio(effect.name, exp(effect.estimate), exp(effect.low), exp(effect.high), effect.p)
        for effect in model.fixed[1:]
    )
    return LogTimeModel(model, ratios, int((active < clocked).sum()))


def relative_position(position: ArrayLike, reader: ArrayLike, session: ArrayLike) -> Floats:
    """Each reading's place in its reader's session, from −1 to 1; 0 in a session of one reading."""
    places = np.asarray(position, dtype=float)
    cell = _codes(reader) * (np.max(_codes(session), initial=0) + 1) + _codes(session)
    first, last = np.full(cell.max(initial=0) + 1, np.inf), np.full(cell.max(initial=0) + 1, -np.inf)
    np.minimum.at(first, cell, places)
    np.maximum.at(last, cell, places)
    length = (last - first)[cell]
    place: Floats = np.divide(2 * (places - first[cell]) - length, length, out=np.zeros_like(places), where=length > 0)
    return place


def _codes(values: ArrayLike) -> NDArray[np.int64]:
    return np.unique(np.asarray(values), return_inverse=True)[1]


def _under_rule(clocked: Floats, idle_after: float | None) -> Floats:
    if idle_after is None:
        return clocked
    if not idle_after > 0:
        raise ValueError(f"idle_after must be above 0 seconds, not {idle_after}.")
    return np.minimum(clocked, idle_after)


def _checked(seconds: ArrayLike) -> Floats:
    clocked = np.asarray(seconds, dtype=float)
    if clocked.ndim != 1 or not (np.isfinite(clocked) & (clocked >= 0)).all():
        raise ValueError("seconds must be a list of finite numbers, none of them negative.")
    return clocked
