"""The page of a move: what it changes, what it asks, and carrying it out."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from readerstudy.accounts.models import User
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.designer.actions import files_to_rewrite
from readerstudy.designer.checklist.checks import check_protocol
from readerstudy.designer.moves import make_move
from readerstudy.designer.pages.access import find_study, for_investigators
from readerstudy.designer.pages.forms import MoveForm
from readerstudy.designer.queries import missing_of_readers
from readerstudy.errors import StudyError
from readerstudy.studies.access import require_researcher_of
from readerstudy.studies.actions import allow_repeated_images
from readerstudy.studies.models import Study, UnsealingRequest
from readerstudy.studies.transitions import (
    CONFIRM_UNSEALING,
    LOCK,
    MOVES_BY_NAME,
    REQUEST_UNSEALING,
    UNSEAL,
    WITHDRAW_UNSEALING,
    Move,
)

# Moves after which readings that are missing stay missing.
FINAL = ("close", UNSEAL.name, REQUEST_UNSEALING.name, CONFIRM_UNSEALING.name)


@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def move(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """Show what a move changes, or make it."""
    study, chosen = find_study(request, code), MOVES_BY_NAME.get(name)
    if chosen is None:
        raise Http404(_("There is no move %(name)s.") % {"name": name})
    person = signed_in_user(request)
    if chosen.is_for_researchers:
        require_researcher_of(study, person)
    if not chosen.is_offered(study, person):
        messages.error(request, _refusal(chosen, study))
        return redirect("desk:study", code)
    form = MoveForm(chosen, study, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _make(request, study, chosen, form)
    context = _context(study, chosen, form, person)
    return render(request, "designer/move.html", context, status=400 if form.errors else 200)


def _refusal(move: Move, study: Study) -> str:
    """Return why a move is not offered."""
    hindrance = move.hindrance(study) if study.status in move.sources else None
    values = {"study": study, "state": study.state}
    return str(hindrance or _("The study %(study)s is %(state)s; this is not possible now.") % values)


def _context(study: Study, move: Move, form: MoveForm, person: User) -> dict[str, Any]:
    context: dict[str, Any] = {"study": study, "move": move, "form": form, "base": study.design_sha256}
    if move == LOCK:
        context["checked"] = check_protocol(study, study.cohort, study.protocol, told_to=person)
        context["files"] = files_to_rewrite(study.cohort)
    if move.name in FINAL:
        context |= {"shows_missing": True, "missing": missing_of_readers(study)}
    if move in (CONFIRM_UNSEALING, WITHDRAW_UNSEALING):
        context["request_to_unseal"] = UnsealingRequest.waiting(study, at=now())
    return context


def _make(request: HttpRequest, study: Study, move: Move, form: MoveForm) -> HttpResponse:
    actor, reason, base = signed_in_user(request), form.cleaned_data.get("reason", ""), request.POST.get("base", "")
    try:
        # Before the lock and not with it: sealed work cannot begin within a transaction.
        for enrollment, why in form.reasons:
            allow_repeated_images(enrollment=enrollment, actor=actor, reason=why, at=now())
        job = make_move(study=study, move=move, actor=actor, at=now(), reason=reason, base=base)
    except StudyError as error:
        study.refresh_from_db()
        form = MoveForm(move, study, request.POST)  # without the readers whose reasons are stored by now
        form.add_error(None, str(error))
        return render(request, "designer/move.html", _context(study, move, form, actor), status=409)
    if job is not None:
        return redirect("designer:job", study.code, job.pk)
    messages.success(request, move.done % {"study": study.code})
    return redirect("desk:board") if move.name == "delete" else redirect("desk:study", study.code)
