"""The administration, for coordinators and researchers, with its own content security policy."""

from collections.abc import Callable
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from readerstudy.errors import NotAllowed

# The skin's Alpine compiles the pages' attributes and sets styles on elements: the two "unsafe" words. Scripts
# come from this server only, all the same, and nothing is sent anywhere else.
POLICY = {
    "default-src": [NONE],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar: what coordinators come for first; the icon at its top opens the rest."""
    groups = {
        _("Study"): {"studies.study": _("Studies"), "studies.enrollment": _("Readers in studies")},
        _("Readings"): {
            "reading.readingsession": _("Reading sessions"),
            "reading.checkeddisplay": _("Display checks"),
            "reading.reading": _("Readings"),
        },
        _("People"): {"accounts.user": _("People")},
        _("Material"): {"cohort.cohort": _("Cohorts"), "cohort.patient": _("Patients"), "cohort.image": _("Images")},
        _("Work"): {"jobs.job": _("Jobs"), "experiments.checkpoint": _("Checkpoints")},
        _("Record"): {
            "audit.event": _("Events"),
            "rehearsal.blindingaudit": _("Blinding audits"),
            "truth.unsealing": _("Unsealings"),
        },
    }
    return [
        {"title": title, "items": [_item(request, label, words) for label, words in items.items()]}
        for title, items in groups.items()
    ]


def _item(request: HttpRequest, label: str, words: str) -> dict[str, Any]:
    page = admin.site._registry[apps.get_model(label)]
    return {
        "title": words,
        "link": _changelist(label),
        "permission": lambda request: page.has_view_permission(request),
    }


def _changelist(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


class AdminApp(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "readerstudy.admin_site.Administration"


class Administration(UnfoldAdminSite):
    """The site of the administration. Signing in happens on the application's own page; readers have no access."""

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_permission(request)) and not getattr(request.user, "is_reader", True)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            raise NotAllowed(_("The administration is for coordinators and researchers."))
        query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
        return redirect(f"{reverse('accounts:sign_in')}?{query}")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return csp(POLICY)(super().admin_view(view, cacheable))
