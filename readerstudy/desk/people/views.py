"""The people of a study: inviting, links, reminders, and the mails that were written."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.desk.people.forms import ListForm
from readerstudy.errors import BadInput, StudyError
from readerstudy.invitations.actions import invite_readers, plan_invitations, revoke_link, send_letter
from readerstudy.invitations.invitees import parse_invitees
from readerstudy.invitations.letters import Letter, Terms
from readerstudy.invitations.models import MailKind, MailState
from readerstudy.invitations.queries import list_mails, list_people
from readerstudy.invitations.views import base_url
from readerstudy.studies.access import study_for
from readerstudy.studies.models import Enrollment, Study

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)
MAILS_PER_PAGE = 50
ACTS = ("link", "remind", "text", "revoke")


@require_GET
@for_investigators
def people(request: HttpRequest, code: str) -> HttpResponse:
    """Show who is invited, the state of each link, and the form for a list."""
    return _people_page(request, study_for(signed_in_user(request), code), ListForm())


@require_POST
@for_investigators
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Show what inviting the people of a list would do; nothing is changed."""
    study = study_for(signed_in_user(request), code)
    form = ListForm(request.POST, request.FILES)
    if not form.is_valid():
        return _people_page(request, study, form, status=400)
    return _check_page(request, study, form.cleaned_data)


def _check_page(request: HttpRequest, study: Study, values: dict[str, Any]) -> HttpResponse:
    parsed = parse_invitees(values["text"])
    planned = plan_invitations(study=study, invitees=parsed.invitees, actor=signed_in_user(request))
    count = sum(row.is_invited for row in planned)
    context = {
        "study": study,
        "planned": planned,
        "problems": parsed.problems,
        "values": values,
        "may_override": any(row.may_override for row in planned),
        "button": ngettext("Invite %(count)d reader", "Invite %(count)d readers", count) % {"count": count},
        "count": count,
    }
    return render(request, "desk/people_check.html", context)


@require_POST
@for_investigators
def invite(request: HttpRequest, code: str) -> HttpResponse:
    """Invite the people of a checked list."""
    study = study_for(signed_in_user(request), code)
    form = ListForm(request.POST)
    if not form.is_valid():
        return _people_page(request, study, form, status=400)
    terms = Terms(base_url=base_url(request), language=form.cleaned_data["language"], days=form.cleaned_data["days"])
    invitees = parse_invitees(form.cleaned_data["text"]).invitees
    try:
        result = invite_readers(
            study=study,
            invitees=invitees,
            actor=signed_in_user(request),
            at=now(),
            terms=terms,
            overridden=request.POST.getlist("override"),
            override_reason=request.POST.get("override_reason", ""),
        )
    except BadInput as error:
        messages.error(request, str(error))
        return _check_page(request, study, form.cleaned_data) if study.takes_readers else redirect("desk:people", code)
    except StudyError as error:
        messages.error(request, str(error))
        return redirect("desk:people", code)
    count = len(result.letters)
    done = ngettext("%(count)d reader was invited.", "%(count)d readers were invited.", count) % {"count": count}
    return after_letters(request, study, list(result.letters), done=done)


@require_POST
@for_investigators
def act(request: HttpRequest, code: str, number: int, name: str) -> HttpResponse:
    """Carry out one act for the enrolled reader `number`: link, remind, text or revoke."""
    if name not in ACTS:
        raise Http404
    study = study_for(signed_in_user(request), code)
    enrollment = get_object_or_404(Enrollment.objects.select_related("reader", "study"), pk=number, study=study)
    actor, person = signed_in_user(request), str(enrollment.reader)
    language = enrollment.invitation.language if hasattr(enrollment, "invitation") else request.LANGUAGE_CODE
    terms = Terms(base_url=base_url(request), language=language, by_hand=name == "text")
    kind = MailKind.REMINDER if name == "remind" else MailKind.INVITATION
    try:
        if name == "revoke":
            revoke_link(enrollment=enrollment, actor=actor, at=now())
            messages.success(request, _("The link of %(person)s is revoked.") % {"person": person})
            return redirect("desk:people", code)
        letter = send_letter(enrollment=enrollment, kind=kind, actor=actor, at=now(), terms=terms)
    except StudyError as error:
        messages.error(request, str(error))
        return redirect("desk:people", code)
    return after_letters(request, study, [letter], done=_("%(person)s has a new link.") % {"person": person})


@require_GET
@for_investigators
def mails(request: HttpRequest, code: str) -> HttpResponse:
    """Show the mails to the readers of a study, without their links."""
    study = study_for(signed_in_user(request), code)
    page = Paginator(list_mails(study), MAILS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "desk/mails.html", {"study": study, "page": page})


def after_letters(request: HttpRequest, study: Study, letters: list[Letter], *, done: str) -> HttpResponse:
    """Return to the people, or show the texts that are to be sent by hand: their links exist nowhere else."""
    failed = sum(letter.mail.state == MailState.FAILED for letter in letters)
    if failed:
        words = ngettext("%(count)d mail was not sent.", "%(count)d mails were not sent.", failed) % {"count": failed}
        messages.error(request, f"{done} {words}")
    elif letters:
        waiting = sum(letter.mail.state == MailState.QUEUED for letter in letters)
        words = ngettext("%(count)d mail is being sent.", "%(count)d mails are being sent.", waiting)
        messages.success(request, f"{done} {words % {'count': waiting}}" if waiting else done)
    else:
        messages.info(request, _("Nobody of this list was invited."))
    by_hand = [letter for letter in letters if letter.mail.state == MailState.BY_HAND]
    if by_hand:
        return render(request, "desk/letters.html", {"study": study, "letters": by_hand})
    return redirect("desk:people", study.code)


def _people_page(request: HttpRequest, study: Study, form: ListForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "study": study,
        "people": list_people(study, at=now()),
        "form": form,
        "is_open": study.takes_readers,
    }
    return render(request, "desk/people.html", context, status=status)
