"""The tables of the truth: authenticity, pathology, scores, exclusions, and who unsealed which study.

Only `truth` may import this module (import contract "truth"). Every relation has `related_name="+"`, so that no other
model has an attribute or a lookup that leads here.
"""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import Image, Stimulus
from readerstudy.experiments.models import Attack
from readerstudy.record.models import Commitment
from readerstudy.record.triggers import STUDY, kept, logged, not_truncated
from readerstudy.studies.models import Draw, Study
from readerstudy.truth.terms import DIRECTION_LABELS, LONGEST_LINE, PATHOLOGY_LABELS, Authenticity
from readerstudy.vocabulary import Pathology, choice_pairs


class ImageTruth(models.Model):
    """The pathology of an image, and its source."""

    image = models.OneToOneField(Image, models.PROTECT, related_name="+")
    pathology = models.CharField(_("pathology"), max_length=9, choices=choice_pairs(PATHOLOGY_LABELS))
    source = models.CharField(_("source"), max_length=32, default="table")
    # Boxes {"top", "left", "bottom", "right"} as shares of height and width, valid at every resolution. None: unknown;
    # []: known to have none.
    lesions = models.JSONField(_("lesions"), null=True)
    # Subgroups by name, such as the kind of lesion; the cohort's modality has their titles.
    groups = models.JSONField(_("groups"), default=dict)

    class Meta:
        verbose_name = _("pathology")
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.image} {self.pathology}"

    @property
    def label(self) -> int:
        """The label that a network is trained on: 1 positive, 0 other."""
        return int(self.pathology == Pathology.POSITIVE)


class Truth(models.Model):
    """The authenticity of a stimulus, the label that it is meant to look like, and how it was made."""

    stimulus = models.OneToOneField(Stimulus, models.PROTECT, related_name="+")
    authenticity = models.CharField(_("authenticity"), max_length=11, choices=Authenticity.choices)
    label = models.PositiveSmallIntegerField(_("label as shown: 1 positive, 0 not"))
    # Only adversarial stimuli have the following. A synthetic image was made from no image of the cohort, so it has
    # neither source image nor direction nor difference image.
    source_image = models.ForeignKey(
        Stimulus, models.PROTECT, related_name="+", null=True, verbose_name=_("source image")
    )
    direction = models.CharField(_("direction"), max_length=6, choices=choice_pairs(DIRECTION_LABELS), blank=True)
    # The name of the attack. A study's plan names the attacks that it draws from.
    generator = models.CharField(_("generator run"), max_length=64, blank=True)
    attack = models.ForeignKey(Attack, models.PROTECT, related_name="+", null=True, verbose_name=_("attack"))
    quality = models.JSONField(_("quality"), null=True)
    seed = models.BigIntegerField(_("seed"), null=True)
    difference_file = models.CharField(_("difference image"), max_length=80, blank=True)
    difference_bytes = models.PositiveIntegerField(null=True)
    difference_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("truth")
        verbose_name_plural = _("truths")
        triggers = kept()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(authenticity="real", source_image=None, generator="", direction="")
                | models.Q(authenticity="adversarial", source_image__isnull=False)
                & ~models.Q(generator="")
                & ~models.Q(direction="")
                | models.Q(authenticity="adversarial", source_image=None, direction="", difference_file="")
                & ~models.Q(generator=""),
                name="truth_adversarial_has_generator",
            ),
            models.UniqueConstraint(
                fields=["source_image", "generator"],
                condition=models.Q(authenticity="adversarial"),
                name="one_adversarial_image_per_attack",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stimulus} {self.authenticity}"


class AdversarialImport(models.Model):
    """The import of adversarial images that another program made: who, from which files, and what gives them away.

    Sealed, because `pairs` says which file became which image: a list of row, SHA-256 of both files, image and box.
    Rows of synthetic images have no real file.
    `tells` is `truth.tells.Tells` as data.
    """

    attack = models.OneToOneField(Attack, models.PROTECT, related_name="+", verbose_name=_("attack"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(_("at"))
    pairs = models.JSONField(_("pairs"))
    tells = models.JSONField(_("what gives them away"))

    class Meta:
        verbose_name = _("import of adversarial images")
        triggers = [
            pgtrigger.Protect(name="adversarial_import_append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.attack} {self.at:%Y-%m-%d}"


class Exclusion(models.Model):
    """An adversarial image that no future study may draw, and why. It cannot be changed or deleted."""

    stimulus = models.OneToOneField(Stimulus, models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(_("at"))
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("exclusion")
        triggers = [
            pgtrigger.Protect(name="exclusion_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study="''", sealed=("stimulus_id", "reason")),
        ]

    def __str__(self) -> str:
        return f"{self.stimulus} {self.at:%Y-%m-%d}"


class LessonLine(models.Model):
    """A line of text under a triptych of a study's education, for all its readers. The newest one of an image counts.

    An empty text takes the line before it back. It is sealed, because it may say what was altered.
    """

    # As for SealKey: the study may be unlocked, and what was written stays.
    study = models.ForeignKey(Study, models.DO_NOTHING, related_name="+")
    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")  # the real one, which the list has
    text = models.CharField(_("line"), max_length=LONGEST_LINE, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("line under a triptych")
        verbose_name_plural = _("lines under triptychs")
        triggers = [*kept(), *logged(study=STUDY.format("me.study_id"), sealed=("stimulus_id", "text"))[:1]]

    def __str__(self) -> str:
        return f"{self.study} {self.at:%Y-%m-%d}"


class Score(models.Model):
    """The output of a classifier or a detector for one stimulus. It is sealed, because it can reveal authenticity.

    `rows` × `columns` is the size at which the stimulus was scored, not that of the file.
    """

    stimulus = models.ForeignKey(Stimulus, models.PROTECT, related_name="+")
    classifier = models.CharField(_("classifier run"), max_length=64)
    probability = models.FloatField(
        _("probability"), help_text=_("Of the finding; by a detector, that the image was altered.")
    )
    rows = models.PositiveIntegerField(_("rows"))
    columns = models.PositiveIntegerField(_("columns"))

    class Meta:
        verbose_name = _("score")
        constraints = [
            models.UniqueConstraint(fields=["stimulus", "classifier"], name="one_score_per_run"),
            models.CheckConstraint(
                condition=models.Q(probability__gte=0, probability__lte=1), name="score_is_a_probability"
            ),
        ]
        triggers = [pgtrigger.Protect(name="score_kept", operation=pgtrigger.Delete), not_truncated()]

    def __str__(self) -> str:
        return f"{self.stimulus} by {self.classifier}"


class Unsealing(models.Model):
    """The recorded unsealing of one study: who asked for it, and who confirmed it if it takes two persons."""

    reveals_no_truth = True  # its table can be read outside sealed work

    study = models.OneToOneField(Study, models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("confirmed by")
    )
    at = models.DateTimeField(_("at"))
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("unsealing")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_by=None)
                | models.Q(by__isnull=False) & ~models.Q(confirmed_by=models.F("by")),
                name="unsealing_by_two_persons",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="unsealing_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=STUDY.format("me.study_id")),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.at:%Y-%m-%d}"


class SealKey(models.Model):
    """The key of the commitment to a study's answer key (`truth.commitment`). Revealed with the unsealing."""

    # The database protects the study. Django would look for keys whenever a draft is deleted, on a page too.
    study = models.ForeignKey(Study, models.DO_NOTHING, related_name="+")
    commitment = models.OneToOneField(Commitment, models.PROTECT, related_name="+")
    key = models.CharField(max_length=64, editable=False)  # 32 random bytes, hexadecimal

    class Meta:
        ordering = ["id"]
        verbose_name = _("key of a commitment")
        triggers = [*kept(), *logged(study=STUDY.format("me.study_id"), sealed=("key",))[:1]]

    def __str__(self) -> str:
        return str(self.study)


_SEED: str = "(SELECT drawn.seed FROM truth_drawseed drawn WHERE drawn.study_id = {study} AND {number})"
_EARLIER: str = f"FROM {Draw._meta.db_table} earlier WHERE earlier.study_id = {{}}"


class DrawSeed(models.Model):
    """The seed of one draw of a study. With it the draw can be repeated, so it tells which position shows what."""

    # As for SealKey.
    study = models.ForeignKey(Study, models.DO_NOTHING, related_name="+")
    number = models.PositiveSmallIntegerField(_("number of the draw"))  # from 1; more if the study was unlocked
    seed = models.BigIntegerField(_("seed of the draw"))

    # Earlier versions stored the seed with the study and with its replaced draws: entries of their records have it.
    moved_here = {
        Study._meta.db_table: {
            "seed": _SEED.format(
                study="me.id",
                number=f"me.locked_at IS NOT NULL AND drawn.number = 1 + (SELECT count(*) {_EARLIER.format('me.id')})",
            )
        },
        Draw._meta.db_table: {
            "seed": _SEED.format(
                study="me.study_id",
                number=f"drawn.number = (SELECT count(*) {_EARLIER.format('me.study_id')} AND earlier.id <= me.id)",
            )
        },
    }

    class Meta:
        ordering = ["id"]
        verbose_name = _("seed of a draw")
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_seed_per_draw")]
        triggers = [*kept(), *logged(study=STUDY.format("me.study_id"), sealed=("seed",))[:1]]

    def __str__(self) -> str:
        return f"{self.study} {self.number}"
