"""What the staged schedule of a GAN looks at: running means, stop criteria, and why each stage ended."""

from dataclasses import dataclass, replace

from models_ml.config import Ends, GanConfig, Stage, Stop


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
class Watch:
    """The running means of one stage."""

    identity: RunningMean
    gap: RunningMean
    greatest_gap: float = 0.0

    @classmethod
    def fresh(cls, config: GanConfig) -> "Watch":
        return cls(RunningMean(config.smoothing), RunningMean(config.smoothing))

    def after(self, *, identity: float | None, gap: float | None) -> "Watch":
        gaps = self.gap if gap is None else self.gap.after(gap)
        identities = self.identity if identity is None else self.identity.after(identity)
        return Watch(identities, gaps, max(self.greatest_gap, gaps.value))

    def meets(self, stop: Stop) -> bool:
        mean = self.identity if stop.quantity == "identity" else self.gap
        if mean.count < stop.least_steps:
            return False
        return mean.value > stop.bound if stop.sense == "above" else mean.value < stop.bound


@dataclass(frozen=True)
class StageEnd:
    """How a stage went: its length, the means at its end and the reason for that end."""

    number: int
    steps: int
    met: bool
    reason: str
    identity: float
    gap: float
    greatest_gap: float
    criterion_first_met: int = 0  # the stage's step at which it first held, whatever ended the stage; 0 never


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
    )


def _reason(stage: Stage, met: bool, counts: bool, ends: Ends) -> str:
    if stage.stop is None:
        return "length reached (the stage has no criterion)"
    if ends == "epochs":
        return "length reached (stages end by their epochs in this run)"
    criterion = f"{stage.stop.quantity} {stage.stop.sense} {stage.stop.bound}"
    if met:
        return f"criterion met: {criterion}"
    if not counts:
        return f"length reached ({criterion} did not count: the discriminator never reached its gap)"
    return f"length reached without the criterion: {criterion}"
