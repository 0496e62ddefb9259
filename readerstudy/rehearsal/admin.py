"""Administration of the blinding audits; read only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import names
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.admin.access import Evidence


@admin.register(BlindingAudit)
class BlindingAuditAdmin(Evidence):
    """Results of the audits, the latest first. They are sums over all images and identify none."""

    list_display = ("study", "at", "passed", "least_p")
    list_filter = ("passed",)
    list_select_related = ("study",)
    fields = names(BlindingAudit)

    @admin.display(description=_("smallest p, pixels excluded"))
    def least_p(self, audit: BlindingAudit) -> str:
        least = min(audit.result["browser"], key=lambda finding: finding["p"])
        return f"{least['p']:.3f} ({least['family']})"
