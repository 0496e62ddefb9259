"""Every kind of job as data: what it is called, which task does it, where it waits, what it needs to know.

Pages, administration, API and commands make their forms and checks from this one table.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from readerstudy.errors import BadInput
from readerstudy.experiments.fields import (
    AT_ALL,
    COHORT,
    DIRECTION,
    ENDS,
    FINISH,
    METHODS,
    NAME,
    PRESET,
    PRESETS,
    PROCESSES,
    RESOLUTIONS,
    SEED,
    SPARE,
    SPLITS,
    THREADS,
)
from readerstudy.experiments.kinds import Field, Kind, Sort
from readerstudy.jobs.models import Queue

KINDS = (
    Kind(
        "train-classifier",
        _("Train a classifier"),
        _("Tells cancer from no cancer. The attacks are made on it, and judged by it."),
        "models_ml.train_classifier",
        Queue.GPU,
        (
            COHORT,
            PRESET,
            NAME,
            SEED,
            PROCESSES,
            Field(
                "hardened.epsilon",
                _("Harden against attacks up to"),
                Sort.LEVELS,
                help=_("4/255 of full scale, or 1028 grey levels; empty: an undefended classifier."),
                least=1,
                most=65535,
                optional=True,
                is_detail=True,
            ),
            Field(
                "hardened.steps",
                _("Steps of those attacks"),
                Sort.WHOLE,
                3,
                least=1,
                most=100,
                is_detail=True,
                needs="hardened.epsilon",
            ),
            Field(
                "hardened.part",
                _("Share of the images attacked"),
                Sort.NUMBER,
                0.5,
                least=0,
                most=1,
                is_detail=True,
                needs="hardened.epsilon",
            ),
            Field(
                "augmented.attacks", _("Learn from adversarial images of"), Sort.ATTACKS, optional=True, is_detail=True
            ),
            Field(
                "augmented.labels",
                _("These teach"),
                Sort.CHOICE,
                "own",
                choices=(("own", _("the real image’s pathology")), ("flipped", _("what they imitate"))),
                is_detail=True,
                needs="augmented.attacks",
            ),
            Field(
                "vgg_weights",
                _("VGG11 weights"),
                Sort.TEXT,
                "",
                help=_("A file on the worker to start from; without it training starts from nothing."),
                is_detail=True,
            ),
        ),
    ),
    Kind(
        "train-gan",
        _("Train a GAN"),
        _("Puts cancer into images, or takes it out. Two are needed, one for each direction."),
        "models_ml.train_gan",
        Queue.GPU,
        (
            COHORT,
            DIRECTION,
            Field("classifier", _("Classifier to fool"), Sort.CLASSIFIER),
            NAME,
            SEED,
            SPARE,
            ENDS,
            PROCESSES,
            THREADS,
        ),
    ),
    Kind(
        "train-inpainting",
        _("Train an inpainter"),
        _("Fills a disc of tissue so that the classifier changes its mind. Smaller than a GAN; not the article’s."),
        "models_ml.train_inpainting",
        Queue.GPU,
        (COHORT, DIRECTION, Field("classifier", _("Classifier to fool"), Sort.CLASSIFIER), NAME, SEED, THREADS),
    ),
    Kind(
        "generate",
        _("Write adversarial images"),
        _("Gives every image of a cohort its twin by the two GANs. What is there already stays."),
        "attacks.generate_stimuli",
        Queue.GPU,
        (
            COHORT,
            Field("gan_remove", _("GAN that removes cancer"), Sort.REMOVER),
            Field("gan_insert", _("GAN that inserts cancer"), Sort.INSERTER),
            AT_ALL,
            SPLITS,
            Field(
                "suffix",
                _("Suffix"),
                Sort.SLUG,
                help=_("Goes behind the GANs’ names: for their twins in another cohort, or finished otherwise."),
                optional=True,
                is_detail=True,
            ),
            *FINISH,
        ),
    ),
    Kind(
        "attack",
        _("Attack by gradient"),
        _("Gives every image of a cohort a twin that follows a classifier’s gradient, within a budget of grey levels."),
        "attacks.generate_stimuli",
        Queue.GPU,
        (
            COHORT,
            Field("attack.classifier", _("Classifier to fool"), Sort.CLASSIFIER),
            Field("attack.method", _("Method"), Sort.CHOICE, "pgd", choices=METHODS),
            Field("attack.name", _("Name of the attack"), Sort.SLUG, help=_("Studies and evaluations call it so.")),
            Field(
                "attack.epsilon",
                _("Budget"),
                Sort.SHARE,
                help=_(
                    "The most that a pixel may change: 4/255 of full scale, or 1028 grey levels; empty: the usual one."
                ),
                optional=True,
            ),
            Field("attack.steps", _("Steps"), Sort.WHOLE, help=_("Empty: the method’s own."), least=1, optional=True),
            Field("attack.seed", _("Seed"), Sort.WHOLE, 1, least=0, most=2**62),
            Field(
                "attack.way",
                _("At the study’s size"),
                Sort.CHOICE,
                choices=(
                    ("through", _("follow the gradient through the resampling: stronger")),
                    ("carried", _("attack the small image and carry the change up: quicker")),
                ),
                optional=True,
                is_detail=True,
            ),
            Field(
                "attack.settings",
                _("Further settings"),
                Sort.TEXT,
                help=_("Of the method, as name=value with semicolons between: side=0.1; place=random."),
                optional=True,
                is_detail=True,
            ),
            AT_ALL,
            SPLITS,
            *FINISH,
        ),
    ),
    Kind(
        "evaluate",
        _("Evaluate attacks"),
        _("Table 1: how often each classifier is fooled by each attack, on the test images."),
        "attacks.evaluate_attack",
        Queue.GPU,
        (
            COHORT,
            Field("classifiers", _("Classifiers"), Sort.CLASSIFIERS),
            Field("attacks", _("Attacks"), Sort.ATTACKS, optional=True),
            Field("gan_remove", _("GAN that removes cancer"), Sort.REMOVER, optional=True, in_form=False),
            Field("gan_insert", _("GAN that inserts cancer"), Sort.INSERTER, optional=True, in_form=False),
            AT_ALL,
            Field(
                "recalibration",
                _("Recalibrate probabilities"),
                Sort.CHOICE,
                "none",
                choices=(("none", _("no")), ("temperature", _("by a temperature")), ("platt", _("by Platt’s line"))),
                is_detail=True,
            ),
        ),
    ),
    Kind(
        "train-detector",
        _("Train a detector"),
        _("Learns to tell adversarial images from real ones, on the attacks that you choose."),
        "models_ml.train_detector",
        Queue.GPU,
        (
            COHORT,
            Field(
                "attacks",
                _("Attacks to learn from"),
                Sort.ATTACKS,
                help=_("Attacks left out test what it has not seen."),
            ),
            Field(
                "held_out",
                _("Attacks to test on only"),
                Sort.ATTACKS,
                optional=True,
                is_detail=True,
                help=_("None chosen: all others."),
            ),
            Field("resolution", _("Resolution"), Sort.CHOICE, "low", choices=RESOLUTIONS),
            PRESET,
            NAME,
            SEED,
        ),
    ),
    Kind(
        "cross-validate",
        _("Cross-validate a classifier"),
        _("For small cohorts: every patient is judged by a classifier that never saw her."),
        "models_ml.cross_validate",
        Queue.GPU,
        (
            COHORT,
            PRESET,
            Field("folds", _("Folds"), Sort.WHOLE, 5, least=3, most=20),
            Field("gans", _("Train both GANs in every fold too"), Sort.FLAG, False),
            NAME,
            SEED,
            SPARE,
        ),
    ),
)


__all__ = ["KINDS", "METHODS", "PRESETS", "kind_named", "kind_of"]


def kind_named(key: str) -> Kind:
    """The kind of that key, or a sentence that lists them."""
    for kind in KINDS:
        if kind.key == key:
            return kind
    raise BadInput(f"There is no kind of job {key!r}; there are: {', '.join(kind.key for kind in KINDS)}.")


def kind_of(task: str, parameters: Mapping[str, Any]) -> Kind | None:
    """The kind that a job is of: several may share a task, and its parameters tell which."""
    kinds = [kind for kind in KINDS if kind.task == task]
    fitting = [kind for kind in kinds if {field.name.partition(".")[0] for field in kind.fields} >= parameters.keys()]
    found = fitting or kinds
    return found[0] if found else None
