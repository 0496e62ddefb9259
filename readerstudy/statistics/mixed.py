"""The mixed logistic model: what moves the odds of a correct verdict, with readers and cases both random.

Fitted by maximum likelihood with Laplace's approximation, as lme4's glmer does it, with an exact gradient, so that
the optimum is met to ten digits; the standard errors come from the observed information at it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import chdtrc, expit

from readerstudy.statistics.crossed_effects import Crossed, FixedEffect, Floats, RandomEffect, crossed, fixed_effect

NOT_SETTLED = "correct does not settle the effects of fixed: too few readings, or all of one kind are right or wrong."
STEP = 1e-4  # for the second derivatives, from exact first ones


@dataclass(frozen=True)
class LogisticModel:
    """Coefficients are log odds ratios; `log_likelihood` is Laplace's."""

    fixed: tuple[FixedEffect, ...]
    random: tuple[RandomEffect, ...]
    log_likelihood: float
    readings: int
    readers: int
    cases: int
    converged: bool


@dataclass(frozen=True)
class LikelihoodRatio:
    """Twice the gain in log-likelihood by the added coefficients, and the χ² p of it."""

    chi2: float
    df: int
    p: float


@dataclass(frozen=True)
class _Mode:
    """Where the random effects are most probable, given the parameters: u of readers, v of cases, both of SD 1."""

    u: Floats  # (readers, q)
    v: Floats  # (cases,)
    eta: Floats  # (n,)
    penalised: float  # −2 log-likelihood + |u|² + |v|²


@dataclass(frozen=True)
class _Curvature:
    """The second derivatives at a mode: readers' and cases' blocks of I + B′WB, and the Schur complement."""

    diagonal: Floats  # (cases,)
    border: Floats  # (readers · q, cases)
    inverse: Floats  # of the Schur complement, (readers · q, readers · q)
    log_det: float

    def solve(self, readers: Floats, cases: Floats) -> tuple[Floats, Floats]:
        u = self.inverse @ (readers.ravel() - self.border @ (cases / self.diagonal))
        return u.reshape(readers.shape), (cases - self.border.T @ u) / self.diagonal


def logistic(
    correct: ArrayLike,
    fixed: Mapping[str, ArrayLike],
    reader: ArrayLike,
    case: ArrayLike,
    *,
    slopes: Mapping[str, ArrayLike] | None = None,
    confidence: float = 0.95,
) -> LogisticModel:
    """correct ~ 1 + fixed + (1 + slopes || reader) + (1 | case) (Bates, Mächler, Bolker and Walker, 2015).

    Long form, one element for each reading; `correct` is 0 or 1. Two-sided p by Wald's z. lme4 stops its inner loop
    at 1e-7 of the deviance, which leaves its printed figures up to half a percent from the optimum that is met here.
    """
    y = np.asarray(correct, dtype=float)
    design = crossed(fixed, slopes or {}, reader, case)
    if y.shape != design.reader.shape or not np.isin(y, (0, 1)).all():
        raise ValueError("correct must be 0 or 1 for each reading.")
    if y.min() == y.max():
        raise ValueError("correct is the same for every reading, so there is nothing to model.")
    _refuse_separation(design, y)
    deviance = _Laplace(design, y)
    start = np.concatenate([np.full(design.slopes.shape[1] + 1, 0.7), _start(design.fixed, y)])
    found = minimize(deviance, start, jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 500})
    # A standard deviation of −.5 is one of .5: the likelihood knows only its square.
    random = design.slopes.shape[1] + 1
    ses = _standard_errors(deviance, found.x)[random:]
    effects = zip(design.names, found.x[random:].tolist(), ses.tolist(), strict=True)
    return LogisticModel(
        fixed=tuple(fixed_effect(name, value, se, confidence=confidence) for name, value, se in effects),
        random=design.random_effects(np.abs(found.x[:random])),
        log_likelihood=-float(found.fun) / 2,
        readings=len(y),
        readers=design.readers,
        cases=design.cases,
        converged=bool(np.abs(found.jac).max() < 1e-3),
    )


def likelihood_ratio(smaller: LogisticModel, larger: LogisticModel) -> LikelihoodRatio:
    """Are the larger model's added coefficients all 0? (Wilks, 1938); for p of several coefficients at once."""
    df = len(larger.fixed) + len(larger.random) - len(smaller.fixed) - len(smaller.random)
    if df < 1 or smaller.readings != larger.readings:
        raise ValueError("smaller must be a part of larger, of the same readings.")
    chi2 = 2 * (larger.log_likelihood - smaller.log_likelihood)
    return LikelihoodRatio(chi2, df, float(chdtrc(df, max(chi2, 0.0))))


def session_by_truth(
    correct: ArrayLike,
    session: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    *,
    reference: int | None = None,
    confidence: float = 0.95,
) -> LogisticModel:
    """correct ~ session × truth, each reader with slopes of their own for all of it, the interaction too.

    Without the interaction's slope its p rejects a true null far too often where readers change in their own ways
    (.43 at .05 instead of .17, docs/results/statistics-calibration.md). What is left comes from
    Wald's z with few readers.
    `truth` is 1 for adversarial. The reference is the first session that shows both kinds; a session of real images
    alone has no interaction. Raises ValueError where a session's readings of one kind are all right or all wrong:
    their odds have no finite estimate.
    """
    right, sessions, fake = np.asarray(correct, dtype=float), np.asarray(session), np.asarray(truth)
    if not right.shape == sessions.shape == fake.shape:
        raise ValueError("correct, session and truth must be lists of the same length.")
    if not right.size:
        raise ValueError("correct must hold at least one reading.")
    if not np.isin(fake, (0, 1)).all():
        raise ValueError("truth must be 1 for adversarial and 0 for real.")
    numbers = np.unique(sessions).tolist()
    both = [number for number in numbers if np.unique(fake[sessions == number]).size == 2]
    if reference is None:
        reference = (both or numbers)[0]
    if reference not in numbers:
        raise ValueError(f"reference is session {reference}, which holds no reading.")
    _refuse_certainty(right, sessions, fake)
    others = [number for number in numbers if number != reference]
    by_session = {f"session {number}": sessions == number for number in others}
    of_truth = {"adversarial": fake == 1} if both else {}
    if both and reference not in both:
        raise ValueError(f"reference is session {reference}, which does not show both real and adversarial images.")
    both_kinds = {f"session {n} × adversarial": (sessions == n) & (fake == 1) for n in others if n in both}
    fixed = {**by_session, **of_truth, **both_kinds}
    return logistic(right, fixed, reader, case, slopes=fixed, confidence=confidence)


def _refuse_separation(design: Crossed, y: Floats) -> None:
    """An effect of 0 and 1 has no finite odds where the readings of one side are all right or all wrong."""
    for name, column in zip(design.names[1:], design.fixed.T[1:], strict=True):
        for side in (0, 1) if np.isin(column, (0, 1)).all() else ():
            chosen = y[column == side]
            if chosen.min() == chosen.max():
                word = "correct" if chosen.min() else "wrong"
                raise ValueError(f"correct: every reading with {name} = {side} is {word}, so its odds are not finite.")


def _refuse_certainty(right: Floats, sessions: Floats, fake: Floats) -> None:
    for number in np.unique(sessions):
        for kind, name in ((0, "real"), (1, "adversarial")):
            cell = right[(sessions == number) & (fake == kind)]
            if cell.size and cell.min() == cell.max():
                word = "correct" if cell.min() else "wrong"
                raise ValueError(
                    f"correct: every {name} image of session {number} was read as {word}, so its odds are not finite."
                )


class _Laplace:
    """−2 log-likelihood and its gradient at (sds of readers' effects, sd of cases, fixed effects).

    Each call starts the inner loop where the last one ended: parameters move little, so do the random effects.
    """

    def __init__(self, design: Crossed, y: Floats) -> None:
        self.design, self.y, self.sign = design, y, 1 - 2 * y
        self.u = np.zeros((design.readers, design.slopes.shape[1]))
        self.v = np.zeros(design.cases)

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        effects = self.design.slopes.shape[1]
        sds, sd, beta = parameters[:effects], float(parameters[effects]), parameters[effects + 1 :]
        scaled = self.design.slopes * sds
        mode = self._mode(scaled, sd, self.design.fixed @ beta)
        self.u, self.v = mode.u, mode.v
        curvature = self._curvature(scaled, sd, mode.eta)
        return mode.penalised + curvature.log_det, self._gradient(scaled, sd, mode, curvature)

    def _mode(self, scaled: Floats, sd: float, offset: Floats) -> _Mode:
        """Newton's steps, halved where they overshoot, to the most probable random effects."""
        at = partial(self._at, scaled, sd, offset)
        mode = at(self.u, self.v)
        for _ in range(100):
            residual = self.y - expit(mode.eta)
            for_u = self.design.by_reader(scaled * residual[:, None]) - mode.u
            for_v = sd * self.design.by_case(residual[:, None])[:, 0] - mode.v
            du, dv = self._curvature(scaled, sd, mode.eta).solve(for_u, for_v)
            decrement = float((du * for_u).sum() + (dv * for_v).sum())
            step = 1.0
            while (
                moved := at(mode.u + step * du, mode.v + step * dv)
            ).penalised > mode.penalised + 1e-9 and step > 1e-6:
                step /= 2
            mode = moved
            if decrement < 1e-10:  # quadratic convergence: the step just taken squared it
                break
        return mode

    def _at(self, scaled: Floats, sd: float, offset: Floats, u: Floats, v: Floats) -> _Mode:
        eta = offset + (scaled * u[self.design.reader]).sum(axis=1) + sd * v[self.design.case]
        penalised = 2 * np.logaddexp(0, self.sign * eta).sum() + (u**2).sum() + (v**2).sum()
        return _Mode(u, v, eta, float(penalised))

    def _curvature(self, scaled: Floats, sd: float, eta: Floats) -> _Curvature:
        readers, effects = self.u.shape
        mean = expit(eta)
        weighted = scaled * (mean * (1 - mean))[:, None]  # (n, q)
        diagonal = 1 + sd**2 * self.design.by_case((mean * (1 - mean))[:, None])[:, 0]
        border = sd * self.design.by_cell(weighted).reshape(readers * effects, -1)
        blocks = np.zeros((readers, effects, readers, effects))
        of_reader = self.design.by_reader((weighted[:, :, None] * scaled[:, None, :]).reshape(len(eta), -1))
        blocks[np.arange(readers), :, np.arange(readers), :] = of_reader.reshape(readers, effects, effects)
        schur = np.eye(readers * effects) + blocks.reshape(readers * effects, -1) - (border / diagonal) @ border.T
        log_det = float(np.linalg.slogdet(schur)[1] + np.log(diagonal).sum())
        return _Curvature(diagonal, border, np.asarray(np.linalg.inv(schur), dtype=np.float64), log_det)

    def _gradient(self, scaled: Floats, sd: float, mode: _Mode, curvature: _Curvature) -> Floats:
        """Of the penalised deviance and of the log determinant, which moves with the mode (implicit derivative)."""
        design = self.design
        mean = expit(mode.eta)
        residual, weight = self.y - mean, mean * (1 - mean)
        for_reader, for_case = self._solved_rows(scaled, sd, curvature)
        leverage = (scaled * for_reader).sum(axis=1) + sd * for_case
        bend = weight * (1 - 2 * mean) * leverage
        t, s = curvature.solve(design.by_reader(scaled * bend[:, None]), sd * design.by_case(bend[:, None])[:, 0])
        followed = (scaled * t[design.reader]).sum(axis=1) + sd * s[design.case]
        slope = bend - weight * followed - 2 * residual  # of the deviance, by each reading's log odds
        of_sds = design.slopes * (
            mode.u[design.reader] * slope[:, None]
            + t[design.reader] * residual[:, None]
            + 2 * weight[:, None] * for_reader
        )
        of_sd = mode.v[design.case] * slope + s[design.case] * residual + 2 * weight * for_case
        return np.concatenate([of_sds.sum(axis=0), [of_sd.sum()], design.fixed.T @ slope])

    def _solved_rows(self, scaled: Floats, sd: float, curvature: _Curvature) -> tuple[Floats, Floats]:
        """For each reading's row b of B: the elements of H⁻¹b′ of its own reader, (n, q), and of its case, (n,)."""
        reader, case = self.design.reader, self.design.case
        readers, effects = self.u.shape
        everyone = np.arange(readers)
        own = curvature.inverse.reshape(readers, effects, readers, effects)[everyone, :, everyone, :]
        corner = -curvature.inverse @ curvature.border / curvature.diagonal  # (readers · q, cases)
        of_case = (1 - (curvature.border * corner).sum(axis=0)) / curvature.diagonal
        crossing = corner.reshape(readers, effects, -1)[reader, :, case]  # (n, q)
        for_reader = (own[reader] @ scaled[:, :, None])[:, :, 0] + sd * crossing
        return for_reader, (crossing * scaled).sum(axis=1) + sd * of_case[case]


def _start(fixed: Floats, y: Floats) -> Floats:
    """The intercept alone, from the share of correct readings."""
    start = np.zeros(fixed.shape[1])
    start[0] = log(y.mean() / (1 - y.mean()))
    return start


def _standard_errors(deviance: _Laplace, parameters: Floats) -> Floats:
    """From twice the inverse of the deviance's second derivatives, central differences of its gradient.

    NaN for standard deviations at their edge; ValueError where that happens to a fixed effect.
    """
    steps = np.eye(len(parameters)) * STEP
    rows = [(deviance(parameters + step)[1] - deviance(parameters - step)[1]) / (2 * STEP) for step in steps]
    hessian = np.array(rows)
    try:
        variances = 2 * np.diag(np.linalg.inv((hessian + hessian.T) / 2))
    except np.linalg.LinAlgError as error:
        raise ValueError(NOT_SETTLED) from error
    if not (variances[-deviance.design.fixed.shape[1] :] > 0).all():  # the likelihood rises towards odds without an end
        raise ValueError(NOT_SETTLED)
    return np.sqrt(np.where(variances > 0, variances, np.nan))
