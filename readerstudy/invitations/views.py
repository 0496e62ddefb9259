"""Asking for a new sign-in link."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.utils.translation import get_language
from django.views.decorators.http import require_POST

from readerstudy.invitations.actions import ask_for_new_link
from readerstudy.invitations.letters import Terms


def base_url(request: HttpRequest) -> str:
    """Return the start of all addresses in mails: as configured, or as the request names the server."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/")


@require_POST
def ask(request: HttpRequest, token: str) -> HttpResponse:
    """Send a new link to the person of an old one; the answer is the same whether or not one is sent."""
    terms = Terms(base_url=base_url(request), language=get_language() or settings.LANGUAGE_CODE)
    ask_for_new_link(token=token, at=now(), terms=terms)
    response = render(request, "accounts/link_requested.html")
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
