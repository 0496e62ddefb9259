"""Mixed logistic model of the odds of a correct verdict, with random readers and cases.

Fitted by maximum likelihood with Laplace's approximation, as in lme4's glmer, with an exact gradient, so that the
optimum is found to ten digits. Standard errors come from the observed information at the optimum.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import chdtrc, expit

from readerstudy.statistics.crossed_effects import (
    CrossedDesign,
    FixedEffect,
    Floats,
    RandomEffect,
    crossed_design,
    wald_effect,
)

NOT_IDENTIFIED = (
    "correct does not determine the effects in fixed: too few readings, or all of one kind are correct or wrong."
)
STEP = 1e-4  # for second derivatives, from exact first derivatives


@dataclass(frozen=True)
class LogisticModel:
    """Coefficients are log odds ratios; `log_likelihood` is Laplace's approximation."""

    fixed: tuple[FixedEffect, ...]
    random: tuple[RandomEffect, ...]
    log_likelihood: float
    readings: int
    readers: int
    cases: int
    converged: bool


@dataclass(frozen=True)
class LikelihoodRatio:
    """Likelihood-ratio test: twice the gain in log-likelihood by the added coefficients, with its χ² p."""

    chi2: float
    df: int
    p: float


@dataclass(frozen=True)
class _Mode:
    """Most probable random effects given the parameters: u of readers, v of cases, both with SD 1."""

    u: Floats  # (readers, q)
    v: Floats  # (cases,)
    eta: Floats  # (n,)
    penalised: float  # −2 log-likelihood + |u|² + |v|²


@dataclass(frozen=True)
class _Curvature:
    """Second derivatives at a mode: blocks of readers and cases of I + B′WB, and the Schur complement."""

    diagonal: Floats  # (cases,)
    border: Floats  # (readers · q, cases)
    inverse: Floats  # of the Schur complement, (readers · q, readers · q)
    log_det: float

    def solve(self, readers: Floats, cases: Floats) -> tuple[Floats, Floats]:
        """Return H⁻¹ times a vector, given and returned as (readers, q) and (cases,)."""
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
    """Fit correct ~ 1 + fixed + (1 + slopes || reader) + (1 | case) (Bates, Mächler, Bolker and Walker, 2015).

    Arrays have shape (n,), one element per reading; `correct` is 0 or 1. Two-sided p by Wald's z. lme4 stops its inner
    loop at a relative deviance of 1e-7, so its printed values differ by up to half a percent from the optimum found
    here. Raises ValueError if the model has no finite estimate.
    """
    y = np.asarray(correct, dtype=float)
    design = crossed_design(fixed, slopes or {}, reader, case)
    if y.shape != design.reader.shape or not np.isin(y, (0, 1)).all():
        raise ValueError("correct must be 0 or 1 for each reading.")
    if y.min() == y.max():
        raise ValueError("correct has the same value for every reading, so there is nothing to model.")
    _require_no_separation(design, y)
    deviance = _Laplace(design, y)
    start = np.concatenate([np.full(design.slopes.shape[1] + 1, 0.7), _start(design.fixed, y)])
    fit = minimize(deviance, start, jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 500})
    # The likelihood depends on squared standard deviations, so −.5 is the same as .5.
    random = design.slopes.shape[1] + 1
    ses = _standard_errors(deviance, fit.x)[random:]
    effects = zip(design.names, fit.x[random:].tolist(), ses.tolist(), strict=True)
    return LogisticModel(
        fixed=tuple(wald_effect(name, value, se, confidence=confidence) for name, value, se in effects),
        random=design.random_effects(np.abs(fit.x[:random])),
        log_likelihood=-float(fit.fun) / 2,
        readings=len(y),
        readers=design.readers,
        cases=design.cases,
        converged=bool(np.abs(fit.jac).max() < 1e-3),
    )


def likelihood_ratio(smaller: LogisticModel, larger: LogisticModel) -> LikelihoodRatio:
    """Test whether all coefficients added by the larger model are 0 (Wilks, 1938).

    Raises ValueError unless `smaller` has fewer parameters and the same readings.
    """
    df = len(larger.fixed) + len(larger.random) - len(smaller.fixed) - len(smaller.random)
    if df < 1 or smaller.readings != larger.readings:
        raise ValueError("smaller must be nested in larger and have the same readings.")
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
    """Fit correct ~ session × truth, with slopes of readers for all effects including the interaction.

    Arrays have shape (n,). `truth` is 1 for adversarial. The default reference is the first session that shows both
    kinds of images; a session with real images only has no interaction. Without the slope for the interaction, its p
    rejects a true null far too often if readers change individually (.43 at .05 instead of .17,
    docs/results/statistics-calibration.md); the remaining excess is due to Wald's z with few readers.

    Raises ValueError if all readings of one kind in a session are correct or all are wrong, because their odds have no
    finite estimate.
    """
    y, sessions, adversarial = np.asarray(correct, dtype=float), np.asarray(session), np.asarray(truth)
    if not y.shape == sessions.shape == adversarial.shape:
        raise ValueError("correct, session and truth must be one-dimensional arrays of the same length.")
    if not y.size:
        raise ValueError("correct must contain at least one reading.")
    if not np.isin(adversarial, (0, 1)).all():
        raise ValueError("truth must be 1 for adversarial and 0 for real.")
    numbers = np.unique(sessions).tolist()
    both = [number for number in numbers if np.unique(adversarial[sessions == number]).size == 2]
    if reference is None:
        reference = (both or numbers)[0]
    if reference not in numbers:
        raise ValueError(f"reference is session {reference}, which has no readings.")
    _require_mixed_cells(y, sessions, adversarial)
    others = [number for number in numbers if number != reference]
    by_session = {f"session {number}": sessions == number for number in others}
    of_truth = {"adversarial": adversarial == 1} if both else {}
    if both and reference not in both:
        raise ValueError(f"reference is session {reference}, which does not show both real and adversarial images.")
    both_kinds = {f"session {n} × adversarial": (sessions == n) & (adversarial == 1) for n in others if n in both}
    fixed = {**by_session, **of_truth, **both_kinds}
    return logistic(y, fixed, reader, case, slopes=fixed, confidence=confidence)


def _require_no_separation(design: CrossedDesign, y: Floats) -> None:
    """Raise ValueError if a binary effect has a side on which all readings are correct or all are wrong."""
    for name, column in zip(design.names[1:], design.fixed.T[1:], strict=True):
        for side in (0, 1) if np.isin(column, (0, 1)).all() else ():
            chosen = y[column == side]
            if chosen.min() == chosen.max():
                word = "correct" if chosen.min() else "wrong"
                raise ValueError(f"correct: every reading with {name} = {side} is {word}, so its odds are not finite.")


def _require_mixed_cells(y: Floats, sessions: Floats, adversarial: Floats) -> None:
    """Raise ValueError if all readings of one kind in a session are correct or all are wrong."""
    for number in np.unique(sessions):
        for kind, name in ((0, "real"), (1, "adversarial")):
            cell = y[(sessions == number) & (adversarial == kind)]
            if cell.size and cell.min() == cell.max():
                word = "correct" if cell.min() else "wrong"
                raise ValueError(
                    f"correct: every {name} image of session {number} was read as {word}, so its odds are not finite."
                )


class _Laplace:
    """Return −2 log-likelihood and its gradient at (SDs of readers' effects, SD of cases, fixed effects).

    Each call starts the inner loop at the mode of the previous call, because parameters change little between calls.
    """

    def __init__(self, design: CrossedDesign, y: Floats) -> None:
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
        """Find the most probable random effects by Newton steps, halved if they overshoot."""
        evaluate = partial(self._evaluate, scaled, sd, offset)
        mode = evaluate(self.u, self.v)
        for _ in range(100):
            residual = self.y - expit(mode.eta)
            for_u = self.design.by_reader(scaled * residual[:, None]) - mode.u
            for_v = sd * self.design.by_case(residual[:, None])[:, 0] - mode.v
            du, dv = self._curvature(scaled, sd, mode.eta).solve(for_u, for_v)
            decrement = float((du * for_u).sum() + (dv * for_v).sum())
            step = 1.0
            while (
                moved := evaluate(mode.u + step * du, mode.v + step * dv)
            ).penalised > mode.penalised + 1e-9 and step > 1e-6:
                step /= 2
            mode = moved
            if decrement < 1e-10:  # convergence is quadratic: the last step squared the decrement
                break
        return mode

    def _evaluate(self, scaled: Floats, sd: float, offset: Floats, u: Floats, v: Floats) -> _Mode:
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
        """Return the gradient of the penalised deviance and the log determinant (implicit derivative via the mode)."""
        design = self.design
        mean = expit(mode.eta)
        residual, weight = self.y - mean, mean * (1 - mean)
        for_reader, for_case = self._solved_rows(scaled, sd, curvature)
        leverage = (scaled * for_reader).sum(axis=1) + sd * for_case
        bend = weight * (1 - 2 * mean) * leverage
        t, s = curvature.solve(design.by_reader(scaled * bend[:, None]), sd * design.by_case(bend[:, None])[:, 0])
        implicit = (scaled * t[design.reader]).sum(axis=1) + sd * s[design.case]
        slope = bend - weight * implicit - 2 * residual  # derivative of the deviance by the log odds of each reading
        of_sds = design.slopes * (
            mode.u[design.reader] * slope[:, None]
            + t[design.reader] * residual[:, None]
            + 2 * weight[:, None] * for_reader
        )
        of_sd = mode.v[design.case] * slope + s[design.case] * residual + 2 * weight * for_case
        return np.concatenate([of_sds.sum(axis=0), [of_sd.sum()], design.fixed.T @ slope])

    def _solved_rows(self, scaled: Floats, sd: float, curvature: _Curvature) -> tuple[Floats, Floats]:
        """Return, for the row b of B of each reading, H⁻¹b′ at its reader, (n, q), and at its case, (n,)."""
        reader, case = self.design.reader, self.design.case
        readers, effects = self.u.shape
        index = np.arange(readers)
        own = curvature.inverse.reshape(readers, effects, readers, effects)[index, :, index, :]
        corner = -curvature.inverse @ curvature.border / curvature.diagonal  # (readers · q, cases)
        of_case = (1 - (curvature.border * corner).sum(axis=0)) / curvature.diagonal
        crossing = corner.reshape(readers, effects, -1)[reader, :, case]  # (n, q)
        for_reader = (own[reader] @ scaled[:, :, None])[:, :, 0] + sd * crossing
        return for_reader, (crossing * scaled).sum(axis=1) + sd * of_case[case]


def _start(fixed: Floats, y: Floats) -> Floats:
    """Return starting values: the log odds of a correct verdict for the intercept, 0 for other effects."""
    start = np.zeros(fixed.shape[1])
    start[0] = log(y.mean() / (1 - y.mean()))
    return start


def _standard_errors(deviance: _Laplace, parameters: Floats) -> Floats:
    """Return standard errors from central differences of the gradient of the deviance.

    They are NaN for standard deviations at the boundary. Raises ValueError if that happens to a fixed effect.
    """
    steps = np.eye(len(parameters)) * STEP
    rows = [(deviance(parameters + step)[1] - deviance(parameters - step)[1]) / (2 * STEP) for step in steps]
    hessian = np.array(rows)
    try:
        variances = 2 * np.diag(np.linalg.inv((hessian + hessian.T) / 2))
    except np.linalg.LinAlgError as error:
        raise ValueError(NOT_IDENTIFIED) from error
    if not (variances[-deviance.design.fixed.shape[1] :] > 0).all():  # the likelihood increases towards infinite odds
        raise ValueError(NOT_IDENTIFIED)
    return np.sqrt(np.where(variances > 0, variances, np.nan))
