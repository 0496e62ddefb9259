"""Access by role, for pages and for the API."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from readerstudy.accounts.models import Role, User
from readerstudy.errors import NotAllowed

if TYPE_CHECKING:
    # DRF's views import the default permission class below: at run time this would be an import cycle.
    from rest_framework.views import APIView

View = Callable[..., HttpResponse]


def signed_in_user(request: HttpRequest) -> User:
    """Return the user of a request. Raises NotAllowed for visitors who have not signed in."""
    if not isinstance(request.user, User):
        raise NotAllowed("Sign in first.")
    return request.user


def role_required(*roles: Role) -> Callable[[View], View]:
    """Return a decorator that lets users of these roles in. Others get NotAllowed, or the sign-in page."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not isinstance(request.user, User) or request.user.role not in roles:
                allowed = " / ".join(str(role.label) for role in roles)
                raise NotAllowed(gettext("This page is for the role %(role)s.") % {"role": allowed})
            return view(request, *args, **kwargs)

        return guarded

    return decorate


class IsReader(BasePermission):
    """Allow readers: for the reader's API."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and request.user.is_reader


class IsInvestigator(BasePermission):
    """Allow coordinators and researchers: for everything but the reader's API."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and not request.user.is_reader


class IsResearcher(BasePermission):
    """Allow researchers: for the truth and what is derived from it."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and request.user.is_researcher
