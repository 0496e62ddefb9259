"""The coordinators and researchers who take part in a study."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.errors import StudyError
from readerstudy.studies.access import members_of, study_for
from readerstudy.studies.actions import add_member, remove_member
from readerstudy.studies.models import Study

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)
ROLES = [(role.value, role.label) for role in (Role.COORDINATOR, Role.RESEARCHER)]


class MemberForm(forms.Form):
    """Somebody with an account, and the role in the study."""

    person = forms.ChoiceField(label=gettext_lazy("Person"))
    role = forms.ChoiceField(label=gettext_lazy("Role in the study"), choices=ROLES)

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = User.objects.exclude(role=Role.READER).filter(is_active=True).order_by("last_name", "username")
        others = accounts.exclude(pk__in=members_of(study).values("person"))
        field: Any = self.fields["person"]
        field.choices = [(person.username, _name(person)) for person in others]


def _name(person: User) -> str:
    return f"{person.get_full_name() or person.username} ({person.get_role_display()})"


@require_GET
@for_investigators
def team(request: HttpRequest, code: str) -> HttpResponse:
    """Show who takes part in the study, and the form to add somebody."""
    study = study_for(signed_in_user(request), code)
    context = {"study": study, "members": members_of(study), "form": MemberForm(study=study)}
    return render(request, "desk/team.html", context)


@require_POST
@for_investigators
def add(request: HttpRequest, code: str) -> HttpResponse:
    """Let somebody take part in the study."""
    actor = signed_in_user(request)
    study = study_for(actor, code)
    form = MemberForm(request.POST, study=study)
    if not form.is_valid():
        context = {"study": study, "members": members_of(study), "form": form}
        return render(request, "desk/team.html", context, status=400)
    person, role = User.named(form.cleaned_data["person"]), Role(form.cleaned_data["role"])
    try:
        add_member(study=study, person=person, role=role, actor=actor, at=now())
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(person)s takes part in the study.") % {"person": person})
    return redirect("desk:team", code)


@require_POST
@for_investigators
def remove(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """End the part of a member in the study."""
    actor = signed_in_user(request)
    study = study_for(actor, code)
    member = get_object_or_404(members_of(study), pk=number)
    try:
        remove_member(study=study, person=member.person, actor=actor, at=now())
    except StudyError as error:
        messages.error(request, str(error))
        return redirect("desk:team", code)
    messages.success(request, _("%(person)s takes no part in the study any more.") % {"person": member.person})
    return redirect("desk:board") if member.person == actor else redirect("desk:team", code)
