"""The sealed key: what is real, what is adversarial, malignant or not, and who opened it.

"+" leaves no `stimulus.truth` and no `truth__` lookup: whoever needs the key must import it, and is seen.
"""

from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import Image, Stimulus
from readerstudy.experiments.models import Attack
from readerstudy.studies.models import Study
from readerstudy.vocabulary import Direction, Pathology, choice_pairs

PATHOLOGY_LABELS: Final = {
    Pathology.MALIGNANT: _("Malignant"),
    Pathology.BENIGN: _("Benign"),
    Pathology.NORMAL: _("Normal"),
}
DIRECTION_LABELS: Final = {Direction.INSERT: _("Cancer inserted"), Direction.REMOVE: _("Cancer removed")}


class Authenticity(models.TextChoices):
    REAL = "real", _("Real")
    ADVERSARIAL = "adversarial", _("Adversarial")


class ImageTruth(models.Model):
    """The pathology of an image, and who says so."""

    image = models.OneToOneField(Image, models.PROTECT, related_name="+")
    pathology = models.CharField(_("pathology"), max_length=9, choices=choice_pairs(PATHOLOGY_LABELS))
    source = models.CharField(_("source"), max_length=32, default="table")
    # What the source knows of the picture beyond its pathology: boxes {"top", "left", "bottom", "right"} as shares of
    # height and width, one for both resolutions. None: not known; []: known to have none.
    lesions = models.JSONField(_("lesions"), null=True)
    lesion_kind = models.CharField(_("kind of lesion"), max_length=16, blank=True)
    density = models.CharField(_("breast density"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("pathology")

    def __str__(self) -> str:
        return f"{self.image} {self.pathology}"

    @property
    def label(self) -> int:
        """The number a network is trained on: 1 for malignant, 0 for the rest."""
        return int(self.pathology == Pathology.MALIGNANT)


class Truth(models.Model):
    """Both truths of a stimulus: its authenticity, and the diagnosis it is meant to look like."""

    stimulus = models.OneToOneField(Stimulus, models.PROTECT, related_name="+")
    authenticity = models.CharField(_("authenticity"), max_length=11, choices=Authenticity.choices)
    label = models.PositiveSmallIntegerField(_("label as shown: 1 malignant, 0 not"))
    # The rest only adversarial stimuli have.
    parent = models.ForeignKey(Stimulus, models.PROTECT, related_name="+", null=True, verbose_name=_("real twin"))
    direction = models.CharField(_("direction"), max_length=6, choices=choice_pairs(DIRECTION_LABELS), blank=True)
    # The attack's name: by it a study's plan says from which twins it draws.
    generator = models.CharField(_("generator run"), max_length=64, blank=True)
    attack = models.ForeignKey(Attack, models.PROTECT, related_name="+", null=True, verbose_name=_("attack"))
    quality = models.JSONField(_("quality"), null=True)
    seed = models.BigIntegerField(_("seed"), null=True)
    difference_file = models.CharField(_("difference image"), max_length=80, blank=True)
    difference_bytes = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = _("truth")
        verbose_name_plural = _("truths")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(authenticity="real", parent=None, generator="", direction="")
                | models.Q(authenticity="adversarial", parent__isnull=False)
                & ~models.Q(generator="")
                & ~models.Q(direction=""),
                name="truth_adversarial_has_parent_and_generator",
            ),
            models.UniqueConstraint(
                fields=["parent", "generator"],
                condition=models.Q(authenticity="adversarial"),
                name="one_twin_a_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stimulus} {self.authenticity}"


class Exclusion(models.Model):
    """A twin that no study may draw, and why. For good: what was excluded and when stays readable."""

    stimulus = models.OneToOneField(Stimulus, models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(_("at"))
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("exclusion")
        triggers = [pgtrigger.Protect(name="exclusion_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.stimulus} {self.at:%Y-%m-%d}"


class Score(models.Model):
    """What a classifier or a detector made of one stimulus. Sealed: an altered picture's score gives it away.

    `rows` × `columns` is the size at which it was judged, not that of the file.
    """

    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")
    classifier = models.CharField(_("classifier run"), max_length=64)
    probability = models.FloatField(
        _("probability"), help_text=_("Of malignancy; by a detector, that the image was altered.")
    )
    rows = models.PositiveIntegerField(_("rows"))
    columns = models.PositiveIntegerField(_("columns"))

    class Meta:
        verbose_name = _("score")
        constraints = [
            models.UniqueConstraint(fields=["stimulus", "classifier"], name="one_score_a_run"),
            models.CheckConstraint(
                condition=models.Q(probability__gte=0, probability__lte=1), name="score_is_a_probability"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stimulus} by {self.classifier}"


class Unsealing(models.Model):
    """The recorded act of opening the key of one study."""

    study = models.OneToOneField(Study, models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(_("at"))
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("unsealing")
        triggers = [pgtrigger.Protect(name="unsealing_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.study} {self.at:%Y-%m-%d}"
