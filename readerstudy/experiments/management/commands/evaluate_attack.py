"""Evaluate attacks on classifiers: Table 1 of the article."""

from readerstudy.experiments.catalogue import EVALUATE
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    kinds = (EVALUATE,)
