"""Results of jobs that train one network or generate images, as they are stored on the job's row."""

from typing import Any, TypedDict


class RunOutput(TypedDict):
    """The name of a run, and the path of its learning curves."""

    run: str
    curves: str


class ClassifierMetrics(TypedDict):
    tuning_auc: float
    steps: int
    seconds: float
    refused_steps: int


class ClassifierTrained(ClassifierMetrics, RunOutput):
    """Result of the training of a classifier."""


class GanMetrics(TypedDict):
    """`stages` are the stages' ends (`models_ml.training.gan_schedule.StageEnd`) as JSON."""

    stages: list[dict[str, Any]]
    kept_step: int
    seconds: float
    refused_steps: int


class GanTrained(GanMetrics, RunOutput):
    """Result of the training of a GAN."""


class ImagesGenerated(TypedDict):
    """The number of images made and of those that existed, and the names of the attacks."""

    made: int
    known: int
    attacks: list[str]
