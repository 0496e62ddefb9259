"""What every request of a signed-in person must fulfil."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.identity.second_factor import has_factor, needs_factor

GetResponse = Callable[[HttpRequest], HttpResponse]
# One's own account, where the second factor is set up and people sign out; and the words of the administration.
OPEN: Final = ("/account/", "/static/", "/admin/jsi18n/")


class RequireSecondFactor:
    """Send people who need a second factor and have none to the page where they set one up."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if request.path.startswith(OPEN) or not isinstance(user, User) or not needs_factor(user) or has_factor(user):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": _("Set up a second factor on the page of your account first.")}, status=403)
        return redirect("mfa_index")
