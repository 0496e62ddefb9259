"""Webhooks of the studies and of the own jobs of a person: made, tested, ended, and what became of each message."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.errors import NotFound, StudyError
from readerstudy.studies.access import studies_of, study_for
from readerstudy.webhooks.actions import end_webhook, make_webhook, send_again, send_test, webhook_for, webhooks_for
from readerstudy.webhooks.models import LONGEST_URL, OF_ACCOUNT, OF_STUDY, Webhook

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)
SHOWN = 10  # messages of each webhook


class WebhookForm(forms.Form):
    """A webhook to make."""

    study = forms.ChoiceField(label=gettext_lazy("Study"), required=False)
    url = forms.CharField(label=gettext_lazy("Address"), max_length=LONGEST_URL)
    facts = forms.MultipleChoiceField(
        label=gettext_lazy("Tells"),
        choices=[(fact.value, fact.label) for fact in (*OF_STUDY, *OF_ACCOUNT)],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["study"]
        codes = studies_of(person).order_by("code").values_list("code", flat=True)
        field.choices = [("", _("None: the jobs that you start")), *((code, code) for code in codes)]


@require_http_methods(["GET", "HEAD", "POST"])
@for_investigators
def webhooks(request: HttpRequest) -> HttpResponse:
    """Show the webhooks of the person, and make one; its secret is on the answer to that alone."""
    person = signed_in_user(request)
    form = WebhookForm(request.POST if request.method == "POST" else None, person=person)
    if request.method != "POST":
        return _page(request, person, form)
    if form.is_valid():
        code = form.cleaned_data["study"]
        study = study_for(person, code) if code else None
        values = {"url": form.cleaned_data["url"], "facts": form.cleaned_data["facts"]}
        try:
            made = make_webhook(study=study, actor=person, at=now(), **values)
        except StudyError as error:
            form.add_error(None, str(error))
        else:
            return _page(request, person, WebhookForm(person=person), made=made)
    return _page(request, person, form, status=400)


@require_POST
@for_investigators
def act(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """Send a test message, or end the webhook."""
    person = signed_in_user(request)
    webhook = _webhook(person, number)
    if name == "test":
        send_test(webhook=webhook, actor=person, at=now())
        messages.success(request, _("A test message is on its way."))
    elif name == "end":
        end_webhook(webhook=webhook, actor=person, at=now())
        messages.success(request, _("The webhook has ended. Nothing more is sent to it."))
    else:
        raise Http404
    return redirect("desk:webhooks")


@require_POST
@for_investigators
def again(request: HttpRequest, number: int, delivery: UUID) -> HttpResponse:
    """Send a message again."""
    person = signed_in_user(request)
    found = get_object_or_404(_webhook(person, number).deliveries, pk=delivery)
    try:
        send_again(delivery=found, actor=person, at=now())
    except StudyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The message is sent again."))
    return redirect("desk:webhooks")


def _webhook(person: User, number: int) -> Webhook:
    try:
        return webhook_for(person, number)
    except NotFound as error:
        raise Http404 from error


def _page(
    request: HttpRequest, person: User, form: WebhookForm, *, made: Webhook | None = None, status: int = 200
) -> HttpResponse:
    lines = [
        {"webhook": each, "deliveries": each.deliveries.prefetch_related("attempts")[:SHOWN]}
        for each in webhooks_for(person)
    ]
    context = {"lines": lines, "form": form, "made": made}
    response = render(request, "desk/webhooks.html", context, status=status)
    response["Cache-Control"] = "no-store"  # the secret
    return response
