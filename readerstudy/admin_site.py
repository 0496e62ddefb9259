"""The administration, for coordinators and researchers, with its own content security policy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
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


# What the rows of each page are called: in the side bar and at the top of the page. Django would add an "s" to the name
# of one row, in any language.
PLURALS: Final[Mapping[str, Any]] = {
    "accounts.user": _("People"),
    "audit.event": _("Events"),
    "cohort.cohort": _("Cohorts"),
    "cohort.exam": _("Exams"),
    "cohort.image": _("Images"),
    "cohort.patient": _("Patients"),
    "experiments.checkpoint": _("Checkpoints"),
    "jobs.job": _("Jobs"),
    "reading.checkeddisplay": _("Display checks"),
    "reading.claim": _("Claims of sessions by pages"),
    "reading.reading": _("Readings"),
    "reading.readingsession": _("Reading sessions"),
    "reading.showing": _("Showings of images"),
    "rehearsal.blindingaudit": _("Blinding audits"),
    "studies.allocation": _("Positions of draws"),
    "studies.arm": _("Arms"),
    "studies.enrollment": _("Readers in studies"),
    "studies.presentation": _("Positions of reading lists"),
    "studies.readinglist": _("Reading lists"),
    "studies.sessionplan": _("Planned sessions"),
    "studies.study": _("Studies"),
    "truth.unsealing": _("Unsealings"),
}
# The groups of pages, by the label of their app.
GROUPS: Final[Mapping[str, Any]] = {
    "accounts": _("People"),
    "audit": _("Audit trail"),
    "cohort": _("Cohorts"),
    "experiments": _("Lab"),
    "jobs": _("Jobs"),
    "reading": _("Readings"),
    "rehearsal": _("Blinding audits"),
    "studies": _("Studies"),
    "truth": _("Unsealings"),
}
# Words of the skin, which has no catalogues of its own.
_OF_THE_SKIN: Final = (
    gettext_noop("All applications"),
    gettext_noop("Apply Filters"),
    gettext_noop("Date from"),
    gettext_noop("Date to"),
    gettext_noop("Filters"),
    gettext_noop("General"),
    gettext_noop("Go back"),
    gettext_noop("No results found"),
    gettext_noop("No results matching your query"),
    gettext_noop("Reset filters"),
    gettext_noop("Return to site"),
    gettext_noop("Search apps and models..."),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select all rows"),
    gettext_noop("Select record"),
    gettext_noop("Select value"),
    gettext_noop("Type to search"),
)
_SIDE_BAR: Final[Sequence[tuple[Any, Sequence[str]]]] = (
    (_("Study"), ("studies.study", "studies.enrollment")),
    (_("Readings"), ("reading.readingsession", "reading.checkeddisplay", "reading.reading")),
    (_("People"), ("accounts.user",)),
    (_("Material"), ("cohort.cohort", "cohort.patient", "cohort.image")),
    (_("Work"), ("jobs.job", "experiments.checkpoint")),
    (_("Record"), ("audit.event", "rehearsal.blindingaudit", "truth.unsealing")),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar: what coordinators come for first; the icon at its top opens the rest."""
    return [{"title": title, "items": [_item(label) for label in labels]} for title, labels in _SIDE_BAR]


def _item(label: str) -> dict[str, Any]:
    page = admin.site._registry[apps.get_model(label)]
    return {
        "title": PLURALS[label],
        "link": _changelist(label),
        "permission": lambda request: page.has_view_permission(request),
    }


def _changelist(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


class AdminApp(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "readerstudy.admin_site.Administration"

    def ready(self) -> None:
        super().ready()
        for model in admin.site._registry:
            model._meta.verbose_name_plural = PLURALS[model._meta.label_lower]
            apps.get_app_config(model._meta.app_label).verbose_name = GROUPS[model._meta.app_label]


class Administration(UnfoldAdminSite):
    """The site of the administration. Signing in happens on the application's own page; readers have no access."""

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_permission(request)) and not getattr(request.user, "is_reader", True)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            raise NotAllowed(gettext("The administration is for coordinators and researchers."))
        query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
        return redirect(f"{reverse('accounts:sign_in')}?{query}")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return csp(POLICY)(super().admin_view(view, cacheable))
