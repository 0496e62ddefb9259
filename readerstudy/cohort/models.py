"""Patients, exams, images and stimuli. Pathology and authenticity are in `truth`."""

import secrets
from pathlib import Path
from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.errors import StudyError
from readerstudy.imaging.image import Size
from readerstudy.modalities import DEFAULT, get_modality, modality_choices
from readerstudy.modalities.modality import Modality
from readerstudy.names import name_constraint
from readerstudy.record.triggers import kept
from readerstudy.vocabulary import Split, choice_pairs

SPLIT_LABELS: Final = {Split.TRAIN: _("Train"), Split.TUNING: _("Tuning"), Split.TEST: _("Test")}


def default_modality() -> str:
    return DEFAULT.code


# Images are stored in the sizes of their cohort and drawn as its modality says: neither may change beneath them.
_LAYOUT_IS_FIXED: Final = """
IF EXISTS (
    SELECT 1 FROM cohort_image image
    JOIN cohort_exam exam ON exam.id = image.exam_id
    JOIN cohort_patient patient ON patient.id = exam.patient_id
    WHERE patient.cohort_id = OLD.id
) THEN
    RAISE EXCEPTION 'The cohort % has images: its modality and layout cannot be changed.', OLD.name;
END IF;
RETURN NEW;
"""


class Cohort(models.Model):
    """A named set of patients of one modality, split once by patient from a stored seed."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    seed = models.BigIntegerField(_("seed of the split"))
    fractions = models.JSONField(_("train, tuning, test"), default=list)
    modality_code = models.CharField(
        _("modality"), max_length=16, choices=modality_choices, default=default_modality, db_column="modality"
    )
    # The sizes in which the images are stored, the largest first: name, rows, columns, bits and unit of each.
    layout = models.JSONField(_("layout"), default=list)
    # The reading page says so: there a drawn image is "real" if it is not altered.
    is_drawn = models.BooleanField(_("drawn by a computer"), default=False)
    # How many stimulus files there were when they were last rewritten in random order (`cohort.rewriting`).
    rewritten_files = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("cohort")
        constraints = [name_constraint("name", name="cohort_name_follows_rule")]
        triggers = [
            pgtrigger.Trigger(
                name="layout_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("modality_code", "layout"),
                func=_LAYOUT_IS_FIXED,
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def modality(self) -> Modality:
        return get_modality(self.modality_code)

    @property
    def resolutions(self) -> tuple[str, ...]:
        """The names of the sizes in which the images are stored, the largest first."""
        return tuple(layout["name"] for layout in self.layout)

    def size_of(self, resolution: str) -> Size:
        """Return rows and columns of the stored images at this resolution. Raises StudyError if there are none."""
        for layout in self.layout:
            if layout["name"] == resolution:
                return layout["rows"], layout["columns"]
        raise StudyError(f"The cohort {self.name} has no images at {resolution} resolution.")

    @classmethod
    def named(cls, name: str) -> "Cohort":
        """Return the cohort. Raises StudyError with the known names if there is none."""
        cohort = cls.objects.filter(name=name).first()
        if cohort is None:
            known = ", ".join(cls.objects.values_list("name", flat=True)) or "none yet"
            raise StudyError(f"There is no cohort named {name!r}; there are: {known}.")
        return cohort

    @classmethod
    def modality_of(cls, name: str) -> Modality:
        """Return the modality of the cohort of that name; the default one if there is no such cohort."""
        codes = cls.objects.filter(name=name).values_list("modality_code", flat=True)
        return get_modality(codes.first() or default_modality())


# Copies of one image share a moment, and so do the parts of one recording. Trained networks must not have seen the test
# images, so a moment lies in one split. Each trigger compares `split` and `cohort` of the changed row with all others.
_OTHERS_OF_MOMENT: Final = """
    JOIN cohort_exam exam ON exam.id = image.exam_id
    JOIN cohort_patient patient ON patient.id = exam.patient_id
"""
_REFUSE_MOMENT: Final = """
) THEN
    RAISE EXCEPTION 'Copies of an image, or parts of a recording, would lie in two splits of the cohort.';
END IF;
RETURN NEW;
"""
_IMAGE_IN_ONE_SPLIT: Final = f"""
IF EXISTS (
    SELECT 1 FROM cohort_image image {_OTHERS_OF_MOMENT}
    JOIN cohort_exam own_exam ON own_exam.id = NEW.exam_id
    JOIN cohort_patient own ON own.id = own_exam.patient_id
    WHERE image.moment = NEW.moment AND image.id <> NEW.id
    AND patient.cohort_id = own.cohort_id AND patient.split <> own.split
{_REFUSE_MOMENT}"""
_PATIENT_IN_ONE_SPLIT: Final = f"""
IF EXISTS (
    SELECT 1 FROM cohort_image image {_OTHERS_OF_MOMENT}
    JOIN cohort_image own_image ON own_image.moment = image.moment
    JOIN cohort_exam own_exam ON own_exam.id = own_image.exam_id
    WHERE own_exam.patient_id = NEW.id AND own_image.moment <> '' AND patient.id <> NEW.id
    AND patient.cohort_id = NEW.cohort_id AND patient.split <> NEW.split
{_REFUSE_MOMENT}"""
_EXAM_IN_ONE_SPLIT: Final = f"""
IF EXISTS (
    SELECT 1 FROM cohort_image image {_OTHERS_OF_MOMENT}
    JOIN cohort_image own_image ON own_image.moment = image.moment
    JOIN cohort_patient own ON own.id = NEW.patient_id
    WHERE own_image.exam_id = NEW.id AND own_image.moment <> '' AND image.exam_id <> NEW.id
    AND patient.cohort_id = own.cohort_id AND patient.split <> own.split
{_REFUSE_MOMENT}"""


class Patient(models.Model):
    """One pseudonymous person's material, the unit of sampling and splitting."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="patients")
    pseudonym = models.CharField(_("pseudonym"), max_length=16)
    # A keyed one-way hash of the source's patient id: a second import finds the same patient again, and the id cannot
    # be recovered without the installation's key.
    fingerprint = models.CharField(max_length=64, editable=False)
    split = models.CharField(_("split"), max_length=8, choices=choice_pairs(SPLIT_LABELS))

    class Meta:
        verbose_name = _("patient")
        constraints = [
            models.UniqueConstraint(fields=["cohort", "pseudonym"], name="patient_pseudonym_once"),
            models.UniqueConstraint(fields=["cohort", "fingerprint"], name="patient_once"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="patient_moment_in_one_split",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("split", "cohort"),
                func=_PATIENT_IN_ONE_SPLIT,
            )
        ]

    def __str__(self) -> str:
        return self.pseudonym


class Exam(models.Model):
    """One visit of a patient."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exams")
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    modality = models.CharField(_("modality"), max_length=16, blank=True, help_text=_("as the source states it"))

    class Meta:
        verbose_name = _("exam")
        constraints = [models.UniqueConstraint(fields=["patient", "number"], name="exam_number_once")]
        triggers = [
            pgtrigger.Trigger(
                name="exam_moment_in_one_split",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("patient"),
                func=_EXAM_IN_ONE_SPLIT,
            )
        ]

    def __str__(self) -> str:
        return f"{self.patient} exam {self.number}"


class Image(models.Model):
    """One stored image of a patient's exam."""

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="images")
    # Facts by name that say nothing about the finding; the cohort's modality has their titles.
    attributes = models.JSONField(_("attributes"), default=dict)
    source_bits = models.PositiveSmallIntegerField(_("bits of the source"))
    source_rows = models.PositiveIntegerField(_("rows of the source"))
    source_columns = models.PositiveIntegerField(_("columns of the source"))
    pixel_spacing_mm = models.FloatField(_("pixel spacing of the source, mm"), null=True)
    # Keyed hash of the pixels: the same pixels are one image.
    fingerprint = models.CharField(max_length=64, editable=False)
    # Perceptual hash, and the box of the image in its stored file of the smallest size (`cohort.copies`).
    signature = models.JSONField(default=dict, editable=False)
    # Keyed hash of the source's name for the recording of which the image is a part; "" if it names none.
    recording = models.CharField(max_length=64, blank=True, editable=False)
    # Keyed hash that all copies of an image, or all parts of a recording, share; "" for an image on its own.
    moment = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("image")
        constraints = [models.UniqueConstraint(fields=["exam", "fingerprint"], name="image_once")]
        indexes = [models.Index(fields=["moment"], condition=~models.Q(moment=""), name="image_moment")]
        triggers = [
            pgtrigger.Trigger(
                name="image_moment_in_one_split",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=~pgtrigger.Q(new__moment=""),
                func=_IMAGE_IN_ONE_SPLIT,
            )
        ]

    def __str__(self) -> str:
        return f"{self.exam.patient} image {self.pk}"


def random_key() -> int:
    """Return a key from 1 to 2^63 - 1 from the system's randomness.

    Two of a million keys are equal with a probability of 5 in 10^8; the primary key then refuses the second row.
    """
    return secrets.randbelow(2**63 - 1) + 1


class Stimulus(models.Model):
    """The exact image that a reader is shown: one file, 16-bit grey. Only `truth` holds whether it is real.

    The key is random, because adversarial images are stored after all real ones: keys in the order of storing would
    tell them apart.
    """

    id = models.BigIntegerField(primary_key=True, default=random_key, editable=False)
    image = models.ForeignKey(Image, models.PROTECT, related_name="stimuli")
    resolution = models.CharField(_("resolution"), max_length=16)
    rows = models.PositiveIntegerField(_("rows"))
    columns = models.PositiveIntegerField(_("columns"))
    bits = models.PositiveSmallIntegerField(_("bits"), default=16)
    frames = models.PositiveIntegerField(_("frames"), default=1, help_text=_("slices of a stack, one below the other"))
    file = models.CharField(_("file"), max_length=80, unique=True, help_text=_("random name below the media folder"))
    bytes = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64)

    class Meta:
        verbose_name = _("stimulus")
        verbose_name_plural = _("stimuli")
        triggers = kept()

    def __str__(self) -> str:
        return f"stimulus {self.pk}"

    @property
    def path(self) -> Path:
        return Path(settings.MEDIA_ROOT) / self.file
