"""Administration of jobs and runs: read-only, with the actions cancel and retry."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import InvestigatorAdmin, bar, names
from readerstudy.accounts.models import Role, User
from readerstudy.errors import StudyError
from readerstudy.experiments.job_view import view_job
from readerstudy.experiments.models import Checkpoint
from readerstudy.jobs.actions import cancel_job, retry_job
from readerstudy.jobs.models import Job, JobStatus

# Parameters and results name attacks and their scores. Researchers see them on the lab's pages.
HIDDEN = ("parameters", "result", "progress", "fingerprint")


@admin.register(Job)
class JobAdmin(InvestigatorAdmin):
    """Jobs, the latest first."""

    list_display = (
        "id",
        "title",
        "state",
        "share_done",
        "last_report",
        "person",
        "queued_at",
        "ended_at",
        "in_lab",
    )
    list_filter = ("status", "queue", "kind")
    search_fields = ("kind", "note")
    list_select_related = ("requested_by",)
    fields = tuple(name for name in names(Job) if name not in HIDDEN)
    actions = ("cancel", "try_again")

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; the link to the lab is for researchers, to whom alone its pages are open."""
        is_researcher = isinstance(request.user, User) and request.user.is_researcher
        return self.list_display if is_researcher else self.list_display[:-1]

    def get_actions(self, request: HttpRequest) -> Any:
        """Only researchers start and stop jobs."""
        actions = super().get_actions(request)
        return actions if isinstance(request.user, User) and request.user.is_researcher else {}

    @admin.display(description=_("kind"), ordering="kind")
    def title(self, job: Job) -> str:
        return view_job(job, at=now()).title

    @admin.display(description=_("requested by"), ordering="requested_by__username")
    def person(self, job: Job) -> str:
        return str(job.requested_by or "–")

    @admin.display(description=_("state"))
    def state(self, job: Job) -> str:
        return view_job(job, at=now()).state

    @admin.display(description=_("progress"))
    def share_done(self, job: Job) -> SafeString | str:
        # A rule can end a training before its longest length: then it has done all that it does.
        return bar(job.done, job.done if job.status == JobStatus.DONE else job.total)

    @admin.display(description=_("last report"))
    def last_report(self, job: Job) -> str:
        return view_job(job, at=now()).note

    @admin.display(description=_("in the lab"))
    def in_lab(self, job: Job) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("lab:job", args=[job.pk]), _("curves and log"))

    @admin.action(description=_("Cancel"))
    def cancel(self, request: HttpRequest, jobs: "QuerySet[Job]") -> None:
        self._each(request, jobs, cancel_job)

    @admin.action(description=_("Try again"))
    def try_again(self, request: HttpRequest, jobs: "QuerySet[Job]") -> None:
        self._each(request, jobs, retry_job)

    def _each(self, request: HttpRequest, jobs: "QuerySet[Job]", act: Callable[..., Job]) -> None:
        """Apply the action to each job, and show the message of a StudyError."""
        at: datetime = now()
        for job in jobs.order_by("pk"):
            try:
                result = act(job=job, actor=request.user, at=at)
            except StudyError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{result}: {view_job(result, at=at).state}", messages.SUCCESS)


@admin.register(Checkpoint)
class CheckpointAdmin(InvestigatorAdmin):
    """Checkpoints, the latest first."""

    roles = (Role.RESEARCHER,)
    list_display = ("name", "kind", "cohort", "preset", "direction", "seed", "made_from", "made_at")
    list_filter = ("kind", "cohort", "preset")
    search_fields = ("name", "cohort")
    list_select_related = ("made_from",)
    fields = names(Checkpoint)
