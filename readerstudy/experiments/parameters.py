"""Types of the parameters that tasks receive. The catalogue describes them; a test compares the two."""

from typing import Literal, NotRequired, TypedDict

from readerstudy.vocabulary import Direction, Split


class AdversarialTrainingParameters(TypedDict):
    """Adversarial training: `share` of every batch is attacked within `epsilon` 16-bit grey levels."""

    epsilon: int
    steps: int
    share: float


class AugmentationParameters(TypedDict):
    """Adversarial images of training images that join the training split."""

    attacks: list[str]
    labels: Literal["own", "flipped"]


class TrainClassifierParameters(TypedDict):
    cohort: str
    preset: str
    name: str
    seed: int
    processes: NotRequired[int]
    adversarial_training: NotRequired[AdversarialTrainingParameters]
    augmentation: NotRequired[AugmentationParameters]
    vgg_weights: NotRequired[str]


class TrainGanParameters(TypedDict):
    cohort: str
    direction: Direction
    classifier: str
    name: str
    seed: int
    spare_background: bool
    ends: Literal["preset", "epochs", "rules"]
    processes: NotRequired[int]
    threads: NotRequired[int]


class TrainInpaintingParameters(TypedDict):
    cohort: str
    direction: Direction
    classifier: str
    name: str
    seed: int
    threads: NotRequired[int]


class PostProcessingParameters(TypedDict):
    """The properties of the source image that an adversarial image keeps."""

    keep_background: bool
    keep_grid: bool
    keep_range: bool


class GenerateParameters(PostProcessingParameters):
    cohort: str
    gan_remove: str
    gan_insert: str
    resolutions: list[str]
    splits: NotRequired[list[Split]]
    training_images: NotRequired[int]
    suffix: NotRequired[str]
    strength: Literal["full", "least"]
    regions: Literal["all", "fewest"]
    texture: Literal["any", "matched"]
    margin: float


class GradientAttackParameters(TypedDict):
    """An attack on a classifier; for a transfer attack the surrogate. `epsilon` in 16-bit grey levels."""

    classifier: str
    method: str
    name: str
    epsilon: NotRequired[int]
    steps: NotRequired[int]
    seed: int
    gradient: NotRequired[Literal["full_resolution", "upsampled"]]
    settings: NotRequired[str]


class AttackParameters(PostProcessingParameters):
    cohort: str
    attack: GradientAttackParameters
    resolutions: list[str]
    splits: NotRequired[list[Split]]
    training_images: NotRequired[int]


class EvaluateParameters(TypedDict):
    cohort: str
    classifiers: list[str]
    attacks: NotRequired[list[str]]
    gan_remove: NotRequired[str]
    gan_insert: NotRequired[str]
    resolutions: list[str]
    recalibration: Literal["none", "temperature", "platt"]


class TrainDetectorParameters(TypedDict):
    cohort: str
    attacks: list[str]
    held_out: NotRequired[list[str]]
    resolution: str
    preset: str
    name: str
    seed: int


class CrossValidateParameters(TypedDict):
    cohort: str
    preset: str
    folds: int
    gans: bool
    name: str
    seed: int
    spare_background: bool
