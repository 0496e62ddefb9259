"""Signing in to the API by a token, and what a token allows."""

from typing import TYPE_CHECKING, Any, Final

from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from readerstudy.accounts.models import ApiToken, Scope, User
from readerstudy.accounts.permissions import IsReader
from readerstudy.accounts.tokens import use_token
from readerstudy.audit.origin import TOKEN

if TYPE_CHECKING:
    from rest_framework.views import APIView

KEYWORDS: Final = (b"token", b"bearer")


class TokenAuthentication(BaseAuthentication):
    """Sign in by `Authorization: Token …` (or `Bearer`). A token that lacks the view's scope is answered with 403."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the user and the token, None without one. Raises AuthenticationFailed for a token that is not valid.

        The scope is checked here and not by permission classes: a view cannot forget it.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() not in KEYWORDS:
            return None
        token = use_token(words[1].decode("latin-1"), at=now()) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed(_("The token is unknown, expired or revoked."))
        scope = needed_scope(request.parser_context["view"], str(request.method))
        if scope not in token.scopes:
            raise PermissionDenied(_("The token lacks the scope %(scope)s.") % {"scope": scope.value})
        setattr(request._request, TOKEN, token.pk)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate of a 401."""
        return "Token"


def needed_scope(view: "APIView", method: str) -> Scope:
    """Return the scope that a token needs for a request to the view.

    The reader's views need `reading`. Elsewhere what changes nothing needs `read`; what does needs the view's
    `required_scope`, `studies` unless it says otherwise.
    """
    if IsReader in view.permission_classes:
        return Scope.READING
    return Scope.READ if method in SAFE_METHODS else Scope(getattr(view, "required_scope", Scope.STUDIES))


# The extension has no annotations.
class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The token in the OpenAPI schema."""

    target_class = TokenAuthentication
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the header that carries the token."""
        described = 'Token-based authentication with required prefix "Token"'
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": described}
