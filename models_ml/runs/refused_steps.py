"""Training steps whose loss or gradient is not finite: refused, counted and recorded.

A refused step changes no weights and no optimiser state. L_D is unbounded below and the gradient penalty is a fourth
power, so a single such step could otherwise turn all weights into NaN.
"""

import logging
from dataclasses import asdict, dataclass, field
from typing import Any

from models_ml.errors import LabError
from models_ml.runtime import distributed

MOST_IN_A_ROW = 20  # of one network; the weights do not recover after that
MOST_LISTED = 100  # later refusals are only counted

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NetworkStep:
    """An optimiser step of one network: taken, or refused because its loss or gradient was not finite."""

    network: str
    is_taken: bool


@dataclass(frozen=True)
class RefusedStep:
    """A refused step: network, epoch and step of the run, both from 1, and stage (0 in a training without stages)."""

    network: str
    epoch: int
    step: int
    stage: int = 0

    def __str__(self) -> str:
        stage = f"Stage {self.stage}, epoch" if self.stage else "Epoch"
        return f"{stage} {self.epoch}, step {self.step}"


@dataclass
class RefusedSteps:
    """The refused steps of one run: their number, the first hundred, and the present number in a row per network."""

    count: int = 0
    listed: list[RefusedStep] = field(default_factory=list)
    in_a_row: dict[str, int] = field(default_factory=dict)

    def accept(self, network: str) -> None:
        """Count a step that this network took."""
        self.in_a_row[network] = 0

    def refuse(self, step: RefusedStep) -> None:
        """Count and log a refused step. Raises LabError at the twentieth in a row of one network."""
        self.count += 1
        self.in_a_row[step.network] = self.in_a_row.get(step.network, 0) + 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(step)
            if distributed.is_first():
                logger.warning("%s: the %s's step is refused, its loss or gradient is not finite.", step, step.network)
        if self.in_a_row[step.network] >= MOST_IN_A_ROW:
            raise LabError(
                f"{step}: the {step.network}'s loss or gradient was not finite in {MOST_IN_A_ROW} steps in a row, so "
                "the run was ended. Try another seed, a lower learning rate, or float32 in place of bfloat16."
            )

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs, as plain values."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "RefusedSteps":
        """Return the refused steps that `state` saved."""
        listed = [RefusedStep(**step) for step in state["listed"]]
        return cls(state["count"], listed, dict(state["in_a_row"]))
