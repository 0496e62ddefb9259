"""The loop that all trainings share: batches, refused steps, saving, resuming and progress."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from models_ml.data.images import ImageSet, Pairing, RowPair
from models_ml.data.prefetch import prefetched
from models_ml.runs import checkpoint
from models_ml.runs.checkpoint import Provenance
from models_ml.runs.folder import owned_folder
from models_ml.runs.refused_steps import NetworkStep, RefusedStep, RefusedSteps
from models_ml.runtime import distributed
from models_ml.runtime.card import CardSettings, float32
from models_ml.runtime.device import Precision, choose_device, keep_memory
from models_ml.runtime.progress import Report
from readerstudy.results.progress import Activity

Config = TypeVar("Config")
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Run(Generic[Config]):
    """One training run: images, settings, seed, folder, and the identity that `checkpoint.identity` made of them."""

    images: ImageSet
    config: Config
    seed: int
    folder: Path
    identity: dict[str, Any]


@dataclass(frozen=True)
class BestWeights:
    """The weights with the greatest score so far, on the CPU, and the step at which they were reached."""

    score: float = -float("inf")
    step: int = 0
    weights: dict[str, Tensor] | None = None

    def updated(self, score: float, step: int, network: nn.Module, *, replace_equal: bool = False) -> "BestWeights":
        """Return the network's present weights if `score` is greater (or equal, if asked); a NaN never is."""
        if not (score > self.score or (replace_equal and score == self.score)):
            return self
        weights = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        return BestWeights(score, step, weights)


@dataclass
class TrainingState:
    """What every run saves beside its networks and optimisers."""

    step: int = 0  # steps taken
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    refused: RefusedSteps = field(default_factory=RefusedSteps)
    best: BestWeights = BestWeights()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values and tensors, which `torch.load` reads with `weights_only`."""
        return {**vars(self), "refused": self.refused.state(), "best": dict(vars(self.best))}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "TrainingState":
        """Return the state that `as_dict` saved."""
        refused, best = RefusedSteps.from_state(saved["refused"]), BestWeights(**saved["best"])
        return cls(**{**saved, "refused": refused, "best": best})


@dataclass(frozen=True)
class StepReport:
    """What is reported after a step, and whether the run must be saved although its interval is not over."""

    done: int
    total: int
    activity: Activity
    values: dict[str, float]
    must_save: bool = False


class Saved(Protocol):
    """A network or an optimiser."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


class Training(ABC, Generic[Config, Batch]):
    """One kind of training; in a distributed run every process has its own object.

    For every step the loop calls `prepare` (in a thread, one step ahead), `learn` and `record`; at the end, `finish`.
    Random numbers come from the run's seed and the number of the step alone, so that a resumed run ends with the same
    weights as an uninterrupted one.
    """

    most_steps: int
    save_every: int  # steps
    network: nn.Module  # the result: its weights are written when the run is finished
    precision: Precision = "fp32"
    notice: Activity | None = None  # reported before the first step

    def __init__(self, run: Run[Config], pairing: Pairing) -> None:
        self.run, self.pairing, self.state = run, pairing, TrainingState()
        keep_memory()
        self.device = choose_device()
        distributed.join(self.device)
        distributed.require_shares(pairing.per_class)

    @property
    @abstractmethod
    def parts(self) -> dict[str, Saved]:
        """The networks and optimisers that are saved and restored, by name."""

    @abstractmethod
    def prepare(self, step: int, rows: RowPair) -> Batch:
        """Return what the step, counted from 0, learns from: this process's share of the images in these rows."""

    @abstractmethod
    def learn(self, step: int, batch: Batch) -> Sequence[NetworkStep]:
        """Take the step, counted from 0, with every network whose loss and gradients are finite."""

    @abstractmethod
    def record(self) -> StepReport:
        """Keep what the last step measured; evaluate if it is time."""

    @abstractmethod
    def finish(self) -> dict[str, float]:
        """Put the weights that are kept into `network` and return the run's metrics."""

    @property
    def stage_number(self) -> int:
        """The number of the current stage, from 1; 0 in a training without stages."""
        return 0

    @property
    def is_over(self) -> bool:
        return self.state.step >= self.most_steps

    @property
    def stages(self) -> list[dict[str, Any]]:
        """How each stage of the run went, if it has stages."""
        return []

    def save(self) -> dict[str, Any]:
        """Return everything that a resumed run needs, as plain values and tensors."""
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        return {"identity": self.run.identity, "training": self.state.as_dict(), **parts}

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue from what `save` returned."""
        self.state = TrainingState.from_dict(saved["training"])
        for name, part in self.parts.items():
            part.load_state_dict(saved[name])


def run_training(run: Run[Config], start: Callable[[], Training[Config, Any]], report: Report) -> Provenance:
    """Return the description of the run in its folder; train it first, from its last save, unless it is finished.

    The caller's state of torch's random numbers is left as it was. Raises WrongCheckpoint if the folder holds another
    run, LabError if too many steps in a row are refused, and WorkTakenOver if another process has taken the folder.
    """
    if finished := checkpoint.finished(run.folder, run.identity):
        return finished
    owned = owned_folder(run.folder) if distributed.is_first() else nullcontext()
    with owned, torch.random.fork_rng():
        training = start()
        if saved := checkpoint.read_resume(run.folder, run.identity):
            training.restore(saved)
        with float32(training.device, CardSettings.of_environment().floats):
            train(training, report)
        return _write(training)


def train(training: Training[Config, Batch], report: Report) -> None:
    """Take the steps that are left. An exception from `report` interrupts the run, which can then be resumed."""
    state, run = training.state, training.run
    began = time.monotonic() - state.seconds
    if training.notice:
        report(state.step, training.most_steps, training.notice, {})
    steps_left = 0 if training.is_over else training.most_steps - state.step
    rows = islice(training.pairing.batches(run.seed, first=state.step), steps_left)
    for step, batch in prefetched(training.prepare, enumerate(rows, start=state.step)):
        stage, network_steps = training.stage_number, training.learn(step, batch)
        state.step += 1
        epoch = 1 + step // training.pairing.steps
        for network_step in network_steps:
            if network_step.is_taken:
                state.refused.accept(network_step.network)
            else:
                state.refused.refuse(RefusedStep(network_step.network, epoch, state.step, stage))
        progress = training.record()
        state.seconds = time.monotonic() - began
        if (progress.must_save or state.step % training.save_every == 0) and distributed.is_first():
            checkpoint.write_resume(run.folder, training.save())
        report(progress.done, progress.total, progress.activity, progress.values)
        if training.is_over:
            return


def _write(training: Training[Any, Any]) -> Provenance:
    """Write the folder of a run whose steps are all taken, and return its description."""
    run, state = training.run, training.state
    metrics = training.finish()
    provenance = checkpoint.provenance(
        run.identity,
        run.images,
        device=training.device,
        precision=training.precision,
        metrics=metrics,
        history=state.history,
        refused=state.refused,
        stages=training.stages,
    )
    if distributed.is_first():
        checkpoint.write_run(run.folder, provenance, training.network)
    return provenance
