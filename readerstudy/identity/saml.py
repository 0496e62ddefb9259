"""Answers of a SAML provider, by allauth and python3-saml, the extra [saml]. Used if `SAML_METADATA_URL` is set."""

from typing import Final

from allauth.socialaccount.providers.saml import views
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from readerstudy.configuration.single_sign_on import SAML
from readerstudy.identity.single_sign_on import refuse

LONGEST: Final = 200_000  # characters of an answer, which waits in a session


@csrf_exempt  # the provider's page posts; `finish` asks for the state of the browser that began
def receive(request: HttpRequest, organization_slug: str) -> HttpResponseBase:
    """Keep the answer until the browser comes with its own cookie, which it does not send from another site."""
    if len(request.POST.get("SAMLResponse", "")) > LONGEST:
        return refuse(request, SAML)
    return views.acs(request, organization_slug=organization_slug)


def finish(request: HttpRequest, organization_slug: str) -> HttpResponseBase:
    """Sign in by the answer that was posted, once, in the browser that asked for it."""
    try:
        return views.finish_acs(request, organization_slug=organization_slug)
    except PermissionDenied:  # this browser did not ask, or the answer was used before
        return refuse(request, SAML)
    except (SyntaxError, ValueError):  # it is no XML (lxml's errors are SyntaxErrors), or has a document type
        return refuse(request, SAML)


def no_single_logout(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Answer with 404. Logout requests need no signature: a link of another site could sign somebody out."""
    raise Http404
