"""Parameters that several kinds of job share."""

from django.utils.translation import gettext_lazy as _

from readerstudy.experiments.kinds import Field, Sort, Words

# The lab's own lists, which the web may not import; tests hold the two together.
PRESETS = ("demo", "zhou2021-low", "zhou2021-high")
METHODS: tuple[tuple[str, Words], ...] = (
    ("fgsm", _("FGSM: one step along the gradient")),
    ("pgd", _("PGD: many small steps")),
    ("apgd", _("APGD: steps that adapt")),
    ("autoattack", _("AutoAttack’s untargeted parts")),
    ("fab", _("FAB: the nearest image that fools")),
    ("square", _("Square: tries without looking at the gradient")),
    ("cw", _("Carlini–Wagner: as small a change as fools")),
    ("patch", _("Patch: a visible spot")),
)
RESOLUTIONS = (("high", _("High (1728 × 1408)")), ("low", _("Low (1024 × 832)")))

COHORT = Field("cohort", _("Cohort"), Sort.COHORT)
NAME = Field("name", _("Name of the run"), Sort.SLUG, help=_("Letters, digits and hyphens; later jobs call it so."))
SEED = Field("seed", _("Seed"), Sort.WHOLE, 1, help=_("The same seed gives the same run."), least=0, most=2**62)
PRESET = Field("preset", _("Preset"), Sort.CHOICE, PRESETS[0], choices=tuple((name, name) for name in PRESETS))
AT_ALL = Field(
    "resolutions",
    _("Resolutions"),
    Sort.CHOICES,
    choices=RESOLUTIONS,
    help=_("None chosen: all that the cohort stores."),
    is_detail=True,
)
SPLITS = Field(
    "splits",
    _("Splits"),
    Sort.CHOICES,
    choices=(("train", _("Training")), ("tuning", _("Tuning")), ("test", _("Test"))),
    help=_("None chosen: all. A slow attack may do with those that are evaluated."),
    optional=True,
    is_detail=True,
)
DIRECTION = Field(
    "direction",
    _("Direction"),
    Sort.CHOICE,
    choices=(("insert", _("Insert cancer")), ("remove", _("Remove cancer"))),
)
THREADS = Field(
    "threads", _("Threads"), Sort.WHOLE, help=_("Empty: all."), least=1, most=512, optional=True, is_detail=True
)
PROCESSES = Field(
    "processes",
    _("Processes"),
    Sort.WHOLE,
    help=_("Empty: one for each graphics card of the worker."),
    least=1,
    most=64,
    optional=True,
    is_detail=True,
)
ENDS = Field(
    "ends",
    _("Training ends"),
    Sort.CHOICE,
    "preset",
    choices=(
        ("preset", _("as the preset says")),
        ("epochs", _("after a number of epochs")),
        ("rules", _("by the article’s stopping rules")),
    ),
    is_detail=True,
)
SPARE = Field(
    "spare_background",
    _("Learn in the breast only"),
    Sort.FLAG,
    False,
    help=_("What is not breast stays as it is while the GAN trains, as it does when it is used: advised for films."),
    is_detail=True,
)


def _keep(name: str, title: Words, help: Words) -> Field:
    return Field(name, title, Sort.FLAG, True, help=help, is_detail=True)


FINISH = (
    _keep("keep_background", _("Keep the background"), _("What lies outside the breast stays as it is.")),
    _keep("keep_grid", _("Keep the grey levels"), _("Only grey levels that the real film has are used.")),
    _keep("keep_range", _("Keep the range"), _("Nothing is darker or brighter than the real film’s extremes.")),
)
