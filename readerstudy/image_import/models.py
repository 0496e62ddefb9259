"""One import of images that somebody started on the pages."""

from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.jobs.models import Job, JobStatus


class ImportKind(models.TextChoices):
    COHORT = "cohort", _("Images of a cohort")
    PAIRS = "pairs", _("Adversarial images")


class ImportStep(models.TextChoices):
    """Where an import is. It follows from its jobs."""

    CHECKING = "checking", _("Being checked")
    CHECK_FAILED = "check-failed", _("Check failed")
    CHECKED = "checked", _("Checked")
    IMPORTING = "importing", _("Being imported")
    IMPORT_FAILED = "import-failed", _("Import failed")
    IMPORTED = "imported", _("Imported")


class ImageImport(models.Model):
    """Files to import, the check of them, and the import. The files are in a folder for a day at most.

    What the files are called and what the table says of them is in the folder only.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=ImportKind.choices)
    cohort = models.CharField(_("cohort"), max_length=64)
    # `options.CohortOptions` or `options.PairOptions` as data.
    options = models.JSONField(default=dict)
    # The name of an allowed folder on the server and a path in it; both "" for files that were sent.
    server_folder = models.CharField(max_length=64, blank=True)
    server_path = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("started"))
    check_job = models.ForeignKey(Job, models.PROTECT, related_name="+", null=True)
    import_job = models.ForeignKey(Job, models.PROTECT, related_name="+", null=True)
    # This import made the cohort: a coordinator may run it again after a failure.
    made_cohort = models.BooleanField(default=False)
    removed_at = models.DateTimeField(_("files removed"), null=True)

    class Meta:
        verbose_name = _("import of images")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.cohort} {self.at:%Y-%m-%d %H:%M}"

    @property
    def folder(self) -> Path:
        """The folder of the files, the report of the check and its small pictures."""
        return Path(settings.UPLOADS_DIR) / str(self.pk)

    @property
    def job(self) -> Job | None:
        """The job that was started last."""
        return self.import_job or self.check_job

    @property
    def step(self) -> ImportStep:
        if self.import_job:
            steps = ImportStep.IMPORTING, ImportStep.IMPORTED, ImportStep.IMPORT_FAILED
        else:
            steps = ImportStep.CHECKING, ImportStep.CHECKED, ImportStep.CHECK_FAILED
        if self.job is None or not self.job.is_over:
            return steps[0]
        return steps[1] if self.job.status == JobStatus.DONE else steps[2]
