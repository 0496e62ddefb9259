"""Signing in and out."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from readerstudy.accounts.links import user_from_token


class SignIn(LoginView):
    """Sign in with name and password."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the form. A part of a page that htmx requested is not replaced by it: the whole page is reloaded."""
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Refresh": "true"})
        return super().get(request, *args, **kwargs)


class SignOut(LogoutView):
    """Sign out, by POST only: a link must not sign a user out."""


@require_GET
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in the user of the link."""
    login(request, user_from_token(token), backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")
