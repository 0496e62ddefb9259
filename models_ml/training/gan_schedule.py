"""Means, stop criteria and ends of the stages of a GAN."""

from dataclasses import dataclass, replace
from typing import Any

from models_ml.config import Ends, GanConfig, Stage, Stop
from readerstudy.results.gan_stages import Criterion, StageEndKind, StageEndReason


@dataclass(frozen=True)
class RunningMean:
    """An exponentially weighted mean without the pull of its starting zero (Kingma & Ba, 2015, §3)."""

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
    """The mean over each epoch of a stage; `last` is that of the last whole one, None before or if it had no value."""

    total: float = 0.0
    count: int = 0
    last: float | None = None

    def after(self, value: float) -> "EpochMean":
        return replace(self, total=self.total + value, count=self.count + 1)

    def ended(self) -> "EpochMean":
        """Return the mean with the epoch closed and the next one begun."""
        return EpochMean(last=self.total / self.count if self.count else None)


@dataclass(frozen=True)
class Watch:
    """The means of one stage."""

    identity: RunningMean
    gap: RunningMean
    greatest_gap: float = 0.0
    epoch_identity: EpochMean = EpochMean()
    epoch_gap: EpochMean = EpochMean()

    @classmethod
    def fresh(cls, config: GanConfig) -> "Watch":
        return cls(RunningMean(config.smoothing), RunningMean(config.smoothing))

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Watch":
        """Return the means that `dataclasses.asdict` took apart."""
        return cls(
            RunningMean(**state["identity"]),
            RunningMean(**state["gap"]),
            state["greatest_gap"],
            EpochMean(**state["epoch_identity"]),
            EpochMean(**state["epoch_gap"]),
        )

    def after(self, *, identity: float | None, gap: float | None, ends_epoch: bool) -> "Watch":
        """Return the means with one step's values, None for a network that did not train."""
        gaps, epoch_gaps = self.gap, self.epoch_gap
        if gap is not None:
            gaps, epoch_gaps = gaps.after(gap), epoch_gaps.after(gap)
        identities, epoch_identities = self.identity, self.epoch_identity
        if identity is not None:
            identities, epoch_identities = identities.after(identity), epoch_identities.after(identity)
        if ends_epoch:
            epoch_gaps, epoch_identities = epoch_gaps.ended(), epoch_identities.ended()
        return Watch(identities, gaps, max(self.greatest_gap, gaps.value), epoch_identities, epoch_gaps)

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


def may_stop(stage: Stage, ended: list[StageEnd], config: GanConfig) -> bool:
    """Whether the stage's criterion counts: one that asks for a trained discriminator needs the earlier
    gap met.
    """
    if stage.stop is None:
        return False
    return not stage.stop.after_gap or gap_was_reached(ended, config)


def gap_was_reached(ended: list[StageEnd], config: GanConfig) -> bool:
    wanted = {s.number for s in config.stages if s.stop and s.stop.quantity == "gap" and s.stop.sense == "above"}
    return any(end.met for end in ended if end.number in wanted)


def end_of(
    stage: Stage, steps: int, watch: Watch, *, met: bool, counts: bool, ends: Ends = "rules", first_met: int = 0
) -> StageEnd:
    """The log's line for a stage that has just ended."""
    return StageEnd(
        stage.number,
        steps,
        met,
        _reason(stage, met, counts, ends),
        watch.identity.value,
        watch.gap.value,
        watch.greatest_gap,
        first_met,
        watch.mean_for(stage.stop) if stage.stop else None,
    )


def _reason(stage: Stage, met: bool, counts: bool, ends: Ends) -> StageEndReason:
    if stage.stop is None:
        return StageEndReason(StageEndKind.NO_CRITERION)
    if ends == "epochs":
        return StageEndReason(StageEndKind.BY_EPOCHS)
    criterion = Criterion(stage.stop.quantity, stage.stop.sense, stage.stop.bound)
    if met:
        return StageEndReason(StageEndKind.MET, criterion)
    return StageEndReason(StageEndKind.NOT_MET if counts else StageEndKind.NOT_COUNTED, criterion)
