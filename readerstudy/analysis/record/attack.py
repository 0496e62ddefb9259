"""The evaluation of the attack whose images a study shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from readerstudy.results.evaluation import AttackEvaluation, TrivialControl


@dataclass(frozen=True)
class StudyAttack:
    """The attack on the first classifier of its evaluation, by resolution in their order.

    `runs` are the names under which the adversarial images were written. `controls` are by resolution too.
    """

    classifier: str
    runs: tuple[str, ...]
    by_resolution: Mapping[str, AttackEvaluation]
    controls: Mapping[str, tuple[TrivialControl, ...]] = field(default_factory=dict)
