"""Audits of the blinding, to look at."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import InvestigatorAdmin, names
from readerstudy.rehearsal.models import BlindingAudit


@admin.register(BlindingAudit)
class BlindingAuditPage(InvestigatorAdmin):
    """What the audits found, the latest first. Figures over all images: nothing in them names one."""

    list_display = ("study", "at", "passed", "least_p")
    list_filter = ("passed",)
    list_select_related = ("study",)
    fields = names(BlindingAudit)

    @admin.display(description=_("smallest p of the wire"))
    def least_p(self, audit: BlindingAudit) -> str:
        least = min(audit.result["wire"], key=lambda finding: finding["p"])
        return f"{least['p']:.3f} ({least['family']})"
