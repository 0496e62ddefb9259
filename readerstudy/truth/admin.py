"""Administration of unsealings. Truth and ImageTruth have no page.

Several studies may draw from one cohort, and one of them is nearly always sealed. Therefore the administration never
shows the truth; the report and the API show it study by study, after unsealing.
"""

from django.contrib import admin

from readerstudy.accounts.admin import names
from readerstudy.studies.admin.access import Evidence
from readerstudy.truth.models import Unsealing


@admin.register(Unsealing)
class UnsealingAdmin(Evidence):
    """The recorded unsealings."""

    list_display = ("study", "by", "confirmed_by", "at", "reason")
    list_filter = ("at",)
    search_fields = ("study__code", "reason")
    list_select_related = ("study", "by", "confirmed_by")
    fields = names(Unsealing)
