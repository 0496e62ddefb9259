"""Use cases that need the sealed key."""

from readerstudy.truth.actions.adversarial_images import Provenance, register_twin
from readerstudy.truth.actions.cohort_import import import_cohort
from readerstudy.truth.actions.exclusion import exclude_twin, exclusion_of
from readerstudy.truth.actions.scores import keep_scores
from readerstudy.truth.actions.study_creation import create_study, same_draw, same_plan
from readerstudy.truth.actions.unsealing import unseal_study

__all__ = [
    "Provenance",
    "create_study",
    "exclude_twin",
    "exclusion_of",
    "import_cohort",
    "keep_scores",
    "register_twin",
    "same_draw",
    "same_plan",
    "unseal_study",
]
