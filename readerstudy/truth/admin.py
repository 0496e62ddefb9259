"""Who unsealed which study, and why. Truth and ImageTruth have no page here.

A cohort may serve several studies, and one of them is nearly always sealed: the simplest rule that is right is
that the administration never shows the truth. The report and the API show it, study by study, after unsealing.
"""

from django.contrib import admin

from readerstudy.accounts.admin import InvestigatorAdmin, names
from readerstudy.truth.models import Unsealing


@admin.register(Unsealing)
class UnsealingPage(InvestigatorAdmin):
    """The recorded acts of opening a key."""

    list_display = ("study", "by", "at", "reason")
    list_filter = ("at",)
    search_fields = ("study__code", "reason")
    list_select_related = ("study", "by")
    fields = names(Unsealing)
