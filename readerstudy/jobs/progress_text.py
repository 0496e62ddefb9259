"""Progress of a job in words, in the active language."""

from typing import Any, Final, assert_never

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readerstudy.errors import Sentence
from readerstudy.jobs.models import Job
from readerstudy.layout.numbers import localise
from readerstudy.layout.sentences import say
from readerstudy.results.progress import Activity, ActivityKind, ProgressReport
from readerstudy.serialise import from_dict

FIGURES: Final[dict[str, Any]] = {
    "loss": gettext_lazy("loss"),
    "tuning_auc": gettext_lazy("tuning AUC"),
    "identity": gettext_lazy("identity loss"),
    "gap": gettext_lazy("gap"),
}


def job_note(job: Job) -> str:
    """Return the message of a failed job, else its last progress report."""
    if job.sentence:
        return say(Sentence.of(job.sentence))
    if job.note or not job.progress:
        return job.note
    return progress_text(from_dict(ProgressReport, job.progress))


def progress_text(progress: ProgressReport) -> str:
    """Return a report as "Stage 1 of 5, gap 0.204"."""
    figures = (_figure_text(name, value) for name, value in progress.values.items())
    return ", ".join([activity_text(progress.activity), *figures])


def activity_text(activity: Activity) -> str:
    """Return what a job is doing."""
    text = _kind_text(activity)
    return _("Fold %(fold)s: %(activity)s") % {"fold": activity.fold, "activity": text} if activity.fold else text


def _figure_text(name: str, value: float | None) -> str:
    label = str(FIGURES.get(name, name.replace("_", " ")))
    return f"{label} {localise(f'{value:.3f}')}" if value is not None else f"{label} –"


def _kind_text(activity: Activity) -> str:
    match activity.kind:
        case ActivityKind.READING_IMAGES:
            return _("Reading images")
        case ActivityKind.FINDING_REGIONS:
            return _("Finding the region in every image")
        case ActivityKind.STARTING_FROM_SCRATCH:
            return _(
                "Vnet starts from random weights, not from ImageNet’s. At the article’s rates (1e-5 for Vnet) it will "
                "learn little from a small cohort: expect an AUC near chance for many epochs, and below the published "
                ".82 at the end. Give the state dict of torchvision’s vgg11 with --vgg-weights to start as the "
                "article did."
            )
        case ActivityKind.TRAINING_CLASSIFIER:
            return _("Training the classifier")
        case ActivityKind.TRAINING_GAN:
            return _("Stage %(stage)s of %(stages)s") % {"stage": activity.stage, "stages": activity.stages}
        case ActivityKind.TRAINING_INPAINTER:
            return _("Training the inpainter")
        case ActivityKind.OPTIMISING_PATCH:
            return _("Optimising the patch’s texture")
        case ActivityKind.GENERATING_IMAGES:
            return _("Generating adversarial images")
        case ActivityKind.SCORING_IMAGES:
            return _("Scoring images")
        case ActivityKind.IMPORTING_IMAGES:
            return _("Importing images")
        case ActivityKind.REWRITING_FILES:
            return _("Writing the image files again, in random order")
        case ActivityKind.REHEARSING:
            return _("Simulated readers are reading")
        case ActivityKind.SIMULATING_STUDIES:
            return _("Simulating studies of this plan")
        case ActivityKind.WRITING_BUNDLE:
            return _("Writing the files and computing the tables")
        case ActivityKind.CHECKING_BUNDLE:
            return _("Checking the files and computing the tables again")
        case ActivityKind.LAYING_OUT_PDF:
            return _("Laying out the pages")
        case ActivityKind.ADDING_UP_READINGS:
            return _("Adding up the readings")
        case ActivityKind.COMPARING_SESSIONS:
            return _("Comparing the sessions over readers and images")
        case ActivityKind.TESTING_READERS:
            return _("Testing each reader’s sessions")
        case ActivityKind.DRAWING_REPORT:
            return _("Drawing the tables and figures")
        case ActivityKind.WRITING_REPORT:
            return _("Writing the files")
        case _:
            assert_never(activity.kind)
