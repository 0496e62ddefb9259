"""The stages of a GAN: running means, criteria and the end of each stage."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from models_ml.config import GanConfig, Stage, Stop
from readerstudy.results.gan_stages import Criterion, StageEndKind, StageEndReason
from readerstudy.serialise import from_dict, to_dict


@dataclass(frozen=True)
class RunningMean:
    """An exponentially weighted mean, corrected for its start at zero (Kingma & Ba, 2015, §3)."""

    decay: float
    total: float = 0.0
    count: int = 0

    def after(self, value: float) -> "RunningMean":
        return replace(self, total=self.decay * self.total + (1 - self.decay) * value, count=self.count + 1)

    @property
    def value(self) -> float:
        return self.total / (1 - self.decay**self.count) if self.count else 0.0


@dataclass(frozen=True)
class EpochMean:
    """The mean over each epoch of a stage.

    `last` is the mean of the last complete epoch; None before the first one ends, or if it had no value.
    """

    total: float = 0.0
    count: int = 0
    last: float | None = None

    def after(self, value: float) -> "EpochMean":
        return replace(self, total=self.total + value, count=self.count + 1)

    def ended(self) -> "EpochMean":
        """Return the mean with the epoch closed and the next one begun."""
        return EpochMean(last=self.total / self.count if self.count else None)


@dataclass(frozen=True)
class StageMeans:
    """The means of one stage: of the identity loss, and of the gap s(x) − s(G(y))."""

    identity: RunningMean
    gap: RunningMean
    greatest_gap: float = 0.0
    epoch_identity: EpochMean = EpochMean()
    epoch_gap: EpochMean = EpochMean()

    @classmethod
    def start(cls, config: GanConfig) -> "StageMeans":
        """Return the means before the first step of a stage."""
        return cls(RunningMean(config.smoothing), RunningMean(config.smoothing))

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "StageMeans":
        """Return the means that `dataclasses.asdict` took apart."""
        return cls(
            RunningMean(**state["identity"]),
            RunningMean(**state["gap"]),
            state["greatest_gap"],
            EpochMean(**state["epoch_identity"]),
            EpochMean(**state["epoch_gap"]),
        )

    def after(self, *, identity: float | None, gap: float | None, ends_epoch: bool) -> "StageMeans":
        """Return the means with one step's values, None for a network that did not train."""
        gaps, epoch_gaps = self.gap, self.epoch_gap
        if gap is not None:
            gaps, epoch_gaps = gaps.after(gap), epoch_gaps.after(gap)
        identities, epoch_identities = self.identity, self.epoch_identity
        if identity is not None:
            identities, epoch_identities = identities.after(identity), epoch_identities.after(identity)
        if ends_epoch:
            epoch_gaps, epoch_identities = epoch_gaps.ended(), epoch_identities.ended()
        return StageMeans(identities, gaps, max(self.greatest_gap, gaps.value), epoch_identities, epoch_gaps)

    def mean_for(self, stop: Stop) -> float | None:
        """Return the mean that the criterion is about, None before there is one."""
        running = self.identity if stop.quantity == "identity" else self.gap
        if running.count < stop.least_steps:
            return None
        if stop.mean_over == "steps":
            return running.value
        return self.epoch_identity.last if stop.quantity == "identity" else self.epoch_gap.last

    def meets(self, stop: Stop) -> bool:
        mean = self.mean_for(stop)
        if mean is None:
            return False
        return mean > stop.bound if stop.sense == "above" else mean < stop.bound


@dataclass(frozen=True)
class StageEnd:
    """How a stage went: its length, the running means at its end and the reason for that end."""

    number: int
    steps: int
    met: bool
    reason: StageEndReason
    identity: float
    gap: float
    greatest_gap: float
    criterion_first_met: int = 0  # the stage's step at which it first held, whatever ended the stage; 0 never
    criterion_mean: float | None = None  # the mean that the criterion was last compared with


class StageSchedule:
    """The current stage of a GAN, its means, and how the earlier stages ended."""

    def __init__(self, config: GanConfig, steps_per_epoch: int) -> None:
        self.config, self.steps_per_epoch = config, steps_per_epoch
        self.limits = [stage.limit.in_steps(steps_per_epoch) for stage in config.stages]
        self.ended: list[StageEnd] = []
        self.step = 0  # steps taken in the current stage
        self.criterion_first_met = 0
        self.means = StageMeans.start(config)

    @property
    def is_over(self) -> bool:
        return len(self.ended) == len(self.config.stages)

    @property
    def is_last(self) -> bool:
        return len(self.ended) == len(self.config.stages) - 1

    @property
    def stage(self) -> Stage:
        return self.config.stages[len(self.ended)]

    @property
    def steps_done(self) -> int:
        """Steps of the full schedule: a stage that its criterion ended early counts with its full length."""
        return sum(self.limits[: len(self.ended)]) + self.step

    @property
    def criterion_counts(self) -> bool:
        """Whether the stage has a criterion that counts.

        One that needs a trained discriminator counts only if the gap was reached in an earlier stage.
        """
        stop = self.stage.stop
        return stop is not None and (not stop.after_gap or self._gap_was_reached())

    @property
    def criterion_is_met(self) -> bool:
        stop = self.stage.stop
        return stop is not None and self.criterion_counts and self.means.meets(stop)

    def take_step(self, *, identity: float | None, gap: float | None) -> bool:
        """Count a step with its values (None for a network that did not train); return whether the stage is over."""
        self.step += 1
        ends_epoch = self.step % self.steps_per_epoch == 0
        self.means = self.means.after(identity=identity, gap=gap, ends_epoch=ends_epoch)
        is_met = self.criterion_is_met
        if is_met and not self.criterion_first_met:
            self.criterion_first_met = self.step
        return (is_met and self.config.ends == "rules") or self.step >= self.limits[len(self.ended)]

    def end_stage(self) -> None:
        """Record how the stage went and start the next one."""
        stage, means = self.stage, self.means
        self.ended.append(
            StageEnd(
                stage.number,
                self.step,
                self.criterion_is_met,
                self._reason(stage.stop),
                means.identity.value,
                means.gap.value,
                means.greatest_gap,
                self.criterion_first_met,
                means.mean_for(stage.stop) if stage.stop else None,
            )
        )
        self.step, self.criterion_first_met, self.means = 0, 0, StageMeans.start(self.config)

    def save(self) -> dict[str, Any]:
        """Return what a resumed run needs, as plain values."""
        return {
            "step": self.step,
            "criterion_first_met": self.criterion_first_met,
            "means": asdict(self.means),
            "ended": [to_dict(end) for end in self.ended],
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue from what `save` returned."""
        self.step, self.criterion_first_met = saved["step"], saved["criterion_first_met"]
        self.means = StageMeans.from_state(saved["means"])
        self.ended = [from_dict(StageEnd, end) for end in saved["ended"]]

    def _gap_was_reached(self) -> bool:
        stops = {stage.number: stage.stop for stage in self.config.stages if stage.stop}
        gaps = {number for number, stop in stops.items() if stop.quantity == "gap" and stop.sense == "above"}
        return any(end.met for end in self.ended if end.number in gaps)

    def _reason(self, stop: Stop | None) -> StageEndReason:
        if stop is None:
            return StageEndReason(StageEndKind.NO_CRITERION)
        if self.config.ends == "epochs":
            return StageEndReason(StageEndKind.BY_EPOCHS)
        criterion = Criterion(stop.quantity, stop.sense, stop.bound)
        if self.criterion_is_met:
            return StageEndReason(StageEndKind.MET, criterion)
        return StageEndReason(StageEndKind.NOT_MET if self.criterion_counts else StageEndKind.NOT_COUNTED, criterion)
