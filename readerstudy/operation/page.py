"""The page of operation: checks and figures of the installation, for superusers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.errors import NotAllowed
from readerstudy.layout.sentences import say
from readerstudy.operation.figures import Figures, take_figures
from readerstudy.operation.health import examiner
from readerstudy.operation.history import Sample, history, note_sample

WIDTH, HEIGHT = 120, 24  # of a line, in its own units
CHECKS: Final = {
    "database": gettext_lazy("Database"),
    "migrations": gettext_lazy("Migrations"),
    "broker": gettext_lazy("Broker of the jobs"),
    "disk": gettext_lazy("Disk"),
    "static files": gettext_lazy("Static files"),
    "worker": gettext_lazy("Worker"),
}


@dataclass(frozen=True)
class Row:
    """One figure in words, with the points of its line over the last two hours; "" without a history."""

    label: str
    value: str
    line: str = ""


@require_GET
@role_required(Role.COORDINATOR, Role.RESEARCHER)
def operation(request: HttpRequest) -> HttpResponse:
    """Show the checks of `/health/ready` and the figures of `/metrics`. Raises NotAllowed without a superuser."""
    if not signed_in_user(request).is_superuser:
        raise NotAllowed(_("This page is for superusers."))
    figures = take_figures(at=now())
    note_sample(figures)
    health = examiner.health()
    failed = {**health.checks, **health.warnings}
    context: dict[str, Any] = {
        "checks": [(label, say(failed.get(name, ""))) for name, label in CHECKS.items()],
        "rows": rows_of(figures, history()),
        "at": now(),
    }
    return render(request, "operation/operation.html", context)


def rows_of(figures: Figures, samples: list[Sample]) -> list[Row]:
    """Return the figures in the words of the page."""

    def line(*names: str) -> str:
        return points([sum(sample.get(name, 0) for name in names) for sample in samples])

    none = _("none")
    queues = figures.queues
    return [
        Row(_("Sessions that are not finished"), str(figures.sessions_open), line("open")),
        Row(_("Sessions on hold"), str(figures.sessions_on_hold), line("held")),
        Row(_("Jobs that wait"), str(figures.jobs["queued"]), line("queued")),
        Row(_("Jobs that run"), str(figures.jobs["running"]), line("running")),
        Row(_("Jobs that failed"), str(figures.jobs["failed"])),
        Row(
            _("Messages in the queues"),
            none if queues is None else ", ".join(f"{queue} {count}" for queue, count in queues.items()),
            line("messages"),
        ),
        Row(
            _("Last report of a worker"),
            ", ".join(f"{queue}: {_ago(age)}" for queue, age in figures.workers.items()) or none,
        ),
        Row(_("Oldest heartbeat of a running job"), _ago(figures.heartbeat)),
        Row(_("Mails that wait"), str(figures.mails["queued"]), line("mails")),
        Row(_("Mails that failed"), str(figures.mails["failed"])),
        Row(_("Last blinding audit"), _audit(figures)),
        Row(
            _("Free on the disk"),
            _("%(free)s of %(all)s")
            % {"free": filesizeformat(figures.disk_free), "all": filesizeformat(figures.disk_total)},
            line("disk"),
        ),
        Row(
            _("Connections to the database"),
            _("%(free)s of %(all)s") % {"free": figures.connections, "all": figures.connections_allowed},
            line("connections"),
        ),
    ]


def _audit(figures: Figures) -> str:
    if figures.audit_age is None:
        return _("none")
    state = _("passed") if figures.audit_passed else _("failed")
    return f"{state}, {_ago(figures.audit_age)}"


def _ago(seconds: float | None) -> str:
    """Return an age in words; "none" without one."""
    if seconds is None:
        return _("none")
    for size, text in _UNITS:
        if seconds >= 2 * size:
            return text() % {"count": round(seconds / size)}
    return _("%(count)s s ago") % {"count": round(seconds)}


_UNITS: Final[tuple[tuple[int, Callable[[], str]], ...]] = (
    (86_400, lambda: _("%(count)s days ago")),
    (3600, lambda: _("%(count)s hours ago")),
    (60, lambda: _("%(count)s minutes ago")),
)


def points(values: list[float]) -> str:
    """Return the points of a line in a box of WIDTH × HEIGHT, the highest value at the top; "" for fewer than two."""
    if len(values) < 2:
        return ""
    top = max(*values, 1e-9)
    step = WIDTH / (len(values) - 1)
    return " ".join(f"{number * step:.1f},{HEIGHT - value / top * HEIGHT:.1f}" for number, value in enumerate(values))
