"""Use cases that need the truth."""

from readerstudy.truth.actions.adversarial_images import (
    AttackProvenance,
    register_adversarial_image,
    register_synthetic_image,
)
from readerstudy.truth.actions.adversarial_import import import_adversarial_images
from readerstudy.truth.actions.cohort_import import check_cohort_import, import_cohort
from readerstudy.truth.actions.exclusion import exclude_image
from readerstudy.truth.actions.import_rules import AdversarialImportResult, ImportOptions, UnderstoodRow
from readerstudy.truth.actions.lesson_lines import LineChange, write_lines
from readerstudy.truth.actions.scores import store_scores
from readerstudy.truth.actions.study_creation import create_study, same_draw, same_plan
from readerstudy.truth.actions.study_locking import default_instructions, lock_study
from readerstudy.truth.actions.unsealing import (
    confirm_unsealing,
    request_unsealing,
    unseal_study,
    when_unsealed,
    withdraw_request,
)
from readerstudy.truth.matching import MatchedRow

__all__ = [
    "AdversarialImportResult",
    "AttackProvenance",
    "ImportOptions",
    "LineChange",
    "MatchedRow",
    "UnderstoodRow",
    "check_cohort_import",
    "confirm_unsealing",
    "create_study",
    "default_instructions",
    "exclude_image",
    "import_adversarial_images",
    "import_cohort",
    "lock_study",
    "register_adversarial_image",
    "register_synthetic_image",
    "request_unsealing",
    "same_draw",
    "same_plan",
    "store_scores",
    "unseal_study",
    "when_unsealed",
    "withdraw_request",
    "write_lines",
]
