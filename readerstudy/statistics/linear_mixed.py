"""Linear mixed model with random readers and cases, by REML, with Satterthwaite's degrees of freedom."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from readerstudy.statistics.crossed_effects import (
    CrossedDesign,
    FixedEffect,
    Floats,
    RandomEffect,
    crossed_design,
    wald_effect,
)

NO_RESIDUAL = "outcome is explained completely by the effects, so no residual variance is left to test them."
STEP = 1e-4  # relative to the residual SD, for derivatives with respect to the standard deviations


@dataclass(frozen=True)
class LinearModel:
    """Coefficients with Satterthwaite's t. `reml` is −2 times the restricted log-likelihood."""

    fixed: tuple[FixedEffect, ...]
    random: tuple[RandomEffect, ...]
    residual_sd: float
    reml: float
    readings: int
    readers: int
    cases: int
    converged: bool


@dataclass(frozen=True)
class _Solved:
    """Solution of the mixed model equations at given SDs.

    `residual` is the penalised residual sum of squares, `beta` the coefficients (p,), `unscaled` their covariance
    divided by σ² (p, p).
    """

    residual: float
    beta: Floats
    unscaled: Floats


def linear(
    outcome: ArrayLike,
    fixed: Mapping[str, ArrayLike],
    reader: ArrayLike,
    case: ArrayLike,
    *,
    slopes: Mapping[str, ArrayLike] | None = None,
    confidence: float = 0.95,
) -> LinearModel:
    """Fit outcome ~ 1 + fixed + (1 + slopes || reader) + (1 | case) by REML (Bates, Mächler, Bolker and Walker, 2015).

    Arrays have shape (n,), one element per reading. Degrees of freedom are Satterthwaite's (Kuznetsova, Brockhoff and
    Christensen, 2017); with five readers they are far fewer than the readings. Raises ValueError if the model cannot be
    estimated.
    """
    y = np.asarray(outcome, dtype=float)
    design = crossed_design(fixed, slopes or {}, reader, case)
    if y.shape != design.reader.shape or not np.isfinite(y).all():
        raise ValueError("outcome must be a finite number for each reading.")
    if len(y) <= design.fixed.shape[1] or y.min() == y.max():
        raise ValueError("outcome must vary, and there must be more readings than fixed effects.")
    equations = _Equations(design, y)
    start = np.full(design.slopes.shape[1] + 1, 0.7)
    try:
        fit = minimize(equations.reml, start, jac="3-point", method="BFGS", options={"gtol": 1e-4})
        relative = np.abs(fit.x)  # the likelihood depends only on squared standard deviations
        solved = equations.solve(relative)
        sigma = float(np.sqrt(solved.residual / equations.freedom))
        variances = np.diag(solved.unscaled) * sigma**2
        dfs = _satterthwaite(equations, np.append(relative * sigma, sigma), variances)
    except np.linalg.LinAlgError as error:
        raise ValueError(NO_RESIDUAL) from error
    effects = zip(design.names, solved.beta.tolist(), np.sqrt(variances).tolist(), dfs.tolist(), strict=True)
    return LinearModel(
        fixed=tuple(wald_effect(name, value, se, df=df, confidence=confidence) for name, value, se, df in effects),
        random=design.random_effects(relative * sigma),
        residual_sd=sigma,
        reml=float(fit.fun),
        readings=len(y),
        readers=design.readers,
        cases=design.cases,
        converged=bool(np.abs(fit.jac).max() < 1e-2),
    )


class _Equations:
    """Cross products of readers' effects, fixed effects and outcome, computed once; solving needs no readings."""

    def __init__(self, design: CrossedDesign, y: Floats) -> None:
        self.width, self.effects = design.readers * design.slopes.shape[1], design.slopes.shape[1]
        self.readers, self.freedom = design.readers, int(len(y) - design.fixed.shape[1])
        known = np.column_stack([design.fixed, y])
        pairs = (design.slopes[:, :, None] * design.slopes[:, None, :]).reshape(len(y), -1)
        blocks = np.zeros((self.readers, self.effects, self.readers, self.effects))
        index = np.arange(self.readers)
        blocks[index, :, index, :] = design.by_reader(pairs).reshape(-1, self.effects, self.effects)
        cross = np.concatenate([design.by_reader(column[:, None] * known) for column in design.slopes.T], axis=1)
        cross = cross.reshape(self.width, -1)  # ordered by reader, then effect, as the blocks
        self.products = np.block([[blocks.reshape(self.width, -1), cross], [cross.T, known.T @ known]])
        of_cells = design.by_cell(design.slopes).reshape(self.width, -1)
        self.of_cases = np.column_stack([of_cells.T, design.by_case(known)])  # (cases, width + p + 1)
        self.counts = np.bincount(design.case, minlength=design.cases)

    def factor(self, relative: Floats) -> tuple[Floats, float]:
        """Return the Cholesky factor after elimination of the cases, and the log determinant.

        `relative` are the SDs of the readers' effects and of the cases, divided by the residual SD.
        """
        scale = np.ones(len(self.products))
        scale[: self.width] = np.tile(relative[:-1], self.readers)
        variance = float(relative[-1] ** 2)
        shrunk = variance / (1 + variance * self.counts)
        matrix = scale[:, None] * (self.products - self.of_cases.T @ (shrunk[:, None] * self.of_cases)) * scale
        matrix[np.arange(self.width), np.arange(self.width)] += 1
        lower: Floats = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
        log_det = 2 * np.log(np.diag(lower)[:-1]).sum() + np.log1p(variance * self.counts).sum()
        return lower, float(log_det)

    def solve(self, relative: Floats) -> _Solved:
        """Return the solution at `relative` SDs (as in `factor`)."""
        lower, _ = self.factor(relative)
        triangle = lower[self.width : -1, self.width : -1]
        inverse = np.asarray(np.linalg.inv(triangle), dtype=np.float64)
        return _Solved(
            residual=float(lower[-1, -1] ** 2),
            beta=inverse.T @ lower[-1, self.width : -1],
            unscaled=inverse.T @ inverse,
        )

    def reml(self, relative: Floats) -> float:
        """Return −2 times the restricted log-likelihood, with σ at its optimum."""
        lower, log_det = self.factor(relative)
        return log_det + self.freedom * (1 + log(2 * pi * float(lower[-1, -1] ** 2) / self.freedom))

    def deviance(self, sds: Floats) -> float:
        """Return the same at given SDs of readers' effects, cases and residuals."""
        sigma = float(sds[-1])
        lower, log_det = self.factor(sds[:-1] / sigma)
        return log_det + self.freedom * log(2 * pi * sigma**2) + float((lower[-1, -1] / sigma) ** 2)

    def variances(self, sds: Floats) -> Floats:
        """Return the variance of each fixed effect at given SDs, (p,)."""
        sigma = float(sds[-1])
        diagonal: Floats = np.diag(self.solve(sds[:-1] / sigma).unscaled) * sigma**2
        return diagonal


def _satterthwaite(equations: _Equations, sds: Floats, variances: Floats) -> Floats:
    """Return df = 2 variance² / Var(variance), (p,), by the delta method over the standard deviations."""
    step = STEP * sds[-1]
    steps = np.eye(len(sds)) * step
    slopes = [(equations.variances(sds + delta) - equations.variances(sds - delta)) / (2 * step) for delta in steps]
    gradient = np.array(slopes)  # (standard deviations, p)
    values, vectors = np.linalg.eigh(_second_derivatives(equations, sds, 10 * step))
    # An SD at the boundary 0 has no curvature to estimate its precision; it is treated as known.
    known = np.where(values > 1e-6 * values.max(), 2 / np.maximum(values, 1e-300), 0.0)
    spread = ((gradient.T @ vectors) ** 2) @ known
    dfs: Floats = np.divide(2 * variances**2, spread, out=np.full_like(spread, np.inf), where=spread > 0)
    return np.minimum(dfs, 1e9)


def _second_derivatives(equations: _Equations, sds: Floats, step: float) -> Floats:
    steps = np.eye(len(sds)) * step
    hessian = np.empty((len(sds), len(sds)))
    for i, first in enumerate(steps):
        for j, second in enumerate(steps[: i + 1]):
            ends = [equations.deviance(sds + a * first + b * second) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            hessian[i, j] = hessian[j, i] = (ends[0] - ends[1] - ends[2] + ends[3]) / (4 * step**2)
    return hessian
