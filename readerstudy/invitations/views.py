"""Asking for a new sign-in link, or for a link to choose a new password."""

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.renewal import person_of_renewal
from readerstudy.invitations.actions import ask_for_new_link, renew_link
from readerstudy.invitations.letters import Terms
from readerstudy.invitations.passwords import ask_for_password


def base_url(request: HttpRequest) -> str:
    """Return the start of all addresses in mails: as configured, or as the request names the server."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/")


@require_POST
def ask(request: HttpRequest, token: str) -> HttpResponse:
    """Send a new link to the person of an old one; the answer is the same whether or not one is sent."""
    ask_for_new_link(token=token, at=now(), terms=_terms(request))
    return _requested(request)


@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Send a new link to the person whose page lost its sign-in; the answer is the same whether or not one is sent."""
    person_id = person_of_renewal(request.POST.get("renewal", ""))
    if person_id is not None:
        renew_link(person_id=person_id, at=now(), terms=_terms(request))
    return _requested(request)


def _requested(request: HttpRequest) -> HttpResponse:
    response = render(request, "accounts/link_requested.html")
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


class ForgottenForm(forms.Form):
    """The mail address of the account."""

    email = forms.EmailField(
        label=gettext_lazy("Mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for the mail address; by POST, send a link. The answer is the same whether or not there is an account."""
    form = ForgottenForm(request.POST or None)
    is_asked = form.is_valid()
    if is_asked:
        ask_for_password(email=form.cleaned_data["email"], at=now(), terms=_terms(request))
    context = {"form": form, "is_asked": is_asked}
    return render(request, "accounts/password_forgotten.html", context, status=400 if form.errors else 200)


def _terms(request: HttpRequest) -> Terms:
    return Terms(base_url=base_url(request), language=get_language() or settings.LANGUAGE_CODE)
