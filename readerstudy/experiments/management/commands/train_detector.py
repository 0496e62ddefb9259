"""Train a detector of adversarial images."""

from readerstudy.experiments.catalogue import TRAIN_DETECTOR
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    kinds = (TRAIN_DETECTOR,)
