"""Frozen settings of networks and trainings; `presets` has their values."""

from dataclasses import dataclass, field, replace
from typing import Literal

from models_ml.runtime.device import Precision
from readerstudy.imaging.image import WHITE
from readerstudy.serialise import ADDED_LATER
from readerstudy.vocabulary import Direction


@dataclass(frozen=True)
class AdversarialTraining:
    """Projected gradient descent on part of every batch before the classifier learns from it (Madry et al., 2018).

    `epsilon` is the largest change of a pixel in 16-bit grey levels; the default is 4/255 of full scale. Attacking half
    of each class keeps more of the accuracy on unchanged images than attacking all.
    """

    epsilon: float = WHITE * 4 / 255
    steps: int = 3
    step_size: float = 0.0  # in grey levels; 0 is 2.5 · epsilon / steps, as in Madry et al.
    attacked_share: float = 0.5  # of the images of each class
    random_start: bool = True
    # Shares of the training between which the budget grows from 0 to epsilon. A network that is attacked at the full
    # budget from its first step learns nothing.
    growth_start: float = 0.2
    growth_end: float = 0.7

    def __post_init__(self) -> None:
        if not (self.epsilon >= 0 and self.steps >= 1 and self.step_size >= 0 and 0 <= self.attacked_share <= 1):
            raise ValueError(
                "Adversarial training needs a budget and a step size of at least 0, at least one step, and an attacked "
                "share from 0 to 1."
            )
        if not 0 <= self.growth_start <= self.growth_end <= 1:
            raise ValueError("The budget of adversarial training grows between two shares from 0 to 1, in this order.")

    def at(self, share: float) -> "AdversarialTraining":
        """Return the settings in force after this share of the training, 0 to 1."""
        if share >= self.growth_end:
            return self
        grown = max(0.0, share - self.growth_start) / (self.growth_end - self.growth_start)
        return replace(self, epsilon=grown * self.epsilon, step_size=grown * self.step_size)

    @property
    def step(self) -> float:
        """The length of one step in grey levels."""
        return self.step_size or 2.5 * self.epsilon / self.steps


DIRECTIONS = (Direction.REMOVE, Direction.INSERT)  # in the order of training
Family = Literal["vgg", "compact"]  # of classifiers, see `models_ml.networks`
Norm = Literal["group", "batch", "none"]
# What a stage of a GAN trains of its discriminator; "fnet" is the inner layers of any family, with the output layer.
Part = Literal["none", "output", "fnet", "all"]
# How a stage of a GAN ends: by the article's criterion (at the latest after its length), or by its length alone.
Ends = Literal["rules", "epochs"]

FULL_ROWS, FULL_COLUMNS = 1728, 1408  # of the article, whose penalty weight is for this size
ARTICLE_PENALTY_WEIGHT, ARTICLE_PENALTY_ORDER = 10.0, 4.0
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def penalty_weight(rows: int, columns: int) -> float:
    """Return the article's gradient penalty weight k = 10 converted from 1728 × 1408 to another resolution.

    The same function of an image reduced s-fold on each side has a gradient norm s times as large, so the
    penalty k/2 · ‖∇‖^o keeps its meaning when k shrinks with (pixels / full pixels)^(o/2): 1.2 at 1024 ×
    832, 0.005 at 256 × 208.
    """
    share = rows * columns / (FULL_ROWS * FULL_COLUMNS)
    return float(ARTICLE_PENALTY_WEIGHT * share ** (ARTICLE_PENALTY_ORDER / 2))


@dataclass(frozen=True)
class Length:
    """A duration: a number of steps, or of epochs, in each of which every image of the larger class is used once."""

    steps: int = 0
    epochs: int = 0

    def in_steps(self, steps_per_epoch: int) -> int:
        return self.steps + self.epochs * steps_per_epoch


@dataclass(frozen=True)
class Augmentation:
    """One random affine map per image: probabilities of flips, largest angles in degrees, and the scale.

    `scale` says what is drawn evenly between the two scales: the scale itself, as in the authors' code (its mean is
    1.25 between .5 and 2), or its logarithm, which enlarges as often as it reduces.
    """

    vertical_flip: float = 0.5
    horizontal_flip: float = 0.0
    rotation: float = 45.0
    shear: float = 45.0
    least_scale: float = 0.5
    greatest_scale: float = 2.0
    scale: Literal["log-uniform", "uniform"] = field(default="log-uniform", metadata=ADDED_LATER)


@dataclass(frozen=True)
class Convolution:
    """One convolution of Fnet, followed by ReLU, or by GroupNorm and LeakyReLU if `norm` is set."""

    channels: int
    kernel: int = 3
    stride: int = 1
    norm: bool = False


@dataclass(frozen=True)
class CompactConfig:
    """The layers of the compact family: convolutions, each with GroupNorm and ReLU, a global pool and a dense layer.

    By default one position before the pool sees 25 × 25 pixels: more than a small finding, and little else.
    """

    convolutions: tuple[Convolution, ...] = (
        Convolution(24, kernel=5, stride=2, norm=True),
        Convolution(48, stride=2, norm=True),
        Convolution(96, norm=True),
        Convolution(96, norm=True),
        Convolution(96, kernel=1, norm=True),
    )
    norm_groups: int = 4
    dense: int = 64
    # The mean of a window of this odd size is subtracted at each position first; 0: nothing is subtracted.
    surround: int = 9


@dataclass(frozen=True)
class ClassifierConfig:
    """The AI-CAD classifier (METHOD §2) and its training.

    In families other than the VGG, "fnet" and "vnet" in the names of settings stand for the inner layers and the trunk.
    """

    preset: str
    rows: int
    columns: int
    penalty_weight: float
    # --- architecture
    mean: tuple[float, ...] = IMAGENET_MEAN
    sd: tuple[float, ...] = IMAGENET_SD
    # The next five are those of the VGG.
    vnet_layers: int = 13  # of VGG11's thirteen convolutions and pools
    width: float = 1.0  # factor on VGG11's channels
    fnet_convolutions: tuple[Convolution, ...] = (Convolution(512, stride=2), Convolution(2048))
    fnet_dense: tuple[int, ...] = (8192, 2048, 256)
    norm_groups: int = 32
    dropout: float = 0.2
    leak: float = 0.2
    # --- loss
    focal_gamma: float = 2.0
    class_weight: float = 0.5
    penalty_order: float = ARTICLE_PENALTY_ORDER
    penalty_every: int = 1  # lazy regularisation: every n-th step, n times as heavy
    # --- optimisation
    images_per_class: int = 4
    images_at_once: int = 0  # images of a batch in memory at a time; 0: as the memory allows
    fnet_rate: float = 1e-4
    vnet_rate: float = 1e-5
    betas: tuple[float, float] = (0.5, 0.9)
    fnet_only: Length = Length(epochs=41)  # epochs 0 to 40 of 0 to 300
    length: Length = Length(epochs=301)
    warmup_steps: int = 0
    final_rate: float = 1.0  # the cosine decay's last factor on the rates; 1 keeps them constant
    augmentation: Augmentation = Augmentation()
    evaluate_every: Length = Length(epochs=1)
    keep_from: Length = Length()  # no earlier weights: few tuning images give chance results
    save_every: Length = Length(epochs=1)
    precision: Precision = "auto"
    adversarial_training: AdversarialTraining | None = None
    # --- other families
    family: Family = field(default="vgg", metadata=ADDED_LATER)
    compact: CompactConfig | None = field(default=None, metadata=ADDED_LATER)

    @property
    def expects_imagenet(self) -> bool:
        """Whether Vnet has the shape of ImageNet's weights, for which the article's slow rate is meant."""
        return self.family == "vgg" and len(self.mean) == 3 and self.width == 1.0


@dataclass(frozen=True)
class GeneratorConfig:
    """The U-Net (METHOD §3).

    The `plain` form outputs an image, the `residual` form a change of the image's logit, the `additive` form a change
    of its values. The residual form keeps the background (values near 0); the additive form is for images whose 0 is a
    value like any other.
    """

    form: Literal["plain", "residual", "additive"] = "plain"
    encoder: tuple[int, ...] = (64, 128, 256, 512, 512, 512)
    decoder: tuple[int, ...] = (512, 256, 128, 64, 64)
    norm: Norm = "group"
    norm_groups: int = 32
    leak: float = 0.2
    padding: Literal["zeros", "replicate"] = "zeros"  # zeros leave a line at the edge of a residual change
    mean: float = IMAGENET_MEAN[0]
    sd: float = IMAGENET_SD[0]
    # Whether bilinear doubling keeps the centres of the corner pixels, as in the authors' code, or their outer edges.
    align_corners: bool = field(default=False, metadata=ADDED_LATER)


@dataclass(frozen=True)
class Stop:
    """A criterion on a mean: the identity loss, or the gap s(x) − s(G(y)), above or below a bound.

    `mean_over` "epoch" takes the mean over each whole epoch of the stage, so the stage lasts for one epoch at least.
    "steps" takes a running mean (`GanConfig.smoothing`), which after one step is the value of a single batch.
    """

    quantity: Literal["identity", "gap"]
    sense: Literal["above", "below"]
    bound: float
    least_steps: int = 1
    mean_over: Literal["steps", "epoch"] = "steps"
    # "gap < 0.01" also holds for a discriminator that has not learnt anything, so it counts only if an earlier stage
    # reached its gap.
    after_gap: bool = False


@dataclass(frozen=True)
class Stage:
    """One of the five stages: which parts train on which loss, at which rates and for how long."""

    number: int
    generator: Literal["rests", "identity", "adversarial"]
    discriminator: Part  # "fnet" includes the output layer, "all" both
    limit: Length
    stop: Stop | None = None
    generator_rate: float = 1e-5
    output_rate: float = 1e-4
    fnet_rate: float = 1e-4
    vnet_rate: float = 1e-5
    generator_every: int = 5  # every n-th batch …
    generator_steps: int = 1  # … this many steps, each on fresh images


@dataclass(frozen=True)
class Snapshots:
    """The choice of the generator in the last stage: the one that changed the classifier's score most.

    The score is the mean change of the positive probability in the wanted direction on a few training images, minus
    `price` for every unit of identity loss above `identity_bound`. Tuning and test images are not used.
    """

    every: int = 10
    images: int = 32
    first_step: int = 30
    identity_bound: float = 0.02
    price: float = 10.0
    always: bool = False  # even if the stage ended by its criterion


@dataclass(frozen=True)
class GanConfig:
    """One of the two GANs and its staged schedule (METHOD §3)."""

    preset: str
    rows: int
    columns: int
    penalty_weight: float
    stages: tuple[Stage, ...]
    ends: Ends = "rules"
    # Whether the background is excluded from the change during training, as it is when images are generated.
    keep_background: bool = False
    generator: GeneratorConfig = GeneratorConfig()
    images_per_class: int = 2
    images_at_once: int = 0  # of the generator's batch, as in the classifier
    identity_weight: float = 1.0
    penalty_order: float = ARTICLE_PENALTY_ORDER
    penalty_every: int = 1
    betas: tuple[float, float] = (0.5, 0.9)
    discriminator_dropout: float = 0.2
    smoothing: float = 0.95  # decay of the running means
    snapshots: Snapshots | None = None  # None keeps the last iterate, as the article does
    augmentation: Augmentation = Augmentation(least_scale=1.0, greatest_scale=1.0)
    save_every: Length = Length(epochs=1)
    sample_every: Length = Length(epochs=1)  # adversarial images of a few training images
    precision: Precision = "auto"
    # Adam's moments at the start of a stage: of the stage before, as in the authors' code, or none.
    moments: Literal["fresh", "kept"] = field(default="fresh", metadata=ADDED_LATER)
