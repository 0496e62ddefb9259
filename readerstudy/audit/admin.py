"""The audit trail in the administration."""

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import InvestigatorAdmin
from readerstudy.audit.models import Event

# The seed of a draw gives away which positions are adversarial.
HIDDEN = ("seed",)


@admin.register(Event)
class EventAdmin(InvestigatorAdmin):
    """Events, the latest first."""

    list_display = ("at", "actor", "verb", "subject")
    list_filter = ("verb",)
    search_fields = ("verb", "subject", "actor__username")
    list_select_related = ("actor",)
    date_hierarchy = "at"
    ordering = ("-id",)
    fields = ("at", "actor", "verb", "subject", "details")
    readonly_fields = ("details",)

    @admin.display(description=_("details"))
    def details(self, event: Event) -> SafeString:
        shown: dict[str, Any] = {key: value for key, value in event.data.items() if key not in HIDDEN}
        return format_html("<pre>{}</pre>", json.dumps(shown, indent=1, ensure_ascii=False))
