"""Accounts on the desk: one account with what can be done, and inviting a coordinator or researcher."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from readerstudy.accounts.models import Role, SignInLink, User
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.audit.models import Event
from readerstudy.desk.people.directory import parts_of
from readerstudy.desk.people.views import for_investigators
from readerstudy.errors import StudyError
from readerstudy.invitations.colleagues import (
    ROLES,
    change_role,
    deactivate_account,
    find_obstacle,
    invite_colleague,
    may_copy,
    may_manage,
    reactivate_account,
    rights_of,
    role_given,
    sees_more,
    send_account_link,
)
from readerstudy.invitations.invitees import MAXIMUM_ADDRESS, MAXIMUM_NAME, Invitee
from readerstudy.invitations.letters import Letter, Terms
from readerstudy.invitations.models import Mail, MailState
from readerstudy.invitations.views import base_url
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Study

HISTORY: Final = {
    "account.made": gettext_lazy("Account made"),
    "account.written": gettext_lazy("Mail with a link written"),
    "account.role_changed": gettext_lazy("Role changed"),
    "password.changed": gettext_lazy("Password changed"),
    "account.deactivated": gettext_lazy("Deactivated"),
    "account.activated": gettext_lazy("Reactivated"),
    "account.erased": gettext_lazy("Erased"),
    "link.used": gettext_lazy("Signed in by a link"),
    "link.revoked": gettext_lazy("Link replaced or revoked"),
}
MOST_EVENTS: Final = 100


class ColleagueForm(forms.Form):
    """Who is invited, with which role, and to which studies of the one who invites."""

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=MAXIMUM_NAME)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=MAXIMUM_NAME)
    address = forms.EmailField(label=gettext_lazy("Mail address"), max_length=MAXIMUM_ADDRESS)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=[(role.value, role.label) for role in ROLES], initial=Role.COORDINATOR.value
    )
    studies = forms.MultipleChoiceField(
        label=gettext_lazy("Takes part in"), required=False, widget=forms.CheckboxSelectMultiple
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of the mail"), choices=settings.LANGUAGES)

    def __init__(self, actor: User, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"language": get_language()})
        super().__init__(*args, **kwargs)
        self.own = {study.code: study for study in studies_of(actor).filter(is_rehearsal=False).order_by("code")}
        field: Any = self.fields["studies"]
        field.choices = [(code, f"{code} {study.title}") for code, study in self.own.items()]
        if not self.own:
            del self.fields["studies"]

    @property
    def chosen(self) -> list[Study]:
        """The studies of a valid form."""
        return [self.own[code] for code in self.cleaned_data.get("studies", [])]

    @property
    def invitee(self) -> Invitee:
        """The person of a valid form."""
        values = self.cleaned_data
        return Invitee(1, values["first_name"], values["last_name"], values["address"])


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.RESEARCHER)
def invite(request: HttpRequest) -> HttpResponse:
    """Show the form; by POST, say what inviting would do, and do it once that is confirmed."""
    actor = signed_in_user(request)
    form = ColleagueForm(actor, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid() or request.POST.get("step") == "change":
        status = 400 if form.errors else 200
        return render(request, "desk/colleague_invite.html", {"form": form}, status=status)
    role, studies = Role(form.cleaned_data["role"]), form.chosen
    if obstacle := find_obstacle(address=form.invitee.address, role=role, studies=studies, actor=actor):
        form.add_error("address", obstacle)
        return render(request, "desk/colleague_invite.html", {"form": form}, status=400)
    if request.POST.get("step") != "confirm":
        given = [(study, role_given(study, role=role, actor=actor).label) for study in studies]
        context = {"form": form, "invitee": form.invitee, "role": role.label, "given": given}
        return render(request, "desk/colleague_check.html", context)
    terms = Terms(base_url=base_url(request), language=form.cleaned_data["language"])
    try:
        letter = invite_colleague(invitee=form.invitee, role=role, studies=studies, actor=actor, at=now(), terms=terms)
    except StudyError as error:
        form.add_error(None, str(error))
        return render(request, "desk/colleague_invite.html", {"form": form}, status=409)
    return _after_letter(request, letter, _("%(person)s is invited.") % {"person": letter.mail.person})


@require_GET
@for_investigators
def account(request: HttpRequest, number: int) -> HttpResponse:
    """Show one account: its role, its studies, its mails, what was done with it, and what can be."""
    viewer, person = signed_in_user(request), get_object_or_404(User, pk=number)
    events = Event.objects.filter(subject=f"{User._meta.label_lower}:{person.pk}", verb__in=HISTORY)
    is_colleague = not person.is_reader
    link = SignInLink.objects.filter(user=person).order_by("-pk").first()
    own = set(studies_of(viewer).values_list("code", flat=True))
    rights = [] if person.is_active else rights_of(person)
    context = {
        "person": person,
        "is_colleague": is_colleague,
        "parts": parts_of([person], viewer)[person.pk],
        "rights": [right for right in rights if right.study in own],
        "all_rights": len(rights),
        "rights_elsewhere": sum(right.study not in own for right in rights),
        "may_manage": may_manage(viewer, person),
        "may_copy": may_copy(viewer, person),
        "may_change": person.is_reader or viewer.is_superuser,
        "may_hold_link": is_colleague and not sees_more(person, viewer),
        "sends_mail": settings.SENDS_MAIL and bool(person.email),
        "other_role": next((role for role in ROLES if role != person.role), None) if is_colleague else None,
        "link": link,
        "link_state": link.state(at=now()).label if link else "",
        "mails": Mail.objects.filter(person=person, enrollment=None).order_by("-pk")[:20] if is_colleague else [],
        "history": [
            {"at": event.at, "what": HISTORY[event.verb], "by": event.actor, "reason": event.data.get("reason", "")}
            for event in events.select_related("actor").order_by("-pk")[:MOST_EVENTS]
        ],
    }
    return render(request, "desk/account.html", context)


@require_POST
@for_investigators
def act(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """Change the role, deactivate or reactivate the account, or write to the person with a new link."""
    actor, person = signed_in_user(request), get_object_or_404(User, pk=number)
    values: dict[str, Any] = {"person": person, "actor": actor, "at": now()}
    reason, rights = request.POST.get("reason", ""), request.POST.get("rights", "")
    confirmed = int(rights) if re.fullmatch("[0-9]{1,6}", rights) else -1
    done: dict[str, tuple[Callable[[], object], str]] = {
        "role": (partial(_change_role, request, reason=reason, **values), _("%(person)s has another role.")),
        "deactivate": (partial(deactivate_account, reason=reason, **values), _("%(person)s is deactivated.")),
        "reactivate": (
            partial(reactivate_account, rights=confirmed, reason=reason, **values),
            _("%(person)s is active again."),
        ),
        "link": (partial(_send_link, request, **values), _("%(person)s has a new link.")),
        "text": (partial(_send_link, request, by_hand=True, **values), _("%(person)s has a new link.")),
    }
    if name not in done:
        raise Http404
    work, sentence = done[name]
    try:
        result = work()
    except StudyError as error:
        messages.error(request, str(error))
        return redirect("desk:account", number)
    if isinstance(result, Letter):
        return _after_letter(request, result, sentence % {"person": person})
    messages.success(request, sentence % {"person": person})
    return redirect("desk:account", number)


def _change_role(request: HttpRequest, **values: Any) -> None:
    role = request.POST.get("role", "")
    if role not in Role.values:
        raise Http404
    change_role(role=Role(role), **values)


def _send_link(request: HttpRequest, *, by_hand: bool = False, **values: Any) -> Letter:
    terms = Terms(base_url=base_url(request), language=request.LANGUAGE_CODE, by_hand=by_hand)
    return send_account_link(terms=terms, **values)


def _after_letter(request: HttpRequest, letter: Letter, done: str) -> HttpResponse:
    """Return to the account, or show the text that is to be sent by hand: its link exists nowhere else."""
    person = letter.mail.person
    if letter.mail.state == MailState.FAILED:
        failed = _("The mail was not sent.")
        messages.error(request, f"{done} {failed}")
    else:
        messages.success(request, done)
    if letter.text:
        return render(request, "desk/account_letter.html", {"letters": [letter], "person": person})
    return redirect("desk:account", person.pk)
