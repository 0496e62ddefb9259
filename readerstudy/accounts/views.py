"""Signing in and out."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from readerstudy.accounts.links import LinkRefused, open_link, use_link


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


# An address below this one must not reach another server. "no-referrer" would be stricter, but browsers then send
# "Origin: null" with the form, which the protection against forged requests refuses.
REFERRER_POLICY = "strict-origin"


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to sign in as the user of the link; by POST, sign in and use the link up."""
    try:
        if request.method == "POST":
            login(request, use_link(token, at=now()), backend="django.contrib.auth.backends.ModelBackend")
            return redirect("home")
        if request.method == "HEAD":  # a mail scanner's: it is not an opening
            return HttpResponse()
        response = render(request, "accounts/link.html", {"person": open_link(token, at=now()).user})
    except LinkRefused as error:
        response = render(request, "accounts/link.html", {"sentence": str(error), "token": token}, status=410)
    response.headers["Referrer-Policy"] = REFERRER_POLICY
    return response
