"""The presets: the article's two resolutions, and two that train in minutes.

`zhou2021-high` and `zhou2021-low` have the article's numbers (Zhou et al., Nature Communications 12,
2021; where the article is silent, what its authors' published code does). `demo` is the same code at 256 ×
208 with fewer channels and steps, so that a classifier and both GANs train in minutes on two processor cores. `compact`
is for square images of any content: a network of the compact family and the demo's generators, at 128 × 128.
"""

from dataclasses import dataclass, replace

from models_ml.config import (
    ARTICLE_PENALTY_WEIGHT,
    FULL_COLUMNS,
    FULL_ROWS,
    Augmentation,
    ClassifierConfig,
    CompactConfig,
    Convolution,
    GanConfig,
    GeneratorConfig,
    Length,
    Snapshots,
    Stage,
    Stop,
    penalty_weight,
)
from models_ml.errors import LabError
from readerstudy.vocabulary import Direction


@dataclass(frozen=True)
class Preset:
    """A classifier and its two GANs at one resolution.

    `is_article`: attacks of this preset are evaluated without post-processing, as in the article, and with it beside.
    """

    name: str
    classifier: ClassifierConfig
    remove: GanConfig
    insert: GanConfig
    is_article: bool = False

    def gan(self, direction: Direction) -> GanConfig:
        return self.remove if direction == Direction.REMOVE else self.insert


# The article compares means over the training set with these bounds: an epoch's, not those of a few batches.
IDENTITY_LEARNT = Stop("identity", "below", 0.002, mean_over="epoch")
GAP_REACHED = Stop("gap", "above", 0.2, mean_over="epoch")
GAP_CLOSED = Stop("gap", "below", 0.01, mean_over="epoch", after_gap=True)
ARTICLE_STAGES = (
    Stage(1, "identity", "none", Length(epochs=11), IDENTITY_LEARNT, 1e-4, generator_every=1),
    Stage(2, "rests", "output", Length(epochs=10), GAP_REACHED),
    Stage(3, "adversarial", "output", Length(epochs=10)),
    Stage(4, "adversarial", "fnet", Length(epochs=300)),
    Stage(5, "adversarial", "all", Length(epochs=270), GAP_CLOSED),
)


def _article(name: str, rows: int, columns: int) -> Preset:
    # The article has one weight of the penalty, k = 10, for both resolutions; `penalty_weight` would convert it.
    weight = ARTICLE_PENALTY_WEIGHT
    generator = GeneratorConfig(align_corners=True)
    gan = GanConfig(name, rows, columns, weight, ARTICLE_STAGES, generator=generator, moments="kept")
    classifier = ClassifierConfig(name, rows, columns, weight, augmentation=Augmentation(scale="uniform"))
    return Preset(name, classifier, remove=gan, insert=gan, is_article=True)


DEMO_FLIPS = Augmentation(0.5, 0.5, 0.0, 0.0, 1.0, 1.0)


def _demo_stages(rate: float, least: int, last: int) -> tuple[Stage, ...]:
    # One generator step per five batches at 1e-5 needs days; here two per batch at about 1e-3. A small discriminator
    # is soon overtaken: without a least length it stops while the images still change.
    fast = Stage(
        5,
        "adversarial",
        "all",
        Length(steps=last),
        Stop("gap", "below", 0.01, least_steps=least, after_gap=True),
        generator_rate=rate,
        generator_every=1,
        generator_steps=2,
    )
    return (
        Stage(1, "identity", "none", Length(steps=20), Stop("identity", "below", 0.002), 1e-3, generator_every=1),
        Stage(
            2,
            "rests",
            "output",
            Length(steps=150),
            Stop("gap", "above", 0.2, least_steps=8),
            output_rate=1.5e-2,
        ),
        replace(fast, number=3, discriminator="output", limit=Length(steps=4), stop=None),
        replace(fast, number=4, discriminator="fnet", limit=Length(steps=8), stop=None),
        fast,
    )


def _demo() -> Preset:
    rows, columns, mean, sd = 256, 208, 0.2, 0.2
    weight = penalty_weight(rows, columns)
    classifier = ClassifierConfig(
        "demo",
        rows,
        columns,
        weight,
        mean=(mean,),
        sd=(sd,),
        vnet_layers=9,
        width=0.125,
        fnet_convolutions=(Convolution(64, kernel=1, norm=True),),
        fnet_dense=(),
        penalty_every=8,
        # Without ImageNet weights the article's 1e-4 and 1e-5 learn nothing in minutes.
        fnet_rate=1e-3,
        vnet_rate=1e-3,
        fnet_only=Length(),
        length=Length(steps=700),
        warmup_steps=30,
        final_rate=0.02,
        augmentation=DEMO_FLIPS,
        evaluate_every=Length(steps=100),
        keep_from=Length(steps=500),
        save_every=Length(steps=50),
    )
    remove = GanConfig(
        "demo",
        rows,
        columns,
        weight,
        _demo_stages(rate=1e-3, least=80, last=160),
        generator=GeneratorConfig("residual", (8, 16, 32), (16, 8), "none", padding="replicate", mean=mean, sd=sd),
        images_per_class=4,
        identity_weight=3.0,
        penalty_every=2,
        discriminator_dropout=0.0,
        snapshots=Snapshots(always=True),
        augmentation=DEMO_FLIPS,
        save_every=Length(steps=50),
    )
    insert = replace(remove, stages=_demo_stages(rate=7e-4, least=50, last=120), identity_weight=20.0)
    return Preset("demo", classifier, remove=remove, insert=insert)


COMPACT_FLIPS = replace(DEMO_FLIPS, vertical_flip=0.0)  # most images have an upper end


def _compact() -> Preset:
    side, mean, sd, demo = 128, 0.4, 0.25, _demo()
    weight = penalty_weight(side, side)
    classifier = replace(
        demo.classifier,
        preset="compact",
        rows=side,
        columns=side,
        penalty_weight=weight,
        family="compact",
        compact=CompactConfig(),
        mean=(mean,),
        sd=(sd,),
        fnet_rate=3e-3,
        vnet_rate=3e-3,
        images_per_class=8,
        length=Length(steps=300),
        evaluate_every=Length(steps=50),
        keep_from=Length(steps=200),
        augmentation=COMPACT_FLIPS,
    )

    def gan(config: GanConfig) -> GanConfig:
        return replace(
            config,
            preset="compact",
            rows=side,
            columns=side,
            penalty_weight=weight,
            generator=replace(config.generator, mean=mean, sd=sd),
            augmentation=COMPACT_FLIPS,
        )

    return Preset("compact", classifier, remove=gan(demo.remove), insert=gan(demo.insert))


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _demo(),
        _article("zhou2021-low", 1024, 832),
        _article("zhou2021-high", FULL_ROWS, FULL_COLUMNS),
        _compact(),
    )
}


def find_preset(name: str) -> Preset:
    """Return the preset of that name. Raises LabError, which lists the presets, if there is none."""
    if name not in PRESETS:
        raise LabError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]
