"""What readers did, to look at. Verdicts are hidden while the study is open."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import InvestigatorAdmin
from readerstudy.reading.models import Reading, ReadingSession, Showing
from readerstudy.studies.models import Presentation, StudyStatus

PLACE = "presentation__reading_list"
WHERE = (f"{PLACE}__enrollment__study", f"{PLACE}__session_plan__study", "presentation__reading_list")


@admin.register(ReadingSession)
class SittingPage(InvestigatorAdmin):
    """Sittings: who opened which session when, and how far they are."""

    list_display = ("reading_list", "opened_at", "answered", "finished_at")
    list_filter = ("reading_list__enrollment__study", "reading_list__session_plan__number")
    search_fields = ("reading_list__enrollment__code", "reading_list__enrollment__study__code")
    list_select_related = ("reading_list__enrollment__study", "reading_list__session_plan")
    ordering = ("-opened_at",)
    fields = list_display


@admin.register(Showing)
class ShowingPage(InvestigatorAdmin):
    """When the server first handed out each presentation."""

    list_display = ("presentation", "at")
    list_filter = (f"{PLACE}__enrollment__study",)
    search_fields = ("presentation__code", f"{PLACE}__enrollment__code")
    list_select_related = WHERE
    ordering = ("-id",)
    fields = list_display


@admin.register(Reading)
class ReadingPage(InvestigatorAdmin):
    """Readings with their times; with their verdicts once the study is closed."""

    list_display = ("presentation", "shown_verdict", "elapsed_ms", "shown_at", "answered_at", "receipt")
    list_filter = (f"{PLACE}__enrollment__study", f"{PLACE}__session_plan__number")
    search_fields = ("presentation__code", "receipt", f"{PLACE}__enrollment__code")
    list_select_related = WHERE
    ordering = ("-id",)
    fields = (*list_display, "shown_paradata")
    readonly_fields = ("shown_verdict", "shown_paradata", "receipt")
    sealed_fields = ("verdict", "paradata")

    @admin.display(description=_("verdict"))
    def shown_verdict(self, reading: Reading) -> str:
        return _hidden(reading.presentation) or str(reading.get_verdict_display())

    @admin.display(description=_("paradata"))
    def shown_paradata(self, reading: Reading) -> str:
        # It holds which key was pressed.
        return _hidden(reading.presentation) or str(reading.paradata)


def _hidden(presentation: Presentation) -> str:
    is_open = presentation.reading_list.enrollment.study.status == StudyStatus.OPEN
    return str(_("hidden until closed")) if is_open else ""
