"""The audit trail in the administration."""

import json
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import InvestigatorAdmin
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.audit.models import Event
from readerstudy.studies.trail import event_scopes

# The seed of a draw gives away which positions are adversarial.
HIDDEN = ("seed",)


@admin.register(Event)
class EventAdmin(InvestigatorAdmin):
    """The events that the person may see, the latest first."""

    list_display = ("at", "actor", "verb", "study", "subject")
    list_filter = ("verb",)
    search_fields = ("verb", "study", "subject", "actor__username")
    list_select_related = ("actor",)
    date_hierarchy = "at"
    ordering = ("-id",)
    fields = ("at", "actor", "verb", "study", "subject", "address", "version", "details")
    readonly_fields = ("details",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset(request)
        return events.filter(reduce(or_, event_scopes(signed_in_user(request))))

    @admin.display(description=_("details"))
    def details(self, event: Event) -> SafeString:
        shown: dict[str, Any] = {key: value for key, value in event.data.items() if key not in HIDDEN}
        return format_html("<pre>{}</pre>", json.dumps(shown, indent=1, ensure_ascii=False))
