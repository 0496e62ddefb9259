"""Signing in by password or passkey, the second factor, and a password chosen by a link that was sent by mail."""

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.views import IndexView
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readerstudy.accounts.models import User
from readerstudy.accounts.password_fields import NEW
from readerstudy.accounts.passwords import strength_of
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.audit.actions import record
from readerstudy.identity.forms import NewPasswordForm, SignInForm
from readerstudy.identity.second_factor import has_factor, needs_factor


class SignIn(LoginView):
    """Sign in with name and password; then, if there is one, with the second factor."""

    template_name = "accounts/sign_in.html"
    form_class = SignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the form. A part of a page that htmx requested is not replaced by it: the whole page is reloaded."""
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Refresh": "true"})
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        after = context["redirect_field_value"]
        providers = get_social_adapter().list_providers(self.request) if settings.SOCIALACCOUNT_PROVIDERS else []
        ways = [
            {"name": each.name, "url": each.get_login_url(self.request, **({"next": after} if after else {}))}
            for each in providers
        ]
        return {**context, "sends_mail": settings.SENDS_MAIL, "ways": ways}


class SecondFactors(IndexView):
    """One's own second factors."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in_user(self.request)
        return {**super().get_context_data(**kwargs), "must_set_up": needs_factor(user) and not has_factor(user)}


class RemovePasskey(RemoveWebAuthnView):
    """Remove a passkey, unless the person needs it."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        if not get_mfa_adapter().can_delete_authenticator(self.get_object()):
            form.add_error(None, get_mfa_adapter().validation_error("cannot_delete_authenticator"))
            return render(self.request, self.get_template_names(), {"form": form}, status=409)
        response: HttpResponse = super().form_valid(form)
        return response


class NewPassword(PasswordResetConfirmView):
    """Choose a password by a link that was sent by mail. It works once: it ends with the old password."""

    template_name = "accounts/password_new.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("account_login")

    def form_valid(self, form: Any) -> HttpResponse:
        """Store the password, which ends all sessions and tokens of the person."""
        response = super().form_valid(form)
        record("password.reset", actor=None, subject=form.user, at=now())
        messages.success(self.request, _("Your password is stored. You can sign in with it from now on."))
        return response


@require_POST
def password_strength(request: HttpRequest) -> HttpResponse:
    """Say how hard the password that is being typed is to guess. It is neither stored nor logged."""
    password = next((request.POST[name] for name in NEW if name in request.POST), "")
    person = request.user
    known = (person.username, person.first_name, person.last_name, person.email) if isinstance(person, User) else ()
    strength = strength_of(password, known=known) if password else None
    return render(request, "accounts/_strength.html", {"strength": strength})


def to_second_factors(request: HttpRequest) -> HttpResponse:
    """Lead to the page with all second factors."""
    return redirect("mfa_index")


def cancelled(request: HttpRequest) -> HttpResponse:
    """Return to the sign-in page after somebody stopped at the other server."""
    return redirect("account_login")
