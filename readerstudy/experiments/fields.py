"""Parameters that several kinds of job share, presets and attack methods."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import SPLIT_LABELS
from readerstudy.experiments.kinds import Field, FieldType, Text
from readerstudy.modalities import MODALITIES, layout_labels
from readerstudy.vocabulary import Direction, choice_pairs

# The web side cannot import the learning packages. A test compares these tables with theirs.

# The presets, and the stored resolution that each reads its images from.
PRESETS = {preset: layout for modality in MODALITIES.values() for preset, layout in modality.presets.items()}


@dataclass(frozen=True)
class AttackMethod:
    """An attack by gradient and the settings that it has."""

    key: str
    title: Text
    settings: tuple[str, ...]


SHARED_SETTINGS = ("gradient", "threshold")  # that every method has
METHODS = (
    AttackMethod("fgsm", _("FGSM: one step along the gradient"), ("epsilon",)),
    AttackMethod(
        "pgd", _("PGD: many small steps"), ("epsilon", "steps", "stride", "random_start", "momentum", "iterate")
    ),
    AttackMethod("apgd", _("APGD: steps of adaptive length"), ("epsilon", "steps", "restarts", "rho", "inertia")),
    AttackMethod("autoattack", _("AutoAttack’s untargeted parts"), ("epsilon", "steps", "queries")),
    AttackMethod(
        "fab",
        _("FAB: the nearest image that changes the prediction"),
        ("epsilon", "steps", "restarts", "lean", "overshoot", "back"),
    ),
    AttackMethod("square", _("Square: random search without gradients"), ("epsilon", "queries", "share")),
    AttackMethod(
        "cw",
        _("Carlini–Wagner: smallest change that changes the prediction"),
        ("steps", "searches", "start", "rate", "confidence"),
    ),
    AttackMethod("patch", _("Patch: a visible spot"), ("diameter", "position", "steps", "images", "rate", "jitter")),
)

COHORT = Field("cohort", _("Cohort"), FieldType.COHORT)
SEED = Field(
    "seed", _("Seed"), FieldType.INTEGER, 1, help=_("The same seed gives the same run."), minimum=0, maximum=2**62
)
PRESET = Field("preset", _("Preset"), FieldType.CHOICE, "demo", choices=tuple((name, name) for name in PRESETS))
RESOLUTION_CHOICES = tuple(layout_labels().items())
RESOLUTIONS = Field(
    "resolutions",
    _("Resolutions"),
    FieldType.CHOICES,
    choices=RESOLUTION_CHOICES,
    help=_("If none is chosen: all that the cohort stores."),
    optional=True,
    is_detail=True,
    option="--resolution",
)
SPLITS = Field(
    "splits",
    _("Splits"),
    FieldType.CHOICES,
    choices=choice_pairs(SPLIT_LABELS),
    help=_("If none is chosen: all. For a slow attack the evaluated splits suffice."),
    optional=True,
    is_detail=True,
    option="--split",
)
TRAINING_IMAGES = Field(
    "training_images",
    _("Training images with each label"),
    FieldType.INTEGER,
    help=_("At most this many with the finding, and as many without. Empty: all of the training split."),
    minimum=1,
    optional=True,
    is_detail=True,
)
DIRECTION = Field(
    "direction",
    _("Direction"),
    FieldType.CHOICE,
    choices=choice_pairs({Direction.INSERT: _("Insert the finding"), Direction.REMOVE: _("Remove the finding")}),
)
TARGET_CLASSIFIER = Field("classifier", _("Target classifier"), FieldType.CLASSIFIER)
GAN_REMOVE = Field("gan_remove", _("GAN that removes the finding"), FieldType.REMOVER)
GAN_INSERT = Field("gan_insert", _("GAN that inserts the finding"), FieldType.INSERTER)
THREADS = Field(
    "threads",
    _("Threads"),
    FieldType.INTEGER,
    help=_("Empty: all."),
    minimum=1,
    maximum=512,
    optional=True,
    is_detail=True,
    changes_result=False,
)
PROCESSES = Field(
    "processes",
    _("Processes"),
    FieldType.INTEGER,
    help=_("Empty: one for each graphics card of the worker, as far as they divide a batch evenly."),
    minimum=1,
    maximum=64,
    optional=True,
    is_detail=True,
    changes_result=False,
)
ENDS = Field(
    "ends",
    _("Training ends"),
    FieldType.CHOICE,
    "preset",
    choices=(
        ("preset", _("as the preset says")),
        ("epochs", _("after a number of epochs")),
        ("rules", _("by the article’s stopping rules")),
    ),
    is_detail=True,
)
SPARE_BACKGROUND = Field(
    "spare_background",
    _("Train on the region only"),
    FieldType.FLAG,
    False,
    help=_("Exclude the background during training, as at generation. Recommended for digitised film."),
    is_detail=True,
)


def run_name(default: str) -> Field:
    """Return the field for the name of the run that a job trains; see `FieldType.NAME` for the default."""
    text = _("Letters, digits and hyphens. Later jobs refer to the run by this name.")
    return Field("name", _("Name of the run"), FieldType.NAME, default, help=text)


def _keep(step: str, title: Text, help: Text) -> Field:
    option = f"--without {step}"
    return Field(f"keep_{step}", title, FieldType.FLAG, True, help=help, is_detail=True, option=option)


POST_PROCESSING = (
    _keep("background", _("Keep the background"), _("Pixels outside the region are not changed.")),
    _keep("grid", _("Keep the grey levels"), _("Only grey levels that occur in the source image are used.")),
    _keep("range", _("Keep the range"), _("No pixel is darker or brighter than the source image’s extremes.")),
)

# How much of a generator's change is applied, and where. The defaults are the article's attack.
STRENGTH = (
    Field(
        "strength",
        _("Strength"),
        FieldType.CHOICE,
        "full",
        choices=(
            ("full", _("the generator’s whole change, as in the article")),
            ("least", _("the least share of it that fools the target classifier")),
        ),
    ),
    Field(
        "regions",
        _("Regions"),
        FieldType.CHOICE,
        "all",
        choices=(
            ("all", _("wherever the generator changes the image")),
            ("fewest", _("only the most effective regions, as few as fool the target classifier")),
        ),
    ),
    Field(
        "texture",
        _("Texture of what is inserted"),
        FieldType.CHOICE,
        "any",
        choices=(
            ("any", _("as the generator draws it")),
            ("matched", _("within the contrast of the tissue around it, as far as that fools the target classifier")),
        ),
        is_detail=True,
    ),
    Field(
        "margin",
        _("Margin beyond the threshold"),
        FieldType.NUMBER,
        0.05,
        help=_("How far beyond .5 the target classifier’s score of the written image lies, if not all is applied."),
        minimum=0,
        maximum=0.45,
        is_detail=True,
    ),
)
