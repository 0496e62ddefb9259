"""The catalogue: every kind of job with its title, its queue and its parameters.

Forms, API, management commands and checks are generated from it. The key of a kind is the name of its Celery task.
"""

from django.utils.translation import gettext_lazy as _

from readerstudy.errors import BadInput
from readerstudy.experiments.fields import (
    COHORT,
    DIRECTION,
    ENDS,
    GAN_INSERT,
    GAN_REMOVE,
    METHODS,
    POST_PROCESSING,
    PRESET,
    PROCESSES,
    RESOLUTION_CHOICES,
    RESOLUTIONS,
    SEED,
    SPARE_BACKGROUND,
    SPLITS,
    STRENGTH,
    TARGET_CLASSIFIER,
    THREADS,
    TRAINING_IMAGES,
    run_name,
)
from readerstudy.experiments.kinds import Field, FieldType, JobKind
from readerstudy.jobs.models import Queue

TRAIN_CLASSIFIER = JobKind(
    "train-classifier",
    _("Train a classifier"),
    _("Tells images with the finding from others. Attacks are made on it and evaluated with it."),
    Queue.GPU,
    (
        COHORT,
        PRESET,
        run_name("{cohort}-{preset}-{seed}"),
        SEED,
        PROCESSES,
        Field(
            "adversarial_training.epsilon",
            _("Adversarial training, budget"),
            FieldType.BUDGET,
            help=_(
                "Attack a share of every batch by at most this: 4/255 of full scale, or 1028 grey levels. "
                "Empty: no adversarial training."
            ),
            optional=True,
            is_detail=True,
            option="--adversarial-training",
        ),
        Field(
            "adversarial_training.steps",
            _("Adversarial training, steps of the attack"),
            FieldType.INTEGER,
            3,
            minimum=1,
            maximum=100,
            is_detail=True,
            needs="adversarial_training.epsilon",
            option="--adversarial-training-steps",
        ),
        Field(
            "adversarial_training.share",
            _("Adversarial training, share of the images attacked"),
            FieldType.NUMBER,
            0.5,
            minimum=0,
            maximum=1,
            is_detail=True,
            needs="adversarial_training.epsilon",
            option="--adversarial-training-share",
        ),
        Field(
            "augmentation.attacks",
            _("Add adversarial images of these attacks to the training images"),
            FieldType.ATTACKS,
            optional=True,
            is_detail=True,
            option="--augment",
        ),
        Field(
            "augmentation.labels",
            _("Label of the added images"),
            FieldType.CHOICE,
            "own",
            choices=(("own", _("the source image’s pathology")), ("flipped", _("the imitated pathology"))),
            is_detail=True,
            needs="augmentation.attacks",
            option="--augment-labels",
        ),
        Field(
            "vgg_weights",
            _("VGG11 weights"),
            FieldType.FILE,
            help=_("A file on the worker with initial weights. Empty: random initial weights."),
            optional=True,
            is_detail=True,
        ),
    ),
)

TRAIN_GAN = JobKind(
    "train-gan",
    _("Train a GAN"),
    _("Inserts or removes the finding. Train one GAN per direction."),
    Queue.GPU,
    (
        COHORT,
        DIRECTION,
        TARGET_CLASSIFIER,
        run_name("{classifier}-{direction}"),
        SEED,
        SPARE_BACKGROUND,
        ENDS,
        PROCESSES,
        THREADS,
    ),
)

TRAIN_INPAINTING = JobKind(
    "train-inpainting",
    _("Train an inpainter"),
    _(
        "Replaces a disc of the image so that the classifier’s prediction changes. Smaller than a GAN, and not part "
        "of the article. Its run can be used in place of a GAN run."
    ),
    Queue.GPU,
    (COHORT, DIRECTION, TARGET_CLASSIFIER, run_name("{classifier}-inpainting-{direction}"), SEED, THREADS),
)

GENERATE = JobKind(
    "generate",
    _("Generate adversarial images with GANs"),
    _("Makes an adversarial image from every image of a cohort with two GANs. Existing ones are kept."),
    Queue.GPU,
    (
        COHORT,
        GAN_REMOVE,
        GAN_INSERT,
        RESOLUTIONS,
        SPLITS,
        TRAINING_IMAGES,
        Field(
            "suffix",
            _("Suffix"),
            FieldType.SUFFIX,
            help=_(
                "Appended to the names of the GAN runs to give the names of the attacks. Needed for a second cohort "
                "and for another strength, other regions or other post-processing."
            ),
            optional=True,
            is_detail=True,
        ),
        *STRENGTH,
        *POST_PROCESSING,
    ),
)

ATTACK = JobKind(
    "attack",
    _("Generate adversarial images by gradient"),
    _(
        "Makes an adversarial image from every image of a cohort with the gradient of a classifier, within a budget "
        "of grey levels."
    ),
    Queue.GPU,
    (
        COHORT,
        Field(
            "attack.classifier",
            _("Target classifier"),
            FieldType.CLASSIFIER,
            help=_("For an attack by transfer: the surrogate."),
        ),
        Field(
            "attack.method",
            _("Method"),
            FieldType.METHOD,
            "pgd",
            choices=tuple((method.key, method.title) for method in METHODS),
        ),
        Field(
            "attack.name",
            _("Name of the attack"),
            FieldType.NAME,
            "{attack.method}-{attack.classifier}",
            help=_("Studies and evaluations refer to the attack by this name."),
        ),
        Field(
            "attack.epsilon",
            _("Budget"),
            FieldType.BUDGET,
            help=_(
                "The largest change of a pixel: 4/255 of full scale, or 1028 grey levels. Empty: the method’s default."
            ),
            optional=True,
        ),
        Field(
            "attack.steps",
            _("Steps"),
            FieldType.INTEGER,
            help=_("Empty: the method’s default."),
            minimum=1,
            optional=True,
        ),
        Field("attack.seed", _("Seed"), FieldType.INTEGER, 1, minimum=0, maximum=2**62),
        Field(
            "attack.gradient",
            _("At the study’s size"),
            FieldType.CHOICE,
            choices=(
                ("full_resolution", _("follow the gradient through the resampling: stronger")),
                ("upsampled", _("attack the small image and upsample the change: faster")),
            ),
            optional=True,
            is_detail=True,
        ),
        Field(
            "attack.settings",
            _("Further settings"),
            FieldType.SETTINGS,
            help=_("Of the method, as name=value with semicolons between: diameter=0.1; position=random."),
            optional=True,
            is_detail=True,
            option="--set",
        ),
        RESOLUTIONS,
        SPLITS,
        TRAINING_IMAGES,
        *POST_PROCESSING,
    ),
)

EVALUATE = JobKind(
    "evaluate",
    _("Evaluate attacks"),
    _("Table 1 of the article: how often each attack fools each classifier, on the test images."),
    Queue.GPU,
    (
        COHORT,
        Field("classifiers", _("Classifiers"), FieldType.CLASSIFIERS, option="--classifier"),
        Field("attacks", _("Attacks"), FieldType.ATTACKS, optional=True, option="--attack"),
        Field("gan_remove", GAN_REMOVE.title, FieldType.REMOVER, optional=True, in_form=False),
        Field("gan_insert", GAN_INSERT.title, FieldType.INSERTER, optional=True, in_form=False),
        RESOLUTIONS,
        Field(
            "recalibration",
            _("Recalibrate probabilities"),
            FieldType.CHOICE,
            "none",
            choices=(("none", _("no")), ("temperature", _("by a temperature")), ("platt", _("by Platt’s line"))),
            help=_("Fitted on the tuning split."),
            is_detail=True,
        ),
    ),
)

TRAIN_DETECTOR = JobKind(
    "train-detector",
    _("Train a detector"),
    _("Distinguishes adversarial images of the chosen attacks from real ones, and is tested on other attacks."),
    Queue.GPU,
    (
        COHORT,
        Field("attacks", _("Attacks to train on"), FieldType.ATTACKS, option="--attack"),
        Field(
            "held_out",
            _("Attacks to test on only"),
            FieldType.ATTACKS,
            optional=True,
            is_detail=True,
            help=_("If none is chosen: all others."),
        ),
        Field("resolution", _("Resolution"), FieldType.CHOICE, "low", choices=RESOLUTION_CHOICES),
        PRESET,
        run_name("{cohort}-detector-{seed}"),
        SEED,
    ),
)

CROSS_VALIDATE = JobKind(
    "cross-validate",
    _("Cross-validate a classifier"),
    _("For small cohorts: every patient is classified by a network that was trained on other patients."),
    Queue.GPU,
    (
        COHORT,
        PRESET,
        Field("folds", _("Folds"), FieldType.INTEGER, 5, minimum=3, maximum=20),
        Field("gans", _("Train both GANs in every fold too"), FieldType.FLAG, False),
        run_name("{cohort}-folds-{seed}"),
        SEED,
        SPARE_BACKGROUND,
    ),
)

KINDS = (
    TRAIN_CLASSIFIER,
    TRAIN_GAN,
    TRAIN_INPAINTING,
    GENERATE,
    ATTACK,
    EVALUATE,
    TRAIN_DETECTOR,
    CROSS_VALIDATE,
)
KINDS_BY_KEY = {kind.key: kind for kind in KINDS}


def get_kind(key: str) -> JobKind:
    """Return the kind of that key. Raises BadInput, which lists the kinds."""
    if key not in KINDS_BY_KEY:
        raise BadInput(f"There is no kind of job {key!r}; there are: {', '.join(KINDS_BY_KEY)}.")
    return KINDS_BY_KEY[key]
