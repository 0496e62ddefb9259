"""The evaluation of the attack whose images a study shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from readerstudy.results.evaluation import AttackEvaluation


@dataclass(frozen=True)
class StudyAttack:
    """The attack on the first classifier of its evaluation, by resolution in their order.

    `runs` are the names under which the adversarial images were written.
    """

    classifier: str
    runs: tuple[str, ...]
    by_resolution: Mapping[str, AttackEvaluation]
