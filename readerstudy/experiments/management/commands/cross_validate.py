"""Cross-validate a classifier by patient."""

from readerstudy.experiments.catalogue import CROSS_VALIDATE
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    kinds = (CROSS_VALIDATE,)
