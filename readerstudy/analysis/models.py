"""The stored versions of a report. The first is made when its study is unsealed; others are made for a reason."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.record.triggers import STUDY, kept, logged
from readerstudy.studies.models import Study

_VERSION_STUDY = (
    "(SELECT study.code FROM analysis_reportversion version JOIN studies_study study ON study.id = version.study_id "
    "WHERE version.id = me.version_id)"
)


class ReportVersion(models.Model):
    """One version: what it was made from, and the SHA-256 of each of its files. It is never changed.

    `basis` has the evaluations and the classifier, by id and hash, and the versions of the packages. `files` maps
    language and name to SHA-256. `sha256` is that of `content`.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+", verbose_name=_("study"))
    number = models.PositiveSmallIntegerField(_("number"))
    at = models.DateTimeField(_("made"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("by"), db_index=False
    )
    reason = models.TextField(_("reason"), blank=True)
    readings = models.PositiveIntegerField(_("readings"))
    software = models.CharField(_("software version"), max_length=16)
    source_sha256 = models.CharField(_("SHA-256 of the source files"), max_length=64)
    plan_sha256 = models.CharField(_("SHA-256 of the plan"), max_length=64)
    analysis_sha256 = models.CharField(_("SHA-256 of the analysis plan"), max_length=64)
    basis = models.JSONField(_("made from"))
    files = models.JSONField(_("files"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        ordering = ["study", "number"]
        verbose_name = _("version of a report")
        verbose_name_plural = _("versions of reports")
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="report_version_once"),
            models.CheckConstraint(
                condition=models.Q(number=1) | models.Q(number__gt=1) & ~models.Q(reason=""),
                name="report_version_has_reason",
            ),
        ]
        triggers = [*kept(), *logged(study=STUDY.format("me.study_id"))[:1]]

    def __str__(self) -> str:
        return f"{self.study} {self.number}"

    @property
    def study_code(self) -> str:
        """The study that events about the version belong to."""
        return self.study.code


class VersionReason(models.Model):
    """Why a version is being made, until it is stored. The parameters of its job are seen by researchers of any study.

    Jobs name it by its random key, so that one that is retried finds it too.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="+")
    text = models.TextField()

    def __str__(self) -> str:
        return f"reason {self.pk}"


class ReportPdf(models.Model):
    """The PDF of a version in one language, with its SHA-256. It is laid out once; its bytes are a `ReportFile`.

    `with_images`: it has the images of the gallery, and is shown only while no sealed study shows images of the cohort.
    """

    version = models.ForeignKey(ReportVersion, models.PROTECT, related_name="pdfs")
    language = models.CharField(max_length=8)
    with_images = models.BooleanField()
    at = models.DateTimeField()
    bytes = models.PositiveIntegerField()
    software = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        verbose_name = _("PDF of a report")
        constraints = [
            models.UniqueConstraint(fields=["version", "language", "with_images"], name="report_pdf_once"),
        ]
        triggers = [*kept(), *logged(study=_VERSION_STUDY)[:1]]

    def __str__(self) -> str:
        return f"{self.version} {self.language}"


class ReportFile(models.Model):
    """One file of a version in one language. Its SHA-256 is in the version, or in the `ReportPdf`.

    Texts are compressed, a PDF is as it is.
    """

    version = models.ForeignKey(ReportVersion, models.PROTECT, related_name="stored_files")
    language = models.CharField(max_length=8)
    name = models.CharField(max_length=120)
    content = models.BinaryField()

    class Meta:
        verbose_name = _("file of a report")
        constraints = [models.UniqueConstraint(fields=["version", "language", "name"], name="report_file_once")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.version} {self.language} {self.name}"
