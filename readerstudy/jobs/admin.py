"""Jobs and checkpoints, to look at."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import InvestigatorAdmin, bar, names
from readerstudy.jobs.models import Checkpoint, Job


@admin.register(Job)
class JobPage(InvestigatorAdmin):
    """Long runs, the latest first."""

    list_display = ("id", "task", "status", "progress", "note", "requested_by", "queued_at", "ended_at")
    list_filter = ("status", "task")
    search_fields = ("task", "note")
    list_select_related = ("requested_by",)
    fields = names(Job)

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> SafeString | str:
        return bar(job.done, job.total)


@admin.register(Checkpoint)
class CheckpointPage(InvestigatorAdmin):
    """What training left behind."""

    list_display = ("name", "kind", "cohort", "preset", "direction", "seed", "made_at")
    list_filter = ("kind", "cohort", "preset")
    search_fields = ("name", "cohort")
    fields = names(Checkpoint)
